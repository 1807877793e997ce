/** What the parts of the panel "Workspace" are made of: cards, switches, members, lines for something new. */

import { h } from "./dom.js";
import { icon } from "./icons.js";

/** A card that opens: a line with name and count, and what is below it. */
export function card(panel, key, { name, mark, note, build }) {
  const isOpen = panel.open.has(key);
  return h("section", { class: "account", data: { key } },
    h("h3", {}, h("button", { type: "button", class: "account-name", id: `card-${key}`, "aria-expanded": String(isOpen), on: { click: () => panel.toggle(key) } },
      icon("down"), mark && icon(mark), h("span", { class: "account-address" }, name), h("span", { class: "count" }, note))),
    isOpen && h("div", { class: "account-details" }, build()));
}

/** A switch with its words and what it does; where `act` says that nothing came of it, it goes back. */
export function toggleLine(id, name, effect, checked, act) {
  const flip = async () => { if (!(await act(box.checked))) box.checked = !box.checked; };
  const box = h("input", { type: "checkbox", role: "switch", class: "switch", id, checked, "aria-describedby": `${id}-effect`, on: { change: flip } });
  return h("div", { class: "fault" }, box, h("div", {}, h("label", { for: id }, name), h("p", { id: `${id}-effect` }, effect)));
}

/** The members as chips with a way out, and a list of those who may come in. */
export function members(panel, { id, users, what, add, remove }) {
  const { model } = panel;
  const inside = new Set(users);
  const others = model.people.filter((person) => !inside.has(person.id) && person.role !== "deactivated");
  const name = (user) => model.person(user)?.real_name ?? user;
  const come = async () => { if (pick.value && !(await add(pick.value))) pick.value = ""; };
  const pick = h("select", { class: "control small", id: `${id}-add`, "aria-label": `Add somebody to ${what}`, on: { change: come } },
    h("option", { value: "" }, "Add somebody…"), others.map((person) => h("option", { value: person.id }, person.real_name)));
  return h("div", { class: "members" },
    h("ul", { class: "chips" }, users.map((user) => h("li", { class: "chip" }, name(user),
      h("button", { type: "button", class: "chip-drop", id: `${id}-drop-${user}`, title: `Take ${name(user)} out of ${what}`, on: { click: () => remove(user) } }, icon("close"), h("span", { class: "unseen" }, `Take ${name(user)} out of ${what}`))))),
    users.length === 0 && h("p", { class: "drawer-note" }, "Nobody yet."),
    pick);
}

/** A form of one line at the end of a part; emptied when its work was done. */
export function newLine(fields, button, act) {
  const send = h("button", { type: "submit", class: "button small" }, button);
  const submit = async (event) => {
    event.preventDefault();
    if (await act()) event.target.reset();
  };
  return h("form", { class: "new-line", on: { submit } }, fields, send);
}

/** A labelled control of such a form. */
export function lineField(label, control) {
  return h("div", { class: "mail-line" }, h("label", { for: control.id }, label), control);
}
