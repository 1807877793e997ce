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

const NOTHING = { channel: null, posts: [], ephemerals: [], views: [], home: null, errors: [] };
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
      actor: null, state: NOTHING, loaded: false, tab: "messages", thread: null,
      newest: PAGE, mailboxes: [], mailFaults: [], faultKinds: [], drawer: false, side: false, dismissed: new Set(), notes: [], anchors: new Map(),
    });
    this.world = worldOf(this);
  }

  /** Paints once, after everything that changed in this turn. */
  changed() {
    if (this.#painting) return;
    this.#painting = true;
    queueMicrotask(() => { this.#painting = false; this.paint(this); });
  }

  async start(wanted) {
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
      const { people, bot, commands = [], shortcuts = [], connected = false, channels = [] } = answer;
      Object.assign(this, { people, bot, commands, shortcuts, connected, channels });
    }
    this.changed();
  }

  person(id) {
    return this.people.find((person) => person.id === id);
  }

  get me() {
    return this.person(this.actor);
  }

  /** Acts as another person from here on. */
  become(id) {
    if (id === this.actor) return;
    this.#stop?.();
    this.#surfaces.clear();
    Object.assign(this, { actor: id, state: NOTHING, loaded: false, newest: PAGE, thread: null, notes: [], anchors: new Map() });
    memory.set("actor", id);
    this.#stop = api.subscribe(id, () => this.refresh(), (live) => { this.online = live; this.changed(); });
    api.home(id, this.tab);
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
      const [answer] = await Promise.all([api.state(actor, this.newest), this.drawer && this.loadMailboxes()]);
      if (actor !== this.actor) this.#again = true;
      else if (answer.ok) this.#take(answer);
    }
  }

  #take(answer) {
    this.state = { ...NOTHING, ...answer };
    this.state.posts = [...this.state.posts].sort((one, other) => Number(one.ts) - Number(other.ts));
    this.loaded = true;
    for (const note of [...this.state.ephemerals, ...this.state.errors]) this.#anchor(note);
    this.changed();
  }

  /** Remembers after which post a note without a time of its own came. */
  #anchor(note) {
    const key = noteKey(note);
    if (!this.anchors.has(key)) this.anchors.set(key, note.ts ?? this.state.posts.at(-1)?.ts ?? "0");
  }

  async loadMailboxes() {
    const [answer, faults] = await Promise.all([api.mailboxes(), api.mailFaults()]);
    if (answer.ok) this.mailboxes = answer.mailboxes ?? [];
    if (faults.ok) Object.assign(this, { mailFaults: faults.faults, faultKinds: faults.kinds });
    this.changed();
  }

  /** A line of the sandbox itself in the conversation, such as a command that failed. */
  note(text) {
    const note = { id: `note-${this.notes.length}-${Date.now()}`, text };
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
    this.tab = tab;
    this.side = false;
    if (this.actor) api.home(this.actor, tab).then(() => this.refresh());
    this.changed();
  }

  /** Opens or closes the mail server beside the workspace; `part` "compose" goes to its form. */
  openDrawer(open, part = null) {
    memory.set("drawer", open);
    this.set({ drawer: open, drawerPart: part });
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
    const answer = await (isCommand ? api.command(this.actor, text) : api.message(this.actor, text, thread));
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
  const words = String(role ?? "").replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}
