"""What to do next, decided from values alone.

Which listed messages to fetch, skip and delete; when to try a post again. RFC 1939 sections 5 (DELE) and 7 (UIDL).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, starmap
from typing import TYPE_CHECKING, Final, TypeVar, overload

from bot.brake import NOT_HELD, Counts, looks_new
from storage.deletion import watch_at
from storage.records import OldMail, Retention, Seen, SeenState, Tail

if TYPE_CHECKING:
    from collections.abc import Collection, Generator, Iterable, Iterator, Mapping

    from storage.records import Mailbox

T = TypeVar("T")

FULL_LISTING_EVERY = timedelta(days=1)
PROBE_REACH = 200
"""More new messages than this are listed in full rather than asked for one by one."""

LASTING = frozenset({"AUTH-RESP-CODE", "PIPELINING", "RESP-CODES", "SASL", "STLS", "TOP", "UIDL", "USER"})

WHOLE_OCTETS = 64 * 1024
"""Beyond this an answer to TOP may have been cut by a bound of ours."""

DELETIONS = 1_000
"""At most so many in one session: deletions count at QUIT only, and a session that runs out of time deletes nothing."""

FETCHES = 5_000
"""At most so many in one session; posting them takes longer than the wait for the next."""

FEW = 5_000
"""Up to so many unknown UIDs are looked up among the deleted ones by name."""

OLD_BATCH = 200
"""Of old mail that is brought bit by bit, at most so many in one session."""

MOST_DELETE_DAYS = 90
NEVER, ALWAYS = -1, 2**62
"""No message was settled before the watch began, and none so late."""

RECENT = 50
REFUSALS_BEFORE_READING = 2
READINGS = 50
READING_OCTETS = 25 * 1024 * 1024
"""Messages whose DELE was refused so often are fetched before the next try: at most so many, and so much, a session."""

FAILURES_BEFORE_LAST = 3
"""A message that did not come so often is fetched after all others: it holds them up no longer."""

REFUSALS_BEFORE_CARD = 3
BREAKS_BEFORE_CARD = 10
"""A message that the server refuses, or whose transfer breaks, this often becomes a card instead."""

_STRETCH: Final = 256
_SHARES: Final = 256


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a listing. `key` is the UID, or the UID with a mark for its repetition in the same listing."""

    number: int
    key: bytes
    is_ambiguous: bool = False


class Lines(Sequence[Listed]):
    """A whole listing in order of its numbers; a line is made when it is asked for.

    Half a million of them at once would hold up everything whenever garbage is looked for.

    Args:
        listing: numbers and UIDs, by number.
        nth: for each line, how often its UID stands in the listing so far; empty when none stands there twice.
        repeats: for each line, whether its UID stands there more than once; empty likewise.
        places: of the lines that are meant, in the listing.
    """

    def __init__(
        self, listing: Sequence[tuple[int, bytes]], nth: Sequence[int], repeats: Sequence[int], places: range
    ) -> None:
        self._listing, self._nth, self._repeats, self._places = listing, nth, repeats, places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Listed: ...

    @overload
    def __getitem__(self, at: slice) -> Lines: ...

    def __getitem__(self, at: int | slice) -> Listed | Lines:
        if isinstance(at, slice):
            return Lines(self._listing, self._nth, self._repeats, self._places[at])
        place = self._places[at]
        nth, repeats = (self._nth[place], self._repeats[place]) if self._repeats else (1, 0)
        return _line(self._listing[place], nth, repeats)

    def __iter__(self) -> Iterator[Listed]:
        if len(self._places) < len(self._listing):
            return map(self.__getitem__, range(len(self)))
        if not self._repeats:
            return starmap(Listed, self._listing)
        return map(_line, self._listing, self._nth, self._repeats)


def _line(row: tuple[int, bytes], nth: int, repeats: int) -> Listed:
    number, uid = row
    return Listed(number, uid if nth == 1 else uid + b"\n%d" % nth, bool(repeats))


