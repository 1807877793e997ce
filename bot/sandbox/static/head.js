/** The bar above the conversation: the app's name, its two tabs and the way to the mail server. */

import { h, keepingFocus, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { appAvatar } from "./avatar.js";
import { badge } from "./posts.js";

const TABS = [["home", "Home"], ["messages", "Messages"]];

/** Paints the bar. */
export function paintHead(root, model, isUnread) {
  const app = model.bot?.name ?? "Mailbox";
  keepingFocus(() => reconcile(root, [
    { key: "title", signature: `${app}${model.side}${model.mailFaults.length}`, build: () => title(model, app) },
    { key: "tabs", signature: `${model.tab}${isUnread}`, build: () => tabs(model, isUnread) },
  ]));
}

function title(model, app) {
  return h("div", { class: "head-line" },
    h("button", {
      type: "button", id: "menu", class: "icon-button menu-button", title: "People and apps", "aria-expanded": String(model.side),
      on: { click: () => model.set({ side: !model.side }) },
    }, icon("menu"), h("span", { class: "unseen" }, "People and apps")),
    appAvatar("small"), h("h2", {}, app), badge(),
    h("button", {
      type: "button", id: "mail-toggle", class: "mail-toggle", "aria-controls": "drawer", on: { click: () => model.openDrawer(!model.drawer) },
    }, icon("server"), h("span", {}, "Sandbox mail"), model.mailFaults.length > 0 && wrong(model.mailFaults.length)));
}

/** So many faults are on; in sight also when the mail server is not. */
function wrong(count) {
  return h("span", { class: "wrong" }, icon("warn"), String(count), h("span", { class: "unseen" }, count === 1 ? " fault is on" : " faults are on"));
}

function tabs(model, isUnread) {
  const node = h("div", { class: "tabs", role: "tablist", "aria-label": "App" }, TABS.map(([id, words]) => h("button", {
    type: "button", id: `tab-${id}`, role: "tab", class: "tab", "aria-controls": id,
    "aria-selected": String(model.tab === id), tabindex: model.tab === id ? "0" : "-1",
    on: { click: () => model.show(id) },
  }, words, id === "messages" && isUnread && h("span", { class: "dot" }, h("span", { class: "unseen" }, "unread")))));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    const other = model.tab === "home" ? "messages" : "home";
    model.show(other);
    setTimeout(() => document.getElementById(`tab-${other}`)?.focus());
  });
  return node;
}
