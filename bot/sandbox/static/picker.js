/**
 * A search box with a list below it, for multi-selects and for choices that
 * the app itself looks up while one types.
 *
 * The list stands in the flow of the page, so no scrolling parent can cut it off.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { wordsOf } from "./mrkdwn.js";
import { contentOf } from "./values.js";

const LOOKUP_PAUSE = 250;

/** The control of a multi-select or an external select. */
export function picker(element, at) {
  return new Picker(element, at).node;
}

class Picker {
  constructor(element, at) {
    Object.assign(this, { element, at, many: element.type.startsWith("multi_"), found: [], lines: [], active: -1, timer: null });
    this.chosen = this.#current();
    this.box = this.#box();
    this.chips = h("ul", { class: "chips" });
    this.list = h("ul", { class: "options", role: "listbox", id: `${at.id}/list`, "aria-label": "Options", hidden: true });
    this.node = h("div", { class: "picker" }, this.chips, h("div", { class: "select" }, this.box, icon("down")), this.list);
    this.node.addEventListener("focusout", (event) => this.node.contains(event.relatedTarget) || this.#close());
    this.#paintChips();
    this.#showChosen();
  }

  #current() {
    const content = contentOf(this.at.surface.read(this.at.blockId, this.element));
    return (this.many ? content : [content].filter(Boolean)).map((raw) => this.#choice(raw));
  }

  #choice(raw) {
    if (typeof raw !== "string") return { id: raw.value, words: wordsOf(raw.text), note: wordsOf(raw.description), raw };
    const known = this.at.surface.world.choices(this.element).find((one) => one.id === raw);
    return { id: raw, words: known?.name ?? raw, note: known?.note, raw };
  }

  #box() {
    return h("input", {
      type: "text", id: this.at.id, class: "control", role: "combobox", autocomplete: "off", spellcheck: "false",
      "aria-expanded": "false", "aria-controls": `${this.at.id}/list`, "aria-autocomplete": "list",
      "aria-label": this.at.label ?? (this.at.labelled ? null : wordsOf(this.element.placeholder)),
      "aria-describedby": this.at.describedBy, placeholder: wordsOf(this.element.placeholder) || "Search",
      data: { actionId: this.element.action_id },
      on: { focus: () => { this.box.select(); this.#look(); }, click: () => this.#look(), input: () => this.#look(), keydown: (event) => this.#key(event) },
    });
  }

  async #look() {
    clearTimeout(this.timer);
    const query = this.#query();
    const external = this.element.type.endsWith("external_select");
    if (!external) return this.#open(this.#matching(query));
    const least = this.element.min_query_length ?? 3;
    if (query.length < least) return this.#open([], `Type at least ${least} characters`);
    this.timer = setTimeout(() => this.#lookUp(query), LOOKUP_PAUSE);
  }

  async #lookUp(query) {
    this.#open([], "Looking…");
    const { blockId, surface } = this.at;
    const answer = await surface.suggest(blockId, this.element, query);
    if (query !== this.#query() || !this.node.contains(document.activeElement)) return;
    this.#open(this.#listed(answer), answer.ok === false ? answer.error : "Nothing found");
  }

  #matching(query) {
    const { element } = this;
    const isOwn = element.options || element.option_groups;
    const all = isOwn ? this.#listed(element) : this.at.surface.world.choices(element).map((one) => this.#choice(one.id));
    const wanted = query.toLowerCase();
    return all.filter((choice) => choice.words.toLowerCase().includes(wanted));
  }

  /** Options as choices, each with the label of the group it stands in, if any. */
  #listed({ options, option_groups: groups }) {
    if (options) return options.map((raw) => this.#choice(raw));
    return (groups ?? []).flatMap((group) => group.options.map((raw) => ({ ...this.#choice(raw), group: wordsOf(group.label) })));
  }

  #open(found, otherwise = "Nothing found") {
    const taken = new Set(this.chosen.map((choice) => choice.id));
    this.found = this.many ? found.filter((choice) => !taken.has(choice.id)) : found;
    this.lines = this.found.map((choice, index) => this.#line(choice, index));
    this.list.replaceChildren(...this.found.flatMap((choice, index) => [
      choice.group && choice.group !== this.found[index - 1]?.group && h("li", { class: "group-label", role: "presentation" }, choice.group),
      this.lines[index],
    ].filter(Boolean)));
    if (!this.found.length) this.list.append(h("li", { class: "empty", role: "presentation" }, otherwise));
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    this.list.scrollIntoView({ block: "nearest" });
    this.#mark(this.found.length ? 0 : -1);
  }

  #line(choice, index) {
    return h("li", {
      role: "option", id: `${this.at.id}/list/${index}`, "aria-selected": "false",
      on: { mousedown: (event) => { event.preventDefault(); this.#take(choice); } },
    }, choice.words, choice.note && h("span", { class: "choice-note" }, choice.note));
  }

  #mark(index) {
    this.lines[this.active]?.setAttribute("aria-selected", "false");
    this.active = index;
    const line = index >= 0 ? this.lines[index] : null;
    line?.setAttribute("aria-selected", "true");
    line?.scrollIntoView({ block: "nearest" });
    if (line) this.box.setAttribute("aria-activedescendant", line.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  #close() {
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.#showChosen();
  }

  /** What is searched for: a choice that merely stands in the box is no search. */
  #query() {
    const typed = this.box.value.trim();
    return !this.many && typed === this.chosen[0]?.words ? "" : typed;
  }

  #showChosen() {
    this.box.value = this.many ? "" : this.chosen[0]?.words ?? "";
  }

  #key(event) {
    const open = !this.list.hidden;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && open && this.found.length) this.#mark((this.active + step + this.found.length) % this.found.length);
    else if (step) this.#look();
    else if (event.key === "Enter") this.found[this.active] && open && this.#take(this.found[this.active]);
    else if (event.key === "Escape" && open) { event.stopPropagation(); this.#close(); }
    else if (this.many && event.key === "Backspace" && !this.box.value && this.chosen.length) return this.#drop(this.chosen.at(-1));
    else return;
    event.preventDefault(); // neither the form nor the caret should also react to the key
  }

  #take(choice) {
    const most = this.element.max_selected_items ?? Infinity;
    this.chosen = this.many ? [...this.chosen, choice].slice(0, most) : [choice];
    this.#tell();
  }

  #drop(choice) {
    this.chosen = this.chosen.filter((other) => other.id !== choice.id);
    this.#tell();
    this.box.focus();
  }

  #tell() {
    this.#close();
    this.#paintChips();
    const raws = this.chosen.map((choice) => choice.raw);
    this.at.surface.change(this.at.blockId, this.element, this.many ? raws : raws[0] ?? null, this.at.dispatch);
  }

  #paintChips() {
    this.chips.hidden = !this.many || !this.chosen.length;
    this.chips.replaceChildren(...this.chosen.map((choice) => h("li", { class: "chip" }, choice.words,
      h("button", { type: "button", class: "chip-drop", title: `Remove ${choice.words}`, on: { click: () => this.#drop(choice) } }, icon("close")))));
  }
}
