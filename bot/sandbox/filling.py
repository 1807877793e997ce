"""Forms as a person fills them in: by the labels of their fields and the words of their choices. Pure.

An answer is what the person types, ticks or picks: the words of an option, a person's name, a channel's name with or
without `#`, a date as `2026-12-31`; several in a list where a field takes several; "" or [] empties a field. A field for
rich text takes words with the markup of `rich_words`, one for files a list of files or of the ids of uploaded ones.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from bot.sandbox.rich_words import rich_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class File:
    """A file that a person chooses in a form."""

    name: str
    octets: bytes


Answer: TypeAlias = str | Sequence[str | File]

_ONE: Final = {
    "static_select": "selected_option",
    "external_select": "selected_option",
    "radio_buttons": "selected_option",
    "users_select": "selected_user",
    "conversations_select": "selected_conversation",
    "channels_select": "selected_channel",
    "datepicker": "selected_date",
    "timepicker": "selected_time",
}
_MANY: Final = {
    "multi_static_select": "selected_options",
    "multi_external_select": "selected_options",
    "checkboxes": "selected_options",
    "multi_users_select": "selected_users",
    "multi_conversations_select": "selected_conversations",
    "multi_channels_select": "selected_channels",
}
_KINDS: Final = frozenset({"im", "private", "public"})


class Unexpected(Exception):
    """What is on the page is not what it should be; the text says what is there."""


@dataclass(frozen=True, slots=True)
class Known:
    """Whom and what a person can pick in the lists that Slack fills itself.

    Attributes:
        people: as the page's `people` tells them.
        channels: as the person's `state` tells them.
        app: id and name of the DM with the app.
    """

    people: Sequence[Json] = ()
    channels: Sequence[Json] = ()
    app: tuple[str, str] = ("", "")

    def listed(self, element: Json) -> dict[str, str]:
        """The ids behind the words that a list shows, the words in small letters."""
        if element["type"].endswith("users_select"):
            return {one["real_name"].casefold(): one["id"] for one in self.people if is_listed(one)}
        wanted = element.get("filter", {})
        kinds = {"public"} if element["type"].endswith("channels_select") else _included(wanted)
        listed = {
            one["name"].casefold(): one["id"]
            for one in self.channels
            if not one["is_archived"]
            and ("private" if one["is_private"] else "public") in kinds
            and not (one["is_ext_shared"] and wanted.get("exclude_external_shared_channels"))
        }
        if "im" in kinds and self.app[0] and not wanted.get("exclude_bot_users"):
            listed[self.app[1].casefold()] = self.app[0]
        return listed


def _included(wanted: Json) -> set[str]:
    return set(wanted.get("include", _KINDS))


def is_listed(person: Json) -> bool:
    """Whether lists of people show somebody: not the deactivated, nor people of other workspaces one never met."""
    return person["role"] != "deactivated" and bool(person.get("is_visible", True))


def words(shown: Any) -> str:
    """Every text in a view or post, in order."""
    return " ".join(_texts(shown))


def _texts(shown: Any) -> Iterator[str]:
    if isinstance(shown, dict):
        if isinstance(shown.get("text"), str):
            yield shown["text"]
        for value in shown.values():
            if isinstance(value, dict | list):
                yield from _texts(value)
    elif isinstance(shown, list):
        for value in shown:
            yield from _texts(value)


def filled(view: Json, answers: Mapping[str, Answer], known: Known | None = None) -> Json:
    """The values of a form with the answers in the fields of these labels, in the shape of `view.state.values`.

    Raises:
        Unexpected: there is no field of that label, or no such choice in it.
    """
    fields = {label_of(block): block for block in view["blocks"] if block["type"] == "input"}
    missing = [label for label in answers if label.casefold() not in fields]
    if missing:
        raise Unexpected(f"the form has no field “{missing[0]}”; it has: {', '.join(fields)}")
    values: Json = json.loads(json.dumps(view["state"]["values"]))
    for label, answer in answers.items():
        block = fields[label.casefold()]
        element = block["element"]
        values[block["block_id"]][element["action_id"]] = value_of(element, answer, known or Known())
    return values


def label_of(block: Json) -> str:
    """What stands over a field, in small letters."""
    return str(block["label"]["text"]).casefold()


def value_of(element: Json, answer: Answer, known: Known) -> Json:
    """An answer in the shape the element holds it in.

    Raises:
        Unexpected: there is no such choice.
    """
    kind = element["type"]
    several = [answer] if isinstance(answer, str) else [one for one in answer if isinstance(one, str)]
    several = [one for one in several if one]
    if kind in _MANY:
        return {"type": kind, _MANY[kind]: [_picked(element, one, known) for one in several]}
    if kind in _ONE:
        return {"type": kind, _ONE[kind]: _picked(element, several[0], known) if several else None}
    if kind == "file_input":
        return {"type": kind, "files": [{"id": one} for one in several]}
    if kind == "rich_text_input":
        names = {one["real_name"]: one["id"] for one in known.people if is_listed(one)}
        return {"type": kind, "rich_text_value": rich_text("\n".join(several), names)}
    return {"type": kind, "value": answer}


def _picked(element: Json, answer: str, known: Known) -> Any:
    if element["type"] in {"datepicker", "timepicker"}:
        return answer
    if "options" in element or "option_groups" in element:
        options = list(_options(element))
        found: list[Any] = [one for one in options if one["text"]["text"].casefold() == answer.casefold()]
        shown = [one["text"]["text"] for one in options]
    else:
        listed = known.listed(element)
        found = [listed[name] for name in (answer.casefold().removeprefix("#"),) if name in listed]
        shown = list(listed)
    if not found:
        raise Unexpected(f"there is no option “{answer}”; there are: {', '.join(shown)[:600]}")
    return found[0]


def _options(element: Json) -> Iterator[Json]:
    yield from element.get("options", ())
    for group in element.get("option_groups", ()):
        yield from group["options"]


def elements(blocks: Iterable[Json], kind: str) -> Iterator[Json]:
    """Those of a kind, each with the block it stands in."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("type") == kind:
                yield {**element, "block_id": block["block_id"]}


