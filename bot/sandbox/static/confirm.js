/** The question before an action, as a small dialog of its own. */

import { h } from "./dom.js";
import { pushLayer } from "./layers.js";
import { textObject, wordsOf } from "./mrkdwn.js";

/** Asks a Block Kit confirm object; resolves to true when the person goes on. */
export function ask(question, world) {
  return new Promise((resolve) => {
    const before = document.activeElement;
    const done = (answer) => {
      pop();
      layer.remove();
      hold(false);
      before?.focus?.({ preventScroll: true });
      resolve(answer);
    };
    const layer = dialog(question, world, done);
    const pop = pushLayer(() => done(false));
    document.getElementById("confirms").append(layer);
    hold(true);
    layer.querySelector("[data-answer=no]").focus();
  });
}

function hold(inert) {
  document.getElementById("modals").inert = inert;
  document.getElementById("app").inert = inert;
}

function dialog(question, world, done) {
  const yes = wordsOf(question.confirm) || "Yes";
  const no = wordsOf(question.deny) || "Cancel";
  const style = question.style === "danger" ? "button danger" : "button primary";
  return h("div", { class: "scrim confirm-scrim" },
    h("div", { class: "dialog confirm", role: "alertdialog", "aria-modal": "true", "aria-labelledby": "confirm-title", "aria-describedby": "confirm-text" },
      h("h2", { id: "confirm-title" }, wordsOf(question.title) || "Are you sure?"),
      h("div", { id: "confirm-text", class: "rich" }, textObject(question.text, world)),
      h("div", { class: "dialog-buttons" },
        h("button", { type: "button", class: "button", data: { answer: "no" }, on: { click: () => done(false) } }, no),
        h("button", { type: "button", class: style, data: { answer: "yes" }, on: { click: () => done(true) } }, yes))));
}
