/** The page's one way to the sandbox server; no call here ever throws. */

const OFFLINE = "The sandbox does not answer.";

async function ask(path, options) {
  try {
    const reply = await fetch(`/sandbox/api/${path}`, { cache: "no-store", ...options });
    const answer = await reply.json().catch(() => ({}));
    return reply.ok ? { ok: true, ...answer } : { ...answer, ok: false, error: answer.error ?? `The sandbox answered ${reply.status}.`, status: reply.status };
  } catch {
    return { ok: false, error: OFFLINE, offline: true };
  }
}

const get = (path) => ask(path);
const post = (path, body) =>
  ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const people = () => get("people");
export const state = (user, newest, channel) =>
  get(`state?user=${encodeURIComponent(user)}&limit=${newest}${channel ? `&channel=${encodeURIComponent(channel)}` : ""}`);
export const workspace = () => get("workspace");
export const role = (user, name) => post("role", { user, role: name });
export const person = (name, role) => post("person", { name, role });
export const group = (body) => post("group", body);
export const channel = (body) => post("channel", body);
export const mailboxes = () => get("mailboxes");
export const command = (user, text, channel) => post("command", { user, text, ...(channel && { channel }) });
export const message = (user, text, thread, channel) =>
  post("message", { user, text, ...(thread && { thread_ts: thread }), ...(channel && { channel }) });
export const action = (body) => post("action", body);
export const options = (body) => post("options", body);
export const submit = (user, viewId, values) => post("submit", { user, view_id: viewId, values });
export const close = (user, viewId, all) => post("close", { user, view_id: viewId, all });
export const home = (user, tab) => post("home", { user, tab });
export const shortcut = (user, callbackId) => post("shortcut", { user, callback_id: callbackId });
export const mail = (body) => post("mail", body);
export const manyMails = (to, count, days) => post("mail/many", { to, count, days });
export const mailFaults = () => get("mail/faults");
export const switchFault = (order) => post("mail/faults", order);
export const heal = () => post("mail/heal", {});
export const mailPassword = (address, password) => post("mail/password", { address, password });

export const outside = () => get("mail/outside");
export const answerAs = (body) => post("mail/outside/answer", body);
export const upload = (user, file) =>
  ask(`upload?user=${encodeURIComponent(user)}&name=${encodeURIComponent(file.name)}`, { method: "POST", headers: { "Content-Type": "application/octet-stream" }, body: file });

/**
 * Calls `onChange` whenever the person's state may have changed, and once at every (re)connect.
 *
 * @param onLive told true when the stream stands and false when it broke.
 * @returns a function that ends the subscription.
 */
export function subscribe(user, onChange, onLive) {
  let source = null;
  let retry = 0;
  let timer = null;
  const open = () => {
    source = new EventSource(`/sandbox/api/events?user=${encodeURIComponent(user)}`);
    source.onopen = () => { retry = 0; onLive(true); onChange(); };
    source.onmessage = () => onChange();
    source.onerror = () => {
      onLive(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      timer = setTimeout(open, Math.min(8000, 500 * 2 ** retry++));
    };
  };
  open();
  return () => { clearTimeout(timer); source.close(); };
}
