/** A person's initials on their colour, or the app's own mark. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** A decorative avatar; the name always stands beside it. */
export function avatar(person, size = "") {
  const node = h("span", { class: `avatar ${size}`.trim(), "aria-hidden": "true" }, initials(person?.real_name ?? person?.name ?? "?"));
  if (person?.color) paint(node, person.color);
  return node;
}

export function appAvatar(size = "") {
  return h("span", { class: `avatar app ${size}`.trim(), "aria-hidden": "true" }, icon("mail"));
}

export function systemAvatar() {
  return h("span", { class: "avatar system", "aria-hidden": "true" }, icon("server"));
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words.at(-1) : ""].map((word) => word?.[0] ?? "").join("").toUpperCase();
}

function paint(node, color) {
  const hex = /^#?([0-9a-f]{6})$/i.exec(color)?.[1];
  if (!hex) return;
  node.style.backgroundColor = `#${hex}`;
  node.style.color = luminance(hex) > 0.179 ? "#16131f" : "#fff";
}

/** Relative luminance of WCAG, to choose letters that can be read on the colour. */
function luminance(hex) {
  const [red, green, blue] = [0, 2, 4].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
