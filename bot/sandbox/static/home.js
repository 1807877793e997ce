/** App Home: the one view the app keeps for each person. */

import { h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { renderBlocks } from "./blocks.js";

export class Home {
  constructor(root, model) {
    Object.assign(this, { root, model });
    this.blocks = h("div", { class: "blocks" });
    this.empty = h("div", { class: "empty-home" });
    root.replaceChildren(h("div", { class: "home-sheet" }, this.blocks, this.empty));
  }

  paint() {
    const { model } = this;
    this.root.hidden = model.tab !== "home";
    if (this.root.hidden) return;
    const view = model.state.home;
    this.empty.hidden = Boolean(view) || !model.loaded;
    this.blocks.hidden = !view;
    if (view) this.#show(view);
    else reconcile(this.empty, [{ key: "empty", signature: `${model.connected}`, build: () => nothing(model) }]);
  }

  #show(view) {
    const container = { type: "view", view_id: view.id };
    const surface = this.model.surface(`home:${view.id}`, container, () => renderBlocks(this.blocks, surface));
    this.root.dataset.viewId = view.id;
    surface.show(view.blocks, view.state?.values);
    renderBlocks(this.blocks, surface);
  }
}

function nothing(model) {
  return h("div", { class: "empty-words" }, icon("home"),
    h("h2", {}, "Nothing here yet"),
    h("p", {}, model.connected
      ? "The app has not published its Home for this person. It does so when Home is opened; give it a moment."
      : "The bot is not connected. Once it is, it fills this page."));
}
