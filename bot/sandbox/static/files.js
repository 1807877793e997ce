/** Files of a post as cards; pictures are shown small. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { localUrl } from "./world.js";

/** A size as people read it. */
export function sizeText(octets) {
  if (!(octets >= 0)) return "";
  const units = ["bytes", "KB", "MB", "GB"];
  const step = octets < 1 ? 0 : Math.min(3, Math.floor(Math.log(octets) / Math.log(1024)));
  const number = octets / 1024 ** step;
  return `${step && number < 10 ? number.toFixed(1) : Math.round(number)} ${octets === 1 ? "byte" : units[step]}`;
}

/** The cards of files, or null when there are none. */
export function fileCards(files) {
  return files.length ? h("ul", { class: "files" }, files.map((file) => h("li", {}, card(file)))) : null;
}

function card(file) {
  if (file.deleted) return h("div", { class: "unknown" }, "This file was deleted.");
  const url = localUrl(file.url) ?? `/sandbox/files/${encodeURIComponent(file.id)}/${encodeURIComponent(file.name ?? "file")}`;
  const picture = /^image\/(png|jpeg|gif|webp)$/.test(file.mimetype ?? "");
  return h("div", { class: picture ? "file with-picture" : "file", data: { fileId: file.id } },
    picture && h("a", { href: url, target: "_blank", rel: "noopener" }, h("img", { src: url, alt: file.name, class: "file-picture", loading: "lazy" })),
    h("div", { class: "file-line" },
      h("span", { class: `file-icon kind-${kindOf(file)}` }, icon(iconOf(file))),
      h("div", { class: "file-words" },
        h("span", { class: "file-name", title: file.name }, file.title || file.name),
        h("small", {}, [kindName(file), sizeText(file.size)].filter(Boolean).join(" · "))),
      h("a", { class: "file-get", href: url, download: file.name ?? "", title: `Download ${file.name}` },
        icon("download"), h("span", { class: "unseen" }, `Download ${file.name}`))));
}

function kindOf({ mimetype = "", name = "" }) {
  if (mimetype.startsWith("image/")) return "image";
  if (mimetype === "application/pdf") return "pdf";
  if (mimetype === "message/rfc822" || name.endsWith(".eml")) return "mail";
  if (/csv|sheet|excel/.test(mimetype)) return "sheet";
  return "file";
}

function iconOf(file) {
  return { image: "image", mail: "mail", sheet: "sheet" }[kindOf(file)] ?? "file";
}

function kindName(file) {
  const ending = /\.([a-z0-9]{1,5})$/i.exec(file.name ?? "")?.[1];
  return { mail: "E-mail", pdf: "PDF" }[kindOf(file)] ?? ending?.toUpperCase() ?? file.mimetype ?? "";
}
