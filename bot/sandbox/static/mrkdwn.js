/**
 * Slack's mrkdwn and text objects as DOM nodes.
 *
 * Understands `*bold*`, `_italic_`, `~strike~`, code, quotes, links, mentions,
 * dates and the three escapes. Markup inside escaped text stays text, because
 * escapes are undone last, in the text node itself.
 */

import { h } from "./dom.js";
import { slackDate } from "./dates.js";
import { emoji } from "./emoji.js";

const EDGE = "[\\p{L}\\p{N}]";
const styled = (mark) => `(?<!${EDGE}|[${mark}])[${mark}](?![\\s${mark}])([^\\n${mark}]*?[^\\s${mark}])[${mark}](?!${EDGE}|[${mark}])`;
const URL_TEXT = "\\bhttps?:\\/\\/[^\\s<>|\"]+[^\\s<>|\".,;:!?')\\]]";
const RULES = `<([^<>\\n]+)>|\`([^\`\\n]+)\`|${styled("*")}|${styled("_")}|${styled("~")}|:([a-z0-9_+-]+):|(${URL_TEXT})`;

export function unescape(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

/** A link that may be followed around text or a node, or that alone when its scheme could run something. */
export function link(url, label) {
  const shown = label ?? url.replace(/^mailto:/, "");
  if (!/^(https?:\/\/|mailto:|tel:)/i.test(url)) return h("span", {}, shown);
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer", title: url }, shown);
}

export function personPill(id, world, fallback) {
  const person = world.person(id);
  const name = person?.real_name ?? person?.name ?? fallback ?? id;
  return h("span", { class: id === world.actor ? "pill me" : "pill" }, `@${name}`);
}

/** A Slack date: the moment in the reader's zone, with the full time on hover. */
export function dateNode(seconds, format, url, fallback, world) {
  const text = slackDate(seconds, format, world.zone, world.now()) ?? fallback ?? "";
  const node = h("time", { datetime: isoOf(seconds), class: "date" }, text);
  return url ? link(url, node) : node;
}

function isoOf(seconds) {
  const date = new Date(Number(seconds) * 1000);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

function special(body, label, world) {
  const [name, ...rest] = body.split("^");
  if (name === "date") return dateNode(rest[0], unescape(rest[1] ?? ""), rest[2] && unescape(rest[2]), label, world);
  if (name === "subteam") return h("span", { class: "pill" }, label ?? `@${rest[0]}`);
  if (["here", "channel", "everyone"].includes(name)) return h("span", { class: "pill loud" }, `@${name}`);
  return h("span", {}, label ?? body);
}

function angled(content, world) {
  const cut = content.indexOf("|");
  const target = cut < 0 ? content : content.slice(0, cut);
  const label = cut < 0 ? undefined : unescape(content.slice(cut + 1));
  if (target.startsWith("@")) return personPill(target.slice(1), world, label);
  if (target.startsWith("#")) return h("span", { class: "pill" }, `#${label || world.channelName(target.slice(1))}`);
  if (target.startsWith("!")) return special(target.slice(1), label, world);
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return link(unescape(target), label);
  return unescape(`<${content}>`);
}

function inline(text, world, verbatim) {
  const nodes = [];
  const rules = new RegExp(RULES, "gu");
  let from = 0;
  for (let hit = rules.exec(text); hit; hit = rules.exec(text)) {
    if (verbatim && hit[7]) continue;
    nodes.push(unescape(text.slice(from, hit.index)), piece(hit, world, verbatim));
    from = hit.index + hit[0].length;
  }
  nodes.push(unescape(text.slice(from)));
  return nodes.filter((node) => node !== "");
}

function piece([whole, angle, code, bold, italic, strike, name, url], world, verbatim) {
  if (angle) return angled(angle, world);
  if (code) return h("code", {}, unescape(code));
  if (bold) return h("strong", {}, inline(bold, world, verbatim));
  if (italic) return h("em", {}, inline(italic, world, verbatim));
  if (strike) return h("s", {}, inline(strike, world, verbatim));
  if (name) return emoji(name) ?? whole;
  return link(unescape(url));
}

function lines(text, world, verbatim) {
  const nodes = [];
  for (const [, quote, plain] of text.matchAll(/((?:^(?:>|&gt;)[^\n]*(?:\n|$))+)|([^\n]*(?:\n|$))/gm)) {
    if (quote) nodes.push(h("blockquote", {}, inline(quote.replace(/^(>|&gt;) ?/gm, "").replace(/\n$/, ""), world, verbatim)));
    else if (plain) nodes.push(...inline(plain, world, verbatim));
  }
  return nodes;
}

/** The nodes of a mrkdwn string. */
export function mrkdwn(text, world, { verbatim = false } = {}) {
  return text.split(/```([\s\S]*?)```/).flatMap((part, index) => {
    if (index % 2) return part ? [h("pre", {}, unescape(part.replace(/^\n|\n$/g, "")))] : [];
    return lines(index ? part.replace(/^\n/, "") : part, world, verbatim);
  });
}

/** The nodes of a plain string with `:emoji:` names shown. */
export function plain(text) {
  return text.replace(/:([a-z0-9_+-]+):/g, (whole, name) => emoji(name) ?? whole);
}

/** The nodes of a text object, `plain_text` or `mrkdwn`. */
export function textObject(object, world) {
  if (!object) return [];
  if (object.type === "mrkdwn") return mrkdwn(object.text, world, { verbatim: object.verbatim });
  return [object.emoji === false ? object.text : plain(object.text)];
}

/** The words of a text object, without markup; for labels and names. */
export function wordsOf(object) {
  if (!object?.text) return "";
  return object.emoji === false ? object.text : plain(object.text);
}
