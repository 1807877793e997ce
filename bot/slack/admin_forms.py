"""The form of a grant: view state to a Grant, or errors by block id. Pure.

A field that is missing, because the choice above hides it, means what the careful choice is: no audience, no sharing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot.mail.idn import to_ascii
from bot.slack import names
from bot.slack.checks import HOST_LIMIT, Fault
from storage.sharing import (
    EVERYONE,
    Audience,
    AudienceKind,
    ChannelReach,
    Grant,
    GrantKind,
    Level,
    Reach,
    Role,
    Subject,
    SubjectKind,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Errors = dict[str, str]
"""A sentence by the block id of the field it belongs to, as Slack wants it."""

MOST_DOMAINS: Final = 100
MOST_HELD: Final = 999
DOMAINS_LIMIT: Final = 3000

LEVELS: Final = (Level.SEE, Level.OPEN, Level.REPLY, Level.MANAGE)
PICKERS: Final = {
    AudienceKind.PERSON: names.AUDIENCE_PERSON,
    AudienceKind.GROUP: names.AUDIENCE_GROUP,
    AudienceKind.ROLE: names.AUDIENCE_ROLE,
    AudienceKind.CHANNEL: names.AUDIENCE_CHANNEL,
}
"""The field that names the audience of each kind."""

_WRONG: Final = "Choose one of the options."
_MISSING: Final = {
    AudienceKind.PERSON: "Choose the person who gets this mail.",
    AudienceKind.GROUP: "Choose the user group that gets this mail.",
    AudienceKind.ROLE: "Choose from which role on people get this mail.",
    AudienceKind.CHANNEL: "Choose the channel in which this mail is seen. Mailbox must be a member of it.",
}
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_ID: Final = re.compile(r"[A-Z0-9]{1,40}")

_Number = TypeVar("_Number", Level, Reach, ChannelReach)


@dataclass(frozen=True, slots=True)
class Shape:
    """The two choices that show and hide other fields."""

    kind: GrantKind
    audience: AudienceKind = AudienceKind.PERSON


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads fields one by one and gathers what is wrong with them."""

    values: Mapping[str, Any]
    errors: Errors = field(default_factory=dict)

    def element(self, name: str) -> Mapping[str, Any]:
        """The state of a field; empty when it is missing."""
        elements = self.values.get(name)
        state = next(iter(elements.values()), None) if isinstance(elements, dict) else None
        return state if isinstance(state, dict) else {}

    def has(self, name: str) -> bool:
        return bool(self.element(name))

    def text(self, name: str) -> str:
        """What was typed or chosen; "" for nothing, or for what is odd."""
        state = self.element(name)
        option = state.get("selected_option")
        found = option.get("value") if isinstance(option, dict) else None
        for key in ("selected_user", "selected_conversation", "value"):
            found = state.get(key) if found is None else found
        return found.strip() if isinstance(found, str) else ""

    def is_ticked(self, name: str, *, default: bool) -> bool:
        """Whether a box is ticked; the default where the form has none."""
        return bool(self.element(name).get("selected_options")) if self.has(name) else default

    def fault(self, name: str, sentence: str) -> None:
        self.errors.setdefault(name, sentence)

    def number(self, name: str, default: _Number) -> _Number:
        """One of an ordered choice."""
        chosen = self.text(name)
        try:
            return type(default)(int(chosen)) if chosen else default
        except ValueError:
            self.fault(name, _WRONG)
            return default

    def limit(self, name: str) -> int | None:
        """How many at most; None for an empty field."""
        typed = self.text(name)
        if not typed:
            return None
        if typed.isascii() and typed.isdigit() and len(typed) <= 3 and int(typed) >= 1:
            return int(typed)
        self.fault(name, f"Enter a number from 1 to {MOST_HELD}, or leave it empty for no limit.")
        return None

    def checked(self, name: str, check: Callable[[str], frozenset[str]]) -> frozenset[str]:
        try:
            return check(self.text(name))
        except Fault as fault:
            self.fault(name, str(fault))
            return frozenset()


