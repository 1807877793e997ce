/**
 * Builds DOM nodes and keeps the ones that did not change.
 *
 * Text from outside only ever enters as a text node or an attribute value;
 * nothing here, or anywhere on the page, parses a string as HTML.
 */

const PROPERTIES = new Set(["value", "checked", "disabled", "selected", "hidden", "inert", "indeterminate"]);

/** An element with attributes, `data` (dataset), `on` (listeners) and children; null children are left out. */
export function h(tag, props, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(node, name, value);
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

function setProp(node, name, value) {
  if (value == null || value === false) return;
  if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
  else if (name === "data") setData(node, value);
  else if (PROPERTIES.has(name)) node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

function setData(node, values) {
  for (const [name, value] of Object.entries(values)) if (value != null) node.dataset[name] = value;
}

/** Text that screen readers hear and nobody sees. */
export function unseen(text) {
  return h("span", { class: "unseen" }, text);
}

const kept = new WeakMap();

/**
 * Makes `parent` hold exactly `items`, in order, touching only what changed.
 *
 * Nodes are kept in place rather than moved, because moving one ends its
 * focus, its scroll position and any composition in progress.
 *
 * @param items `{key, signature, build}`; a node is built again when its signature differs.
 */
export function reconcile(parent, items) {
  const before = kept.get(parent) ?? new Map();
  const after = new Map();
  for (const item of items) after.set(item.key, keptOrBuilt(before.get(item.key), item));
  for (const [key, old] of before) if (after.get(key)?.node !== old.node) old.node.remove();
  place(parent, [...after.values()].map((entry) => entry.node));
  kept.set(parent, after);
}

function keptOrBuilt(old, item) {
  if (old && old.signature === item.signature) return old;
  return { signature: item.signature, node: built(item) };
}

/** One thing that cannot be drawn must not take the rest of the page with it. */
function built(item) {
  try {
    return item.build();
  } catch (fault) {
    console.error(fault);
    return h("div", { class: "unknown" }, "The sandbox could not draw this.");
  }
}

function place(parent, nodes) {
  let cursor = parent.firstChild;
  for (const node of nodes) {
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
  }
}

/** Runs a repaint and gives the focus back to the control of the same id when its node was replaced. */
export function keepingFocus(repaint) {
  const active = document.activeElement;
  const selection = selectionOf(active);
  repaint();
  if (!active?.id || active.isConnected) return;
  const again = document.getElementById(active.id);
  if (!again) return;
  again.focus({ preventScroll: true });
  if (selection && again.setSelectionRange) again.setSelectionRange(...selection);
}

function selectionOf(node) {
  try {
    return node?.selectionStart == null ? null : [node.selectionStart, node.selectionEnd];
  } catch {
    return null; // date and number inputs have no selection and say so by throwing
  }
}

/** Sets text only when it differs, so that a live region is not read out again. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A short line at the edge of the page that goes away by itself. */
export function toast(text, kind = "info") {
  const node = h("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), kind === "error" ? 8000 : 4000);
}

/** What the browser remembers between visits; a browser that forbids it simply forgets. */
export const memory = {
  get(key) {
    try {
      return JSON.parse(localStorage.getItem(`mailbox-sandbox:${key}`));
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      localStorage.setItem(`mailbox-sandbox:${key}`, JSON.stringify(value));
    } catch {
      // Private windows may refuse; nothing on the page depends on it.
    }
  },
};
