/** User groups: who is in them, whether they are in use, and new ones. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { card, lineField, members, newLine, toggleLine } from "./workparts.js";

/** What stands in the part, as items to keep. */
export function groupCards(panel) {
  const { groups } = panel.model.workspace;
  const people = panel.model.people.map((person) => [person.id, person.real_name, person.role]);
  return [
    ...groups.map((group) => ({
      key: group.id, signature: JSON.stringify([group, people, panel.open.has(group.id)]), build: () => groupCard(panel, group),
    })),
    { key: "new-group", signature: "", build: () => newGroup(panel) },
  ];
}

function groupCard(panel, group) {
  const count = group.users.length === 1 ? "1 member" : `${group.users.length} members`;
  const change = (body) => panel.change(api.group({ group: group.id, ...body }));
  return card(panel, group.id, {
    name: `${group.name} @${group.handle}`, mark: "people", note: group.is_disabled ? "disabled" : count,
    build: () => [
      !group.is_disabled && members(panel, {
        id: group.id, users: group.users, what: group.name,
        add: (user) => change({ users: [...group.users, user] }),
        remove: (user) => change({ users: group.users.filter((other) => other !== user) }),
      }),
      toggleLine(`${group.id}-disabled`, "Disabled", "Nobody is reached by it; its members come back with it.", group.is_disabled, (on) => change({ is_disabled: on })),
    ],
  });
}

function newGroup(panel) {
  const name = h("input", { type: "text", class: "control small", id: "new-group", required: true, maxlength: 80, autocomplete: "off" });
  const handle = h("input", { type: "text", class: "control small", id: "new-group-handle", required: true, maxlength: 21, pattern: "[a-z0-9._\\-]+", autocomplete: "off", autocapitalize: "none" });
  return newLine([lineField("Name of a new group", name), lineField("Handle, without @", handle)], "Create the group",
    () => panel.change(api.group({ name: name.value, handle: handle.value }), `${name.value} is a group now.`));
}
