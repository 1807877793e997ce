"""Where an answer goes and what it says of the mail it answers, before its writer changes anything. Pure; linear.

Covers RFC 5322 sections 3.6.3 and 3.6.4, Reply-To and Mail-Followup-To as mail programs honour them, and List-Post of
RFC 2369. Decides for the smaller audience where a mail leaves it open: what was meant for one and went to all cannot be
called back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.mail import conversation, plain_text, recipients
from bot.mail.content import Address
from bot.mail.letters import Answered, LetterKind
from bot.mail.text import end_within, one_line

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from bot.mail.letters import Original

SUBJECT_UNITS: Final = 900
"""With its prefix below the 998 octets of a line, should nobody fold it."""

QUOTE_UNITS: Final = 50_000
REFERENCES: Final = 50
ID_CHARACTERS: Final = 900
FOLLOWED: Final = 100
"""A Mail-Followup-To that names more is none that a program wrote for people."""

NAMED: Final = 50
"""So many recipients of a forwarded mail are named."""

CUT: Final = "[The rest of the message is left out here.]"
FORWARDED: Final = "---------- Forwarded message ----------"

_NAME_UNITS: Final = 100
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_NOTHING: Final = Answered((), (), "", (), "")


def answered(kind: LetterKind, original: Original | None, own: Collection[str] = ()) -> Answered:
    """What an answer begins with.

    Args:
        original: the mail that is answered or forwarded; None for a new mail.
        own: addresses of who answers, to which nothing goes unless there is nobody else.
    """
    if original is None or kind is LetterKind.NEW:
        return _NOTHING
    if kind is LetterKind.FORWARD:
        subject = _subject("Fwd", conversation.without_forwards(original.subject))
        return replace(_NOTHING, subject=subject, quote=_passed_on(original))
    parties = _Parties.of(original, own)
    to, cc = _to_all(parties) if kind is LetterKind.REPLY_ALL else (_to_one(parties), ())
    to, cc, _ = recipients.merged(to, cc)
    return Answered(
        to=() if original.is_automatic else to,
        cc=() if original.is_automatic else cc,
        subject=_subject("Re", conversation.without_answers(original.subject)),
        references=_references(original),
        quote=_quoted(original),
        is_automatic=original.is_automatic,
    )


def may_reply_all(original: Original, own: Collection[str] = ()) -> bool:
    """Whether an answer to all goes to others than an answer."""
    parties = _Parties.of(original, own)
    to, cc = _to_all(parties)
    everybody = {recipients.key(one.address) for one in (*to, *cc)}
    one = {recipients.key(one.address) for one in _to_one(parties)}
    return bool(everybody) and everybody != one and not original.is_automatic


# Recipients


@dataclass(frozen=True, slots=True)
class _Parties:
    """Whom a mail names, as far as mail can go to them: groups without members and broken addresses name nobody.

    Attributes:
        own: keys of addresses.
        list_post: one address, or none.
    """

    sender: tuple[Address, ...]
    reply_to: tuple[Address, ...]
    to: tuple[Address, ...]
    cc: tuple[Address, ...]
    followup_to: tuple[Address, ...]
    list_post: tuple[Address, ...]
    own: frozenset[str]

    @classmethod
    def of(cls, original: Original, own: Collection[str]) -> _Parties:
        """Of a mail."""
        sender = () if original.sender is None else (original.sender, *original.other_senders)
        return cls(
            sender=_sound(sender),
            reply_to=_sound(original.reply_to),
            to=_sound(original.to),
            cc=_sound(original.cc),
            followup_to=_sound(original.followup_to),
            list_post=_sound((Address("", original.list_post),)),
            own=recipients.keys(own),
        )

    def others(self, addresses: Iterable[Address]) -> tuple[Address, ...]:
        """Those that are not one's own; the list's is nobody's own."""
        posts = _keys(self.list_post)
        return tuple(one for one in addresses if not self.is_own(one) or recipients.key(one.address) in posts)

    def is_own(self, one: Address) -> bool:
        """Whether mail to an address comes back."""
        return recipients.is_among(one.address, self.own)

    @property
    def asked(self) -> tuple[Address, ...]:
        """Whom Reply-To names."""
        return self.others(self.reply_to)

    @property
    def author(self) -> tuple[Address, ...]:
        """Whoever wrote it, but who answers."""
        return self.others(self.sender)


def _to_one(parties: _Parties) -> tuple[Address, ...]:
    """Whom an answer goes to.

    Many lists set Reply-To to themselves; an answer is for the author all the same. Known by List-Post, and that the
    mail went to the list: services that take answers at an address of their own name it in both fields too.
    """
    posts = _keys(parties.list_post)
    is_by_list = bool(posts & _keys((*parties.to, *parties.cc)))
    personal = tuple(
        one for one in parties.asked if not (is_by_list and recipients.key(one.address) in posts)
    )
    if personal:
        return personal
    if parties.author:
        return parties.author
    if not parties.sender:
        return parties.asked  # whoever else has the mail did not write it
    # One's own mail, which goes on to whom it went; a note to oneself stays one.
    return parties.others(parties.to) or parties.others(parties.cc) or parties.asked or parties.sender


