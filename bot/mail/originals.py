"""What an answer needs of the mail it answers, and the files that go on with it. Pure; bounded; never raises.

Runs where mails are read. All that leaves is decoded and cleaned, and still untrusted.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from bot.mail import addresses, file_types, headers, itip, lists, message, recognised, rich_text
from bot.mail.content import Fault, File
from bot.mail.letters import Original
from bot.mail.lines import readable
from bot.mail.text import end_within, one_line, units

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bot.mail.content import Address, Message
    from bot.mail.headers import Header
    from bot.mail.letters import Invited

ADDRESSES: Final = 200
"""Of each field; more than a mail may go to, so that who answers to all is told."""

TEXT_UNITS: Final = 100_000
ATTACHMENTS: Final = 200
FILES_OCTETS: Final = 18 * 1024 * 1024
"""Of all files that go on with one mail."""

INVITED: Final = 20
INVITED_UNITS: Final = 100_000
"""Of the lines that answers repeat; an invitation has some twenty short ones."""

_CUT: Final = frozenset({Fault.TEXT_CUT, Fault.HTML_CUT, Fault.NESTED_TOO_DEEP, Fault.TOO_MANY_PARTS})


def original(mail: Message, octets: bytes, *, with_text: bool = True) -> Original:
    """What an answer to a mail needs.

    Args:
        octets: what the mail was read from.
        with_text: the mail was read whole.
    """
    header = message.header(octets)
    text, is_cut = _text(mail) if with_text else ("", True)
    return Original(
        message_id=mail.message_id,
        in_reply_to=mail.in_reply_to,
        references=mail.references,
        subject=mail.subject,
        date=headers.local_date(header.raw("date")),
        sender=mail.sender,
        reply_to=_people(mail.reply_to),
        to=_people(mail.to),
        cc=_people(mail.cc),
        followup_to=_followup_to(header),
        list_post=one_line(lists.post_address(header), addresses.ADDRESS_UNITS),
        text=text,
        is_cut=is_cut,
        attachments=tuple((each.name, len(each.octets)) for each in mail.attachments[:ATTACHMENTS]),
        is_automatic=_is_automatic(mail, header),
        other_senders=_people(mail.other_senders),
    )


def files(mail: Message) -> tuple[tuple[File, ...], tuple[tuple[str, int], ...]]:
    """The attachments, quiet ones too, and the names and sizes of those there is no room for.

    A type is one that a header can hold, whatever the mail said.
    """
    kept: list[File] = []
    left_out: list[tuple[str, int]] = []
    room = FILES_OCTETS
    for each in mail.attachments:
        if len(each.octets) > room:
            left_out.append((each.name, len(each.octets)))
            continue
        room -= len(each.octets)
        kept.append(File(each.name, each.octets, each.name, file_types.of(each.name, each.type)))
    return tuple(kept), tuple(left_out)


def invited(mail: Message, own: Collection[str]) -> tuple[Invited, ...]:
    """The events that a mail asks to answer, each once.

    Args:
        own: addresses of who answers.
    """
    found: dict[str, Invited] = {}
    room = INVITED_UNITS
    for calendar in recognised.calendars(mail):
        for each in itip.answerable(calendar, own):
            room -= sum(units(line) for line in (*each.lines, *each.zones, each.calendar_address))
            if room < 0 or len(found) == INVITED:
                return tuple(found.values())
            found.setdefault(each.uid, each)
    return tuple(found.values())


def _text(mail: Message) -> tuple[str, bool]:
    """All that a mail says in plain words, and whether there was more."""
    texts = rich_text.documents(mail)
    full = rich_text.joined(texts).full
    # Plain text is whole in `full` however long it is; of a page `full` is what was laid out.
    is_cut = bool(mail.faults & _CUT) or any(
        each.is_partial and each.full == readable(each.lines) for each in texts
    )
    end = end_within(full, TEXT_UNITS, at_word=True)
    return full[:end], is_cut or end < len(full)


def _people(found: Iterable[Address]) -> tuple[Address, ...]:
    """The first addresses; of a group without any its name."""
    return tuple(replace(one, group="") if one.address else one for one in islice(found, ADDRESSES))


def _followup_to(header: Header) -> tuple[Address, ...]:
    """Where the sender wants answers to all; one field too many is none, as nobody can tell which counts."""
    raw = list(header.all("mail-followup-to"))
    if len(raw) != 1:
        return ()
    hint = headers.labelled(header.raw("content-type"))[1].get("charset", "")
    return _people(addresses.parsed(raw[0], hint)[0])


def _is_automatic(mail: Message, header: Header) -> bool:
    """Whether no person waits for an answer: a report, or mail that says so by its envelope (RFC 3834 section 3.3)."""
    is_report = mail.special.delivery is not None or mail.special.receipt is not None
    return is_report or "".join(headers.eight_bit(header.raw("return-path")).split()) == "<>"
