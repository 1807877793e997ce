/** The dark column: workspace, who one is, the person's channels and the conversation with the app. */

import { h, keepingFocus, memory, reconcile, unseen } from "./dom.js";
import { icon } from "./icons.js";
import { appAvatar, avatar } from "./avatar.js";
import { roleName } from "./model.js";
import { openMenu } from "./popover.js";

/** Where the browser keeps how far a person has read. */
export function readKey(model, channel) {
  return channel ? `read:${model.actor}:${channel}` : `read:${model.actor}`;
}

/** Whether something came that the person has not looked at. */
export function isUnread(model, channel, newest) {
  return Number(newest ?? 0) > (memory.get(readKey(model, channel)) ?? 0);
}

/** Paints the side bar. */
export function paintSide(root, model, isUnread) {
  const app = model.bot?.name ?? "Mailbox";
  const [word, kind] = connection(model);
  const { me } = model;
  root.classList.toggle("open", model.side);
  keepingFocus(() => reconcile(root, [
    { key: "name", signature: "", build: workspace },
    { key: "who", signature: JSON.stringify([me, model.people]), build: () => who(model) },
    { key: "nav", signature: JSON.stringify([app, isUnread, model.channel, model.hasApp, rooms(model)]), build: () => places(model, app, isUnread) },
    { key: "manage", signature: `${model.panel}`, build: () => manage(model) },
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
  }, avatar(me), h("span", { class: "who-words" }, h("small", {}, "You are: "), h("strong", {}, me.real_name ?? me.name), h("small", {}, unseen(" · "), me.team ?? roleName(me.role))), icon("down"));
  return node;
}

function choices(model) {
  return model.people.map((person) => ({
    label: person.real_name ?? person.name,
    note: [person.team ?? roleName(person.role), person.title].filter(Boolean).join(" · "),
    node: avatar(person, "small"),
    checked: person.id === model.actor,
    act: () => model.become(person.id),
  }));
}

/** The acting person's channels, with whether something new stands in them. */
function rooms(model) {
  return model.state.channels
    .filter((one) => one.is_member)
    .map((one) => ({ ...one, newest: null, isNew: one.id !== model.channel && isUnread(model, one.id, one.newest) }));
}

function places(model, app, isNew) {
  const isHere = !model.channel && model.hasApp;
  return h("nav", { class: "places", "aria-label": "Workspace" },
    h("h2", {}, "Channels"),
    rooms(model).map((room) => channelPlace(model, room)),
    rooms(model).length === 0 && h("p", { class: "place-none" }, model.hasApp ? "In no channel" : "No channel is shared with this person's workspace yet."),
    model.hasApp && h("h2", {}, "Apps"),
    model.hasApp && h("button", { type: "button", id: "place-app", class: isNew ? "place unread" : "place", "aria-current": isHere ? "page" : null, on: { click: () => model.show("messages") } },
      appAvatar("small"), h("span", {}, app), h("span", { class: "badge" }, "APP"), isNew && dot()));
}

function channelPlace(model, room) {
  return h("button", {
    type: "button", id: `place-${room.id}`, class: room.isNew ? "place unread" : "place",
    "aria-current": room.id === model.channel ? "page" : null, on: { click: () => model.open(room.id) },
  }, icon(room.is_private ? "lock" : "hash"), h("span", { class: "place-name" }, room.name),
  room.is_private && unseen(" (private)"),
  room.is_archived && h("span", { class: "badge" }, "ARCHIVED"),
  room.is_ext_shared && h("span", { class: "badge" }, "SHARED"),
  room.isNew && dot());
}

function dot() {
  return h("span", { class: "dot" }, h("span", { class: "unseen" }, "unread"));
}

function manage(model) {
  return h("button", {
    type: "button", id: "panel-toggle", class: "place manage", "aria-controls": "panel", "aria-expanded": String(model.panel),
    on: { click: () => model.openPanel(!model.panel) },
  }, icon("people"), h("span", {}, "Manage the workspace"));
}