def parse_grant(values: Mapping[str, Any] | None, subject: Subject) -> Grant | Errors:
    """The grant as it stands in the form, or what is wrong with it.

    Args:
        values: `view.state.values`; anything in it may be missing or null.
    """
    reader = _Reader(values or {})
    kind = _kind(reader)
    grant = Grant(
        subject=subject,
        kind=kind,
        level=Level.NONE if kind is GrantKind.PRIVATE else _level(reader),
        audience=_audience(reader) if kind is GrantKind.FIXED else None,
        may_hold=reader.is_ticked(names.MAY_HOLD, default=True),
        mailboxes=reader.limit(names.MOST_MAILBOXES),
        active=reader.limit(names.MOST_ACTIVE),
        may_view=reader.is_ticked(names.MAY_VIEW, default=True),
        excluded=reader.checked(names.EXCLUDED, domains),
        allows_plain=reader.is_ticked(names.ALLOWS_PLAIN, default=False),
    )
    if kind is GrantKind.CHOICE:
        grant = replace(
            grant,
            reach=reader.number(names.GRANT_REACH, Reach.PEOPLE),
            channels=reader.number(names.GRANT_CHANNELS, ChannelReach.NONE),
        )
    return reader.errors or grant


def shape_of(values: Mapping[str, Any] | None, default: Shape) -> Shape:
    """What the choices in a form say now."""
    reader = _Reader(values or {})
    kind = reader.text(names.GRANT_KIND)
    audience = reader.text(names.AUDIENCE_KIND)
    return Shape(
        GrantKind(kind) if kind in set(GrantKind) else default.kind,
        AudienceKind(audience) if audience in set(AudienceKind) else default.audience,
    )


def shape(grant: Grant) -> Shape:
    """The choices as a grant has them."""
    return Shape(grant.kind, grant.audience.kind if grant.audience else AudienceKind.PERSON)


def _kind(reader: _Reader) -> GrantKind:
    chosen = reader.text(names.GRANT_KIND)
    if chosen in set(GrantKind):
        return GrantKind(chosen)
    reader.fault(names.GRANT_KIND, _WRONG)
    return GrantKind.PRIVATE


def _level(reader: _Reader) -> Level:
    level = reader.number(names.GRANT_LEVEL, Level.SEE)
    if level not in LEVELS:
        reader.fault(names.GRANT_LEVEL, _WRONG)
    return level


def _audience(reader: _Reader) -> Audience | None:
    chosen = reader.text(names.AUDIENCE_KIND)
    if chosen not in set(AudienceKind):
        reader.fault(names.AUDIENCE_KIND, _WRONG)
        return None
    kind = AudienceKind(chosen)
    found = reader.text(PICKERS[kind])
    is_known = found in set(Role) if kind is AudienceKind.ROLE else _ID.fullmatch(found)
    if not is_known:
        reader.fault(PICKERS[kind], _MISSING[kind])
        return None
    return Audience(kind, found)


def domains(text: str) -> frozenset[str]:
    """Domains, one a line or with commas between, in ASCII and lower case.

    Raises:
        Fault: one of them is no domain, or there are too many.
    """
    found = frozenset(_domain(each) for each in re.split(r"[\s,;]+", text) if each)
    if (
        len(found) > MOST_DOMAINS or len("\n".join(found)) > DOMAINS_LIMIT
    ):  # the form must be able to show them
        raise Fault(f"Enter at most {MOST_DOMAINS} domains, and {DOMAINS_LIMIT:,} characters in all.")
    return found


def _domain(text: str) -> str:
    """One domain; the "@" or "*." that people write before it is taken away."""
    name = text.lower().removeprefix("*.").removeprefix("@").removesuffix(".")
    fault = Fault(f"“{text[:80]}” is no domain. Write one a line, such as example.com.")
    try:
        ascii_name = to_ascii(name).lower()
    except UnicodeError:
        raise fault from None
    labels = ascii_name.split(".")
    if len(ascii_name) > HOST_LIMIT or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        raise fault
    return ascii_name


def subject_of(text: str) -> Subject | None:
    """The subject whose key a button's value or a view's metadata holds; None for none there can be."""
    kind, _, found = text.partition(":")
    if kind not in set(SubjectKind):
        return None
    subject = Subject(SubjectKind(kind), found)
    if subject.kind is SubjectKind.EVERYONE:
        return EVERYONE if not found else None
    if subject.kind is SubjectKind.ROLE:
        return subject if found in set(Role) else None
    return subject if _ID.fullmatch(found) else None
