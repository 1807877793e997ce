/** "Send a mail": a form and ready-made mails, delivered to the sandbox's own mail server. */

import * as api from "./api.js";
import { h, memory } from "./dom.js";
import { whileBusy } from "./controls.js";
import { sizeText } from "./files.js";
import { MailboxSelect } from "./mailboxselect.js";
import { manyLine } from "./many.js";
import { SAMPLES } from "./samples.js";

export class MailForm {
  constructor(model) {
    Object.assign(this, { model, expanded: false });
    this.to = new MailboxSelect(model, "mail-recipient");
    this.status = h("p", { class: "mail-status", role: "status" });
    this.place = h("div", { class: "mail-form-place" });
    this.toggle = h("button", { type: "button", class: "button small", "aria-expanded": "false", on: { click: () => this.#expand(!this.expanded) } }, "Write one");
    this.node = h("section", { class: "mail-box", "aria-labelledby": "mail-box-title" },
      h("h3", { id: "mail-box-title" }, "Send a mail"),
      h("div", { class: "mail-to" }, h("label", { for: this.to.node.id }, "Deliver to"), this.to.node),
      h("div", { class: "samples" }, SAMPLES.map((sample) => this.#sample(sample)), this.toggle),
      this.place, manyLine(model, () => this.to.address, (words, isOk) => this.#say(words, isOk)), this.status);
  }

  #sample([words, make]) {
    const node = h("button", { type: "button", class: "button small sample", on: { click: () => whileBusy(node, async () => this.#send(await make(this.to.address))) } }, h("span", {}, words));
    return node;
  }

  paint() {
    this.to.paint();
    this.node.hidden = !this.model.mailboxes.length;
  }

  #say(words, isOk) {
    this.status.classList.toggle("failed", !isOk);
    this.status.textContent = words;
  }

  /** Shows the whole form and goes there. */
  open() {
    this.node.scrollIntoView({ block: "start" });
    this.node.querySelector(".sample")?.focus({ preventScroll: true });
  }

  #expand(expanded) {
    this.expanded = expanded;
    this.toggle.setAttribute("aria-expanded", String(expanded));
    this.toggle.textContent = expanded ? "Put the form away" : "Write one";
    this.place.replaceChildren(...(expanded ? [this.#form()] : []));
    if (expanded) this.place.querySelector("input").focus();
  }

  #form() {
    const send = h("button", { type: "submit", class: "button primary" }, h("span", {}, "Deliver"));
    const form = h("form", { class: "mail-form", on: { submit: (event) => { event.preventDefault(); whileBusy(send, () => this.#sendForm(form)); } } },
      line("sender", "Sender", h("input", { name: "from_name", type: "text", value: "Grace Hopper", autocomplete: "off" })),
      line("sender-address", "Address of the sender", h("input", { name: "from_address", type: "text", inputmode: "email", value: "grace@harbour.example", autocomplete: "off" })),
      line("about", "Subject", h("input", { name: "subject", type: "text", autocomplete: "off" })),
      line("words", "Text", h("textarea", { name: "text", rows: 5 })),
      h("details", {}, h("summary", {}, "HTML part"), line("html", "HTML", h("textarea", { name: "html", rows: 5, spellcheck: "false" }))),
      line("files", "Attachments", h("input", { name: "files", type: "file", multiple: true })),
      h("div", { class: "row" }, send));
    return form;
  }

  async #sendForm(form) {
    const { from_name, from_address, subject, text, html, files } = form.elements;
    const attachments = await Promise.all([...files.files].map(encoded));
    const isSent = await this.#send({
      from_name: from_name.value, from_address: from_address.value, subject: subject.value, text: text.value,
      ...(html.value && { html: html.value }), attachments,
    });
    if (isSent) for (const field of [subject, text, html, files]) field.value = "";
  }

  async #send(mail) {
    const to = this.to.address;
    const answer = await api.mail({ to, attachments: [], ...mail });
    this.#say(answer.ok ? `Delivered to ${to}${weight(mail)}. The bot brings it at its next check; /mailbox check asks now.` : answer.error, answer.ok);
    if (answer.ok && this.model.state.posts.length) memory.set("welcome-done", true);
    await this.model.loadMailboxes();
    return answer.ok;
  }
}

function line(id, words, control) {
  control.id = `mail-${id}`;
  if (control.type !== "file") control.classList.add("control", "small");
  return h("div", { class: "mail-line" }, h("label", { for: control.id }, words), control);
}

function weight({ attachments = [] }) {
  if (!attachments.length) return "";
  const octets = attachments.reduce((sum, one) => sum + one.content_base64.length * 0.75, 0);
  return ` with ${attachments.length} attached (${sizeText(Math.round(octets))})`;
}

/** A chosen file as the mail server takes it. */
function encoded(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve({ name: file.name, type: file.type || "application/octet-stream", content_base64: reader.result.split(",")[1] ?? "" });
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
