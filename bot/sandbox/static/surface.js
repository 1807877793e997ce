/**
 * One place where blocks are shown and used: a modal view, Home, a post.
 *
 * Holds what was typed there apart from the DOM, so that a view update keeps
 * the input of the same block id and action id and gives new ids their initial
 * value, as Slack does.
 */

import {
  contentFromText, contentOf, elementsOf, fault, initialValue, isStateful, optionsOf, valueOf, withoutInitial,
} from "./values.js";
import { wordsOf } from "./mrkdwn.js";
import { ask } from "./confirm.js";

const slot = (blockId, actionId) => JSON.stringify([blockId, actionId]);

export class Surface {
  #stored = new Map();
  #revisions = new Map();

  /**
   * @param key unique on the page, the prefix of every control's id.
   * @param world what rendering needs to know of people and time.
   * @param send posts `{action, values}` for this place and resolves when it was taken.
   * @param redraw paints this place again.
   */
  constructor(key, world, { send, redraw, suggest }) {
    Object.assign(this, { key, world, send, redraw, suggest, blocks: [], closed: false });
  }

  /**
   * Takes the blocks now shown; input of blocks that are gone is forgotten.
   *
   * @param known `state.values` as the server knows them, for a page that was loaded again.
   */
  show(blocks, known) {
    this.blocks = (blocks ?? []).map((block, index) => ({ ...block, block_id: block.block_id || `${block.type}-${index}` }));
    const present = new Set(this.#stateful().map(([blockId, element]) => slot(blockId, element.action_id)));
    for (const key of this.#stored.keys()) if (!present.has(key)) this.#stored.delete(key);
    for (const [blockId, element] of this.#stateful()) this.#adopt(slot(blockId, element.action_id), known?.[blockId]?.[element.action_id]);
  }

  #adopt(key, value) {
    if (value && !this.#stored.has(key)) this.#stored.set(key, value);
  }

  #stateful() {
    return this.blocks.flatMap((block) => elementsOf(block).filter(isStateful).map((element) => [block.block_id, element]));
  }

  idOf(blockId, actionId) {
    return `${this.key}/${blockId}/${actionId}`.replace(/\s/g, "_"); // ids are listed with spaces between them
  }

  /** What stands in an element now. */
  read(blockId, element) {
    const key = slot(blockId, element.action_id);
    const value = this.#stored.get(key);
    if (value?.type === element.type && !isGone(element, value)) return value;
    this.#stored.set(key, initialValue(element));
    return this.#stored.get(key);
  }

  write(blockId, element, content) {
    this.#stored.set(slot(blockId, element.action_id), valueOf(element, content));
  }

  values() {
    const all = {};
    for (const [blockId, element] of this.#stateful()) (all[blockId] ??= {})[element.action_id] = this.read(blockId, element);
    return all;
  }

  /** What decides whether a block is drawn anew; initial values do not, once there is input to keep. */
  signature(block) {
    const bare = { ...block };
    if (block.element) bare.element = withoutInitial(block.element);
    if (block.accessory) bare.accessory = withoutInitial(block.accessory);
    if (block.type === "actions") bare.elements = block.elements.map(withoutInitial);
    return JSON.stringify([bare, this.#revisions.get(block.block_id) ?? 0]);
  }

  /** Draws a block again although it did not change, because its value did. */
  refresh(blockId) {
    this.#revisions.set(blockId, (this.#revisions.get(blockId) ?? 0) + 1);
    this.redraw();
  }

  /** Keeps a new content and, where the element acts at once, tells the app. */
  async change(blockId, element, content, dispatch) {
    const before = contentOf(this.read(blockId, element));
    this.write(blockId, element, content);
    if (!dispatch) return;
    if (await this.act(blockId, element, valueOf(element, content))) return;
    this.write(blockId, element, before);
    this.refresh(blockId);
  }

  /** Sends an action; false when the person said no to its question. */
  async act(blockId, element, payload) {
    if (element.confirm && !(await ask(element.confirm, this.world))) return false;
    const action = { block_id: blockId, action_id: element.action_id, ...payload, type: element.type };
    await this.send({ action, values: this.values() });
    return true;
  }

  /** Faults by block id of what would be submitted now. */
  faults() {
    const found = {};
    for (const block of this.blocks.filter(isInput)) {
      const text = fault(block, this.read(block.block_id, block.element));
      if (text) found[block.block_id] = text;
    }
    return found;
  }

  /** Fills the inputs whose label `textFor` knows; returns how many. */
  fill(textFor) {
    const filled = this.blocks.filter((block) => isInput(block) && this.#fillOne(block, textFor(wordsOf(block.label))));
    return filled.length;
  }

  #fillOne(block, text) {
    if (text == null) return false;
    const content = contentFromText(block.element, text);
    if (content === undefined) return false;
    this.write(block.block_id, block.element, content);
    this.refresh(block.block_id);
    return true;
  }
}

const isInput = (block) => block.type === "input" && isStateful(block.element);

function isGone(element, value) {
  if (element.type !== "static_select" && element.type !== "radio_buttons") return false;
  const chosen = value.selected_option?.value;
  return chosen != null && !optionsOf(element).some((option) => option.value === chosen);
}
