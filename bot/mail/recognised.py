"""A message, read, to one whose special sides are known: invitations, reports, lists, seals, forwarded mail. Pure.

Each side has its own module with its own bounds; here stands only in which order they are asked and what becomes of the
files they explain.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from bot.mail import authentication, bounces, cms, filenames, headers, invitations, lists, seals, tnef
from bot.mail.content import Attachment, Body, Fault
from bot.mail.special import Original, Sealing
from bot.mail.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.mail.content import Message
    from bot.mail.headers import Header
    from bot.mail.special import Invitation

INVITATIONS: Final = 5
CALENDARS_READ: Final = 10
STUB: Final = 3
UNPACKED: Final = 5
FORWARDED: Final = 5
FORWARDED_OCTETS: Final = 5 * 1024 * 1024
"""A larger one is shown by its file alone."""

HEADER_OCTETS: Final = 64 * 1024
SUBJECT_UNITS: Final = 998
INVITATION: Final = "invitation.ics"

_CALENDARS: Final = frozenset({"text/calendar", "application/ics", "application/icalendar"})
_MESSAGES: Final = frozenset({"message/rfc822", "message/global"})
_HEADERS: Final = frozenset({"text/rfc822-headers", "message/rfc822-headers", "message/global-headers"})
_NOTICES: Final = {
    "message/delivery-status": "delivery status.txt",
    "message/global-delivery-status": "delivery status.txt",
    "message/disposition-notification": "receipt.txt",
    "message/global-disposition-notification": "receipt.txt",
}
_UNNAMED_CALENDAR: Final = re.compile(r"text-\d+\.ics\Z")


def recognised(message: Message, header: Header, parse: Callable[[bytes], Message] | None) -> Message:
    """The message with all that it is beside its text.

    Args:
        header: of the message itself.
        parse: reads a message within this one; None when those are not to be read.
    """
    message = _opened(seals.sealed(_unpacked(message), header), parse)
    message = _with_forwarded(message, parse)
    original = _original(message)
    delivery = bounces.delivery_report(message, header, original)
    receipt = bounces.receipt(message, original)
    is_report = delivery is not None or receipt is not None
    special = replace(
        message.special,
        invitations=_invitations(message),
        delivery=delivery,
        receipt=receipt,
        is_automatic_reply=not is_report and bounces.is_automatic_reply(message, header),
        mailing_list=lists.mailing_list(header),
        verdicts=authentication.verdicts(header),
    )
    if is_report:
        special = replace(special, forwarded=(), forwarded_count=0)
    return replace(message, special=special, attachments=_files(message.attachments))


# Invitations


def _invitations(message: Message) -> tuple[Invitation, ...]:
    """The invitations of all calendars, each once."""
    found = (invitations.invitation(each) for each in calendars(message))
    return tuple(dict.fromkeys(each for each in found if each is not None))[:INVITATIONS]


def calendars(message: Message) -> Iterator[bytes]:
    """The first calendars of a message."""
    found = (each.octets for each in message.attachments if _is_calendar(each))
    return islice(found, CALENDARS_READ)


def _is_calendar(part: Attachment) -> bool:
    return part.type in _CALENDARS or part.name.lower().endswith(".ics")


# Files


def _files(attachments: tuple[Attachment, ...]) -> tuple[Attachment, ...]:
    """The attachments; what a machine wrote for machines is quiet, and one calendar sent twice is there once."""
    kept: list[Attachment] = []
    calendars: dict[bytes, int] = {}
    for each in attachments:
        if each.type in _NOTICES:
            kept.append(replace(each, name=_NOTICES[each.type], is_quiet=True))
            continue
        if not _is_calendar(each):
            kept.append(each)
            continue
        key = b"".join(each.octets.split())
        if key in calendars:
            kept[calendars[key]] = each  # the later one bears a name
            continue
        calendars[key] = len(kept)
        kept.append(replace(each, name=INVITATION) if _UNNAMED_CALENDAR.match(each.name) else each)
    return tuple(kept)


def _unpacked(message: Message) -> Message:
    """The message with what Outlook's files hold in their stead."""
    kept: list[Attachment] = []
    bodies = list(message.bodies)
    left = UNPACKED
    for each in message.attachments:
        found = tnef.contents(each.octets) if left and tnef.is_tnef(each.octets) else None
        if found is None:
            kept.append(each)
            continue
        left -= 1
        if (found.plain or found.html) and _is_stub(bodies, found.plain):
            bodies = [Body(found.plain or None, found.html or None)]
        for file in found.files:
            kind = file.type or "application/octet-stream"
            name = filenames.safe(file.name) or filenames.by_type(kind, len(kept) + 1)
            kept.append(Attachment(name, kind, file.octets, is_disguised=filenames.is_disguised(file.name)))
    if left == UNPACKED:
        return message
    special = replace(message.special, is_unpacked=True)
    return replace(message, bodies=tuple(bodies), attachments=tuple(kept), special=special)


def _is_stub(bodies: list[Body], within: str) -> bool:
    """Whether a mail says next to nothing beside the text that Outlook packed."""
    if any(body.html for body in bodies):
        return False
    return sum(len((body.plain or "").split()) for body in bodies) * STUB < max(1, len(within.split()))


# Messages within


def _opened(message: Message, parse: Callable[[bytes], Message] | None) -> Message:
    """The message with what a signature wraps in the place of the signature, which stays as a quiet file."""
    closed = next((seal for seal in message.special.seals if seal.sealing is Sealing.SMIME_OPAQUE), None)
    file = next((each for each in message.attachments if closed and each.name in closed.files), None)
    content = cms.content(file.octets) if file else None
    if parse is None or closed is None or not content:
        return message
    inner = parse(content)
    if not (inner.bodies or inner.attachments):
        return message
    attachments = [replace(each, is_quiet=True) if each is file else each for each in message.attachments]
    seals_now = [
        replace(each, sealing=Sealing.SMIME_SIGNED) if each is closed else each
        for each in message.special.seals
    ]
    return replace(
        message,
        bodies=(*message.bodies, *inner.bodies),
        attachments=(*attachments, *inner.attachments),
        faults=message.faults | (inner.faults - {Fault.NOT_A_MAIL}),
        special=replace(message.special, seals=(*seals_now, *inner.special.seals)),
    )


def _with_forwarded(message: Message, parse: Callable[[bytes], Message] | None) -> Message:
    within = [each for each in message.attachments if each.type in _MESSAGES]
    if not within:
        return message
    small = (each for each in within if parse and 0 < len(each.octets) <= FORWARDED_OCTETS)
    read = tuple((parse(each.octets), each.name) for each in islice(small, FORWARDED) if parse)
    return replace(message, special=replace(message.special, forwarded=read, forwarded_count=len(within)))


def _original(message: Message) -> Original | None:
    """The mail that a report is about, as far as it brings it."""
    if message.special.forwarded:
        first, _ = message.special.forwarded[0]
        return Original(first.subject, first.message_id)
    part = next((each for each in message.attachments if each.type in _HEADERS), None)
    if part is None:
        return None
    header, _ = headers.parsed(part.octets[:HEADER_OCTETS].lstrip())
    return Original(one_line(headers.text(header.raw("subject")), SUBJECT_UNITS), _id(header))


def _id(header: Header) -> str:
    return one_line("".join(headers.eight_bit(header.raw("message-id")).split()).strip("<>"), SUBJECT_UNITS)
