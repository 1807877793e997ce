/** Files chosen in a form: uploaded at once, listed with their sizes, taken out again one by one. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { sizeText } from "./files.js";

/**
 * The field's node.
 *
 * @param props attributes of the list's frame.
 * @param files the records it begins with.
 * @param change told the records whenever they are others.
 */
export function fileInput(element, props, files, world, change) {
  return new Files(element, props, files, world, change).node;
}

class Files {
  constructor(element, props, files, world, change) {
    Object.assign(this, { element, files: [...files], world, change, waiting: 0 });
    this.most = element.max_files ?? 10;
    this.list = h("ul", { class: "chosen-files" });
    this.status = h("p", { class: "hint", role: "status" });
    this.box = h("input", {
      type: "file", id: `${props.id}/choose`, class: "unseen", "aria-labelledby": `${props.id}/label ${props.id}/words`, multiple: this.most > 1,
      accept: (element.filetypes ?? []).map((kind) => `.${kind.replace(/^\./, "")}`).join(",") || null,
      on: { change: () => this.#take([...this.box.files]) },
    });
    this.button = h("label", { class: "button small", for: this.box.id, id: `${props.id}/words` }, icon("clip"), this.most > 1 ? "Choose files" : "Choose a file");
    this.node = h("div", { ...props, class: "file-input", role: "group", tabindex: "-1", on: {
      dragover: (event) => event.preventDefault(),
      drop: (event) => { event.preventDefault(); this.#take([...event.dataTransfer.files]); },
    } }, this.list, this.box, this.button, this.status);
    this.#paint();
  }

  #paint(words = "") {
    this.list.replaceChildren(...this.files.map((file) => this.#line(file)));
    const isFull = this.files.length >= this.most;
    this.box.disabled = isFull;
    this.button.hidden = isFull;
    this.node.toggleAttribute("data-uploading", this.waiting > 0);
    this.status.textContent = words || (this.waiting ? "Uploading…" : "");
  }

  #line(file) {
    const drop = () => {
      this.files = this.files.filter((one) => one.id !== file.id);
      this.change(this.files);
      this.#paint(`${file.name} is taken out.`);
      this.box.focus();
    };
    return h("li", { data: { fileId: file.id } }, icon("file"), h("span", { class: "file-name", title: file.name }, file.name), h("small", {}, sizeText(file.size)),
      h("button", { type: "button", class: "icon-button", title: `Remove ${file.name}`, on: { click: drop } }, icon("close"), h("span", { class: "unseen" }, `Remove ${file.name}`)));
  }

  async #take(chosen) {
    this.box.value = "";
    const fitting = chosen.filter((file) => isAccepted(file.name, this.element.filetypes));
    const taken = fitting.slice(0, this.most - this.files.length - this.waiting);
    this.waiting += taken.length;
    this.#paint();
    let words = fitting.length < chosen.length ? `Only these kinds of files are accepted: ${this.element.filetypes.join(", ")}.`
      : taken.length < fitting.length ? `At most ${this.most} ${this.most === 1 ? "file" : "files"}.` : "";
    for (const file of taken) {
      const answer = await api.upload(this.world.actor, file);
      this.waiting -= 1;
      if (answer.ok) this.files = [...this.files, answer.file];
      else words = `${file.name}: ${answer.error}`;
      if (answer.ok) this.change(this.files);
      this.#paint(words);
    }
    this.#paint(words);
  }
}

function isAccepted(name, kinds) {
  return !kinds?.length || kinds.some((kind) => name.toLowerCase().endsWith(`.${kind.toLowerCase().replace(/^\./, "")}`));
}
