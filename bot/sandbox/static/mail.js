/** The sandbox's mail server beside the workspace: its accounts, and a way to send them mail. */

import * as api from "./api.js";
import { h, keepingFocus, reconcile, toast } from "./dom.js";
import { icon } from "./icons.js";
import { whileBusy } from "./controls.js";
import { ownMailbox, securityName } from "./helper.js";
import { MailForm } from "./mailform.js";
import { OutsideList } from "./outside.js";
import { Trouble, TroubleStrip } from "./trouble.js";

const COUNTS_EVERY = 5000; // milliseconds; mail is fetched and deleted without an event for the page

const NO_MAILBOX = { key: "none", signature: "", build: () => h("p", { class: "drawer-note" }, "The mail server has no mailbox yet.") };

export class Drawer {
  constructor(root, model) {
    Object.assign(this, { root, model, open: new Set(), actor: null });
    this.first = h("div", { class: "accounts" });
    this.others = h("div", { class: "accounts" });
    this.othersTitle = h("h3", { class: "drawer-note" }, "Other mailboxes");
    this.form = new MailForm(model);
    this.outside = new OutsideList(model);
    this.trouble = new Trouble(model);
    this.strip = new TroubleStrip(model);
    root.setAttribute("aria-labelledby", "drawer-title");
    root.replaceChildren(head(model), this.strip.node, h("div", { class: "drawer-body" }, this.first, this.form.node, this.outside.node, this.trouble.node, this.othersTitle, this.others));
    setInterval(() => model.drawer && !document.hidden && model.actor && model.loadMailboxes(), COUNTS_EVERY);
  }

  paint() {
    const { model } = this;
    const wasHidden = this.root.hidden;
    this.root.hidden = !model.drawer;
    if (!model.drawer) return;
    if (wasHidden && !model.mailboxes.length) model.loadMailboxes();
    this.#paintAccounts();
    this.form.paint();
    this.outside.paint();
    this.trouble.paint();
    this.strip.paint();
    if (model.drawerPart === "compose") this.form.open();
    model.drawerPart = null;
  }

  /** The account of whoever acts stands first, then the way to write to it, then everybody else's. */
  #paintAccounts() {
    const { mailboxes } = this.model;
    const own = ownMailbox(this.model) ?? mailboxes[0];
    if (own && this.actor !== this.model.actor) this.#openOnly(own);
    const others = mailboxes.filter((mailbox) => mailbox !== own);
    this.othersTitle.hidden = !others.length;
    keepingFocus(() => {
      reconcile(this.first, [own ? this.#item(own) : NO_MAILBOX]);
      reconcile(this.others, others.map((mailbox) => this.#item(mailbox)));
    });
  }

  #item(mailbox) {
    return {
      key: mailbox.address,
      signature: JSON.stringify([mailbox, this.open.has(mailbox.address)]),
      build: () => this.#account(mailbox),
    };
  }

  /** Opens one account; what is then opened or shut by hand stays so until somebody else acts. */
  #openOnly(mailbox) {
    this.actor = this.model.actor;
    this.open = new Set([mailbox.address]);
  }

  #account(mailbox) {
    const isOpen = this.open.has(mailbox.address);
    const toggle = () => { this.open[isOpen ? "delete" : "add"](mailbox.address); this.model.changed(); };
    const count = mailbox.messages === 1 ? "1 message" : `${mailbox.messages} messages`;
    return h("section", { class: "account", data: { address: mailbox.address } },
      h("h3", {}, h("button", { type: "button", class: "account-name", id: `account-${mailbox.address}`, "aria-expanded": String(isOpen), on: { click: toggle } },
        icon("down"), h("span", { class: "account-address" }, mailbox.address), h("span", { class: "count" }, count))),
      isOpen && details(mailbox, this.model));
  }
}

function head(model) {
  return h("div", { class: "drawer-head" },
    icon("server"),
    h("div", {},
      h("h2", { id: "drawer-title" }, "Sandbox mail server"),
      h("p", {}, "On this computer, not part of Slack")),
    h("button", { type: "button", class: "icon-button", title: "Hide the mail server", on: { click: () => model.openDrawer(false) } },
      icon("close"), h("span", { class: "unseen" }, "Hide the mail server")));
}

function details(mailbox, model) {
  const { pop, smtp } = mailbox;
  const rows = [
    ["Address", mailbox.address], ["User name", mailbox.username], ["Password", mailbox.password],
    ["Incoming (POP3)"], ["Server", pop.host], ["Port", pop.port], ["Security", securityName(pop.security)], ...second(mailbox.pop_starttls),
    ["Outgoing (SMTP)"], ["Server", smtp.host], ["Port", smtp.port], ["Security", securityName(smtp.security)], ...second(mailbox.smtp_starttls),
  ];
  return h("div", { class: "account-details" },
    h("dl", {}, rows.map(([name, value]) => (value === undefined ? h("div", { class: "dl-head" }, h("dt", {}, name)) : row(name, String(value), mailbox)))),
    passwordLine(mailbox, model));
}

/** The other port of the same server, where it has one. */
function second(server) {
  return server ? [[securityName(server.security), server.port]] : [];
}

function row(name, value, mailbox) {
  return h("div", { class: "dl-row" }, h("dt", {}, name), h("dd", {}, h("code", {}, value)),
    h("button", { type: "button", class: "copy", title: `Copy ${name.toLowerCase()}`, on: { click: (event) => copy(value, event.currentTarget) } },
      icon("copy"), unseenCopy(name, mailbox)));
}

const unseenCopy = (name, mailbox) => h("span", { class: "unseen" }, `Copy: ${name} of ${mailbox.address}`);

async function copy(value, button) {
  try {
    await navigator.clipboard.writeText(value);
    button.replaceChildren(icon("check"), h("span", { class: "unseen" }, "Copied"));
    toast("Copied");
  } catch {
    toast("This browser does not let the page copy. Select the text instead.", "error");
  }
}

/** A button that becomes a small form: what happens in Slack when the password changes on the server. */
function passwordLine(mailbox, model) {
  const place = h("div", { class: "change-password" });
  const start = h("button", { type: "button", class: "button small", on: { click: () => ask() } }, "Change the password on the server");
  const ask = () => {
    const box = h("input", { type: "text", class: "control small", id: `new-password-${mailbox.address}`, autocomplete: "off", spellcheck: "false" });
    const set = h("button", { type: "submit", class: "button small" }, "Change it");
    place.replaceChildren(h("form", { on: { submit: (event) => { event.preventDefault(); whileBusy(set, () => change(mailbox, box.value, model)); } } },
      h("label", { for: box.id }, "On the server it becomes"), box, h("div", { class: "row" }, set, h("button", { type: "button", class: "plain-link", on: { click: () => place.replaceChildren(start) } }, "Keep the old one"))));
    box.focus();
  };
  place.append(start);
  return place;
}

async function change(mailbox, password, model) {
  if (!password) return;
  const answer = await api.mailPassword(mailbox.address, password);
  if (!answer.ok) return toast(answer.error, "error");
  toast("Changed. The bot's next check of this mailbox will be refused.");
  await model.loadMailboxes();
}
