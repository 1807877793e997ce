/** Block Kit blocks as DOM nodes, for posts, Home and modals alike. */

import { h, keepingFocus, reconcile } from "./dom.js";
import { icon } from "./icons.js";
import { control } from "./controls.js";
import { inputBlock } from "./inputs.js";
import { mrkdwn, textObject, wordsOf } from "./mrkdwn.js";
import { richText, table } from "./richtext.js";

/** Makes `parent` show a surface's blocks, drawing again only those that changed. */
export function renderBlocks(parent, surface) {
  keepingFocus(() => reconcile(parent, surface.blocks.map((block) => ({
    key: block.block_id, // not its place: a block that comes in above must not draw an editor anew
    signature: surface.signature(block),
    build: () => blockNode(block, surface),
  }))));
}

function blockNode(block, surface) {
  const build = BLOCKS[block.type] ?? unknown;
  const node = build(block, surface);
  node.classList.add("block", `block-${block.type.replaceAll("_", "-")}`);
  node.dataset.blockId = block.block_id;
  return node;
}

const BLOCKS = {
  header, section, context, actions, divider, image, input: inputBlock, rich_text: rich, markdown, alert,
  table: (block, { world }) => table(block, world),
};

function header(block) {
  const level = Math.min(Math.max(block.level ?? 2, 1), 4);
  return h(`h${level + 1}`, { class: `level-${level}`, dir: "auto" }, wordsOf(block.text));
}

function section(block, surface) {
  const { world } = surface;
  const fields = (block.fields ?? []).map((field) => h("div", { class: "field rich" }, textObject(field, world)));
  return h("div", {},
    h("div", { class: "section-words" },
      block.text && h("div", { class: "rich" }, textObject(block.text, world)),
      fields.length > 0 && h("div", { class: "fields" }, fields)),
    block.accessory && h("div", { class: "accessory" }, accessory(block, surface)));
}

function accessory(block, surface) {
  if (block.accessory.type === "image") return picture(block.accessory, surface.world, "thumb");
  return control(block.accessory, block.block_id, surface, { label: wordsOf(block.text).slice(0, 100) });
}

function context(block, { world }) {
  return h("div", {}, (block.elements ?? []).map((element) =>
    element.type === "image" ? picture(element, world, "tiny") : h("span", { class: "rich" }, textObject(element, world))));
}

function actions(block, surface) {
  return h("div", { role: "group" }, block.elements.map((element) => control(element, block.block_id, surface, {})));
}

function divider() {
  return h("div", { role: "separator" }, h("hr"));
}

function image(block, { world }) {
  return h("figure", {},
    block.title && h("figcaption", {}, wordsOf(block.title)),
    picture(block, world, "large"));
}

/** An image of the sandbox itself; one from elsewhere is named and never loaded. */
function picture(element, world, size) {
  const source = world.imageUrl(element);
  const alt = element.alt_text ?? "";
  if (source) return h("img", { src: source, alt, title: alt, class: `picture ${size}`, loading: "lazy" });
  return h("span", { class: `picture missing ${size}`, role: "img", "aria-label": alt || "Image", title: "The sandbox loads nothing from the internet." },
    icon("image"), size === "large" && h("span", {}, alt || "Image not loaded"));
}

function rich(block, { world }) {
  return h("div", { class: "rich" }, richText(block, world));
}

function markdown(block, { world }) {
  return h("div", { class: "rich" }, mrkdwn(block.text ?? "", world));
}

function alert(block, { world }) {
  return h("div", { class: `rich level-${block.level ?? "default"}`, role: "note" }, textObject(block.text, world));
}

function unknown(block) {
  return h("div", { class: "unknown" }, `The sandbox cannot show a block of the kind “${block.type}”.`);
}