def _to_all(parties: _Parties) -> tuple[tuple[Address, ...], tuple[Address, ...]]:
    """Whom an answer to all goes to, and who gets a copy."""
    if followed := _followed(parties):
        return followed, ()
    to = (*(parties.asked or parties.author), *parties.others(parties.to))
    # A list that writes to each member by name stands in no field, or in Cc.
    cc = (*parties.others(parties.cc), *parties.list_post)
    to, cc, _ = recipients.merged(to, cc)
    return (to, cc) if to else (cc or parties.sender, ())


def _followed(parties: _Parties) -> tuple[Address, ...]:
    """Whom Mail-Followup-To names, if it is to be believed: one of the others at least had to do with the mail."""
    everybody = (*parties.sender, *parties.reply_to, *parties.to, *parties.cc, *parties.list_post)
    known = _keys(parties.others(everybody))
    named = _keys(parties.followup_to)
    return parties.others(parties.followup_to) if known & named and len(named) <= FOLLOWED else ()


def _sound(addresses: Iterable[Address]) -> tuple[Address, ...]:
    found = (recipients.sound(one) for one in addresses)
    return tuple(one for one in found if one is not None)


def _keys(addresses: Iterable[Address]) -> set[str]:
    return {recipients.key(one.address) for one in addresses}


# Subject and thread


def _subject(prefix: str, base: str) -> str:
    return one_line(f"{prefix}: {base}", SUBJECT_UNITS)


def _references(original: Original) -> tuple[str, ...]:
    """The thread up to the mail and the mail itself; of a long one its root and its end."""
    above = original.references or (original.in_reply_to,)
    ids = [one for one in dict.fromkeys((*above, original.message_id)) if _is_id(one)]
    if _is_id(original.message_id):
        ids = [*(one for one in ids if one != original.message_id), original.message_id]
    kept = ids if len(ids) <= REFERENCES else [ids[0], *ids[1 - REFERENCES :]]
    return tuple(f"<{one}>" for one in kept)


def _is_id(text: str) -> bool:
    """Whether a text can stand as an id in a header of ours."""
    is_short = 0 < len(text) <= ID_CHARACTERS
    return is_short and text.isascii() and text.isprintable() and not set(text) & set(" <>")


# What is quoted


def _quoted(original: Original) -> str:
    """The mail with marks, below a line that says whose words they are; "" when it has none."""
    if not original.text.strip():
        return ""
    lines = (_marked(line) for line in original.text.rstrip().split("\n"))
    return _within("\n".join([_attribution(original), *lines]), is_cut=original.is_cut)


def _marked(line: str) -> str:
    """A line one level deeper; the marks stand together, as RFC 3676 section 4.5 has them."""
    depth, start = plain_text.quote_marks(line)
    content = line[start:].rstrip()
    content = content.removeprefix(" ") if depth else content
    return f"{'>' * (depth + 1)} {content}".rstrip()


def _attribution(original: Original) -> str:
    name = _name(original.sender)
    when = f"On {_day(original.date)}, " if original.date else ""
    return f"{when}{name or 'somebody'} wrote:" if when or name else "Somebody wrote:"


def _name(sender: Address | None) -> str:
    return one_line(sender.name or sender.address, _NAME_UNITS) if sender else ""


def _day(date: datetime) -> str:
    """A time as the mail's own zone has it."""
    day = f"{_DAYS[date.weekday()]}, {date.day} {_MONTHS[date.month - 1]} {date.year}"
    return f"{day} at {date:%H:%M}"


def _passed_on(original: Original) -> str:
    """The mail below its own header, as it is: what is passed on is content, and no quote."""
    fields = {
        "From": _people(() if original.sender is None else (original.sender,)),
        "Date": f"{_day(original.date)} {original.date:%z}" if original.date else "",
        "Subject": original.subject,
        "To": _people(original.to),
        "Cc": _people(original.cc),
    }
    head = [f"{name}: {value}" for name, value in fields.items() if value]
    end = [CUT] if original.is_cut else []
    text = original.text.rstrip()
    return "\n".join([FORWARDED, *head, *(["", text] if text else []), *(["", *end] if end else [])])


def _people(addresses: Iterable[Address]) -> str:
    """Names and addresses as a person reads them."""
    known = list(addresses)
    left = f" and {len(known) - NAMED} more" if len(known) > NAMED else ""
    return ", ".join(filter(None, map(_person, known[:NAMED]))) + left


def _person(one: Address) -> str:
    if not one.address:
        return one.name or one.group
    return f"{one.name} <{one.address}>" if one.name and one.name != one.address else one.address


def _within(text: str, *, is_cut: bool) -> str:
    """The text, or as many of its lines as fit, with a last line that says so."""
    room = QUOTE_UNITS - len(CUT) - 1
    end = end_within(text, room, at_word=True)
    if end < len(text):
        line_end = text.rfind("\n", 0, end)
        text = text[: line_end if line_end > room // 2 else end]
    elif not is_cut:
        return text
    return f"{text.rstrip()}\n{CUT}"
