/** The box to write in: messages, and slash commands with their suggestions. */

import { h, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./popover.js";

export class Composer {
  #active = 0;
  #found = [];

  /** @param place `id`, `label`, `commands` (offer them), `thread` (a function that gives the parent's ts). */
  constructor(model, place) {
    Object.assign(this, { model, place, sending: false });
    this.box = h("textarea", {
      id: place.id, rows: 1, class: "composer-box", "aria-label": place.label, placeholder: place.commands ? "Message Mailbox, or type /" : "Reply…",
      autocomplete: "off", "aria-controls": `${place.id}-list`, "aria-autocomplete": "list",
      on: { input: () => this.#typed(), keydown: (event) => this.#key(event), blur: () => this.#offer([]) },
    });
    this.list = h("ul", { id: `${place.id}-list`, class: "suggestions", role: "listbox", "aria-label": "Commands", hidden: true });
    this.send = h("button", { type: "button", class: "send", title: "Send", on: { click: () => this.#submit() } }, icon("send"), h("span", { class: "unseen" }, "Send"));
    this.hint = h("div", { class: "composer-hint" });
    this.node = h("div", { class: "composer" }, this.list,
      h("div", { class: "composer-frame" }, this.box, h("div", { class: "composer-bar" }, place.commands && this.#shortcutButton(), this.hint, this.send)));
    this.#typed();
  }

  #shortcutButton() {
    this.shortcuts = h("button", {
      type: "button", class: "icon-button", title: "Shortcuts", "aria-haspopup": "menu", "aria-expanded": "false",
      on: { click: () => this.#openShortcuts() },
    }, icon("bolt"), h("span", { class: "unseen" }, "Shortcuts"));
    return this.shortcuts;
  }

  #openShortcuts() {
    const { model } = this;
    const commands = model.commands.map((one) => ({ label: one.command, note: one.description, act: () => this.type(`${one.command} `) }));
    const shortcuts = model.shortcuts.map((one) => ({ label: one.name ?? one.callback_id, note: one.description, act: () => model.useShortcut(one.callback_id) }));
    openMenu(this.shortcuts, [...shortcuts, ...commands], { label: "Shortcuts" });
  }

  paint() {
    if (this.shortcuts) this.shortcuts.hidden = !(this.model.shortcuts.length + this.model.commands.length);
    const name = this.model.bot?.name ?? "Mailbox";
    const { me, room, hasApp } = this.model;
    const shut = me?.role === "deactivated" ? "This account is deactivated" : room?.is_archived ? "This channel is archived" : !room && !hasApp ? "Nothing to write to yet" : null;
    this.box.disabled = Boolean(shut);
    if (this.place.commands) this.box.placeholder = shut ?? `Message ${room ? `#${room.name}` : name}, or type / for ${room ? "commands" : "its commands"}`;
  }

  focus() {
    this.box.focus({ preventScroll: true });
  }

  /** Puts a text into the box as if the person had typed it. */
  type(text) {
    this.box.value = text;
    this.focus();
    this.box.setSelectionRange(text.length, text.length);
    this.#typed();
  }

  #typed() {
    const text = this.box.value;
    this.send.disabled = !text.trim();
    // The box grows with its text; a browser without field-sizing needs the height said.
    this.box.style.height = "auto";
    if (this.box.scrollHeight) this.box.style.height = `${Math.min(this.box.scrollHeight, 200)}px`;
    const first = text.split(/\s/, 1)[0];
    const isCommand = this.place.commands && text.startsWith("/");
    const matching = isCommand ? this.model.commands.filter((one) => one.command.startsWith(first)) : [];
    this.#offer(text === first ? matching : matching.filter((one) => one.command === first));
  }

  #offer(found) {
    this.#found = found;
    this.#active = 0;
    this.list.hidden = !found.length;
    reconcile(this.list, found.map((command, index) => ({
      key: command.command, signature: `${index}`, build: () => this.#line(command, index),
    })));
    if (found.length) this.box.setAttribute("aria-activedescendant", `${this.place.id}-option-0`);
    else this.box.removeAttribute("aria-activedescendant");
    this.hint.textContent = this.box.value && !found.length ? "Enter sends, Shift + Enter starts a new line" : "";
  }

  #line(command, index) {
    return h("li", {
      role: "option", id: `${this.place.id}-option-${index}`, "aria-selected": String(index === this.#active),
      on: { mousedown: (event) => { event.preventDefault(); this.type(`${command.command} `); } },
    }, h("strong", {}, command.command), command.usage_hint && h("code", {}, command.usage_hint), command.description && h("span", {}, command.description));
  }

  #mark(index) {
    this.#active = (index + this.#found.length) % this.#found.length;
    [...this.list.children].forEach((line, at) => line.setAttribute("aria-selected", String(at === this.#active)));
    this.box.setAttribute("aria-activedescendant", `${this.place.id}-option-${this.#active}`);
  }

  #key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const choice = this.#found[this.#active];
    const unfinished = choice && this.box.value.length < choice.command.length;
    if (step && this.#found.length > 1) this.#mark(this.#active + step);
    else if (event.key === "Escape" && this.#found.length) this.#offer([]);
    else if (choice && unfinished && (event.key === "Tab" || event.key === "Enter")) this.type(`${choice.command} `);
    else if (event.key === "Enter" && !event.shiftKey) this.#submit();
    else return;
    event.preventDefault();
  }

  async #submit() {
    const text = this.box.value.trim();
    if (!text || this.sending) return;
    this.sending = true;
    this.type("");
    const left = await this.model.send(text, this.place.thread?.());
    this.sending = false;
    if (left === false && !this.box.value) this.type(text);
  }
}
