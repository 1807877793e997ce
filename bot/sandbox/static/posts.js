/** Posts: who wrote, when, what, with files and thread. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { appAvatar, avatar, systemAvatar } from "./avatar.js";
import { renderBlocks } from "./blocks.js";
import { clock, fromTs, fullTime } from "./dates.js";
import { fileCards } from "./files.js";
import { noteKey } from "./model.js";
import { mrkdwn } from "./mrkdwn.js";

const ORIGIN = 60;

/**
 * The node of a post.
 *
 * @param place "main" or "thread"; the same post may stand in both.
 * @param options `follows`: the post above is by the same author, so the name is left out; `openThread`: what "replies" does.
 */
export function postNode(post, model, place, { follows = false, openThread } = {}) {
  if (post.deleted) return tombstone(post, model, openThread);
  const author = authorOf(post, model);
  return h("article", { class: follows ? "post follows" : "post", data: { ts: post.ts }, "aria-label": `${author.name}, ${clock(fromTs(post.ts), model.world.zone)}` },
    h("div", { class: "gutter" }, follows ? time(post, model) : author.avatar),
    h("div", { class: "post-body" },
      !follows && h("div", { class: "post-head" }, h("strong", { class: "author" }, author.name), author.isApp && badge(), author.team && h("span", { class: "badge" }, author.team), time(post, model)),
      post.root && origin(post.root, openThread),
      words(post, model, place),
      post.edited && h("span", { class: "edited" }, "(edited)"),
      fileCards(post.files ?? []),
      openThread && threadLink(post, model, openThread)),
    openThread && toolbar(post, openThread));
}

function authorOf(post, model) {
  if (post.user === model.bot?.id) return { name: model.bot.name, avatar: appAvatar(), isApp: true };
  const person = model.person(post.user);
  return { name: person?.real_name ?? person?.name ?? "Unknown person", avatar: avatar(person), team: person?.team };
}

export function badge() {
  return h("span", { class: "badge" }, "APP");
}

function time(post, model) {
  const date = fromTs(post.ts);
  return h("time", { class: "time", datetime: date.toISOString(), title: fullTime(date, model.world.zone) }, clock(date, model.world.zone));
}

function words(post, model, place) {
  const container = { type: "message", channel: model.state.channel, ts: post.ts };
  return post.blocks?.length
    ? blocksOf(post, model, `${place}:${post.ts}`, container)
    : post.text && h("div", { class: "rich post-text" }, mrkdwn(post.text, model.world));
}

function blocksOf(post, model, key, container) {
  const node = h("div", { class: "blocks" });
  const surface = model.surface(key, container, () => renderBlocks(node, surface));
  surface.show(post.blocks);
  renderBlocks(node, surface);
  return node;
}

/** Above a reply that was also sent to the conversation: what it answers. */
function origin(root, openThread) {
  const text = root.text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
  const title = text.length > ORIGIN ? `${text.slice(0, ORIGIN)}…` : text || "a deleted message";
  return h("p", { class: "origin" }, "replied to a thread: ", h("button", { type: "button", on: { click: openThread } }, title));
}

function threadLink(post, model, openThread) {
  const count = post.reply_count ?? post.replies?.length ?? 0;
  if (!count) return null;
  const last = post.replies?.at(-1);
  return h("button", { type: "button", class: "thread-link", id: `thread-link-${post.ts}`, on: { click: openThread } },
    icon("chat"), h("span", {}, count === 1 ? "1 reply" : `${count} replies`),
    last && h("small", {}, `Last at ${clock(fromTs(last.ts), model.world.zone)}`));
}

function toolbar(post, openThread) {
  return h("div", { class: "toolbar" },
    h("button", { type: "button", title: "Reply in thread", id: `reply-${post.ts}`, on: { click: openThread } }, icon("reply"), h("span", { class: "unseen" }, "Reply in thread")));
}

function tombstone(post, model, openThread) {
  return h("article", { class: "post gone", data: { ts: post.ts } },
    h("div", { class: "gutter" }, h("span", { class: "avatar gone" }, icon("trash"))),
    h("div", { class: "post-body" },
      h("p", { class: "tombstone" }, "This message was deleted."),
      openThread && threadLink(post, model, openThread)));
}

/** A post that only the acting person sees. */
export function ephemeralNode(note, model) {
  const post = { ...note, user: note.user ?? model.bot?.id };
  const author = authorOf(post, model);
  return h("article", { class: "post ephemeral", data: { ephemeralId: note.id } },
    h("div", { class: "gutter" }, author.avatar),
    h("div", { class: "post-body" },
      h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
      h("div", { class: "post-head" }, h("strong", { class: "author" }, author.name), author.isApp && badge()),
      note.blocks?.length
        ? blocksOf(note, model, `ephemeral:${note.id}`, { type: "ephemeral", id: note.id })
        : h("div", { class: "rich post-text" }, mrkdwn(note.text ?? "", model.world)),
      h("button", { type: "button", class: "plain-link", on: { click: () => model.dismiss(noteKey(note)) } }, "Dismiss message")));
}

/** A line of the sandbox itself: what Slack would say through its own bot. */
export function systemNode(note, model) {
  return h("article", { class: "post system" },
    h("div", { class: "gutter" }, systemAvatar()),
    h("div", { class: "post-body" },
      h("p", { class: "only-you" }, icon("eye"), "Only visible to you"),
      h("div", { class: "post-head" }, h("strong", { class: "author" }, "Sandbox"), h("span", { class: "badge" }, "SYSTEM")),
      h("p", { class: "post-text" }, note.text),
      h("button", { type: "button", class: "plain-link", on: { click: () => model.dismiss(noteKey(note)) } }, "Dismiss message")));
}
