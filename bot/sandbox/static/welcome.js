/** The first three steps, for someone who just opened the sandbox. */

import { h, memory } from "./dom.js";

const SEEN = "welcome-done";
const COMMAND = "/mailbox add";

/** Which of the three steps comes next, or null once the welcome is over. */
export function welcomeStep(model) {
  if (memory.get(SEEN)) return null;
  if (model.state.posts.length) return 3;
  return model.state.views.length ? 2 : 1;
}

/** The welcome, with the step that comes next in front. */
export function welcomeNode(model, step, composer) {
  const command = model.commands.some((one) => COMMAND.startsWith(one.command)) ? COMMAND : `${model.commands[0]?.command ?? "/mailbox"} add`;
  const leave = () => { memory.set(SEEN, true); model.changed(); };
  return h("section", { class: "welcome", "aria-labelledby": "welcome-title" },
    h("h2", { id: "welcome-title" }, "Bring e-mail into this conversation"),
    h("ol", { class: "steps" },
      line(1, step, ["Type ", h("code", {}, command)], "The app opens a form.",
        button("Type it for me", () => composer.type(command))),
      line(2, step, ["Fill in"], "The form has a helper that knows the sandbox account.", null),
      line(3, step, ["Send a mail"], "To the address you just added. It arrives here.",
        button("Open the mail server", () => model.openDrawer(true, "compose")))),
    h("button", { type: "button", class: "plain-link", on: { click: leave } }, "Hide these steps"));
}

function line(number, step, title, note, action) {
  const state = number === step ? "now" : number < step ? "done" : "later";
  return h("li", { class: `step ${state}`, "aria-current": state === "now" ? "step" : null },
    h("span", { class: "step-number", "aria-hidden": "true" }, String(number)),
    h("div", {}, h("strong", {}, title), h("p", {}, note), action));
}

function button(words, act) {
  return h("button", { type: "button", class: "button small", on: { click: act } }, words);
}
