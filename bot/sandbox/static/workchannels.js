/** Channels: who is in them, the app too, and what they are: private, shared, archived. */

import * as api from "./api.js";
import { ask } from "./confirm.js";
import { h } from "./dom.js";
import { card, lineField, members, newLine, toggleLine } from "./workparts.js";

/** What stands in the part, as items to keep. */
export function channelCards(panel) {
  const { channels } = panel.model.workspace;
  const people = panel.model.people.map((person) => [person.id, person.real_name, person.role]);
  return [
    ...channels.map((channel) => ({
      key: channel.id, signature: JSON.stringify([channel, people, panel.open.has(channel.id), panel.model.bot?.name]), build: () => channelCard(panel, channel),
    })),
    { key: "new-channel", signature: "", build: () => newChannel(panel) },
  ];
}

function channelCard(panel, channel) {
  const { bot, workspace } = panel.model;
  const change = (body) => panel.change(api.channel({ channel: channel.id, ...body }));
  const app = bot?.name ?? "Mailbox";
  const line = (name, words, effect, on, act) => toggleLine(`${channel.id}-${name}`, words, effect, on, act);
  return card(panel, channel.id, {
    name: channel.name, mark: channel.is_private ? "lock" : "hash", note: facts(channel, app),
    build: () => [
      line("bot", `${app} is in it`, "Then it can read and post here.", channel.has_bot, (on) => change({ [on ? "add" : "remove"]: "bot" })),
      !channel.is_general && line("private", "Private", "Seen from within only.", channel.is_private, (on) => change({ is_private: on })),
      !channel.is_general && line("shared", `Shared with ${workspace.partner}`, "Another workspace; its people come in.", channel.is_ext_shared, (on) => change({ is_ext_shared: on })),
      !channel.is_general && line("archived", "Archived", "Nobody can write; everything stays.", channel.is_archived, (on) => change({ is_archived: on })),
      members(panel, {
        id: channel.id, users: channel.members, what: `#${channel.name}`,
        add: (user) => change({ add: user }), remove: (user) => change({ remove: user }),
      }),
      !channel.is_general && deletion(panel, channel, () => change({ is_deleted: true })),
    ],
  });
}

const plain = (text) => ({ type: "plain_text", text });

function deletion(panel, channel, act) {
  const question = {
    title: plain(`Delete #${channel.name}?`), text: plain("Its posts are gone for everybody. This cannot be undone."),
    confirm: plain("Delete"), deny: plain("Keep"), style: "danger",
  };
  const press = async () => { if (await ask(question, panel.model.world)) await act(); };
  return h("button", { type: "button", class: "button small danger", id: `${channel.id}-delete`, on: { click: press } }, "Delete the channel…");
}

function facts(channel, app) {
  return [
    channel.is_archived && "archived", channel.is_ext_shared && "shared",
    channel.has_bot && `with ${app}`, `${channel.members.length + (channel.has_bot ? 1 : 0)}`,
  ].filter(Boolean).join(" · ");
}

function newChannel(panel) {
  const name = h("input", { type: "text", class: "control small", id: "new-channel", required: true, maxlength: 80, pattern: "[a-z0-9_\\-]+", autocomplete: "off", autocapitalize: "none" });
  const kind = h("select", { class: "control small", id: "new-channel-kind" }, h("option", { value: "" }, "Public"), h("option", { value: "private" }, "Private"));
  return newLine([lineField("Name of a new channel", name), lineField("Kind", kind)], "Create the channel",
    () => panel.change(api.channel({ name: name.value, is_private: kind.value === "private" }), `#${name.value} is there, with nobody in it.`));
}
