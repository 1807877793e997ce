/** An editor for rich text: what is typed looks as it will be sent, as in Slack. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { wordsOf } from "./mrkdwn.js";
import { readRichText } from "./richread.js";
import { inlineNode } from "./richtext.js";

const TOOLS = [
  ["bold", "Bold (Ctrl+B)", "bold"], ["italic", "Italic (Ctrl+I)", "italic"], ["strike", "Strikethrough", "strikeThrough"], ["code", "Code", null],
  ["bullets", "Bulleted list", "insertUnorderedList"], ["numbers", "Numbered list", "insertOrderedList"], ["quote", "Quote", "blockquote"], ["codeblock", "Code block", "pre"],
];
const BLOCKS = new Set(["blockquote", "pre"]);
/** What a line that begins so becomes once a blank is typed behind it. */
const BEGINNINGS = { "-": "insertUnorderedList", "*": "insertUnorderedList", "•": "insertUnorderedList", "1.": "insertOrderedList", "1)": "insertOrderedList", ">": "blockquote" };

/**
 * The editor's node.
 *
 * @param props attributes of the box to write in.
 * @param value the `rich_text` it begins with, or null.
 * @param listen `(box, read)`: told once; `read()` gives the value, and the box sends `input` whenever it may have changed.
 */
export function richInput(element, props, value, world, listen) {
  return new Editor(element, props, value, world, listen).node;
}

class Editor {
  #range = null;

  constructor(element, props, value, world, listen) {
    this.box = h("div", {
      ...props, class: "control rich rich-box", contenteditable: "true", role: "textbox", "aria-multiline": "true", spellcheck: "true",
      "data-placeholder": wordsOf(element.placeholder),
      on: { keydown: (event) => this.#key(event), paste: (event) => this.#paste(event), drop: (event) => event.preventDefault(), blur: () => this.#remember() },
    }, value ? lines(value, world) : null);
    this.tools = TOOLS.map(([name, words, command], index) => h("button", {
      type: "button", class: "icon-button tool", title: words, "aria-label": words, "aria-pressed": "false", tabindex: index ? "-1" : "0",
      on: { mousedown: (event) => event.preventDefault(), click: () => this.#use(command) },
    }, icon(name)));
    this.bar = h("div", { class: "tools", role: "toolbar", "aria-label": "Formatting", on: { keydown: (event) => this.#walk(event) } }, this.tools);
    this.node = h("div", { class: "rich-input" }, this.bar, this.box);
    this.box.addEventListener("input", (event) => this.#typed(event));
    for (const name of ["keyup", "mouseup", "focus"]) this.box.addEventListener(name, () => this.#show());
    this.read = () => readRichText(this.box, world);
    listen(this.box, this.read);
    this.#mark();
  }

  #mark() {
    this.box.classList.toggle("empty", !this.box.textContent && !this.box.querySelector("li, blockquote, pre, [data-element]"));
  }

  #typed(event) {
    if (event.inputType === "insertText" && event.data === " ") this.#begin();
    this.#mark();
  }

  /** Turns a line that begins as a list or a quote does into one. */
  #begin() {
    const { anchorNode: node, anchorOffset: end } = getSelection();
    if (node?.nodeType !== Node.TEXT_NODE || !isAtStart(node) || blockAt(node, this.box)) return;
    const command = BEGINNINGS[node.data.slice(0, end).trimEnd()];
    if (!command) return;
    getSelection().setBaseAndExtent(node, 0, node, end);
    document.execCommand("delete");
    this.#use(command);
  }

  #use(command) {
    this.#restore();
    const block = blockAt(getSelection().anchorNode, this.box);
    if (command === null) this.#code();
    else if (BLOCKS.has(command)) document.execCommand("formatBlock", false, block?.nodeName.toLowerCase() === command ? "div" : command);
    else document.execCommand(command);
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
    this.#show();
  }

  /** Words that are chosen become code, and code words. */
  #code() {
    const selection = getSelection();
    const inside = ancestor(selection.anchorNode, this.box, ({ nodeName }) => nodeName === "CODE");
    if (inside) return void inside.replaceWith(...inside.childNodes);
    const words = selection.toString();
    if (!words.trim() || words.includes("\n")) return;
    const range = selection.getRangeAt(0);
    range.deleteContents();
    const code = h("code", {}, words);
    range.insertNode(code);
    selection.setBaseAndExtent(code, 0, code, 1);
  }

  #remember() {
    const selection = getSelection();
    if (selection.rangeCount && this.box.contains(selection.anchorNode)) this.#range = selection.getRangeAt(0).cloneRange();
  }

  #restore() {
    if (this.box.contains(getSelection().anchorNode)) return;
    this.box.focus();
    if (!this.#range || !this.box.contains(this.#range.startContainer)) return;
    getSelection().removeAllRanges();
    getSelection().addRange(this.#range);
  }

  #show() {
    const at = getSelection().anchorNode;
    const block = blockAt(at, this.box)?.nodeName.toLowerCase();
    this.tools.forEach((tool, index) => {
      const [name, , command] = TOOLS[index];
      const isOn = name === "code" ? Boolean(ancestor(at, this.box, ({ nodeName }) => nodeName === "CODE")) : BLOCKS.has(command) ? block === command : document.queryCommandState(command);
      tool.setAttribute("aria-pressed", String(isOn));
    });
  }

  #key(event) {
    if (event.isComposing) return;
    const at = getSelection().anchorNode;
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) {
      const block = blockAt(at, this.box);
      if (!block || !isOnLastEmptyLine(block)) return;
      event.preventDefault(); // an empty line ends a quote or a code block
      leave(block);
      this.box.dispatchEvent(new Event("input", { bubbles: true }));
    } else if (event.key === "Tab" && ancestor(at, this.box, ({ nodeName }) => nodeName === "LI")) {
      event.preventDefault();
      document.execCommand(event.shiftKey ? "outdent" : "indent");
    } else if ((event.ctrlKey || event.metaKey) && event.shiftKey && event.key.toLowerCase() === "x") {
      event.preventDefault();
      this.#use("strikeThrough");
    }
  }

  /** Words only: what another page formatted stays there. */
  #paste(event) {
    event.preventDefault();
    document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  }

  /** The arrow keys lead from tool to tool; Tab leads on. */
  #walk(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = this.tools[(this.tools.indexOf(document.activeElement) + step + this.tools.length) % this.tools.length];
    for (const tool of this.tools) tool.tabIndex = tool === next ? 0 : -1;
    next.focus();
  }
}

