"""Invitations as cards: what, when, where, by whom, how often, and buttons to answer. Pure.

Times stand twice: in the reader's own zone, which Slack fills in, and in the sender's, in words. What the subject of the
mail says already is not said again.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.mail import originals, plain_text, rich_text
from bot.mail.lines import Document, Line, Run, Style
from bot.mail.special import Answer, Frequency, Method
from bot.slack import blocks, names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from bot.mail.content import Address, Arrival, Message
    from bot.mail.special import Event, Invitation, Repeats
    from bot.slack.blocks import Block

SHOWN: Final = 3
TITLE_UNITS: Final = 200
DETAIL_UNITS: Final = 300
CARD_UNITS: Final = 1000
SAME_DAY: Final = timedelta(hours=12)
"""Of what ends sooner after its start the time alone is said."""

URL_UNITS: Final = 500

SOMEWHERE: Final = timedelta(days=2)
"""After so long a day is over in each zone; times without a zone and ends of series are no better known."""

_BUTTONS: Final = {
    names.INVITATION_ACCEPT: "Accept",
    names.INVITATION_TENTATIVE: "Maybe",
    names.INVITATION_DECLINE: "Decline",
}
_TITLES: Final = {
    Method.REQUEST: "Invitation",
    Method.CANCEL: "Cancelled",
    Method.COUNTER: "Another time is proposed",
    Method.DECLINE_COUNTER: "The other time you proposed is declined",
    Method.ADD: "One more date",
    Method.REFRESH: "The latest version of an invitation is asked for",
}
_ANSWERS: Final = {
    Answer.ACCEPTED: "{} accepts",
    Answer.DECLINED: "{} declines",
    Answer.TENTATIVE: "{} accepts tentatively",
    Answer.DELEGATED: "{} sends somebody else",
    Answer.NONE: "{} has not decided yet",
}
_BY_ORGANISER: Final = frozenset({Method.REQUEST, Method.CANCEL, Method.ADD, Method.PUBLISH})
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_EVERY: Final = {
    Frequency.DAILY: ("every day", "days"),
    Frequency.WEEKLY: ("every week", "weeks"),
    Frequency.MONTHLY: ("every month", "months"),
    Frequency.YEARLY: ("every year", "years"),
}
_NUMBERS: Final = {
    1: "first",
    2: "second",
    3: "third",
    4: "fourth",
    5: "fifth",
    -1: "last",
    -2: "last but one",
}
_WORKDAYS: Final = tuple((0, day) for day in range(5))
_YEARS: Final = range(1970, 9000)


def cards(
    invitations: Sequence[Invitation],
    sender: Address | None,
    subject: str = "",
    open_events: frozenset[str] = frozenset(),
) -> Iterator[Block]:
    """The first events; the rest are in the calendar file.

    Args:
        open_events: UIDs of those that can be answered from their cards.
    """
    whole = [(each, event) for each in invitations for event in each.events]
    answered: list[str] = []
    for invitation, event in whole[:SHOWN]:
        yield from _card(invitation.method, event, subject)
        if event.uid in open_events and event.uid not in answered:
            yield _answers(event.uid, len(answered))
            answered.append(event.uid)
    left = len(whole) - SHOWN
    if left > 0:
        yield blocks.note(f"and {left} more event{'s' if left > 1 else ''} in the calendar file")
    stranger = next(
        (event.organiser for each, event in whole if _is_strange(each.method, event, sender)), None
    )
    if stranger is not None:
        yield blocks.note(f"⚠ The organiser, {stranger.address}, is not the sender of this mail.", 400)


def to_be_answered(message: Message, arrival: Arrival) -> frozenset[str]:
    """UIDs of the events that the mailbox's owner is asked to by name, and that were to come when the mail came."""
    asked = {each.uid for each in originals.invited(message, [arrival.own_address]) if each.attendee}
    events = (event for each in message.special.invitations for event in each.events)
    return frozenset(
        event.uid for event in events if event.uid in asked and not _is_past(event, arrival.received_at)
    )


