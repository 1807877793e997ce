"""Why somebody does not see their e-mail: from facts to findings, each with its remedy said elsewhere. Pure.

A connection test finds what fails aloud. What fails quietly shows only from what is stored beside it: which mailbox is
active, what was brought and when, what another mail program took away, what Slack holds up.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from bot.errors import Step
from bot.retention import lists_all, without_recent
from storage.deletion import DELETION_TRIES
from storage.records import Health, Retention, SeenState

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence
    from datetime import datetime

    from bot.mail.providers import Provider
    from bot.plan import Listed
    from storage.records import Mailbox, Profile, Seen

_STRETCH: Final = 256

_NEW: Final = frozenset({SeenState.FAILED, SeenState.DELETED, SeenState.DOUBTED, SeenState.OLD})
"""Of those that are listed: they are fetched still."""

_HELD: Final = frozenset({SeenState.KEPT, SeenState.SKIPPED, SeenState.OLD, SeenState.FAILED})
"""They lay on the server when last seen, and we asked for no deletion."""

_SWITCHED: Final = ("must_enable", "admin_may_block", "paid_plan")
"""Beginnings of what the table of providers says where POP may be off."""


class Cause(StrEnum):
    """One reason why mail does not appear, or the word that there is none."""

    PAUSED = "paused"
    NOT_ACTIVE = "not_active"
    ASKED = "asked"
    POP_OFF = "pop_off"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a word
    STOPPED = "stopped"  # refused while polling, taken just now
    WRONG_SERVER = "wrong_server"
    TRY_LATER = "try_later"
    NO_SENDING = "no_sending"
    WRONG_ADDRESS = "wrong_address"
    WAITING_THERE = "waiting_there"
    HIDDEN = "hidden"
    TAKEN = "taken"
    UNDELETED = "undeleted"
    ALL_SEEN = "all_seen"
    EMPTY = "empty"
    SLACK_CLOSED = "slack_closed"
    SLACK_HOLDS = "slack_holds"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Counts:
    """What lies in a maildrop, held against what is known of it.

    Attributes:
        listed: messages on the server.
        new: those of them that are still to be fetched.
        brought: those that were.
        left_out: old mail that its owner did not ask for.
        taken: messages that lay there once, and that somebody else deleted.
        undeleted: messages that the server would not delete, and is not asked for any more.
    """

    listed: int = 0
    new: int = 0
    brought: int = 0
    left_out: int = 0
    taken: int = 0
    undeleted: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the findings rest on.

    Attributes:
        active: the other mailboxes that are active.
        failed: the step at which the incoming server's test failed.
        is_busy: the server serves nobody now, so the test says nothing.
        sends: whether the outgoing server passed; None when there is none, or it was not tested.
        provider: by the incoming server; `home` by the address.
        counts: None when the test did not come so far.
        waiting: messages on their way to Slack.
        is_closed: Slack lets nothing into the DM.
    """

    mailbox: Mailbox
    active: tuple[Mailbox, ...]
    failed: Step | None
    is_busy: bool
    sends: bool | None
    provider: Provider | None
    home: Provider | None
    counts: Counts | None
    waiting: int
    held_until: datetime | None
    is_closed: bool


def counted_in_steps(listing: Sequence[Listed], seen: Mapping[bytes, Seen]) -> Generator[None, None, Counts]:
    """What a listing holds; stops often, since both may be long."""
    new = brought = left_out = undeleted = 0
    gone: dict[bytes, None] = {}
    for at, (key, known) in enumerate(seen.items()):
        if known.state in _HELD:
            gone[key] = None
        if at % _STRETCH == 0:
            yield
    for at, line in enumerate(listing):
        row = seen.get(line.key)
        gone.pop(line.key, None)
        new += row is None or row.state in _NEW
        left_out += row is not None and row.state is SeenState.SKIPPED
        brought += row is not None and row.state in {SeenState.KEPT, SeenState.DELETING}
        undeleted += row is not None and _is_left(row)
        if at % _STRETCH == 0:
            yield
    return Counts(len(listing), new, brought, left_out, len(gone), undeleted)


def _is_left(row: Seen) -> bool:
    return row.state is SeenState.KEPT and row.is_settled and row.attempts >= DELETION_TRIES


def causes(facts: Facts) -> tuple[Cause, ...]:
    """Why mail does not appear, what weighs most first; FINE alone when nothing speaks against it."""
    found = [*_rests(facts), *_fails(facts), *_is_elsewhere(facts), *_is_held(facts), *_lies_there(facts)]
    return tuple(found) or (Cause.FINE,)


def _rests(facts: Facts) -> list[Cause]:
    mailbox = facts.mailbox
    found = [Cause.NOT_ACTIVE] if not mailbox.is_active else []
    found += [Cause.PAUSED] if mailbox.is_paused else []
    found += [Cause.ASKED] if mailbox.health is Health.ASKED else []
    if mailbox.health is Health.LOGIN_REFUSED and mailbox.failures and facts.failed is None:
        found.append(Cause.STOPPED)
    return found


def _fails(facts: Facts) -> list[Cause]:
    if facts.failed is None:
        return [Cause.NO_SENDING] if facts.sends is False else []
    if facts.failed is Step.TURN or facts.is_busy:
        return [Cause.TRY_LATER]
    if facts.failed is not Step.LOGIN:
        return [Cause.WRONG_SERVER]
    may_be_off = facts.provider is not None and any(word in facts.provider.pop_switch for word in _SWITCHED)
    return [Cause.WRONG_PASSWORD, Cause.POP_OFF] if may_be_off else [Cause.WRONG_PASSWORD]


def _is_elsewhere(facts: Facts) -> list[Cause]:
    if facts.counts is not None and facts.counts.new:
        return []
    return [Cause.WRONG_ADDRESS] if is_elsewhere(facts.mailbox.profile, facts.provider, facts.home) else []


def is_elsewhere(profile: Profile, provider: Provider | None, home: Provider | None) -> bool:
    """Whether the address seems to belong to another account than the one that is signed in to."""
    username = without_recent(profile.username).strip().casefold()
    if "@" in username and username != profile.address.strip().casefold():
        return True
    return (
        provider is not None
        and home is not None
        and provider.id != home.id
        and provider.incoming != home.incoming
    )


def _lies_there(facts: Facts) -> list[Cause]:
    counts = facts.counts
    if counts is None:
        return []
    left = bool(counts.undeleted) and facts.mailbox.retention is not Retention.LEAVE
    return [*_is_missing(facts, counts), *([Cause.UNDELETED] if left else [])]


def _is_missing(facts: Facts, counts: Counts) -> list[Cause]:
    if counts.new:
        return [Cause.WAITING_THERE]
    if not lists_all(facts.provider, facts.mailbox.profile.username):
        return [Cause.HIDDEN]
    found = [Cause.TAKEN] if counts.taken else []
    return [*found, Cause.ALL_SEEN if counts.listed else Cause.EMPTY]


def _is_held(facts: Facts) -> list[Cause]:
    if facts.is_closed:
        return [Cause.SLACK_CLOSED]
    return [Cause.SLACK_HOLDS] if facts.waiting else []
