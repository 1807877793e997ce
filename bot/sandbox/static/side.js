/** The dark column: workspace, who one is, and the one conversation there is. */

import { h, keepingFocus, reconcile, unseen } from "./dom.js";
import { icon } from "./icons.js";
import { appAvatar, avatar } from "./avatar.js";
import { roleName } from "./model.js";
import { openMenu } from "./popover.js";

/** Paints the side bar. */
export function paintSide(root, model, isUnread) {
  const app = model.bot?.name ?? "Mailbox";
  const [word, kind] = connection(model);
  const { me } = model;
  root.classList.toggle("open", model.side);
  keepingFocus(() => reconcile(root, [
    { key: "name", signature: "", build: workspace },
    { key: "who", signature: JSON.stringify([me, model.people]), build: () => who(model) },
    { key: "nav", signature: JSON.stringify([app, isUnread, model.tab]), build: () => places(model, app, isUnread) },
    { key: "state", signature: word, build: () => h("p", { class: `connection ${kind}`, role: "status" }, h("span", { class: "lamp" }), h("span", {}, word)) },
  ]));
}

function connection(model) {
  if (!model.online) return ["sandbox does not answer, trying again…", "off"];
  return model.connected ? ["bot connected", "on"] : ["waiting for the bot…", "waiting"];
}

function workspace() {
  return h("div", { class: "workspace" },
    h("h1", {}, "Mailbox sandbox"),
    h("p", { class: "honest" }, "Local sandbox – not Slack"));
}

function who(model) {
  const { me } = model;
  if (!me) return h("div", { class: "who" });
  const node = h("button", {
    type: "button", id: "who", class: "who", "aria-haspopup": "menu", "aria-expanded": "false", on: { click: () => openMenu(node, choices(model), { label: "People" }) },
  }, avatar(me), h("span", { class: "who-words" }, h("small", {}, "You are: "), h("strong", {}, me.real_name ?? me.name), h("small", {}, unseen(" · "), roleName(me.role))), icon("down"));
  return node;
}

function choices(model) {
  return model.people.map((person) => ({
    label: person.real_name ?? person.name,
    note: [roleName(person.role), person.title].filter(Boolean).join(" · "),
    node: avatar(person, "small"),
    checked: person.id === model.actor,
    act: () => model.become(person.id),
  }));
}

function places(model, app, isUnread) {
  return h("nav", { class: "places", "aria-label": "Workspace" },
    h("h2", {}, "Apps"),
    h("button", { type: "button", class: isUnread ? "place unread" : "place", "aria-current": "page", on: { click: () => model.show("messages") } },
      appAvatar("small"), h("span", {}, app), h("span", { class: "badge" }, "APP"),
      isUnread && h("span", { class: "dot" }, h("span", { class: "unseen" }, "unread"))));
}
