/**
 * What the page knows: the people, the acting person and what they see.
 *
 * The server's answers are kept as they came; the page adds only what is its
 * own, such as the open tab, the open thread and which notes were dismissed.
 */

import * as api from "./api.js";
import { memory } from "./dom.js";
import { Surface } from "./surface.js";
import { worldOf } from "./world.js";

const NOTHING = { channel: null, dm: null, channels: [], posts: [], ephemerals: [], views: [], home: null, errors: [] };
const PAGE = 150; // posts shown at first, and how many more each time
const PEOPLE_EVERY = 4000; // milliseconds; the bot comes and goes without an event of its own

export class Model {
  #stop = null;
  #loading = null;
  #again = false;
  #surfaces = new Map();
  #painting = false;

  constructor(paint) {
    Object.assign(this, {
      paint, people: [], bot: null, commands: [], shortcuts: [], connected: false, online: true,
      actor: null, channel: null, panel: false, workspace: null, state: NOTHING, loaded: false, tab: "messages", thread: null,
      newest: PAGE, mailboxes: [], outside: [], mailFaults: [], faultKinds: [], drawer: false, side: false, dismissed: new Set(), notes: [], anchors: new Map(),
    });
    this.world = worldOf(this);
  }

  /** Paints once, after everything that changed in this turn. */
  changed() {
    if (this.#painting) return;
    this.#painting = true;
    queueMicrotask(() => { this.#painting = false; this.paint(this); });
  }

  /** @param wanted id of the person to act as. @param channel id of the channel to show first. */
  async start(wanted, channel = null) {
    this.channel = channel;
    await this.loadPeople();
    while (!this.people.length) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await this.loadPeople();
    }
    setInterval(() => document.hidden || this.loadPeople(), PEOPLE_EVERY);
    this.loadMailboxes(); // also with the drawer shut: the way to it says when something is wrong on purpose
    this.become(this.person(wanted)?.id ?? this.person(memory.get("actor"))?.id ?? this.#ordinary().id);
  }

  /** Whom a newcomer starts as: somebody without special rights, who sees what most people see. */
  #ordinary() {
    return this.people.find((person) => person.role === "member") ?? this.people[0];
  }

  async loadPeople() {
    const answer = await api.people();
    this.online = answer.ok;
    if (answer.ok) {
      const { people, bot, commands = [], shortcuts = [], connected = false } = answer;
      Object.assign(this, { people, bot, commands, shortcuts, connected });
    }
    this.changed();
  }

  person(id) {
    return this.people.find((person) => person.id === id);
  }

  get me() {
    return this.person(this.actor);
  }

  /** The channel that is open, as the acting person knows it; null in the conversation with the app. */
  get room() {
    return this.channel ? this.state.channels.find((one) => one.id === this.channel) ?? null : null;
  }

  /** Whether the app's own conversation and Home are there: people of another workspace have neither. */
  get hasApp() {
    return !this.me?.is_external;
  }

  /** Shows a channel, or the conversation with the app when there is none. */
  open(channel = null) {
    Object.assign(this, { channel, tab: "messages", side: false, thread: null, newest: PAGE, loaded: false });
    this.state = { ...this.state, channel: null, posts: [], total: 0, ephemerals: [] };
    memory.set("channel", channel);
    this.changed();
    return this.refresh();
  }

  /** Acts as another person from here on. */
  become(id) {
    if (id === this.actor) return;
    this.#stop?.();
    this.#surfaces.clear();
    Object.assign(this, { actor: id, state: NOTHING, loaded: false, newest: PAGE, thread: null, notes: [], anchors: new Map() });
    memory.set("actor", id);
    this.#stop = api.subscribe(id, () => this.refresh(), (live) => { this.online = live; this.changed(); });
    if (this.hasApp && !this.channel) api.home(id, this.tab);
    this.changed();
  }

  /** Reads the person's state again; calls that come meanwhile share one more reading. */
  refresh() {
    this.#again = true;
    this.#loading ??= this.#readAll().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  async #readAll() {
    while (this.#again) {
      this.#again = false;
      const actor = this.actor;
      const { channel } = this;
      const [answer] = await Promise.all([api.state(actor, this.newest, channel), this.drawer && this.loadMailboxes(), this.panel && this.loadWorkspace()]);
      if (actor !== this.actor || channel !== this.channel) this.#again = true;
      else if (answer.ok) this.#take(answer);
      else if (channel && !answer.offline) this.#leave(); // no member any more, or never was
    }
  }

  #leave() {
    Object.assign(this, { channel: null, thread: null });
    this.#again = true;
  }

  #take(answer) {
    this.state = { ...NOTHING, ...answer };
    this.state.posts = [...this.state.posts].sort((one, other) => Number(one.ts) - Number(other.ts));
    this.loaded = true;
    this.#enterSharedChannel();
    for (const note of [...this.state.ephemerals, ...this.state.errors]) this.#anchor(note);
    this.changed();
  }

