/** "Workspace": what administrators do in Slack to people, user groups and channels, beside the conversation. */

import * as api from "./api.js";
import { h, keepingFocus, reconcile, toast } from "./dom.js";
import { icon } from "./icons.js";
import { peopleCards } from "./workpeople.js";
import { groupCards } from "./workgroups.js";
import { channelCards } from "./workchannels.js";

const PARTS = [["people", "People"], ["groups", "Groups"], ["channels", "Channels"]];
const CARDS = { people: peopleCards, groups: groupCards, channels: channelCards };

export class WorkspacePanel {
  constructor(root, model) {
    Object.assign(this, { root, model, part: "people", open: new Set() });
    this.tabs = h("div", { class: "parts", role: "tablist", "aria-label": "Workspace", on: { keydown: (event) => this.#turn(event) } }, PARTS.map(([id, words]) => this.#tab(id, words)));
    this.body = h("div", { class: "drawer-body", id: "panel-body", role: "tabpanel" });
    root.setAttribute("aria-labelledby", "panel-title");
    root.replaceChildren(this.#head(), this.tabs, this.body);
  }

  #head() {
    return h("div", { class: "drawer-head" },
      icon("people"),
      h("div", {},
        h("h2", { id: "panel-title" }, "Workspace"),
        h("p", {}, "What administrators change in Slack")),
      h("button", { type: "button", class: "icon-button", title: "Hide the workspace", on: { click: () => this.model.openPanel(false) } },
        icon("close"), h("span", { class: "unseen" }, "Hide the workspace")));
  }

  /** The focus goes back to what opened the panel, or on a narrow page to what leads there. */
  #giveBack() {
    const isNarrow = getComputedStyle(document.getElementById("side")).visibility === "hidden";
    document.getElementById(isNarrow ? "menu" : "panel-toggle")?.focus({ preventScroll: true });
  }

  #tab(id, words) {
    return h("button", { type: "button", role: "tab", class: "part", id: `part-${id}`, "aria-controls": "panel-body", on: { click: () => this.#show(id) } }, words);
  }

  #turn(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const at = PARTS.findIndex(([id]) => id === this.part);
    this.#show(PARTS[(at + step + PARTS.length) % PARTS.length][0]);
    document.getElementById(`part-${this.part}`).focus();
  }

  #show(part) {
    this.part = part;
    this.body.scrollTop = 0;
    this.model.changed();
  }

  paint() {
    const { model, root } = this;
    const wasHidden = root.hidden;
    const hadFocus = root.contains(document.activeElement);
    root.hidden = !model.panel;
    if (!model.panel) return void (hadFocus && this.#giveBack());
    for (const [id] of PARTS) {
      const tab = document.getElementById(`part-${id}`);
      tab.setAttribute("aria-selected", String(id === this.part));
      tab.tabIndex = id === this.part ? 0 : -1;
    }
    this.body.setAttribute("aria-labelledby", `part-${this.part}`);
    if (model.workspace) keepingFocus(() => reconcile(this.body, CARDS[this.part](this)));
    if (wasHidden) document.getElementById(`part-${this.part}`).focus({ preventScroll: true });
  }

  /** Opens or shuts a card; it stays so until it is done by hand again. */
  toggle(key) {
    this.open[this.open.has(key) ? "delete" : "add"](key);
    this.model.changed();
  }

  /** Carries a change out; what Slack forbids is said in words. True when it was done. */
  async change(call, said) {
    const answer = await call;
    if (!answer.ok) toast(answer.error, "error");
    else if (said) toast(said);
    await Promise.all([this.model.loadPeople(), this.model.loadWorkspace()]);
    return answer.ok;
  }
}
