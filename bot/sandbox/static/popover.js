/** Menus that open beside a button: overflow menus, people, shortcuts. */

import { h } from "./dom.js";
import { pushLayer } from "./layers.js";

let current = null;

/** Closes the menu that is open, if any. */
export function closeMenu() {
  current?.();
}

/**
 * Opens a menu at `anchor`.
 *
 * @param items `{label, note, checked, node, act}`; `checked` makes it a choice of one.
 */
export function openMenu(anchor, items, { label } = {}) {
  closeMenu();
  const choose = (item) => { closeMenu(); item.act(); };
  const menu = h("div", { class: "menu", role: "menu", "aria-label": label }, items.map((item) => line(item, choose)));
  document.body.append(menu);
  position(menu, anchor);
  anchor.setAttribute("aria-expanded", "true");
  current = closer(menu, anchor);
  menu.addEventListener("keydown", (event) => move(menu, event));
  (menu.querySelector("[aria-checked=true]") ?? menu.firstElementChild)?.focus();
}

function line(item, choose) {
  return h("button", {
    type: "button", class: item.style ? `menu-line ${item.style}` : "menu-line",
    role: item.checked == null ? "menuitem" : "menuitemradio",
    "aria-checked": item.checked == null ? null : String(item.checked),
    on: { click: () => choose(item) },
  }, item.node, h("span", { class: "menu-words" }, item.label, item.note && h("small", {}, item.note)));
}

function closer(menu, anchor) {
  const outside = (event) => menu.contains(event.target) || anchor.contains(event.target) || closeMenu();
  const away = (event) => menu.contains(event.target) || closeMenu();
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("scroll", away, true);
  const pop = pushLayer(() => closeMenu());
  return () => {
    current = null;
    pop();
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("scroll", away, true);
    anchor.setAttribute("aria-expanded", "false");
    if (menu.contains(document.activeElement)) anchor.focus({ preventScroll: true });
    menu.remove();
  };
}

function position(menu, anchor) {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const below = box.bottom + height + 8 < innerHeight || box.top < height;
  menu.style.left = `${Math.max(8, Math.min(box.left, innerWidth - width - 8))}px`;
  menu.style.top = `${below ? Math.min(box.bottom + 4, Math.max(8, innerHeight - height - 8)) : box.top - height - 4}px`;
}

function move(menu, event) {
  if (event.key === "Tab") return closeMenu();
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const lines = [...menu.children];
  const at = lines.indexOf(document.activeElement);
  lines[(at + step + lines.length) % lines.length].focus();
}
