/**
 * What stands in a rich text editor, as Slack's `rich_text`; reads the DOM and changes nothing.
 *
 * Lines of one kind that follow each other are one paragraph, quote or list. Addresses become links, known names
 * behind an @ mentions, emoji names emoji and words between backticks code.
 */

import { codePoints } from "./emoji.js";

const STYLES = { B: "bold", STRONG: "bold", I: "italic", EM: "italic", S: "strike", STRIKE: "strike", DEL: "strike", U: "underline", CODE: "code" };
const KINDS = { BLOCKQUOTE: "quote", PRE: "preformatted" };
const BLOCKS = new Set(["DIV", "P", "UL", "OL", "LI", "BLOCKQUOTE", "PRE"]);
const TOKENS = /`([^`\n]+)`|(https?:\/\/[^\s<>]*[^\s<>.,;:!?'")\]])|(\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?<!\w):([a-z+-][a-z0-9_+-]*):|(?<!\w)@(?=\w)/g;

/** The value of an editor, or null when nothing stands in it. */
export function readRichText(root, world) {
  const lines = linesOf(root);
  while (lines.length && lines.at(-1).place.kind === "section" && !hasWords(lines.at(-1))) lines.pop();
  if (!lines.some(hasWords)) return null;
  const elements = grouped(lines).map((group) => paragraph(group, world)).filter(Boolean);
  for (const element of elements.slice(0, -1)) if (element.type === "rich_text_section") element.elements = merged([...element.elements, text("\n")]);
  return { type: "rich_text", elements };
}

const text = (words, style = {}) => ({ type: "text", text: words, ...(Object.keys(style).length && { style }) });
const hasWords = (line) => line.parts.some((part) => part.type !== "text" || part.text.trim());

function linesOf(root) {
  const lines = [];
  let line = null;
  const add = (place, part) => {
    line ??= lines[lines.push({ place, parts: [] }) - 1];
    if (part) line.parts.push(part);
  };
  const words = (data, place, style) => data.replaceAll("\u00a0", " ").split("\n").forEach((piece, index) => {
    if (index) { add(place); line = null; }
    if (piece) add(place, text(piece, style));
  });
  const walk = (node, place, style) => {
    for (const child of node.childNodes) {
      if (child.nodeType === Node.TEXT_NODE) words(child.data, place, style);
      else if (child.nodeName === "BR") { add(place); line = null; }
      else if (child.dataset?.element) add(place, JSON.parse(child.dataset.element));
      else if (child.nodeName === "A") add(place, link(child, style));
      else if (!BLOCKS.has(child.nodeName)) walk(child, place, { ...style, ...(STYLES[child.nodeName] && { [STYLES[child.nodeName]]: true }) });
      else { line = null; walk(child, placeOf(child, place), style); line = null; }
    }
  };
  walk(root, { kind: "section" }, {});
  return lines;
}

function link(node, style) {
  const url = node.getAttribute("href");
  return { type: "link", url, ...(node.textContent !== url && { text: node.textContent }), ...(Object.keys(style).length && { style }) };
}

function placeOf({ nodeName }, place) {
  if (nodeName === "UL" || nodeName === "OL") {
    const indent = place.kind === "list" ? Math.min(place.indent + 1, 8) : 0;
    return { kind: "list", style: nodeName === "OL" ? "ordered" : "bullet", indent };
  }
  if (nodeName === "LI") return { ...place, item: {} };
  return KINDS[nodeName] ? { kind: KINDS[nodeName] } : place;
}

/** Neighbouring lines of one kind; a list of another style or depth is another one. */
function grouped(lines) {
  const keyOf = ({ place }) => `${place.kind} ${place.style} ${place.indent}`;
  const groups = [];
  for (const line of lines) {
    if (groups.length && keyOf(groups.at(-1)[0]) === keyOf(line)) groups.at(-1).push(line);
    else groups.push([line]);
  }
  return groups;
}

function paragraph(lines, world) {
  const { kind, style, indent } = lines[0].place;
  if (kind === "preformatted") {
    const words = lines.map((line) => line.parts.map((part) => part.text ?? part.url ?? "").join("")).join("\n");
    return { type: "rich_text_preformatted", elements: [text(words || " ")], border: 0 };
  }
  if (kind !== "list") return { type: `rich_text_${kind}`, elements: joined(lines, world) };
  const items = Map.groupBy(lines.filter(hasWords), (line) => line.place.item);
  const elements = [...items.values()].map((item) => ({ type: "rich_text_section", elements: joined(item, world) }));
  return elements.length ? { type: "rich_text_list", elements, style, indent, border: 0 } : null;
}

function joined(lines, world) {
  const parts = lines.flatMap((line, index) => [...(index ? [text("\n")] : []), ...merged(line.parts).flatMap((part) => tokens(part, world))]);
  const elements = merged(parts);
  return elements.length ? elements : [text("\n")];
}

function merged(parts) {
  const all = [];
  for (const part of parts) {
    const last = all.at(-1);
    const same = last?.type === "text" && part.type === "text" && JSON.stringify(last.style) === JSON.stringify(part.style);
    if (same) all[all.length - 1] = { ...last, text: last.text + part.text };
    else all.push(part);
  }
  return all;
}

/** A stretch of text with what stands for something else in it taken out. */
function tokens(part, world) {
  if (part.type !== "text" || part.style?.code) return [part];
  const style = part.style ?? {};
  const found = [];
  let at = 0;
  for (const match of part.text.matchAll(TOKENS)) {
    if (match.index < at) continue;
    const made = token(match, part.text, style, world);
    if (!made) continue;
    if (match.index > at) found.push(text(part.text.slice(at, match.index), style));
    found.push(made.element);
    at = match.index + (made.length ?? match[0].length);
  }
  return at < part.text.length ? [...found, text(part.text.slice(at), style)] : found;
}

function token(match, whole, style, world) {
  const [, code, url, email, emoji] = match;
  const worn = Object.keys(style).length ? { style } : {};
  if (code) return { element: text(code, { ...style, code: true }) };
  if (url) return { element: { type: "link", url, ...worn } };
  if (email) return { element: { type: "link", url: `mailto:${email}`, text: email, ...worn } };
  if (emoji) return codePoints(emoji) && { element: { type: "emoji", name: emoji, unicode: codePoints(emoji) } };
  const rest = whole.slice(match.index + 1).toLowerCase();
  const people = world.choices({ type: "users_select" }).filter((one) => rest.startsWith(one.name.toLowerCase()));
  const named = people.sort((one, other) => other.name.length - one.name.length)[0];
  return named && { element: { type: "user", user_id: named.id, ...worn }, length: named.name.length + 1 };
}
