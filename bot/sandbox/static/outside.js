/** "Sent to the outside": mail that left for correspondents elsewhere, and a way to answer it as one of them. */

import * as api from "./api.js";
import { h, keepingFocus, reconcile, setText, toast } from "./dom.js";
import { icon } from "./icons.js";
import { whileBusy } from "./controls.js";
import { clock } from "./dates.js";
import { sizeText } from "./files.js";

const NONE = { key: "none", signature: "", build: () => h("p", { class: "drawer-note" }, "Nothing yet. Mail to correspondents outside is kept here and goes nowhere; addresses that nobody wrote from are refused.") };

export class OutsideList {
  constructor(model) {
    Object.assign(this, { model, opened: new Set(), expanded: false, seen: 0 });
    this.count = h("span", { class: "count" });
    this.toggle = h("button", { type: "button", class: "account-name", id: "outside-toggle", "aria-expanded": "false", "aria-controls": "outside-body", on: { click: () => this.#expand(!this.expanded) } },
      icon("down"), h("span", { class: "account-address" }, "Sent to the outside"), this.count);
    this.body = h("div", { class: "outside-body", id: "outside-body", hidden: true });
    this.node = h("section", { class: "account outside" }, h("h3", {}, this.toggle), this.body);
  }

  paint() {
    const mails = [...this.model.outside].reverse();
    this.node.hidden = !this.model.mailboxes.length;
    setText(this.count, mails.length === 1 ? "1 mail" : `${mails.length} mails`);
    if (mails.length > this.seen && !this.expanded) this.#expand(true);
    this.seen = mails.length;
    keepingFocus(() => reconcile(this.body, mails.length ? mails.map((mail) => this.#item(mail)) : [NONE]));
  }

  #expand(expanded) {
    this.expanded = expanded;
    this.toggle.setAttribute("aria-expanded", String(expanded));
    this.body.hidden = !expanded;
  }

  #item(mail) {
    const isOpen = this.opened.has(mail.id);
    return { key: mail.id, signature: String(isOpen), build: () => this.#mail(mail, isOpen) };
  }

  #mail(mail, isOpen) {
    const toggle = () => { this.opened[isOpen ? "delete" : "add"](mail.id); this.model.changed(); };
    return h("article", { class: "sent-mail", data: { mailId: mail.id } },
      h("h4", {}, h("button", { type: "button", class: "sent-title", id: `sent-${mail.id}`, "aria-expanded": String(isOpen), on: { click: toggle } },
        icon("down"), h("span", { class: "sent-words" }, h("strong", { dir: "auto" }, mail.subject || "No subject"), h("small", {}, `${mail.recipients.join(", ")} · ${clock(new Date(mail.time * 1000), this.model.world.zone)}`)))),
      isOpen && this.#details(mail));
  }

  #details(mail) {
    const rows = [["From", mail.from], ["To", mail.to], ["Cc", mail.cc], ["Reply-To", mail.reply_to], ["Envelope", mail.recipients.join(", ")]].filter(([, words]) => words);
    return h("div", { class: "sent-details" },
      h("dl", {}, rows.map(([name, words]) => h("div", { class: "dl-row sent-row" }, h("dt", {}, name), h("dd", { dir: "auto" }, words)))),
      h("div", { class: "sent-text", dir: "auto", tabindex: "0", role: "region", "aria-label": `Text of ${mail.subject}` }, mail.text.trim() || "No text"),
      mail.attachments.length > 0 && h("ul", { class: "sent-files", "aria-label": "Attachments" }, mail.attachments.map((file) => h("li", {}, icon("clip"), `${file.name || file.type}, ${sizeText(file.size)}`))),
      h("a", { class: "plain-link", href: `/sandbox/api/mail/outside/source?id=${encodeURIComponent(mail.id)}`, target: "_blank", rel: "noopener" }, `Source, ${sizeText(mail.octets)}`),
      this.#answer(mail));
  }

  #answer(mail) {
    const whose = h("select", { class: "control small", id: `whose-${mail.id}` }, mail.recipients.map((address) => h("option", { value: address }, address)));
    const words = h("textarea", { class: "control small", id: `answer-${mail.id}`, rows: 3 }, "Thank you, that helps.");
    const toAll = h("input", { type: "checkbox", id: `all-${mail.id}` });
    const send = h("button", { type: "submit", class: "button small" }, h("span", {}, `Answer as ${mail.recipients[0]}`));
    whose.addEventListener("change", () => setText(send.firstChild, `Answer as ${whose.value}`));
    const act = async () => {
      const answer = await api.answerAs({ id: mail.id, as: whose.value, text: words.value, to_all: toAll.checked });
      toast(answer.ok ? `“${answer.subject}” is delivered. The bot brings it at its next check.` : answer.error, answer.ok ? "info" : "error");
      await this.model.loadMailboxes();
    };
    return h("form", { class: "sent-answer", on: { submit: (event) => { event.preventDefault(); whileBusy(send, act); } } },
      mail.recipients.length > 1 && [h("label", { for: whose.id }, "Answer as"), whose],
      h("label", { for: words.id }, "What they write"), words,
      h("div", { class: "sent-all" }, toAll, h("label", { for: toAll.id }, "to everybody named in it")), send);
  }
}
