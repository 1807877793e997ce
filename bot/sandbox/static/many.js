/** "Many at once": mails dated over the past days, to try what becomes of old mail. */

import * as api from "./api.js";
import { h } from "./dom.js";
import { whileBusy } from "./controls.js";

/**
 * The line below the samples.
 *
 * @param address tells whom the mails are for.
 * @param say told what came of it, and whether it worked.
 */
export function manyLine(model, address, say) {
  const count = number("many-count", 60, 500);
  const days = number("many-days", 14, 365);
  const put = h("button", { type: "submit", class: "button small" }, h("span", {}, "Put them in"));
  const send = async () => {
    const to = address();
    const answer = await api.manyMails(to, count.valueAsNumber, days.valueAsNumber);
    say(answer.ok ? `${answer.count} mails lie in ${to}, dated over the last ${days.value} days.` : answer.error, answer.ok);
    await model.loadMailboxes();
  };
  return h("form", { class: "many", on: { submit: (event) => { event.preventDefault(); whileBusy(put, send); } } },
    h("label", { for: count.id }, "Many at once"), count, h("label", { for: days.id }, "of the last"), days, h("span", {}, "days"), put);
}

function number(id, value, max) {
  return h("input", { type: "number", class: "control small", id, value, min: 1, max, step: 1, required: true });
}