def choosable(blocks: Iterable[Json], label: str) -> Iterator[Json]:
    """What one can choose from under a label, with its block: a field, or a choice beside or instead of words.

    A field is known by its label, a choice beside a section by the section's first words, one in a row of actions by
    the words it shows while nothing is chosen.
    """
    wanted = label.casefold()
    for block in blocks:
        if block["type"] == "input" and label_of(block) == wanted:
            yield {**block["element"], "block_id": block["block_id"]}
        accessory = block.get("accessory") or {}
        if accessory.get("type") in {*_ONE, *_MANY} and words(block).casefold().lstrip("*_").startswith(
            wanted
        ):
            yield {**accessory, "block_id": block["block_id"]}
        for element in block.get("elements", []):
            placeholder = element.get("placeholder") or {}
            if element.get("type") in {*_ONE, *_MANY} and placeholder.get("text", "").casefold() == wanted:
                yield {**element, "block_id": block["block_id"]}


def places(shown: Json) -> Iterator[tuple[Json, list[Json]]]:
    """Everything that may hold buttons: views, answers, posts, posts in threads, each the newest first; Home last."""
    for view in reversed(shown["views"]):
        yield {"type": "view", "view_id": view["id"]}, view["blocks"]
    for said in reversed(shown["ephemerals"]):
        yield {"type": "ephemeral", "id": said["id"]}, said.get("blocks") or []
    replies = [reply for post in shown["posts"] for reply in post.get("replies", ())]
    for posts in (shown["posts"], replies):
        for post in sorted(posts, key=lambda post: str(post["ts"]), reverse=True):
            yield {"type": "message", "channel": shown["channel"], "ts": post["ts"]}, post.get("blocks") or []
    if shown.get("home"):
        yield {"type": "view", "view_id": shown["home"]["id"]}, shown["home"]["blocks"]


def is_field(block: Json, label: str) -> bool:
    """Whether a block is the field of this label."""
    return block["type"] == "input" and label_of(block) == label.casefold()
