/** What rendering needs to know of people, time and files; always the model's latest. */

/** A view on the model that blocks may ask. */
export function worldOf(model) {
  return {
    get actor() { return model.actor; },
    get zone() { return model.me?.tz; },
    now: () => new Date(),
    person: (id) => model.person(id) ?? (id === model.bot?.id ? { ...model.bot, real_name: model.bot.name } : undefined),
    channelName: (id) => [...model.state.channels, ...direct(model)].find((one) => one.id === id)?.name ?? "unknown-channel",
    choices: (element) => (element.type.includes("users") ? people(model) : channels(model, element)),
    imageUrl: (element) => imageUrl(element, model),
  };
}

/** Whom lists of people show: no bots, nobody deactivated, of other workspaces those one shares a channel with. */
function people(model) {
  const listed = model.people.filter((person) => person.role !== "deactivated" && person.is_visible !== false);
  return listed.map((person) => ({ id: person.id, name: person.real_name ?? person.name, note: person.is_external ? person.team : null }));
}

/** What lists of channels and conversations show to the acting person, as the element's filter wants it. */
function channels(model, element) {
  const isChannels = element.type.includes("channels_select");
  const { include, exclude_bot_users: noBots, exclude_external_shared_channels: noShared } = element.filter ?? {};
  const kinds = isChannels ? ["public"] : include ?? ["public", "private", "im"];
  const listed = model.state.channels
    .filter((one) => !one.is_archived && kinds.includes(one.is_private ? "private" : "public") && !(noShared && one.is_ext_shared))
    .map((one) => ({ id: one.id, name: `${one.is_private ? "🔒 " : "# "}${one.name}` }));
  return [...listed, ...(kinds.includes("im") && !noBots ? direct(model) : [])];
}

function direct(model) {
  return model.state.dm ? [{ id: model.state.dm.id, name: model.bot?.name ?? "Mailbox" }] : [];
}

function imageUrl(element, model) {
  const { id, url } = element.slack_file ?? {};
  if (id) return fileOf(id, model)?.url ?? `/sandbox/files/${encodeURIComponent(id)}/image`;
  return localUrl(url ?? element.image_url);
}

function fileOf(id, model) {
  const files = model.state.posts.flatMap((post) => [post, ...(post.replies ?? [])]).flatMap((post) => post.files ?? []);
  return files.find((file) => file.id === id);
}

/** An address of the sandbox itself, or null: the page loads nothing from elsewhere. */
export function localUrl(url) {
  try {
    const whole = new URL(url, location.href);
    return whole.origin === location.origin && whole.pathname.startsWith("/sandbox/") ? whole.pathname : null;
  } catch {
    return null;
  }
}