def summary(invitations: Sequence[Invitation], subject: str) -> str:
    """The first event in a notification, without what the mail's subject says; "" without an event."""
    if not invitations:
        return ""
    method, event = invitations[0].method, invitations[0].events[0]
    title = "" if method is Method.REQUEST and subject else _title(method, event)
    named = "" if event.title.lower() in subject.lower() else event.title
    return ", ".join(filter(None, [title, named, in_words(event)]))


def _card(method: Method, event: Event, subject: str) -> Iterator[Block]:
    rows = [_inline([Line(_heading(method, event, subject))]), _when(event)]
    rows.append(_inline([Line(runs) for runs in _details(event)]))
    found = [each for row in rows if row for each in [{"type": "text", "text": "\n"}, *row]]
    if found:
        yield rich_text.block([{"type": "rich_text_section", "elements": found[1:]}])


def _answers(uid: str, number: int) -> Block:
    """The row of buttons that answer an invitation; of further ones in a mail with a number behind its id."""
    return {
        "type": "actions",
        "block_id": f"{names.INVITATION}:{number}" if number else names.INVITATION,
        "elements": [
            {"type": "button", "text": blocks.plain(words, 75), "action_id": action_id, "value": uid}
            for action_id, words in _BUTTONS.items()
        ],
    }


def _is_past(event: Event, now: datetime) -> bool:
    """Whether an event, and each that comes after it, is over for sure, wherever its day or hour is meant."""
    if event.repeats is not None:
        until = event.repeats.until
        return until is not None and until < now - SOMEWHERE
    last = event.ends or event.starts
    if last is None:
        return False
    return last < now if last.tzinfo is not None else last.replace(tzinfo=UTC) < now - SOMEWHERE


def _heading(method: Method, event: Event, subject: str) -> tuple[Run, ...]:
    """What is to become of the event, and its name; nothing when the subject says just that."""
    is_off = method is Method.CANCEL or event.is_cancelled
    title = blocks.plain(event.title or "(no title)", TITLE_UNITS)["text"]
    what = _title(method, event)
    if not is_off and event.title and event.title.casefold() in subject.casefold():
        return () if what.casefold() in subject.casefold() else (Run(what, Style.BOLD),)
    return Run(f"{what}: "), Run(title, Style.BOLD | Style.STRIKE if is_off else Style.BOLD)


def _when(event: Event) -> list[dict[str, Any]]:
    """The time as the reader's clock shows it; nothing for whole days and times without a zone."""
    starts, ends = event.starts, event.ends
    if starts is None or starts.tzinfo is None or event.is_all_day or not _is_usual(starts):
        return []
    found = [_inline_text("When: ", is_bold=True), _date(starts, "{date_long_pretty}, {time}")]
    if ends is not None and ends.tzinfo is not None and _is_usual(ends):
        is_short = ends - starts < SAME_DAY
        found += [
            _inline_text(" to "),
            _date(ends, "{time}" if is_short else "{date_long_pretty}, {time}"),
        ]
    return found


def _date(time: datetime, form: str) -> dict[str, Any]:
    seconds, fallback = int(time.timestamp()), f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
    return {"type": "date", "timestamp": seconds, "format": form, "fallback": fallback}


def _inline_text(text: str, *, is_bold: bool = False) -> dict[str, Any]:
    return {"type": "text", "text": text} | ({"style": {"bold": True}} if is_bold else {})


def _inline(lines: list[Line]) -> list[dict[str, Any]]:
    """The elements of some lines."""
    found = rich_text.fitted(Document(tuple(lines), 0, ""), CARD_UNITS, URL_UNITS).blocks
    return [each for block in found for part in block["elements"] for each in part["elements"]]


def _title(method: Method, event: Event) -> str:
    who = event.answerer
    if method is Method.CANCEL or event.is_cancelled:
        return "This date is cancelled" if event.recurrence_id else "Cancelled"
    if method is Method.REPLY and who is not None:
        return _ANSWERS[event.answer].format(blocks.plain(who.name or who.address, 100)["text"])
    title = _TITLES.get(method, "Event")
    if method is Method.REQUEST and event.recurrence_id:
        return "Invitation, one date of a series changes"
    return f"{title}, updates an earlier one" if method is Method.REQUEST and event.sequence > 0 else title


