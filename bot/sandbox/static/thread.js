/** The panel beside the conversation with one post and its replies. */

import { h, keepingFocus, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { Composer } from "./composer.js";
import { ephemeralNode, postNode } from "./posts.js";
import { noteKey } from "./model.js";
import { Scroller } from "./scroller.js";

export class Thread {
  constructor(root, model) {
    Object.assign(this, { root, model, open: null });
    this.list = h("div", { class: "timeline", role: "log", "aria-live": "polite" });
    this.box = h("div", { class: "scroll", tabindex: "-1" }, this.list);
    this.scroller = new Scroller(this.box, this.list);
    this.composer = new Composer(model, { id: "reply-composer", label: "Reply", thread: () => model.thread });
    this.title = h("h2", { id: "thread-title" }, "Thread");
    root.setAttribute("aria-labelledby", "thread-title");
    root.replaceChildren(
      h("div", { class: "panel-head" }, this.title, this.#closeButton()),
      this.box, this.composer.node);
  }

  #closeButton() {
    return h("button", { type: "button", class: "icon-button", title: "Leave the thread", on: { click: () => this.close() } }, icon("close"), h("span", { class: "unseen" }, "Leave the thread"));
  }

  close() {
    const opener = document.getElementById(`thread-link-${this.model.thread}`) ?? document.getElementById(`reply-${this.model.thread}`);
    this.model.set({ thread: null });
    opener?.focus({ preventScroll: true });
  }

  paint() {
    const { model, root } = this;
    const post = model.tab === "messages" && model.thread && model.state.posts.find((one) => one.ts === model.thread);
    root.hidden = !post;
    if (!post) return void (this.open = null);
    const isNew = this.open !== post.ts;
    this.open = post.ts;
    this.composer.paint();
    keepingFocus(() => reconcile(this.list, this.#items(post)));
    if (isNew) this.composer.focus();
    if (isNew || this.scroller.atEnd) this.scroller.toEnd();
  }

  #items(post) {
    const { model } = this;
    const replies = (post.replies ?? []).filter((reply) => reply.ts !== post.ts && !reply.deleted);
    const count = replies.length === 1 ? "1 reply" : `${replies.length} replies`;
    const notes = model.state.ephemerals.filter((note) => note.thread_ts === post.ts && note.channel === model.state.channel && !model.dismissed.has(noteKey(note)));
    const { replies: _, ...root } = post;
    return [
      this.#item(root),
      { key: "count", signature: count, build: () => h("div", { class: "reply-count" }, h("span", {}, count)) },
      ...replies.map((reply) => this.#item(reply)),
      ...notes.map((note) => ({ key: noteKey(note), signature: JSON.stringify(note), build: () => ephemeralNode(note, model) })),
    ];
  }

  #item(post) {
    return {
      key: `${this.model.actor}:${post.ts}`,
      signature: JSON.stringify(post),
      build: () => postNode(post, this.model, "thread"),
    };
  }
}
