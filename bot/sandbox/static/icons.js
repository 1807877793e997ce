/** The page's own line drawings, on a grid of 24. */

const NS = "http://www.w3.org/2000/svg";

const PATHS = {
  mail: "M4 6h16v12H4z M4 7l8 6 8-6",
  home: "M4 11l8-7 8 7 M6 10v9h12v-9 M10 19v-5h4v5",
  chat: "M4 5h16v11H11l-5 4v-4H4z",
  close: "M6 6l12 12 M18 6L6 18",
  back: "M14 6l-6 6 6 6 M8 12h11",
  down: "M7 10l5 5 5-5",
  copy: "M9 9h10v11H9z M6 15H5V4h10v2",
  file: "M7 3h7l4 4v14H7z M14 3v4h4",
  image: "M4 5h16v14H4z M4 16l5-5 4 4 3-3 4 4 M15.5 9.5h.01",
  sheet: "M5 4h14v16H5z M5 9h14 M5 14h14 M11 4v16",
  plus: "M12 5v14 M5 12h14",
  bolt: "M13 3L5 14h6l-1 7 8-11h-6z",
  send: "M4 12l16-8-5 16-4-7z M11 13l9-9",
  menu: "M4 7h16 M4 12h16 M4 17h16",
  more: "M6 12h.01 M12 12h.01 M18 12h.01",
  reply: "M9 7l-5 5 5 5 M4 12h9c4 0 6 2 7 6",
  check: "M5 13l4 4 10-11",
  key: "M8 8.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z M11.5 12H20v3 M16.5 12v3",
  download: "M12 4v11 M7 11l5 5 5-5 M5 20h14",
  server: "M4 5h16v6H4z M4 13h16v6H4z M7.5 8h.01 M7.5 16h.01",
  warn: "M12 4l9 16H3z M12 10v4 M12 17h.01",
  eye: "M3 12c3-5 6-6 9-6s6 1 9 6c-3 5-6 6-9 6s-6-1-9-6z M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  wand: "M5 19L15 9 M17 4v4 M15 6h4 M19 12v3 M17.5 13.5h3 M9 4v3 M7.5 5.5h3",
  hash: "M9 4L7 20 M17 4l-2 16 M4 9h17 M3 15h17",
  lock: "M6 11h12v9H6z M8.5 11V8a3.5 3.5 0 0 1 7 0v3",
  people: "M9 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6z M3 20c0-4 3-6 6-6s6 2 6 6 M15 5.5a3 3 0 0 1 0 5.5 M17 14.5c2.5 0.8 4 2.7 4 5.5",
  clip: "M8 12l6-6a3 3 0 0 1 4 4l-8 8a5 5 0 0 1-7-7l7-7",
  bold: "M7 5h6a3.5 3.5 0 0 1 0 7H7z M7 12h7a3.5 3.5 0 0 1 0 7H7z",
  italic: "M10 5h8 M6 19h8 M14 5l-4 14",
  strike: "M4 12h16 M17 8c0-2-2-3.5-5-3.5S7 6 7 8c0 1.5.8 2.5 2.5 3.5 M7 16c0 2 2 3.5 5 3.5s5-1.5 5-3.5c0-1-.3-1.7-1-2.5",
  code: "M9 7l-5 5 5 5 M15 7l5 5-5 5",
  bullets: "M9 6h11 M9 12h11 M9 18h11 M4.5 6h.01 M4.5 12h.01 M4.5 18h.01",
  numbers: "M10 6h10 M10 12h10 M10 18h10 M4 4.5l1.5-.5v4 M4 15c.5-1 2.5-1 2.5.3 0 1-2.5 2-2.5 3.2h2.6",
  quote: "M5 5v14 M10 7h10 M10 12h10 M10 17h7",
  codeblock: "M4 5h16v14H4z M10 9l-3 3 3 3 M14 9l3 3-3 3",
  globe: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18z M3 12h18 M12 3c5 5 5 13 0 18 M12 3c-5 5-5 13 0 18",
  trash: "M5 7h14 M9 7V4h6v3 M7 7l1 13h8l1-13",
};

/** A decorative drawing; its meaning must stand in text beside it. */
export function icon(name) {
  const svg = document.createElementNS(NS, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(NS, "path");
  path.setAttribute("d", PATHS[name] ?? PATHS.file);
  svg.append(path);
  return svg;
}
