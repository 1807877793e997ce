/** The emoji names that notices and people use most; others stay as they were typed. */

const GLYPHS = {
  smile: "😄", slightly_smiling_face: "🙂", grin: "😁", joy: "😂", wink: "😉", thinking_face: "🤔", tada: "🎉", wave: "👋",
  "+1": "👍", thumbsup: "👍", "-1": "👎", thumbsdown: "👎", clap: "👏", pray: "🙏", eyes: "👀", heart: "❤️", fire: "🔥",
  rocket: "🚀", star: "⭐", sparkles: "✨", bulb: "💡", warning: "⚠️", x: "❌", white_check_mark: "✅", heavy_check_mark: "✔️",
  question: "❓", exclamation: "❗", no_entry: "⛔", no_entry_sign: "🚫", information_source: "ℹ️", lock: "🔒", unlock: "🔓",
  key: "🔑", email: "📧", envelope: "✉️", envelope_with_arrow: "📩", incoming_envelope: "📨", outbox_tray: "📤", inbox_tray: "📥",
  mailbox: "📫", mailbox_closed: "📪", mailbox_with_mail: "📬", mailbox_with_no_mail: "📭", package: "📦", paperclip: "📎",
  page_facing_up: "📄", file_folder: "📁", calendar: "📅", date: "📅", clock1: "🕐", alarm_clock: "⏰", hourglass: "⌛",
  hourglass_flowing_sand: "⏳", bell: "🔔", no_bell: "🔕", mag: "🔍", link: "🔗", gear: "⚙️", wrench: "🔧", wastebasket: "🗑️",
  pencil2: "✏️", memo: "📝", red_circle: "🔴", large_green_circle: "🟢", large_yellow_circle: "🟡", white_circle: "⚪",
  black_circle: "⚫", large_blue_circle: "🔵", arrow_right: "➡️", arrow_left: "⬅️", leftwards_arrow_with_hook: "↩️",
  repeat: "🔁", arrows_counterclockwise: "🔄", double_vertical_bar: "⏸️", arrow_forward: "▶️", zzz: "💤", robot_face: "🤖",
  bust_in_silhouette: "👤", busts_in_silhouette: "👥", globe_with_meridians: "🌐", shield: "🛡️", bar_chart: "📊",
  round_pushpin: "📍", pushpin: "📌", speech_balloon: "💬", electric_plug: "🔌", clipboard: "📋", newspaper: "📰",
};

/** The code points of a name as Slack writes them, or null when the page does not know it. */
export function codePoints(name) {
  const glyph = GLYPHS[name];
  return glyph ? [...glyph].map((one) => one.codePointAt(0).toString(16)).join("-") : null;
}

/** The glyph of a name, or null when the page does not know it. */
export function emoji(name, unicode) {
  if (unicode) return String.fromCodePoint(...unicode.split("-").map((part) => parseInt(part, 16)));
  return GLYPHS[name.replace(/::skin-tone-\d$/, "")] ?? null;
}
