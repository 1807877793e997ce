/** Times as the acting person's clock shows them, and Slack's date tokens. */

const formatters = new Map();

function formatter(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formatters.has(key)) formatters.set(key, makeFormatter(zone, options));
  return formatters.get(key);
}

function makeFormatter(zone, options) {
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone || undefined, ...options });
  } catch {
    return new Intl.DateTimeFormat("en-US", options); // a zone this browser does not know
  }
}

function partsOf(date, zone) {
  const options = {
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
  };
  const parts = formatter(zone, options).formatToParts(date);
  return Object.fromEntries(parts.map((part) => [part.type, Number(part.value)]));
}

/** The day as a number that can be compared, in the given zone. */
export function dayNumber(date, zone) {
  const { year, month, day } = partsOf(date, zone);
  return Math.round(Date.UTC(year, month - 1, day) / 86400000);
}

export function fromTs(ts) {
  return new Date(Number(ts) * 1000);
}

export function clock(date, zone) {
  return formatter(zone, { hour: "numeric", minute: "2-digit" }).format(date);
}

export function fullTime(date, zone) {
  return formatter(zone, { dateStyle: "full", timeStyle: "medium" }).format(date);
}

function ordinal(day) {
  const ending = day % 100 >= 11 && day % 100 <= 13 ? "th" : ["th", "st", "nd", "rd"][day % 10] ?? "th";
  return `${day}${ending}`;
}

function named(date, zone, month, weekday) {
  const { year, day } = partsOf(date, zone);
  const monthName = formatter(zone, { month }).format(date);
  const dayName = weekday ? `${formatter(zone, { weekday: "long" }).format(date)}, ` : "";
  return month === "short" ? `${monthName} ${day}, ${year}` : `${dayName}${monthName} ${ordinal(day)}, ${year}`;
}

function pretty(date, zone, now, otherwise) {
  const apart = dayNumber(date, zone) - dayNumber(now, zone);
  return { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[apart] ?? otherwise;
}

function ago(date, now) {
  const seconds = Math.round((date - now) / 1000);
  const units = [["year", 31536000], ["month", 2592000], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of units) if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
  return words.format(seconds, "second");
}

const two = (number) => String(number).padStart(2, "0");

function token(name, date, zone, now) {
  const { year, month, day } = partsOf(date, zone);
  const long = () => named(date, zone, "long", true);
  const makers = {
    date_num: () => `${year}-${two(month)}-${two(day)}`,
    date_slash: () => `${two(month)}/${two(day)}/${year}`,
    date: () => named(date, zone, "long", false),
    date_short: () => named(date, zone, "short", false),
    date_long: long,
    date_pretty: () => pretty(date, zone, now, named(date, zone, "long", false)),
    date_short_pretty: () => pretty(date, zone, now, named(date, zone, "short", false)),
    date_long_pretty: () => pretty(date, zone, now, long()),
    day_divider_pretty: () => pretty(date, zone, now, long()),
    date_long_full: long,
    time: () => clock(date, zone),
    time_secs: () => formatter(zone, { hour: "numeric", minute: "2-digit", second: "2-digit" }).format(date),
    ago: () => ago(date, now),
  };
  return makers[name]?.() ?? null;
}

/**
 * A timestamp in Slack's token format, such as `{date_short_pretty} at {time}`.
 *
 * Words like "today" start with a small letter inside a sentence, as Slack writes them.
 */
export function slackDate(seconds, format, zone, now) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return null;
  return format.replace(/\{(\w+)\}/g, (whole, name, offset) => {
    const text = token(name, date, zone, now) ?? whole;
    return offset > 0 && /^(Today|Yesterday|Tomorrow)$/.test(text) ? text.toLowerCase() : text;
  });
}

export function dayTitle(date, zone, now) {
  return pretty(date, zone, now, named(date, zone, "long", true));
}

/** Seconds since 1970 of a wall-clock `YYYY-MM-DDTHH:MM` in the zone. */
export function zonedSeconds(local, zone) {
  const wanted = Date.parse(`${local}:00Z`);
  let guess = wanted;
  // Twice, because the offset found first may be the one of the other side of a clock change.
  for (let round = 0; round < 2; round++) guess = wanted - offsetAt(new Date(guess), zone);
  return Math.round(guess / 1000);
}

function offsetAt(date, zone) {
  const { year, month, day, hour, minute, second } = partsOf(date, zone);
  return Date.UTC(year, month - 1, day, hour, minute, second) - Math.trunc(date.getTime() / 1000) * 1000;
}

/** The `YYYY-MM-DDTHH:MM` that a clock of the zone shows at this second. */
export function zonedLocal(seconds, zone) {
  const { year, month, day, hour, minute } = partsOf(new Date(seconds * 1000), zone);
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}
