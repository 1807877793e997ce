/** Puts the page together: one model, its parts, and what belongs to the page as a whole. */

import { memory } from "./dom.js";
import { Drawer } from "./mail.js";
import { Home } from "./home.js";
import { paintHead } from "./head.js";
import { Messages } from "./messages.js";
import { Modals } from "./modal.js";
import { Model } from "./model.js";
import { isUnread, paintSide, readKey } from "./side.js";
import { Thread } from "./thread.js";
import { WorkspacePanel } from "./workspace.js";

const node = (id) => document.getElementById(id);
const address = new URL(location.href);

const model = new Model(paint);
model.tab = address.searchParams.get("tab") === "home" ? "home" : "messages";
const parts = [
  new Messages(node("messages"), model),
  new Home(node("home"), model),
  new Thread(node("thread"), model),
  new Drawer(node("drawer"), model),
  new WorkspacePanel(node("panel"), model),
  new Modals(node("modals"), model),
];

function paint() {
  const isNew = noteRead();
  paintSide(node("side"), model, isNew);
  paintHead(node("head"), model, isNew);
  for (const part of parts) part.paint();
  holdBack();
  leadToPost();
  keepAddress();
  document.title = `${isNew ? "• " : ""}${model.bot?.name ?? "Mailbox"} · Mailbox sandbox`;
}

/** Remembers how far the person has read; says whether something is left. */
function noteRead() {
  const isLooking = model.tab === "messages" && !document.hidden && model.loaded;
  const newest = Number(model.state.posts.at(-1)?.ts ?? 0);
  if (isLooking && newest) memory.set(readKey(model, model.channel), newest);
  return isUnread(model, null, model.state.dm?.newest);
}

/** While a modal is open the workspace behind it takes no part; the mail server beside it does, where there is room. */
function holdBack() {
  const isOpen = model.state.views.length > 0;
  for (const id of ["side", "main", "thread"]) node(id).inert = isOpen;
  for (const id of ["drawer", "panel"]) node(id).inert = isOpen && !isDocked();
  document.querySelector("#modals [role=dialog]")?.setAttribute("aria-modal", String(!(model.drawer || model.panel) || !isDocked()));
  node("app").classList.toggle("with-drawer", model.drawer || model.panel);
}

/** Shows the post that a permalink leads to, once it is there. */
function leadToPost() {
  const ts = address.searchParams.get("post");
  const post = ts && document.querySelector(`#messages [data-ts="${CSS.escape(ts)}"]`);
  if (!post) return;
  address.searchParams.delete("post");
  post.scrollIntoView({ block: "center" });
}

function isDocked() {
  return matchMedia("(min-width: 1100px)").matches;
}

function keepAddress() {
  if (!model.actor) return;
  address.searchParams.set("user", model.actor);
  address.searchParams.set("tab", model.tab);
  if (model.channel) address.searchParams.set("channel", model.channel);
  else address.searchParams.delete("channel");
  if (address.href !== location.href) history.replaceState(null, "", address);
}

/** Escape also puts away what lies over the page without being a dialog. */
function putAway(event) {
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
  if (model.side) model.set({ side: false });
  else if (model.drawer && !isDocked()) model.openDrawer(false);
  else if (model.panel && (!isDocked() || node("panel").contains(document.activeElement))) model.openPanel(false);
  else if (model.thread && node("thread").contains(document.activeElement)) model.set({ thread: null });
}

document.addEventListener("keydown", putAway);
document.addEventListener("visibilitychange", () => document.hidden || model.refresh());
addEventListener("resize", () => model.changed());
node("main").addEventListener("click", (event) => {
  if (model.side && !event.target.closest("#menu")) model.set({ side: false });
}, true);

model.drawer = memory.get("drawer") ?? isDocked();
model.changed();
model.start(address.searchParams.get("user"), address.searchParams.get("channel"));
