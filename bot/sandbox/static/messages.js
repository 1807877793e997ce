/** The conversation with the app: posts, days, notes only the person sees, and the box to write in. */

import { h, keepingFocus, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { Composer } from "./composer.js";
import { whileBusy } from "./controls.js";
import { dayNumber, dayTitle, fromTs } from "./dates.js";
import { noteKey } from "./model.js";
import { ephemeralNode, postNode, systemNode } from "./posts.js";
import { Scroller } from "./scroller.js";
import { welcomeNode, welcomeStep } from "./welcome.js";

const TOGETHER = 300; // seconds within which posts of one author share one name

export class Messages {
  constructor(root, model) {
    Object.assign(this, { root, model, actor: null, newest: "0" });
    this.list = h("div", { class: "timeline", role: "log", "aria-label": "Conversation", "aria-live": "polite" });
    this.intro = h("div", { class: "intro" });
    this.content = h("div", { class: "scroll-content" }, this.intro, this.list);
    this.box = h("div", { class: "scroll", tabindex: "-1" }, this.content);
    this.scroller = new Scroller(this.box, this.content, (away) => away || this.#seen());
    this.jump = h("button", { type: "button", class: "jump", hidden: true, on: { click: () => this.scroller.toEnd() } }, icon("down"), "New posts");
    this.composer = new Composer(model, { id: "composer", label: "Composer", commands: true });
    root.replaceChildren(this.box, h("div", { class: "jump-place" }, this.jump), this.composer.node);
  }

  paint() {
    this.root.hidden = this.model.tab !== "messages";
    if (this.root.hidden) return;
    this.composer.paint();
    this.#paintIntro();
    keepingFocus(() => reconcile(this.list, this.#items()));
    this.#follow();
  }

  #paintIntro() {
    const { model } = this;
    const isApp = !model.channel && model.hasApp;
    const step = model.loaded && isApp ? welcomeStep(model) : null;
    const app = model.bot?.name ?? "Mailbox";
    const earlier = (model.state.total ?? 0) - model.state.posts.length;
    reconcile(this.intro, [
      ...(isApp ? [{ key: "about", signature: app, build: () => about(app) }] : []),
      ...(model.room ? [{ key: `about:${model.channel}`, signature: `${model.room.name}${model.room.is_private}`, build: () => aboutChannel(model.room) }] : []),
      ...(earlier > 0 ? [{ key: "earlier", signature: `${earlier}`, build: () => this.#earlier(earlier) }] : []),
      ...(step ? [{ key: "welcome", signature: `${step}`, build: () => welcomeNode(model, step, this.composer) }] : []),
    ]);
  }

  #earlier(count) {
    const node = h("button", { type: "button", class: "button small", on: { click: () => whileBusy(node, () => this.#showEarlier()) } }, `Show earlier posts (${count} more)`);
    return h("div", { class: "earlier" }, node);
  }

  /** Earlier posts come in above; what was being read stays where it was. */
  async #showEarlier() {
    const fromEnd = this.box.scrollHeight - this.box.scrollTop;
    await this.model.showEarlier();
    this.box.scrollTop = this.box.scrollHeight - fromEnd;
  }

  #follow() {
    const newest = postEntries(this.model).at(-1)?.at ?? "0";
    if (this.actor !== this.model.actor || this.channel !== this.model.channel || this.scroller.atEnd) this.#toEnd();
    else if (Number(newest) > Number(this.newest)) this.jump.hidden = false;
    this.newest = newest;
  }

  #toEnd() {
    this.actor = this.model.actor;
    this.channel = this.model.channel;
    this.scroller.toEnd();
    this.#seen();
  }

  #seen() {
    this.jump.hidden = true;
  }

  /** Everything in the conversation, in order, as nodes to keep. */
  #items() {
    const { model } = this;
    const entries = [...postEntries(model), ...noteEntries(model)].sort((one, other) => Number(one.at) - Number(other.at) || one.rank - other.rank);
    const items = [];
    let before = null;
    for (const entry of entries) {
      if (entry.post) this.#openDay(items, before, entry);
      items.push(entry.post ? this.#postItem(entry.post, before) : noteItem(entry, model));
      before = entry.post ?? null;
    }
    return items;
  }

  #openDay(items, before, { post }) {
    const { zone, now } = this.model.world;
    const day = dayNumber(fromTs(post.ts), zone);
    if (this.day === day && items.length) return;
    this.day = day;
    const title = dayTitle(fromTs(post.ts), zone, now());
    items.push({ key: `${this.model.actor}:day:${day}`, signature: title, build: () => h("div", { class: "day" }, h("span", {}, title)) });
  }

  #postItem(post, before) {
    const { model } = this;
    const follows = before?.user === post.user && !before.deleted && !post.deleted && Number(post.ts) - Number(before.ts) < TOGETHER && !threadSize(before);
    const { replies, ...rest } = post;
    const openThread = () => model.set({ thread: post.root?.ts ?? post.ts });
    return {
      key: `${model.actor}:${post.ts}`,
      signature: JSON.stringify([rest, replies?.length, replies?.at(-1)?.ts, follows, dayNumber(model.world.now(), model.world.zone)]),
      build: () => postNode(post, model, "main", { follows, openThread }),
    };
  }
}

function aboutChannel(room) {
  return h("div", { class: "about" },
    h("span", { class: "avatar large", "aria-hidden": "true" }, icon(room.is_private ? "lock" : "hash")),
    h("div", {},
      h("h2", {}, room.name),
      h("p", {}, `This is the very beginning of #${room.name}. Its members see everything here.`)));
}

function about(app) {
  return h("div", { class: "about" },
    h("span", { class: "avatar app large", "aria-hidden": "true" }, icon("mail")),
    h("div", {},
      h("h2", {}, app),
      h("p", {}, `This is the very beginning of your conversation with ${app}. Only you and the app are here.`)));
}

function threadSize(post) {
  return post.reply_count ?? post.replies?.length ?? 0;
}

/** What stands in the conversation, in order: posts, and replies that were also sent there. */
function postEntries({ state }) {
  const sent = state.posts.flatMap(({ ts, text, deleted, replies = [] }) =>
    replies.filter((reply) => reply.is_broadcast && !reply.deleted).map((reply) => ({ ...reply, root: { ts, text: deleted ? "" : text } })));
  return [...state.posts.filter((post) => !post.deleted || threadSize(post)), ...sent]
    .map((post) => ({ post, at: post.ts, rank: 0 }))
    .sort((one, other) => Number(one.at) - Number(other.at));
}

function noteEntries(model) {
  const entry = (node) => (note, index) => ({ note, node, at: model.anchors.get(noteKey(note)) ?? "0", rank: 1 + index });
  const shown = ({ note }) => !model.dismissed.has(noteKey(note)) && !note.thread_ts && (!note.channel || note.channel === model.state.channel);
  return [
    ...model.state.ephemerals.map(entry(ephemeralNode)),
    ...[...model.state.errors, ...model.notes].map(entry(systemNode)),
  ].filter(shown);
}

function noteItem({ note, node }, model) {
  return { key: `${model.actor}:${noteKey(note)}`, signature: JSON.stringify(note), build: () => node(note, model) };
}