def _details(event: Event) -> Iterator[tuple[Run, ...]]:
    when = in_words(event)
    if when:
        yield _row("Sender's time" if _when(event) else "When", when)
    if event.repeats is not None:
        yield _row("Repeats", repeats_in_words(event.repeats))
    if event.place:
        yield (
            Run("Where: ", Style.BOLD),
            *plain_text.linked(blocks.plain(event.place, DETAIL_UNITS)["text"]),
        )
    if event.organiser is not None:
        named = event.organiser
        both = (
            f"{named.name} <{named.address}>" if named.name and named.address else named.name or named.address
        )
        yield _row("Organiser", both)
    if event.attendees > 1:
        yield _row("Invited", f"{event.attendees:,} people")


def _row(label: str, text: str) -> tuple[Run, ...]:
    return Run(f"{label}: ", Style.BOLD), Run(blocks.plain(text, DETAIL_UNITS)["text"])


def _is_strange(method: Method, event: Event, sender: Address | None) -> bool:
    """Whether an event is organised by another than who sent it."""
    organiser = event.organiser
    if method not in _BY_ORGANISER or organiser is None or not organiser.address:
        return False
    return sender is None or organiser.address.lower() != sender.address.lower()


# Times in words


def in_words(event: Event) -> str:
    """The time of an event as its sender sees it."""
    starts, ends = event.starts, event.ends
    if starts is None:
        return ""
    if event.is_all_day:
        return f"{_day(starts)} to {_day(ends)}, all day" if ends else f"{_day(starts)}, all day"
    words = f"{_day(starts)}, {starts:%H:%M}"
    if ends is not None:
        # Both in the zone of the start: a flight lands in its own.
        there = ends.astimezone(starts.tzinfo) if starts.tzinfo else ends
        words += (
            f" to {there:%H:%M}" if there.date() == starts.date() else f" to {_day(there)}, {there:%H:%M}"
        )
    return f"{words} ({_zone(event)})"


def _day(time: datetime) -> str:
    return f"{_DAYS[time.weekday()]} {time.day} {_MONTHS[time.month - 1]} {time.year}"


def _zone(event: Event) -> str:
    assert event.starts is not None
    offset = event.starts.utcoffset() if event.starts.tzinfo is not None else None
    if offset is None:
        name = blocks.plain(event.zone, 60)["text"] if event.zone else ""
        return f"in a time zone that is not known: {name}" if name else "no time zone is given"
    minutes = int(offset.total_seconds()) // 60
    if not minutes and event.zone in {"", "UTC"}:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    number = f"UTC{'-' if minutes < 0 else '+'}{hours}{f':{rest:02}' if rest else ''}"
    return f"{blocks.plain(event.zone, 60)['text']}, {number}" if event.zone else number


def _is_usual(time: datetime) -> bool:
    return time.year in _YEARS


# Recurrence in words


def repeats_in_words(rule: Repeats) -> str:
    """How an event recurs."""
    if rule.frequency is Frequency.OTHER:
        return "by a rule of its own; see the calendar file"
    once, many = _EVERY[rule.frequency]
    often = once if rule.interval == 1 else f"every {rule.interval} {many}"
    words = [" ".join([often, *_on(rule)]), *_end(rule)]
    if rule.exceptions:
        words.append(f"except {rule.exceptions} date{'s' if rule.exceptions > 1 else ''}")
    if rule.is_partial:
        words.append("and by further rules in the calendar file")
    return ", ".join(words)


def _on(rule: Repeats) -> list[str]:
    """On which days and in which months."""
    days = [
        f"the {_NUMBERS.get(which, f'{which}.')} {_DAYS[day]}" if which else _DAYS[day]
        for which, day in rule.weekdays
    ]
    days += ["the last day" if day == -1 else f"day {day}" for day in rule.month_days]
    if rule.weekdays == _WORKDAYS and not rule.month_days:
        found = ["from Monday to Friday"]
    else:
        found = [f"on {_and(days)}"] if days else []
    return [*found, f"in {_and([_MONTHS[month - 1] for month in rule.months])}"] if rule.months else found


def _end(rule: Repeats) -> list[str]:
    if rule.count is not None:
        return [f"{rule.count:,} times" if rule.count != 1 else "once"]
    return [f"until {rule.until.day} {_MONTHS[rule.until.month - 1]} {rule.until.year}"] if rule.until else []


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))