@dataclass(frozen=True, slots=True)
class Plan:
    """What one session shall do, in order of message numbers.

    Attributes:
        fetch: not in our store yet.
        delete: settled, and the delete setting wants them gone.
        gone: to be deleted and no longer listed, so they are.
        tail: where the next session may look for new mail; None when only a whole listing will tell.
        listed: how many messages the maildrop holds, as far as the listing is believed.
        asks: nearly all UIDs look new, so nothing is fetched or deleted before the owner has said what they are.
        old: how many of `fetch` are old mail that is brought bit by bit.
        old_left: how much of the old mail that is brought bit by bit is left for later sessions.
        old_missing: how much of it is not listed; None where none is to come.
    """

    fetch: tuple[Listed, ...]
    delete: tuple[Listed, ...]
    gone: tuple[bytes, ...]
    tail: Tail | None = None
    listed: int = 0
    asks: bool = False
    old_left: int = 0
    old_missing: int | None = None
    old: int = 0


def keyed(listing: Sequence[tuple[int, bytes]]) -> tuple[Listed, ...]:
    """A short listing with a key for every line; see `keyed_in_steps`."""
    return tuple(_at_once(keyed_in_steps(sorted(listing))))


def keyed_in_steps(listing: Sequence[tuple[int, bytes]]) -> Generator[None, None, Lines]:
    """A listing, sorted by number, with a key for every line, also where a server repeats a UID.

    popa3d gives equal mail equal UIDs. The mark holds a line end, so it never meets a real UID: some servers put a
    space inside, against RFC 1939 section 7.
    """
    # Many small mappings: one for 500,000 takes 16 ms for its last growth and as long to be let go of.
    times: list[dict[bytes, int]] = [{} for _ in range(_SHARES)]
    nth, repeats = array("I"), bytearray()
    for rows in _stretches(listing):
        for _, uid in rows:
            share = times[hash(uid) % _SHARES]
            share[uid] = count = share.get(uid, 0) + 1
            nth.append(count)
        yield
    if sum(map(len, times)) < len(listing):
        for rows in _stretches(listing):
            repeats.extend(times[hash(uid) % _SHARES][uid] > 1 for _, uid in rows)
            yield
    while times:
        times.pop()
        yield
    return Lines(listing, nth, repeats, range(len(listing)))


def session_plan_in_steps(
    lines: Sequence[Listed], seen: Mapping[bytes, Seen], listed: int = 0
) -> Generator[None, None, Plan]:
    """What to fetch and delete, from everything listed and everything known.

    A message is deleted only when its post is settled, and never where its UID stands twice in the listing: which
    of the two is meant cannot be told. What is too much for one session comes in the next ones; of old mail some comes
    in each, after what is new, and what failed time and again comes last, for it may end the session.

    Args:
        listed: how many messages the maildrop was last seen to hold; 0 where UIDs may change as they please.
    """
    fetch: list[Listed] = []
    old: list[Listed] = []
    delete: list[Listed] = []
    gone: dict[bytes, None] = {}
    counts = Counts()
    for known in _stretches(seen.items()):
        counts.held += sum(row.state not in NOT_HELD for _, row in known)
        counts.old_wanted += sum(row.state is SeenState.OLD for _, row in known)
        gone.update((key, None) for key, row in known if _is_due_to_go(row))
        yield
    for some in _stretches(lines):
        for line in some:
            gone.pop(line.key, None)
            row = seen.get(line.key)
            counts.add(row)
            if _is_wanted(row):
                fetch += [line] if len(fetch) <= FETCHES else []
            elif row is not None and row.state is SeenState.OLD:
                counts.old += 1
                old += [line] if len(old) < OLD_BATCH else []
            elif len(delete) < DELETIONS and not line.is_ambiguous and _is_due_to_go(row):
                delete.append(line)
        yield
    expected = min(listed, counts.held)
    if counts.open or (counts.is_alien(expected) and counts.is_refilled(expected)):
        return Plan((), (), (), listed=listed, asks=True)
    if counts.is_alien(expected):  # a maildrop in trouble, or emptied: what is to be deleted may be there yet
        gone = {key: None for key in gone if seen[key].state is SeenState.DELETING}
    else:
        listed = len(lines)
    old = old[: max(0, FETCHES - len(fetch))]
    old_left, old_missing = counts.old - len(old), counts.old_wanted - counts.old
    tail = None if len(fetch) > FETCHES or old_left else _tail(lines)
    turns: dict[bool, list[Listed]] = {False: [], True: []}
    for line in fetch[:FETCHES]:
        turns[_fails(seen.get(line.key))].append(line)
    return Plan(
        fetch=(*turns[False], *old, *turns[True]),
        delete=tuple(delete),
        gone=tuple(gone),
        tail=tail,
        listed=listed,
        old=len(old),
        old_left=old_left,
        old_missing=old_missing if counts.old_wanted else None,
    )


