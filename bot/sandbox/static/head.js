/** The bar above the conversation: the app's name and its two tabs, or the channel's, and the way to the mail server. */

import { h, keepingFocus, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { appAvatar } from "./avatar.js";
import { badge } from "./posts.js";

const TABS = [["home", "Home"], ["messages", "Messages"]];

/** Paints the bar. */
export function paintHead(root, model, isUnread) {
  const app = model.bot?.name ?? "Mailbox";
  const { room } = model;
  const isChannel = Boolean(model.channel) || !model.hasApp;
  keepingFocus(() => reconcile(root, [
    { key: "title", signature: `${app}${model.side}${model.mailFaults.length}${isChannel}${JSON.stringify(room)}`, build: () => title(model, isChannel ? channelName(model) : appName(app)) },
    isChannel
      ? { key: "about", signature: JSON.stringify(room), build: () => channelFacts(model) }
      : { key: "tabs", signature: `${model.tab}${isUnread}`, build: () => tabs(model, isUnread) },
  ]));
}

function appName(app) {
  return [appAvatar("small"), h("h2", {}, app), badge()];
}

function channelName({ room }) {
  return room
    ? [icon(room.is_private ? "lock" : "hash"), h("h2", {}, room.name)]
    : [h("h2", {}, "No channel")];
}

/** What one should know of a channel before one writes there. */
function channelFacts({ room, bot, me }) {
  if (!room) return h("p", { class: "channel-facts" }, `${me?.real_name ?? "This person"} sees nothing until a channel is shared with their workspace.`);
  const facts = [
    room.is_private ? "Private channel" : "Public channel",
    room.members === 1 ? "1 member" : `${room.members} members`,
    room.is_archived && "archived: nobody can write",
    room.has_bot ? `${bot?.name ?? "Mailbox"} is in it` : `${bot?.name ?? "Mailbox"} is not in it`,
  ].filter(Boolean).join(" · ");
  return h("p", { class: "channel-facts" }, facts, room.is_ext_shared && h("span", { class: "wrong" }, icon("warn"), "shared with another workspace"));
}

function title(model, name) {
  return h("div", { class: "head-line" },
    h("button", {
      type: "button", id: "menu", class: "icon-button menu-button", title: "People, channels and apps", "aria-expanded": String(model.side),
      on: { click: () => model.set({ side: !model.side }) },
    }, icon("menu"), h("span", { class: "unseen" }, "People, channels and apps")),
    name,
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
