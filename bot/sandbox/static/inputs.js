/** Input blocks: label, control, hint and the place for an error. */

import { h } from "./dom.js";
import { field } from "./fields.js";
import { textObject, wordsOf } from "./mrkdwn.js";
import { isStateful } from "./values.js";

const GROUPS = new Set(["checkboxes", "radio_buttons", "file_input", "rich_text_input"]);

/** An input block; its label is tied to its control, its hint and error describe it. */
export function inputBlock(block, surface) {
  const { element } = block;
  if (!isStateful(element)) return h("div", { class: "unknown" }, `The sandbox cannot show an input of the kind “${element?.type}”.`);
  const id = surface.idOf(block.block_id, element.action_id);
  const at = {
    surface, id, blockId: block.block_id, dispatch: block.dispatch_action === true,
    labelled: true, labelId: `${id}/label`, describedBy: `${id}/error ${id}/hint`,
  };
  return h("div", {},
    labelLine(block, id),
    field(element, at),
    h("p", { class: "error", id: `${id}/error`, role: "alert" }),
    block.hint && h("p", { class: "hint rich", id: `${id}/hint` }, textObject(block.hint, surface.world)));
}

function labelLine(block, id) {
  const words = wordsOf(block.label);
  const label = GROUPS.has(block.element.type)
    ? h("span", { class: "label", id: `${id}/label` }, words)
    : h("label", { class: "label", id: `${id}/label`, for: id }, words);
  // Beside the label, not in it: a field is found by its label's own words.
  return h("div", { class: "label-line" }, label, block.optional && h("span", { class: "optional" }, "optional"));
}

/** Shows errors under their fields and takes the others away; returns texts whose block is not here. */
export function showErrors(root, errors) {
  const rest = { ...errors };
  for (const node of root.querySelectorAll(".block-input")) {
    setError(node, errors[node.dataset.blockId] ?? "");
    delete rest[node.dataset.blockId];
  }
  return Object.values(rest);
}

function setError(node, text) {
  const line = node.querySelector(".error");
  if (!line) return;
  line.textContent = text;
  node.classList.toggle("has-error", Boolean(text));
  const control = node.querySelector("[data-action-id]");
  if (text) control?.setAttribute("aria-invalid", "true");
  else control?.removeAttribute("aria-invalid");
}

/** Moves the focus to the first field with an error. */
export function focusFirstError(root) {
  const node = root.querySelector(".has-error");
  node?.querySelector("input, select, textarea, [contenteditable=true], [data-action-id]")?.focus();
  node?.scrollIntoView({ block: "nearest" });
}