def strange_in_steps(
    lines: Sequence[Listed], seen: Mapping[bytes, Seen]
) -> Generator[None, None, list[bytes]]:
    """The keys that stand in a listing and not in `seen`; of more than `FEW` only so many as show that."""
    strange: list[bytes] = []
    for some in _stretches(lines):
        strange += [line.key for line in some if line.key not in seen]
        if len(strange) > FEW:
            break
        yield
    return strange


def unknown_in_steps(lines: Sequence[Listed], seen: Mapping[bytes, Seen]) -> Iterator[list[bytes]]:
    """The keys that the owner is asked about, some at a time; none of them is in hand."""
    for some in _stretches(lines):
        yield [line.key for line in some if looks_new(seen.get(line.key))]


def _tail(lines: Sequence[Listed]) -> Tail | None:
    return Tail(lines[-1].number, lines[-1].key) if lines and not lines[-1].is_ambiguous else None


def _stretches(values: Iterable[T]) -> Iterator[list[T]]:
    """The values in order, so many at a time as take a fraction of a millisecond."""
    rest = iter(values)
    while some := list(islice(rest, _STRETCH)):
        yield some


def _at_once(steps: Generator[None, None, T]) -> T:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result


def _is_wanted(known: Seen | None) -> bool:
    return known is None or known.state in {SeenState.DOUBTED, SeenState.FAILED, SeenState.DELETED}


def _fails(known: Seen | None) -> bool:
    return known is not None and known.state is SeenState.FAILED and known.attempts >= FAILURES_BEFORE_LAST


def _is_due_to_go(known: Seen | None) -> bool:
    if known is None or not known.is_settled:
        return False
    return known.state is SeenState.DELETING or (known.state is SeenState.KEPT and known.is_due)


def due_until(mailbox: Mailbox, now: datetime) -> int:
    """A settled message shall go from the server if the maildrop had been watched no longer than this, in seconds.

    The watch stands still while nobody polls, so a clock that jumps deletes nothing by itself, and downtime delays.
    """
    if mailbox.retention is Retention.DELETE_POSTED:
        return ALWAYS
    if mailbox.retention is Retention.DELETE_LATER:
        days = timedelta(days=MOST_DELETE_DAYS if mailbox.delete_days is None else mailbox.delete_days)
        return int((watched(mailbox, now) - days).total_seconds())
    return NEVER


def old_mail_to_skip(
    lines: Sequence[Listed], wanted: OldMail, recent: Collection[int] | None = None
) -> tuple[bytes, ...]:
    """Keys of the messages that lay in the maildrop before the mailbox was added and are not brought to Slack.

    Args:
        recent: numbers of the messages of the last seven days; where nobody knows them, the last fifty count.
    """
    if wanted is OldMail.LAST_7_DAYS and recent is not None:
        return tuple(line.key for line in lines if line.number not in recent)
    keep = {OldMail.NONE: 0, OldMail.ALL: len(lines)}.get(wanted, RECENT)
    return tuple(line.key for line in lines[: max(0, len(lines) - keep)])


def may_probe(tail: Tail | None, listed_at: datetime | None, now: datetime, *, has_deletions: bool) -> bool:
    """Whether two UIDs may stand for the whole listing this time."""
    return (
        tail is not None
        and listed_at is not None
        and not has_deletions
        and timedelta(0) <= now - listed_at < FULL_LISTING_EVERY  # neither: a clock was set back
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


def readings(lines: Sequence[Listed], sizes: Mapping[int, int]) -> list[Listed]:
    """Which of the messages that must be fetched before they can be deleted one session fetches; at least one."""
    chosen, octets = [*lines[:1]], sizes.get(lines[0].number, 0) if lines else 0
    for line in lines[1:READINGS]:
        octets += sizes.get(line.number, 0)
        if octets > READING_OCTETS:
            break
        chosen.append(line)
    return chosen


def watched(mailbox: Mailbox, now: datetime) -> timedelta:
    """For how long a mailbox's polls have watched its maildrop; a clock that jumps moves it by a day at most."""
    return watch_at(mailbox.watched, mailbox.polled_at, now)


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
    return now + wait * (1 + chance / 10)
