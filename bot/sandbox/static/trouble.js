/** "Make it misbehave": switches for the faults of the mail server and of one maildrop, and what is on now. */

import * as api from "./api.js";
import { h, keepingFocus, reconcile, setText, toast } from "./dom.js";
import { icon } from "./icons.js";
import { whileBusy } from "./controls.js";
import { MailboxSelect } from "./mailboxselect.js";

const PARTS = [["server", "The server, for everybody"], ["maildrop", "The maildrop"], ["outgoing", "Its way out: sending alone"]];
const partOf = (kind) => (kind.is_outgoing ? "outgoing" : kind.befalls);

/** The card with the switches, shut until somebody wants it. */
export class Trouble {
  constructor(model) {
    Object.assign(this, { model, rows: [], expanded: false });
    this.whose = new MailboxSelect(model, "fault-maildrop");
    this.whose.node.addEventListener("change", () => this.paint());
    this.count = h("span", { class: "count" });
    this.toggle = h("button", { type: "button", class: "account-name", id: "trouble-toggle", "aria-expanded": "false", "aria-controls": "trouble-body", on: { click: () => this.#expand(!this.expanded) } },
      icon("down"), h("span", { class: "account-address" }, "Make it misbehave"), this.count);
    this.body = h("div", { class: "trouble-body", id: "trouble-body", hidden: true });
    this.node = h("section", { class: "account trouble" }, h("h3", {}, this.toggle), this.body);
  }

  paint() {
    const { faultKinds, mailFaults } = this.model;
    this.node.hidden = !faultKinds.length;
    if (faultKinds.length && !this.rows.length) this.#build();
    this.whose.paint();
    setText(this.count, mailFaults.length ? `${mailFaults.length} on` : "all is well");
    for (const row of this.rows) this.#paintRow(row);
  }

  #expand(expanded) {
    this.expanded = expanded;
    this.toggle.setAttribute("aria-expanded", String(expanded));
    this.body.hidden = !expanded;
  }

  #build() {
    this.rows = this.model.faultKinds.map((kind) => this.#row(kind));
    const group = ([befalls, title]) => h("fieldset", { class: "faults" },
      h("legend", {}, title),
      befalls === "maildrop" && h("div", { class: "mail-to" }, h("label", { for: this.whose.node.id }, "Whose"), this.whose.node),
      this.rows.filter((row) => partOf(row.kind) === befalls).map((row) => row.node));
    this.body.replaceChildren(
      h("p", { class: "drawer-note" }, "Sessions that begin while a switch is on meet the fault; the bot's next check is one."),
      ...PARTS.map(group));
  }

  #row(kind) {
    const id = `fault-${kind.kind}`;
    const box = h("input", { type: "checkbox", role: "switch", class: "switch", id, "aria-describedby": `${id}-effect`, on: { change: () => this.#switch(row) } });
    const seconds = kind.seconds && h("input", { type: "number", class: "control small", id: `${id}-seconds`, value: kind.seconds, min: 0.1, max: 600, step: "any", "aria-label": `${kind.name}: seconds`, on: { change: () => box.checked && this.#switch(row) } });
    const node = h("div", { class: "fault", data: { kind: kind.kind } }, box,
      h("div", {}, h("label", { for: id }, kind.name), h("p", { id: `${id}-effect` }, kind.effect)),
      seconds && h("div", { class: "fault-seconds" }, seconds, h("span", { "aria-hidden": "true" }, "s")));
    const row = { kind, box, seconds, node };
    return row;
  }

  /** A switch shows what the server says; only one that is being moved shows what its person wants. */
  #paintRow({ kind, box, seconds }) {
    if (box.getAttribute("aria-busy") === "true") return;
    const fault = this.model.mailFaults.find((one) => one.kind === kind.kind && one.address === this.#address(kind));
    box.checked = Boolean(fault);
    if (fault && seconds && document.activeElement !== seconds) seconds.value = fault.seconds;
  }

  #address(kind) {
    return kind.befalls === "maildrop" ? this.whose.address : "";
  }

  async #switch(row) {
    const { kind, box, seconds } = row;
    const address = this.#address(kind);
    await whileBusy(box, async () => {
      const order = { kind: kind.kind, on: box.checked, ...(address && { address }), ...(seconds && box.checked && { seconds: seconds.valueAsNumber }) };
      taken(this.model, await api.switchFault(order));
    });
    this.#paintRow(row);
  }
}

/** What is wrong on purpose, in sight as long as something is. */
export class TroubleStrip {
  constructor(model) {
    this.model = model;
    this.words = h("p", { role: "status" });
    this.node = h("div", { class: "trouble-strip" }, this.words);
    this.heal = h("button", { type: "button", class: "button small", id: "heal", on: { click: () => whileBusy(this.heal, () => this.#heal()) } }, h("span", {}, "Heal it all"));
    this.node.append(this.heal);
  }

  paint() {
    const { mailFaults } = this.model;
    const hadFocus = this.node.contains(document.activeElement);
    this.node.classList.toggle("quiet", !mailFaults.length);
    this.heal.hidden = !mailFaults.length;
    keepingFocus(() => reconcile(this.words, mailFaults.length ? [{ key: "on", signature: JSON.stringify(mailFaults), build: () => this.#told() }] : []));
    if (hadFocus && !mailFaults.length) document.getElementById("trouble-toggle")?.focus({ preventScroll: true });
  }

  #told() {
    return h("span", {}, icon("warn"), h("strong", {}, "Wrong on purpose: "), this.model.mailFaults.map((fault) => this.#name(fault)).join(", "));
  }

  #name({ kind, address, seconds }) {
    const name = this.model.faultKinds.find((one) => one.kind === kind)?.name ?? kind;
    const more = [address.split("@")[0], seconds && `${seconds} s`].filter(Boolean).join(", ");
    return more ? `${name} (${more})` : name;
  }

  async #heal() {
    taken(this.model, await api.heal());
  }
}

/** Keeps what the server says is on now; an answer that says no becomes a line at the edge of the page. */
function taken(model, answer) {
  if (answer.ok) model.set({ mailFaults: answer.faults });
  else toast(answer.error, "error");
}
