/**
 * What each stateful element holds, in the shapes of Slack's `state.values`.
 *
 * Pure: elements and values in, values or sentences out; no DOM.
 */

import { zonedSeconds } from "./dates.js";

const many = (name) => (value) => ({ [name]: value ?? [] });
const one = (name) => (value) => ({ [name]: value ?? null });

/** Element type to: name of its initial property, and how its value is wrapped. */
const SHAPES = {
  plain_text_input: ["initial_value", one("value")],
  email_text_input: ["initial_value", one("value")],
  url_text_input: ["initial_value", one("value")],
  number_input: ["initial_value", one("value")],
  rich_text_input: ["initial_value", one("rich_text_value")],
  static_select: ["initial_option", one("selected_option")],
  external_select: ["initial_option", one("selected_option")],
  users_select: ["initial_user", one("selected_user")],
  conversations_select: ["initial_conversation", one("selected_conversation")],
  channels_select: ["initial_channel", one("selected_channel")],
  multi_static_select: ["initial_options", many("selected_options")],
  multi_external_select: ["initial_options", many("selected_options")],
  multi_users_select: ["initial_users", many("selected_users")],
  multi_conversations_select: ["initial_conversations", many("selected_conversations")],
  multi_channels_select: ["initial_channels", many("selected_channels")],
  checkboxes: ["initial_options", many("selected_options")],
  radio_buttons: ["initial_option", one("selected_option")],
  datepicker: ["initial_date", one("selected_date")],
  timepicker: ["initial_time", one("selected_time")],
  datetimepicker: ["initial_date_time", one("selected_date_time")],
  file_input: ["", many("files")],
};

export function isStateful(element) {
  return element != null && element.type in SHAPES;
}

/** The value an element holds before anyone touched it. */
export function initialValue(element) {
  const [property, wrap] = SHAPES[element.type];
  return { type: element.type, ...wrap(element[property]) };
}

/** A value of the element's shape around what was typed or chosen. */
export function valueOf(element, content) {
  return { type: element.type, ...SHAPES[element.type][1](content) };
}

/** What stands inside a value: a string, an option, a list, or null. */
export function contentOf(value) {
  return Object.entries(value).find(([name]) => name !== "type")?.[1] ?? null;
}

export function isEmpty(value) {
  const content = contentOf(value);
  return content == null || content === "" || (Array.isArray(content) && content.length === 0);
}

/** Every option of a select, groups flattened. */
export function optionsOf(element) {
  return element.options ?? (element.option_groups ?? []).flatMap((group) => group.options);
}

/** The elements of a block that can hold or send something. */
export function elementsOf(block) {
  return [block.element, block.accessory, ...(block.type === "actions" ? block.elements : [])].filter(Boolean);
}

/** An element without what it only starts with, to tell a real change from a new initial value. */
export function withoutInitial(element) {
  const rest = { ...element };
  for (const name of Object.keys(rest)) if (name.startsWith("initial_")) delete rest[name];
  return rest;
}

/** Why this value may not be sent, in a sentence, or null; as Slack's own client judges. */
export function fault(block, value) {
  const element = block.element;
  if (isEmpty(value)) return block.optional ? null : "Please complete this required field.";
  return textFault(element, contentOf(value));
}

function textFault(element, content) {
  if (element.type === "number_input") return numberFault(element, content);
  if (element.type === "email_text_input" && !/^[^\s@]+@[^\s@]+$/.test(content)) return "Please enter a valid e-mail address.";
  if (element.type === "url_text_input" && !/^[a-z][a-z0-9+.-]*:\/\/\S+$/i.test(content)) return "Please enter a valid URL.";
  if (element.type !== "plain_text_input") return null;
  if (element.min_length && content.length < element.min_length) return `Please enter at least ${element.min_length} characters.`;
  if (element.max_length && content.length > element.max_length) return `Please enter at most ${element.max_length} characters.`;
  return null;
}

function numberFault(element, content) {
  if (!/^-?\d+(\.\d+)?$/.test(content)) return "Please enter a number.";
  if (!element.is_decimal_allowed && content.includes(".")) return "Please enter a whole number.";
  if (element.min_value != null && Number(content) < Number(element.min_value)) return `Must be ${element.min_value} or more.`;
  if (element.max_value != null && Number(content) > Number(element.max_value)) return `Must be ${element.max_value} or less.`;
  return null;
}

const plainWords = (text) => String(text).toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "");

/** The content an element takes when a person means `text`; undefined when it has no such choice. */
export function contentFromText(element, text) {
  if (element.type === "file_input" || element.type === "rich_text_input") return undefined;
  if (!element.type.endsWith("_select") && element.type !== "radio_buttons") return String(text);
  const wanted = plainWords(text);
  const options = optionsOf(element);
  const named = (option) => [plainWords(option.text?.text), plainWords(option.value)];
  return options.find((option) => named(option).includes(wanted))
    ?? options.find((option) => plainWords(option.text?.text).startsWith(wanted));
}

/** The value of a date-and-time input as seconds since 1970. */
export function secondsFrom(local, zone) {
  return local ? zonedSeconds(local, zone) : null;
}