function ancestor(node, root, is) {
  for (let one = node; one && one !== root; one = one.parentNode) if (is(one)) return one;
  return null;
}

const blockAt = (node, root) => ancestor(node, root, ({ nodeName }) => BLOCKS.has(nodeName.toLowerCase()));

/** Whether the caret stands on the last line of a quote or code block, and nothing else does. */
function isOnLastEmptyLine(block) {
  const { anchorNode, anchorOffset } = getSelection();
  const before = document.createRange();
  before.setStart(block, 0);
  before.setEnd(anchorNode, anchorOffset);
  const after = document.createRange();
  after.setStart(anchorNode, anchorOffset);
  after.setEnd(block, block.childNodes.length);
  return !wordsIn(after).trim() && !wordsIn(before).split("\n").at(-1);
}

/** The words of a range with its line ends. */
function wordsIn(range) {
  const part = range.cloneContents();
  for (const end of part.querySelectorAll("br")) end.replaceWith("\n");
  return part.textContent;
}

/** Goes on below a quote or code block; what ended it does not stay behind. */
function leave(block) {
  const line = h("div", {}, h("br"));
  block.after(line);
  while (block.lastChild && (block.lastChild.nodeName === "BR" || !block.lastChild.textContent)) block.lastChild.remove();
  if (block.lastChild?.nodeType === Node.TEXT_NODE) block.lastChild.data = block.lastChild.data.replace(/\n+$/, "");
  if (!block.textContent) block.remove();
  getSelection().collapse(line, 0);
}

/** Whether a text begins its line. */
function isAtStart(node) {
  const before = node.previousSibling;
  return !before || before.nodeName === "BR" || ["DIV", "P", "UL", "OL", "BLOCKQUOTE", "PRE"].includes(before.nodeName);
}

/** A value as the nodes that the editor edits. */
function lines(value, world) {
  return (value.elements ?? []).flatMap((element, index, all) => paragraph(element, world, index < all.length - 1));
}

function paragraph(element, world, isFollowed) {
  if (element.type === "rich_text_list") return [list(element, world)];
  const rows = rowsOf(element.elements ?? [], world);
  if (element.type === "rich_text_section") {
    if (isFollowed && !rows.at(-1).length) rows.pop(); // the line end before what follows
    return rows.map((row) => h("div", {}, row.length ? row : h("br")));
  }
  const tag = element.type === "rich_text_quote" ? "blockquote" : "pre";
  return [h(tag, {}, rows.flatMap((row, index) => (index ? [h("br"), ...row] : row)))];
}

function list({ style, indent = 0, elements }, world) {
  const tag = style === "ordered" ? "ol" : "ul";
  let node = h(tag, {}, elements.map((item) => h("li", {}, rowsOf(item.elements ?? [], world).flatMap((row, index) => (index ? [h("br"), ...row] : row)))));
  for (let depth = 0; depth < indent; depth++) node = h(tag, {}, node);
  return node;
}

/** Inline elements in rows: a line end in a text begins the next one. */
function rowsOf(elements, world) {
  const rows = [[]];
  for (const element of elements) {
    if (element.type !== "text") {
      rows.at(-1).push(element.type === "link" ? inlineNode(element, world) : h("span", { contenteditable: "false", data: { element: JSON.stringify(element) } }, inlineNode(element, world)));
      continue;
    }
    element.text.split("\n").forEach((words, index) => {
      if (index) rows.push([]);
      if (words) rows.at(-1).push(inlineNode({ ...element, text: words }, world));
    });
  }
  return rows;
}
