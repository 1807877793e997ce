/**
 * The elements that hold a value: text, choices, dates.
 *
 * Every builder takes the element and its place `at`: the surface, block id,
 * DOM id, whether a change acts at once, and the names that label it.
 */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { zonedLocal } from "./dates.js";
import { fileInput } from "./fileinput.js";
import { picker } from "./picker.js";
import { richInput } from "./richinput.js";
import { textObject, wordsOf } from "./mrkdwn.js";
import { contentOf, secondsFrom } from "./values.js";

const CHARACTER_PAUSE = 350; // milliseconds of quiet before on_character_entered is sent

const BUILDERS = {
  plain_text_input: text,
  email_text_input: text,
  url_text_input: text,
  number_input: text,
  rich_text_input: rich,
  static_select: select,
  users_select: select,
  conversations_select: select,
  channels_select: select,
  checkboxes,
  radio_buttons: radios,
  datepicker: (element, at) => dated(element, at, "date"),
  timepicker: (element, at) => dated(element, at, "time"),
  datetimepicker: moment,
  file_input: files,
};

/** The control of a stateful element. */
export function field(element, at) {
  const build = BUILDERS[element.type] ?? picker;
  return build(element, at);
}

const content = (element, at) => contentOf(at.surface.read(at.blockId, element));
const change = (element, at, value, dispatch = at.dispatch) => at.surface.change(at.blockId, element, value, dispatch);

/** Attributes that every control has. */
export function named(element, at) {
  return {
    id: at.id,
    "aria-label": at.label,
    "aria-describedby": at.describedBy,
    data: { actionId: element.action_id },
  };
}

const MODES = { email_text_input: "email", url_text_input: "url", number_input: "decimal" };

function text(element, at) {
  const node = h(element.multiline ? "textarea" : "input", {
    ...named(element, at),
    ...(!element.multiline && { type: "text" }),
    class: "control",
    rows: element.multiline ? 5 : null,
    value: content(element, at) ?? "",
    placeholder: wordsOf(element.placeholder),
    inputmode: MODES[element.type],
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: element.multiline ? "true" : "false",
  });
  listen(node, element, at);
  const room = element.max_length && element.max_length < 3000 ? counter(node, element.max_length) : null;
  return room ? h("div", { class: "counted" }, node, room) : node;
}

/** Keeps what is typed and tells the app when the element asks for that. */
function listen(node, element, at, typed = () => node.value || null) {
  const triggers = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let pause;
  const tell = () => {
    clearTimeout(pause);
    if (!at.surface.closed) change(element, at, typed(), true);
  };
  node.addEventListener("input", () => {
    change(element, at, typed(), false);
    if (!at.dispatch || !triggers.includes("on_character_entered")) return;
    clearTimeout(pause);
    pause = setTimeout(tell, CHARACTER_PAUSE);
  });
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || element.multiline || event.isComposing || !at.dispatch) return;
    if (!triggers.includes("on_enter_pressed")) return;
    event.preventDefault(); // Slack sends the action and does not submit the form
    tell();
  });
}

function counter(node, most) {
  const room = h("span", { class: "counter", "aria-live": "polite" });
  const count = () => {
    const left = most - node.value.length;
    room.textContent = left <= 15 ? String(left) : "";
    room.classList.toggle("over", left < 0);
  };
  node.addEventListener("input", count);
  count();
  return room;
}

function rich(element, at) {
  const props = { ...named(element, at), "aria-labelledby": at.labelId };
  const lined = { ...element, multiline: true }; // Enter begins a line and sends nothing
  return richInput(element, props, content(element, at), at.surface.world, (box, read) => listen(box, lined, at, read));
}

/** Value and words of every choice of a native select, in groups where there are some. */
function choices(element, world) {
  const option = (raw) => ({ value: raw.value, words: wordsOf(raw.text), note: wordsOf(raw.description), raw });
  if (element.option_groups) return element.option_groups.map((group) => ({ label: wordsOf(group.label), options: group.options.map(option) }));
  if (element.options) return [{ options: element.options.map(option) }];
  return [{ options: world.choices(element).map((one) => ({ value: one.id, words: one.name, raw: one.id })) }];
}

function select(element, at) {
  const groups = choices(element, at.surface.world);
  const all = groups.flatMap((group) => group.options);
  const current = content(element, at);
  const chosen = current?.value ?? current ?? "";
  const note = h("div", { class: "select-note" });
  const explain = (value) => { note.textContent = all.find((one) => one.value === value)?.note ?? ""; };
  const node = h("select", {
    ...named(element, at), class: "control",
    "aria-label": at.label ?? (at.labelled ? null : wordsOf(element.placeholder) || "Choose"),
    on: { change: () => { explain(node.value); change(element, at, all.find((one) => one.value === node.value)?.raw ?? null); } },
  }, placeholder(element, chosen), groups.map((group) => optionGroup(group, chosen)));
  explain(chosen);
  return h("div", { class: "select" }, node, icon("down"), note);
}

function placeholder(element, chosen) {
  return h("option", { value: "", selected: chosen === "", disabled: true, hidden: true }, wordsOf(element.placeholder) || "Choose an option");
}

function optionGroup(group, chosen) {
  const options = group.options.map((one) => h("option", { value: one.value, selected: one.value === chosen }, one.words));
  return group.label ? h("optgroup", { label: group.label }, options) : options;
}

function optionLine(option, at, input) {
  return h("div", { class: "choice" }, input,
    h("div", {},
      h("label", { for: input.id, class: "rich" }, textObject(option.text, at.surface.world)),
      option.description && h("div", { class: "choice-note rich" }, textObject(option.description, at.surface.world))));
}

function group(element, at, role, lines) {
  return h("div", { ...named(element, at), class: "choices", role, "aria-labelledby": at.labelId, tabindex: "-1" }, lines);
}

function checkboxes(element, at) {
  const chosen = new Set((content(element, at) ?? []).map((option) => option.value));
  const tell = () => change(element, at, element.options.filter((option) => chosen.has(option.value)));
  const flip = (option, on) => { chosen[on ? "add" : "delete"](option.value); tell(); };
  return group(element, at, "group", element.options.map((option, index) => optionLine(option, at, h("input", {
    type: "checkbox", id: `${at.id}/${index}`, value: option.value, checked: chosen.has(option.value),
    on: { change: (event) => flip(option, event.target.checked) },
  }))));
}

function radios(element, at) {
  const chosen = content(element, at)?.value;
  return group(element, at, "radiogroup", element.options.map((option, index) => optionLine(option, at, h("input", {
    type: "radio", name: at.id, id: `${at.id}/${index}`, value: option.value, checked: option.value === chosen,
    on: { change: () => change(element, at, option) },
  }))));
}

function dated(element, at, type) {
  return h("input", {
    ...named(element, at), type, class: "control short", value: content(element, at) ?? "",
    on: { change: (event) => change(element, at, event.target.value || null) },
  });
}

function moment(element, at) {
  const { zone } = at.surface.world;
  const seconds = content(element, at);
  return h("input", {
    ...named(element, at), type: "datetime-local", class: "control short", value: seconds ? zonedLocal(seconds, zone) : "",
    on: { change: (event) => change(element, at, secondsFrom(event.target.value, zone)) },
  });
}

function files(element, at) {
  const props = { ...named(element, at), "aria-labelledby": at.labelId };
  return fileInput(element, props, content(element, at) ?? [], at.surface.world, (chosen) => change(element, at, chosen));
}
