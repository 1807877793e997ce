/** What lies on top of the page, last on top: Escape closes one layer at a time. */

const layers = [];

/** Adds a layer; returns the function that takes it away again. */
export function pushLayer(close) {
  const layer = { close };
  layers.push(layer);
  return () => {
    const at = layers.indexOf(layer);
    if (at >= 0) layers.splice(at, 1);
  };
}

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
  const top = layers.at(-1);
  if (!top) return;
  event.preventDefault();
  top.close();
});
