/** Modal views: up to three on a stack, the last one shown. */

import * as api from "./api.js";
import { h, reconcile, setText } from "./dom.js";
import { icon } from "./icons.js";
import { renderBlocks } from "./blocks.js";
import { helperStrip } from "./helper.js";
import { focusFirstError, showErrors } from "./inputs.js";
import { pushLayer } from "./layers.js";
import { closeMenu } from "./popover.js";
import { wordsOf } from "./mrkdwn.js";

export class Modals {
  constructor(root, model) {
    Object.assign(this, { root, model, windows: new Map(), opener: null });
  }

  paint() {
    const { views } = this.model.state;
    this.#drop(views);
    const top = views.at(-1);
    this.root.classList.toggle("open", Boolean(top));
    const before = this.shown;
    this.shown = top?.id;
    if (top && !before) this.#remember();
    reconcile(this.root, top ? [{ key: top.id, signature: "", build: () => this.#window(top).node }] : []);
    if (top) this.#window(top).paint(top, views.length, before !== top.id);
    else if (before) this.#giveBack();
  }

  #remember() {
    closeMenu();
    this.opener = document.activeElement;
  }

  /** The focus goes back to where it was before the first view opened. */
  #giveBack() {
    const node = this.opener?.isConnected ? this.opener : document.getElementById(this.opener?.id || "composer");
    // One turn later, because the page behind is inert until this paint has ended.
    setTimeout(() => node?.focus({ preventScroll: true }));
  }

  #window(view) {
    if (!this.windows.has(view.id)) this.windows.set(view.id, new ModalWindow(view, this.model));
    return this.windows.get(view.id);
  }

  #drop(views) {
    for (const [id, open] of this.windows) {
      if (views.some((view) => view.id === id)) continue;
      open.end();
      this.windows.delete(id);
    }
  }
}

class ModalWindow {
  constructor(view, model) {
    Object.assign(this, { id: view.id, model, view, busy: false, painted: null });
    this.surface = model.surface(`view:${view.id}`, { type: "view", view_id: view.id }, () => this.#paintBlocks());
    this.title = h("h2", { id: `title-${view.id}` });
    this.banner = h("p", { class: "banner", role: "alert", hidden: true });
    this.body = h("div", { class: "blocks dialog-body", tabindex: "-1" });
    this.foot = h("div", { class: "dialog-foot" });
    this.back = this.#iconButton("back", "Go back", () => this.close(false));
    this.form = h("form", { class: "dialog", role: "dialog", "aria-labelledby": this.title.id, novalidate: true, tabindex: "-1", data: { viewId: view.id },
      on: { submit: (event) => { event.preventDefault(); this.submit(); } } },
      h("header", { class: "dialog-head" }, this.back, h("span", { class: "avatar app small", "aria-hidden": "true" }, icon("mail")), this.title,
        this.#iconButton("close", "Dismiss", () => this.close(true))),
      this.banner, this.body, this.foot);
    this.edge = h("div", { class: "edge" });
    this.node = h("div", { class: "scrim" }, h("div", { class: "stack" }, this.form, this.edge));
    this.pop = pushLayer(() => this.close(false));
  }

  #iconButton(name, words, act) {
    return h("button", { type: "button", class: "icon-button", title: words, on: { click: act } }, icon(name), h("span", { class: "unseen" }, words));
  }

  paint(view, depth, isNewOnTop) {
    this.view = view;
    // Not the whole view: the server echoes what is typed, and that is no reason to draw or to forget an error.
    const { blocks, title, submit, close, hash } = view;
    const look = JSON.stringify([blocks, title, submit, close, hash]);
    const changed = look !== this.painted;
    this.painted = look;
    this.node.dataset.depth = depth;
    this.back.hidden = depth < 2;
    if (changed) this.#paintView(view);
    this.#paintEdge();
    if (isNewOnTop) this.#focusIn();
    else if (changed && isNowhere(document.activeElement)) this.form.focus({ preventScroll: true });
  }

  #paintView(view) {
    setText(this.title, wordsOf(view.title));
    this.#say("");
    this.form.dataset.callbackId = view.callback_id ?? "";
    this.surface.closed = false;
    this.surface.show(view.blocks, view.state?.values);
    this.#paintBlocks();
    this.#paintFoot();
  }

  #paintBlocks() {
    renderBlocks(this.body, this.surface);
  }

  #paintFoot() {
    const { view, busy } = this;
    const submit = wordsOf(view.submit);
    reconcile(this.foot, [
      { key: "close", signature: wordsOf(view.close), build: () => h("button", { type: "button", class: "button", data: { role: "close" }, on: { click: () => this.close(false) } }, wordsOf(view.close) || "Cancel") },
      ...(submit ? [{ key: "submit", signature: `${submit}${busy}`, build: () => submitButton(submit, busy) }] : []),
    ]);
  }

  #paintEdge() {
    const strip = helperStrip(this.model, this.surface);
    reconcile(this.edge, strip ? [strip] : []);
  }

  #focusIn() {
    const wanted = this.surface.blocks.find((block) => block.element?.focus_on_load) ;
    const root = wanted ? this.body.querySelector(`[data-block-id="${CSS.escape(wanted.block_id)}"]`) : this.body;
    const first = root?.querySelector("input, select, textarea, [contenteditable=true]");
    (first ?? this.form).focus({ preventScroll: !first });
  }

  #say(text) {
    setText(this.banner, text);
    this.banner.hidden = !text;
  }

  #setBusy(busy) {
    this.busy = busy;
    this.surface.closed = busy; // a pause before on_character_entered must not outlive the form
    this.form.setAttribute("aria-busy", String(busy));
    this.#paintFoot();
  }

  async submit() {
    if (this.busy || !this.view.submit) return;
    if (this.body.querySelector("[data-uploading]")) return this.#say("Wait until the files are uploaded.");
    if (this.#refuse(this.surface.faults())) return;
    this.#setBusy(true);
    const answer = await api.submit(this.model.actor, this.id, this.surface.values());
    await this.model.refresh();
    this.#setBusy(false);
    if (answer.ok) return;
    if (!this.#refuse(answer.errors ?? {})) this.#say(answer.error ?? "The form was not taken. Try again.");
  }

  /** Shows errors; true when there were any. */
  #refuse(errors) {
    const elsewhere = showErrors(this.body, errors);
    this.#say(elsewhere.join(" "));
    focusFirstError(this.body);
    return Object.keys(errors).length > 0;
  }

  async close(all) {
    const { model } = this;
    const views = model.state.views.filter((view) => !all && view.id !== this.id);
    model.set({ state: { ...model.state, views } });
    await api.close(model.actor, this.id, all);
    model.refresh();
  }

  end() {
    this.surface.closed = true;
    this.model.forget(`view:${this.id}`);
    this.pop();
  }
}

/** The focus fell to the page because what had it is gone. */
function isNowhere(active) {
  return !active || active === document.body || !active.isConnected;
}

function submitButton(words, busy) {
  return h("button", { type: "submit", class: "button primary", disabled: busy, "aria-busy": busy ? "true" : null, data: { role: "submit" } }, h("span", {}, words));
}
