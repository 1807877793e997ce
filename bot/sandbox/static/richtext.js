/** Rich text and tables: Slack's structured text as DOM nodes. */

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { dateNode, link, personPill } from "./mrkdwn.js";

const MARKS = [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"], ["highlight", "mark"]];

function leaf(element, world) {
  const makers = {
    text: () => element.text,
    link: () => (element.style?.unlink ? element.text ?? element.url : link(element.url, element.text)),
    emoji: () => emoji(element.name, element.unicode) ?? `:${element.name}:`,
    user: () => personPill(element.user_id, world),
    usergroup: () => h("span", { class: "pill" }, `@${element.usergroup_id}`),
    channel: () => h("span", { class: "pill" }, `#${world.channelName(element.channel_id)}`),
    broadcast: () => h("span", { class: "pill loud" }, `@${element.range}`),
    date: () => dateNode(element.timestamp, element.format, element.url, element.fallback, world),
    color: () => element.value,
  };
  return makers[element.type]?.() ?? element.text ?? "";
}

/** One element of a line with its styles. */
export function inlineNode(element, world) {
  let node = leaf(element, world);
  for (const [style, tag] of MARKS) if (element.style?.[style]) node = h(tag, {}, node);
  return node;
}

const inline = (elements, world) => (elements ?? []).map((element) => inlineNode(element, world));

function list(element, world) {
  const ordered = element.style === "ordered";
  const level = Math.min(element.indent ?? 0, 8);
  const start = ordered && element.offset ? element.offset + 1 : null;
  const items = (element.elements ?? []).map((item) => h("li", {}, h("span", {}, inline(item.elements, world))));
  return h(ordered ? "ol" : "ul", { class: `rt-list indent-${level} style-${level % 3}`, start }, items);
}

function part(element, world) {
  const makers = {
    rich_text_section: () => h("p", { class: "rt-section" }, inline(element.elements, world)),
    rich_text_list: () => list(element, world),
    rich_text_quote: () => h("blockquote", {}, inline(element.elements, world)),
    rich_text_preformatted: () => h("pre", {}, inline(element.elements, world)),
  };
  const node = makers[element.type]?.() ?? h("p", {}, inline(element.elements, world));
  node.dir = "auto";
  if (element.border) node.classList.add("rt-border");
  return node;
}

/** The nodes of a rich_text block or value. */
export function richText(block, world) {
  return (block.elements ?? []).map((element) => part(element, world));
}

function cell(content, world) {
  if (content?.type === "rich_text") return richText(content, world);
  return String(content?.text ?? content?.value ?? "");
}

/** A table block; its first row is the head, and wide tables scroll by themselves. */
export function table(block, world) {
  const settings = block.column_settings ?? [];
  const cells = (row, tag) => row.map((content, column) => {
    const look = settings[column] ?? {};
    const number = content?.type === "raw_number" ? "right" : null;
    return h(tag, { class: `align-${look.align ?? number ?? "left"}${look.is_wrapped ? " wrapped" : ""}` }, cell(content, world));
  });
  const [head, ...rows] = block.rows ?? [];
  return h("div", { class: "table-scroll", role: "region", tabindex: "0", "aria-label": "Table" },
    h("table", {},
      head && h("thead", {}, h("tr", {}, cells(head, "th"))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row, "td"))))));
}
