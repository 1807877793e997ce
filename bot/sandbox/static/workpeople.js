/** The people of the workspace: their roles, and somebody new. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { avatar } from "./avatar.js";
import { roleName } from "./model.js";
import { lineField, newLine } from "./workparts.js";

const ROLES = ["primary_owner", "owner", "admin", "member", "multi_channel_guest", "single_channel_guest"];

/** What stands in the part, as items to keep. */
export function peopleCards(panel) {
  return [
    ...panel.model.people.map((person) => ({ key: person.id, signature: JSON.stringify(person), build: () => line(panel, person) })),
    { key: "new-person", signature: "", build: () => newPerson(panel) },
  ];
}

function line(panel, person) {
  const isGone = person.role === "deactivated";
  return h("div", { class: isGone ? "person gone" : "person", data: { user: person.id } },
    avatar(person, "small"),
    h("div", { class: "person-words" }, h("strong", {}, person.real_name), h("small", {}, person.team ?? person.title)),
    person.is_external ? h("span", { class: "count" }, "another workspace") : roles(panel, person));
}

function roles(panel, person) {
  const options = [...ROLES, "deactivated"];
  const set = async () => { if (!(await panel.change(api.role(person.id, pick.value), `${person.real_name}: ${roleName(pick.value)}`))) pick.value = person.role; };
  const pick = h("select", { class: "control small", id: `role-${person.id}`, "aria-label": `Role of ${person.real_name}`, on: { change: set } },
    options.map((role) => h("option", { value: role, selected: role === person.role }, roleName(role))));
  return pick;
}

function newPerson(panel) {
  const name = h("input", { type: "text", class: "control small", id: "new-person", required: true, maxlength: 80, autocomplete: "off" });
  const role = h("select", { class: "control small", id: "new-person-role" }, ROLES.slice(1).map((one) => h("option", { value: one, selected: one === "member" }, roleName(one))));
  return newLine([lineField("Name of somebody new", name), lineField("Role", role)], "Add to the workspace",
    () => panel.change(api.person(name.value, role.value), `${name.value} is in the workspace.`));
}
