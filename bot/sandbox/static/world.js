/** What rendering needs to know of people, time and files; always the model's latest. */

/** A view on the model that blocks may ask. */
export function worldOf(model) {
  return {
    get actor() { return model.actor; },
    get zone() { return model.me?.tz; },
    now: () => new Date(),
    person: (id) => model.person(id) ?? (id === model.bot?.id ? { ...model.bot, real_name: model.bot.name } : undefined),
    channelName: (id) => channels(model).find((one) => one.id === id)?.name ?? id,
    choices: (element) => (element.type.includes("users") ? people(model) : channels(model)),
    imageUrl: (element) => imageUrl(element, model),
  };
}

function people(model) {
  return model.people.map((person) => ({ id: person.id, name: person.real_name ?? person.name }));
}

function channels(model) {
  const direct = model.state.channel ? [{ id: model.state.channel, name: model.bot?.name ?? "Mailbox" }] : [];
  return [...direct, ...(model.channels ?? [])];
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
