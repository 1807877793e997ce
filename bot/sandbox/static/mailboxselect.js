/** A list of the mail server's accounts to choose one from. */

import { h, reconcile } from "./dom.js";
import { ownMailbox } from "./helper.js";

export class MailboxSelect {
  constructor(model, id) {
    Object.assign(this, { model, actor: null });
    this.node = h("select", { class: "control small", id });
  }

  get address() {
    return this.node.value;
  }

  paint() {
    const { mailboxes } = this.model;
    reconcile(this.node, mailboxes.map(({ address }) => ({ key: address, signature: "", build: () => h("option", { value: address }, address) })));
    this.#choose();
  }

  /** Proposes the mailbox named after whoever acts now; what was chosen by hand stays until they change. */
  #choose() {
    const own = ownMailbox(this.model)?.address;
    if (!own || this.actor === this.model.actor) return;
    this.actor = this.model.actor;
    this.node.value = own;
  }
}
