/** Buttons, overflow menus and the elements that act as soon as they change. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { field } from "./fields.js";
import { textObject, wordsOf } from "./mrkdwn.js";
import { openMenu } from "./popover.js";
import { isStateful } from "./values.js";

/** The control of an element outside an input block. */
export function control(element, blockId, surface, { label }) {
  if (element.type === "button") return button(element, blockId, surface);
  if (element.type === "overflow") return overflow(element, blockId, surface);
  if (!isStateful(element)) return h("span", { class: "unknown" }, `[${element.type}]`);
  const at = { surface, blockId, id: surface.idOf(blockId, element.action_id), dispatch: true };
  // A select names itself by its placeholder; the rest borrow the words they stand beside.
  const ownName = element.placeholder || ["checkboxes", "radio_buttons"].includes(element.type);
  return h("div", { class: "act" }, field(element, { ...at, label: ownName ? null : element.accessibility_label ?? label }));
}

/** Marks a control as waiting while `work` runs; a second press in that time does nothing. */
export async function whileBusy(node, work) {
  if (node.getAttribute("aria-busy") === "true") return;
  node.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    node.removeAttribute("aria-busy");
  }
}

function spoken(element, words) {
  const label = element.accessibility_label;
  if (!label) return null;
  return label.toLowerCase().includes(words.toLowerCase()) ? label : `${words}: ${label}`;
}

function button(element, blockId, surface) {
  const words = wordsOf(element.text);
  const press = () => surface.act(blockId, element, { text: element.text, ...(element.value != null && { value: element.value }) });
  const props = {
    id: surface.idOf(blockId, element.action_id),
    class: `button ${element.style ?? ""}`.trim(),
    "aria-label": spoken(element, words),
    data: { actionId: element.action_id },
  };
  if (isWebAddress(element.url)) {
    return h("a", { ...props, href: element.url, target: "_blank", rel: "noopener noreferrer", title: element.url, on: { click: press } }, words);
  }
  const node = h("button", { ...props, type: "button", on: { click: () => whileBusy(node, press) } }, h("span", {}, words));
  return node;
}

function isWebAddress(url) {
  return /^(https?:\/\/|mailto:)/i.test(url ?? "");
}

function overflow(element, blockId, surface) {
  const { world } = surface;
  const choose = (option) => {
    if (isWebAddress(option.url)) window.open(option.url, "_blank", "noopener,noreferrer");
    whileBusy(node, () => surface.act(blockId, element, { selected_option: option }));
  };
  const items = () => element.options.map((option) => ({
    label: textObject(option.text, world), note: wordsOf(option.description), act: () => choose(option),
  }));
  const node = h("button", {
    type: "button", class: "button overflow", id: surface.idOf(blockId, element.action_id),
    "aria-haspopup": "menu", "aria-expanded": "false", "aria-label": element.accessibility_label ?? "More actions",
    data: { actionId: element.action_id }, on: { click: () => openMenu(node, items(), { label: "More actions" }) },
  }, icon("more"));
  return node;
}