  /** Somebody of another workspace has no conversation with the app; a channel shared with them is what they see. */
  #enterSharedChannel() {
    if (this.hasApp || this.channel) return;
    this.tab = "messages";
    const first = this.state.channels.find((one) => one.is_member);
    if (first) this.open(first.id);
  }

  async loadWorkspace() {
    const answer = await api.workspace();
    if (answer.ok) this.set({ workspace: answer });
  }

  /** Opens or closes the panel of the workspace; it takes the place of the mail server. */
  openPanel(open) {
    this.set({ panel: open, ...(open && { drawer: false, side: false }) });
    if (open) this.loadWorkspace();
  }

  /** Remembers after which post a note without a time of its own came. */
  #anchor(note) {
    const key = noteKey(note);
    if (!this.anchors.has(key)) this.anchors.set(key, note.ts ?? this.state.posts.at(-1)?.ts ?? "0");
  }

  async loadMailboxes() {
    const [answer, faults, outside] = await Promise.all([api.mailboxes(), api.mailFaults(), api.outside()]);
    if (answer.ok) this.mailboxes = answer.mailboxes ?? [];
    if (outside.ok) this.outside = outside.mails ?? [];
    if (faults.ok) Object.assign(this, { mailFaults: faults.faults, faultKinds: faults.kinds });
    this.changed();
  }

  /** A line of the sandbox itself in the conversation, such as a command that failed. */
  note(text) {
    const note = { id: `note-${this.notes.length}-${Date.now()}`, text, channel: this.state.channel };
    this.anchors.set(noteKey(note), this.state.posts.at(-1)?.ts ?? "0");
    this.notes = [...this.notes, note];
    this.changed();
  }

  showEarlier() {
    this.newest += PAGE;
    return this.refresh();
  }

  dismiss(key) {
    this.dismissed.add(key);
    this.changed();
  }

  /** The surface of a place, the same one every time, so that what was typed there stays. */
  surface(key, container, redraw) {
    const whole = `${this.actor}:${key}`;
    if (!this.#surfaces.has(whole)) this.#surfaces.set(whole, new Surface(whole, this.world, this.#wires(container)));
    const surface = this.#surfaces.get(whole);
    if (redraw) surface.redraw = redraw;
    return surface;
  }

  forget(key) {
    this.#surfaces.delete(`${this.actor}:${key}`);
  }

  #wires(container) {
    const user = this.actor;
    const tell = async (answer) => { answer.ok || this.note(answer.error ?? "The action failed."); await this.refresh(); };
    return {
      redraw: () => this.changed(),
      send: async (body) => tell(await api.action({ user, container, ...body })),
      suggest: (blockId, element, value) =>
        api.options({ user, container, block_id: blockId, action_id: element.action_id, type: element.type, value }),
    };
  }

  show(tab) {
    if (this.channel) this.open();
    this.tab = tab;
    this.side = false;
    if (this.actor && this.hasApp) api.home(this.actor, tab).then(() => this.refresh());
    this.changed();
  }

  /** Opens or closes the mail server beside the workspace; `part` "compose" goes to its form. */
  openDrawer(open, part = null) {
    memory.set("drawer", open);
    this.set({ drawer: open, drawerPart: part, ...(open && { panel: false }) });
    if (open) this.loadMailboxes();
  }

  async useShortcut(callbackId) {
    const answer = await api.shortcut(this.actor, callbackId);
    await this.refresh();
    if (!answer.ok) this.note(answer.error);
  }

  set(values) {
    Object.assign(this, values);
    this.changed();
  }

  /** Sends what was typed; a failed command becomes a line in the conversation. False when it never left. */
  async send(text, thread) {
    const isCommand = text.startsWith("/");
    if (isCommand && thread) return void this.note(`${text.split(" ")[0]} does not work inside a thread. Type it in the conversation.`);
    const known = this.state.errors.length;
    const answer = await (isCommand ? api.command(this.actor, text, this.channel) : api.message(this.actor, text, thread, this.channel));
    await this.refresh();
    if (!answer.ok && this.state.errors.length <= known) this.note(answer.error ?? "That did not work.");
    return !answer.offline;
  }
}

export function noteKey(note) {
  return note.id ?? `error:${note.ts ?? ""}:${note.text}`;
}

/** A role as people read it: `primary_owner` is "Primary owner". */
export function roleName(role) {
  const words = String(role ?? "").replace("_channel", "-channel").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
