"""The form that shares a mailbox or one message: view state to a draft, a draft to audiences, or errors by block id. Pure.

The level stands under a block id of its kind of audience, since each kind has its own highest level and Slack keeps what
was chosen under an unchanged block id.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from bot import offers
from bot.offers import Refusal
from bot.slack import names
from storage.sharing import Audience, AudienceKind, Level, Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.offers import Offer

Errors = dict[str, str]
"""A sentence by the block id of the field it belongs to, as Slack wants it."""

PICKERS: Final = {
    AudienceKind.PERSON: names.SHARE_PEOPLE,
    AudienceKind.GROUP: names.SHARE_GROUP,
    AudienceKind.ROLE: names.SHARE_ROLE,
    AudienceKind.CHANNEL: names.SHARE_CHANNEL,
}
"""The field that names the audience of each kind."""

LEVELS: Final = (Level.SEE, Level.OPEN, Level.REPLY, Level.MANAGE)
MESSAGE_LEVELS: Final = LEVELS[:3]
"""One message can be read and answered; there is nothing of it to manage."""

_ID: Final = re.compile(r"[A-Z0-9]{1,40}")
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MISSING: Final = {
    AudienceKind.PERSON: "Choose the people who may see it.",
    AudienceKind.GROUP: "Choose the user group that may see it.",
    AudienceKind.ROLE: "Choose from which role on people may see it.",
    AudienceKind.CHANNEL: "Choose the channel whose members may see it. Mailbox must be in it.",
}
_WRONG: Final = "Choose one of the options."

FIELDS: Final = {
    Refusal.KIND: names.SHARE_KIND,
    Refusal.LEVEL: names.SHARE_LEVEL,
    Refusal.PAST: names.SHARE_UNTIL,
}
"""The field that a refusal is about; the others are about whom, or about no field."""

ABOUT_WHOM: Final = frozenset({
    Refusal.NOBODY,
    Refusal.TOO_MANY,
    Refusal.STRANGER,
    Refusal.ONESELF,
    Refusal.GROUP_GONE,
    Refusal.CHANNEL_CLOSED,
    Refusal.CHANNEL_EXTERNAL,
    Refusal.CHANNEL_PUBLIC,
    Refusal.NOT_IN_CHANNEL,
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class ShareDraft:
    """The form between two renderings; "" and None for what is not chosen.

    Attributes:
        until: the day at whose end it ends.
        wrong: fields that hold what no form of ours offers.
    """

    mailbox_id: str
    message_id: str = ""
    kind: AudienceKind = AudienceKind.PERSON
    people: tuple[str, ...] = ()
    group: str = ""
    role: str = ""
    channel: str = ""
    level: Level = Level.SEE
    until: date | None = None
    history: bool = False
    wrong: frozenset[str] = frozenset()

    @property
    def audiences(self) -> tuple[Audience, ...]:
        """Whom it names, of the kind that is chosen."""
        found = {
            AudienceKind.PERSON: self.people,
            AudienceKind.GROUP: (self.group,),
            AudienceKind.ROLE: (self.role,),
            AudienceKind.CHANNEL: (self.channel,),
        }[self.kind]
        return tuple(Audience(self.kind, each) for each in found if each)

    @property
    def level_block(self) -> str:
        """The block id of the level."""
        return level_block(self.kind)

    def metadata(self) -> str:
        """The view's `private_metadata`: ids only."""
        ids = {"mailbox": self.mailbox_id, "message": self.message_id}
        return json.dumps({key: value for key, value in ids.items() if value}, separators=(",", ":"))


def level_block(kind: AudienceKind) -> str:
    """The block id under which the level of a kind of audience stands."""
    return names.block_id(names.SHARE_LEVEL, tuple(AudienceKind).index(kind))


def read(view: Mapping[str, Any]) -> ShareDraft:
    """The draft that a view in Slack's payload holds; anything in it may be missing or null."""
    reader = _Reader((view.get("state") or {}).get("values") or {})
    mailbox_id, message_id = ids_of(view.get("private_metadata"))
    kind = reader.text(names.SHARE_KIND)
    return ShareDraft(
        mailbox_id=mailbox_id,
        message_id=message_id,
        kind=AudienceKind(kind) if kind in set(AudienceKind) else AudienceKind.PERSON,
        people=reader.people(names.SHARE_PEOPLE),
        group=reader.id(names.SHARE_GROUP),
        role=role if (role := reader.text(names.SHARE_ROLE)) in set(Role) else "",
        channel=reader.id(names.SHARE_CHANNEL),
        level=reader.level(),
        until=_day(reader.text(names.SHARE_UNTIL)),
        history=reader.is_ticked(names.SHARE_HISTORY),
        wrong=frozenset({names.SHARE_UNTIL} if _is_odd_day(reader.text(names.SHARE_UNTIL)) else ()),
    )


