/** A helper of the sandbox at a form's edge: fills in the sandbox account, field by field. */

import { h, toast } from "./dom.js";
import { icon } from "./icons.js";
import { wordsOf } from "./mrkdwn.js";

const plainWords = (text) => text.toLowerCase().replace(/[^a-z]+/g, "");

/** What belongs under each label, for one mailbox of the sandbox. */
function answers(mailbox, owner) {
  const { pop, smtp } = mailbox;
  const incoming = { incomingserver: pop.host, server: pop.host, port: pop.port, incomingport: pop.port, security: pop.security, incomingsecurity: pop.security };
  const outgoing = { outgoingserver: smtp.host, outgoingport: smtp.port, outgoingsecurity: smtp.security };
  return {
    ...incoming, ...outgoing,
    accountname: `Sandbox mail${owner ? ` of ${owner}` : ""}`, name: "Sandbox mail",
    emailaddress: mailbox.address, email: mailbox.address,
    username: mailbox.username, incomingusername: mailbox.username,
    password: mailbox.password, incomingpassword: mailbox.password, newpassword: mailbox.password,
  };
}

const NOTES = { tls: "TLS", ssl: "TLS", starttls: "STARTTLS", none: "None", plain: "None" };

/** A security setting as the mail world writes it. */
export function securityName(security) {
  return NOTES[String(security).toLowerCase()] ?? String(security);
}

function wantsAccount(surface) {
  return surface.blocks.some((block) => block.type === "input"
    && (block.element?.type === "email_text_input" || /e-?mail address/i.test(wordsOf(block.label)))
    && surface.blocks.some((other) => /password/i.test(wordsOf(other.label))));
}

/** The mailbox named after the acting person, if there is one. */
export function ownMailbox(model) {
  const { name, real_name: realName } = model.me ?? {};
  const names = [name, realName, realName?.split(" ")[0]].filter(Boolean).map((one) => one.toLowerCase());
  const isOwn = (one) => names.includes(one.address.split("@")[0].toLowerCase()) || names.includes(one.name?.toLowerCase());
  return model.mailboxes.find(isOwn);
}

function likely(model) {
  return ownMailbox(model) ?? model.mailboxes[0];
}

function fill(surface, mailbox, model) {
  const known = answers(mailbox, model.me?.real_name?.split(" ")[0]);
  const count = surface.fill((label) => known[plainWords(label)]);
  toast(count ? `Filled in ${count} fields with ${mailbox.address}` : "This form has no field the helper knows.");
}

/** The strip as an item to keep, or null when the form asks for no mail account. */
export function helperStrip(model, surface) {
  if (!wantsAccount(surface)) return null;
  if (!model.mailboxes.length) {
    model.askedMailboxes ??= model.loadMailboxes();
    return null;
  }
  const signature = JSON.stringify(model.mailboxes.map((one) => [one.address, one.password]));
  return { key: "helper", signature, build: () => strip(model, surface) };
}

function strip(model, surface) {
  let chosen = likely(model);
  const pick = model.mailboxes.length > 1 && h("select", {
    class: "control small", "aria-label": "Sandbox account", on: { change: (event) => { chosen = model.mailboxes[event.target.selectedIndex]; } },
  }, model.mailboxes.map((one) => h("option", { selected: one === chosen }, one.address)));
  return h("div", { class: "helper", role: "group" },
    h("span", { class: "helper-tag" }, icon("wand"), "Sandbox only"),
    pick,
    h("button", { type: "button", class: "button helper-button", on: { click: () => fill(surface, chosen, model) } }, "Fill in the sandbox account"));
}
