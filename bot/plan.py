"""What to do next, decided from values alone.

Covers: which listed messages to fetch, skip and delete; when to poll again; when to try a post again. `now` and
chance are arguments. Sources: RFC 1939 section 7 (UIDL), section 5 (DELE).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from storage.records import OldMail, Retention, Seen, SeenState, Tail

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

FLOOR = timedelta(minutes=1)
"""No mailbox is polled more often, unless its host is one the operator allowed by name."""

BACKOFF_FACTOR = 12
BACKOFF_BOUND = timedelta(hours=1)
SPREAD = 0.1
"""Up to this share of the interval is added at random, so that mailboxes drift apart."""

FULL_LISTING_EVERY = timedelta(days=1)
PROBE_REACH = 200
"""More new messages than this are listed in full rather than asked for one by one."""

LASTING = frozenset({"AUTH-RESP-CODE", "PIPELINING", "RESP-CODES", "SASL", "STLS", "TOP", "UIDL", "USER"})

WHOLE_OCTETS = 64 * 1024
"""Beyond this an answer to TOP may have been cut by a bound of ours."""

DELETIONS = 1_000
"""At most so many in one session: deletions count at QUIT only, and a session that runs out of time deletes nothing."""

RECENT = 50
REFUSALS_BEFORE_CARD = 3
BREAKS_BEFORE_CARD = 10
"""A message that the server refuses, or whose transfer breaks, this often becomes a card instead."""


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing. `key` is the UID, or the UID with a mark for its repetition in the same listing."""

    number: int
    key: bytes
    is_ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What one session shall do, in order of message numbers.

    Attributes:
        fetch: not in our store yet.
        delete: settled, and the delete setting wants them gone.
        gone: asked to be deleted earlier and no longer listed, so they are.
    """

    fetch: tuple[Listed, ...]
    delete: tuple[Listed, ...]
    gone: tuple[bytes, ...]


def keyed(listing: Sequence[tuple[int, bytes]]) -> tuple[Listed, ...]:
    """A listing with a key for every line, also where a server repeats a UID (popa3d: equal mail, equal UID).

    The mark holds a space, which no UID may (RFC 1939 section 7), so it never meets a real one.
    """
    counts: dict[bytes, int] = {}
    for _, uid in listing:
        counts[uid] = counts.get(uid, 0) + 1
    met: dict[bytes, int] = {}
    lines = []
    for number, uid in sorted(listing):
        met[uid] = met.get(uid, 0) + 1
        key = uid if met[uid] == 1 else uid + b" %d" % met[uid]
        lines.append(Listed(number, key, is_ambiguous=counts[uid] > 1))
    return tuple(lines)


def session_plan(lines: Sequence[Listed], seen: Mapping[bytes, Seen], retention: Retention) -> Plan:
    """What to fetch and delete, from everything listed and everything known.

    A message is deleted only when its post is settled, and never where its UID stands twice in the listing: which
    of the two is meant cannot be told.
    """
    listed = {line.key for line in lines}
    return Plan(
        fetch=tuple(line for line in lines if _is_wanted(seen.get(line.key))),
        delete=tuple(
            line for line in lines if not line.is_ambiguous and _is_due_to_go(seen.get(line.key), retention)
        )[:DELETIONS],
        gone=tuple(
            key for key, known in seen.items() if known.state is SeenState.DELETING and key not in listed
        ),
    )


def _is_wanted(known: Seen | None) -> bool:
    return known is None or known.state in {SeenState.FAILED, SeenState.DELETED}


def _is_due_to_go(known: Seen | None, retention: Retention) -> bool:
    if known is None or not known.is_settled:
        return False
    if known.state is SeenState.DELETING:
        return True
    return known.state is SeenState.KEPT and retention is Retention.DELETE_POSTED


def old_mail_to_skip(lines: Sequence[Listed], wanted: OldMail) -> tuple[bytes, ...]:
    """Keys of the messages that lay in the maildrop before the mailbox was added and are not brought to Slack."""
    keep = {OldMail.NONE: 0, OldMail.LAST_50: RECENT, OldMail.ALL: len(lines)}[wanted]
    return tuple(line.key for line in lines[: max(0, len(lines) - keep)])


def may_probe(tail: Tail | None, listed_at: datetime | None, now: datetime, *, has_deletions: bool) -> bool:
    """Whether two UIDs may stand for the whole listing this time."""
    return (
        tail is not None
        and listed_at is not None
        and not has_deletions
        and now - listed_at < FULL_LISTING_EVERY
    )


def probe_numbers(tail: Tail) -> tuple[int, int]:
    """The last message known and the one behind it: new mail is appended, numbers hold for a session."""
    return tail.number, tail.number + 1


def probed(tail: Tail, count: int, uids: Mapping[int, bytes | None]) -> range | None:
    """Numbers of the new messages as a probe shows them; None when only a full listing tells."""
    if uids.get(tail.number) != tail.uid or count < tail.number:
        return None
    fresh = range(tail.number + 1, count + 1)
    if len(fresh) > PROBE_REACH or (uids.get(tail.number + 1) is None) != (len(fresh) == 0):
        return None
    return fresh


def is_whole(octets: bytes, lines: int) -> bool:
    """Whether the answer to TOP is the whole message: fewer lines came than were asked for (RFC 1939 section 7).

    LIST had called it too large; some servers lie there, and what is in hand is all there is.
    """
    head, gap, body = octets.partition(b"\r\n\r\n")
    return bool(head and gap) and len(octets) < WHOLE_OCTETS and body.count(b"\r\n") < lines


def remembered(capabilities: Collection[str]) -> frozenset[str]:
    """The lines of CAPA that a later session may build on; the others, such as IMPLEMENTATION, may name the host."""
    return frozenset(line for line in capabilities if line.partition(" ")[0] in LASTING)


def should_give_up(attempts: int, *, was_refused: bool) -> bool:
    """Whether a message becomes a card: the server refuses it, or its transfer breaks, time and again."""
    return attempts >= (REFUSALS_BEFORE_CARD if was_refused else BREAKS_BEFORE_CARD)


def next_poll(now: datetime, interval: timedelta, failures: int, chance: float) -> datetime:
    """When to poll a mailbox again; never sooner than `interval` from `now`.

    Args:
        interval: at least the provider's floor.
        failures: polls failed in a row, 0 after a success; each doubles the wait up to a bound.
        chance: 0 to 1, spreads mailboxes apart.
    """
    bound = max(interval, min(BACKOFF_BOUND, interval * BACKOFF_FACTOR))
    wait = min(bound, interval * (1 << min(failures, 10)))
    return now + wait * (1 + SPREAD * chance)


def goes_one_by_one(*, was: bool, failures: int, is_broken_off: bool) -> bool:
    """Whether commands are no longer sent ahead of their answers: sessions broke off twice in a row.

    Some servers lose what arrives while they are busy; waiting for each answer costs time, not mail.

    Args:
        failures: polls that failed in a row before this one.
    """
    return was or (is_broken_off and failures > 0)


def next_attempt(now: datetime, attempts: int, chance: float) -> datetime:
    """When to try a post again that Slack did not take: 2 s doubling to 10 minutes."""
    wait = min(timedelta(minutes=10), timedelta(seconds=2) * (1 << min(attempts, 12)))
    return now + wait * (1 + SPREAD * chance)