def ids_of(metadata: Any) -> tuple[str, str]:
    """The mailbox and the message that a form is about; "" for what it does not name."""
    try:
        found = json.loads(metadata)
    except (TypeError, ValueError):
        return "", ""
    if not isinstance(found, dict):
        return "", ""
    mailbox_id, message_id = found.get("mailbox"), found.get("message")
    return (
        mailbox_id if isinstance(mailbox_id, str) else "",
        message_id if isinstance(message_id, str) else "",
    )


def faults(draft: ShareDraft, owner: str, earliest: date) -> Errors:
    """What is wrong with a form whatever may be shared, by the block id of each field.

    Args:
        owner: the user who sends it.
        earliest: the day it is where the day is youngest.
    """
    found: Errors = {}
    picker = PICKERS[draft.kind]
    if not draft.audiences:
        found[picker] = _MISSING[draft.kind]
    elif len(draft.audiences) > offers.MOST_PEOPLE:
        found[picker] = offers.SENTENCES[Refusal.TOO_MANY]
    elif draft.kind is AudienceKind.PERSON and owner in draft.people:
        found[picker] = offers.SENTENCES[Refusal.ONESELF]
    if draft.level is Level.NONE:
        found[draft.level_block] = _WRONG
    if names.SHARE_UNTIL in draft.wrong or (draft.until is not None and draft.until < earliest):
        found[names.SHARE_UNTIL] = offers.SENTENCES[Refusal.PAST]
    return found


def choosable(offer: Offer, kind: AudienceKind) -> tuple[Level, ...]:
    """The levels that may be chosen for a kind of audience, the lowest first."""
    most = offer.levels.get(kind, Level.NONE)
    return tuple(level for level in (MESSAGE_LEVELS if offer.message_id else LEVELS) if level <= most)


def refused(reason: Refusal, draft: ShareDraft) -> Errors:
    """A refusal under the field it is about; empty where it is about none."""
    if reason in ABOUT_WHOM:
        return {PICKERS[draft.kind]: offers.SENTENCES[reason]}
    field = FIELDS.get(reason)
    if field is None:
        return {}
    return {draft.level_block if field == names.SHARE_LEVEL else field: offers.SENTENCES[reason]}


def fitting(draft: ShareDraft, offer: Offer) -> ShareDraft:
    """The draft of the mailbox of an offer, with a kind and a level of it: the first, the lowest, where its own are not."""
    kind = draft.kind if draft.kind in offer.levels else next(iter(offer.levels), draft.kind)
    levels = choosable(offer, kind)
    level = draft.level if draft.level in levels else next(iter(levels), draft.level)
    return replace(draft, mailbox_id=offer.mailbox_id, kind=kind, level=level, wrong=frozenset())


def people_of(text: str) -> tuple[str, ...]:
    """The user ids in a field's text; what is no id is left out."""
    return tuple(dict.fromkeys(each for each in text.split(",") if _ID.fullmatch(each)))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None


def _is_odd_day(text: str) -> bool:
    """Something is there, and it is no day before the calendar's end; the end of that day must be a time as well."""
    day = _day(text)
    return bool(text) and (day is None or day.year > MOST_YEAR)


MOST_YEAR: Final = 9998


class _Reader:
    """Reads the fields of the form."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._states = {
            names.field_of(block_id): state
            for block_id, elements in values.items()
            if isinstance(elements, dict) and isinstance(state := next(iter(elements.values()), None), dict)
        }

    def text(self, name: str) -> str:
        state = self._states.get(name, {})
        option = state.get("selected_option")
        found = option.get("value") if isinstance(option, dict) else None
        for key in ("selected_conversation", "selected_date"):
            found = state.get(key) if found is None else found
        return found if isinstance(found, str) else ""

    def id(self, name: str) -> str:
        found = self.text(name)
        return found if _ID.fullmatch(found) else ""

    def people(self, name: str) -> tuple[str, ...]:
        users = self._states.get(name, {}).get("selected_users")
        if not isinstance(users, list):
            return ()
        return people_of(",".join(each for each in users if isinstance(each, str)))

    def level(self) -> Level:
        found = self.text(names.SHARE_LEVEL)
        return Level(int(found)) if found in {str(level.value) for level in LEVELS} else Level.NONE

    def is_ticked(self, name: str) -> bool:
        return bool(self._states.get(name, {}).get("selected_options"))
