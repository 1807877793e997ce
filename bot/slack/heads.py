"""The top of a post: subject, sender, date, recipients, warnings. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from bot.mail import authentication, rich_text
from bot.mail.content import Fault
from bot.mail.text import isolated
from bot.slack import blocks, files

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.mail.content import Address, Arrival, Message
    from bot.slack.blocks import Block

NO_SUBJECT: Final = "(no subject)"
NO_SENDER: Final = "(unknown sender)"
SUBJECT_UNITS: Final = 600
ADDRESS_UNITS: Final = 90
SENDER_UNITS: Final = 400
SHOWN_ADDRESSES: Final = 5

FUTURE: Final = timedelta(days=1)
"""A clock or a time zone may be that wrong; a date further ahead is not believed."""

EARLIEST: Final = datetime(1980, 1, 1, tzinfo=UTC)

WARNINGS: Final = {
    Fault.SEVERAL_SENDERS: "This mail names more than one sender; the first is shown.",
    Fault.HEADER_CUT: "The header of this mail is unusually large; part of it is left out.",
    Fault.NESTED_TOO_DEEP: "This mail is nested too deeply; what lies deeper is one attachment.",
    Fault.TOO_MANY_PARTS: "This mail has more parts than Mailbox reads; the rest is one attachment.",
    Fault.NO_PARTS: "This mail is damaged: its parts could not be told apart.",
    Fault.ENCODING_DAMAGED: "This mail is damaged: some characters were lost on the way.",
    Fault.CHARSET_GUESSED: "This mail does not say in which character set it is written; some letters may be wrong.",
    Fault.TEXT_CUT: "This mail holds more text than Mailbox reads.",
    Fault.HTML_CUT: "This mail holds more text than Mailbox reads.",
}


def head(message: Message, arrival: Arrival) -> list[Block]:
    """Everything above the body."""
    subject = message.subject or NO_SUBJECT
    title = blocks.header(subject)
    found = [title]
    if title["text"]["text"] != subject:
        whole = blocks.plain(subject, SUBJECT_UNITS)["text"]
        found.append(rich_text.block([rich_text.section(whole)]))
    found.append(_origin(message, arrival))
    found += _recipients(message, arrival.own_address)
    alarms = [*_doubts(message, arrival), *_alarms(message)]
    found += [_loud(alarms)] if alarms else []
    faults = [sentence for fault, sentence in WARNINGS.items() if fault in message.faults]
    found += [blocks.note(f"⚠ {sentence}", 400) for sentence in dict.fromkeys(faults)]
    return found


def _loud(alarms: Iterable[str]) -> Block:
    """What somebody may be deceived by, as large as the text."""
    rows = (isolated(blocks.plain(f"⚠ {alarm}", 400)["text"]) for alarm in dict.fromkeys(alarms))
    return rich_text.block([rich_text.section("\n".join(rows))])


def sender_name(message: Message) -> str:
    """What the sender is called."""
    sender = message.sender
    return (sender.name or sender.address if sender else "") or NO_SENDER


def _origin(message: Message, arrival: Arrival) -> Block:
    sender = named(message.sender) if message.sender else NO_SENDER
    time, is_own = best_date(message, arrival)
    elements = [blocks.plain(sender, SENDER_UNITS), blocks.date(time)]
    if not is_own:
        elements.append(blocks.plain("(time of arrival; the mail bears no usable date)"))
    if arrival.mailbox_name:
        elements.append(blocks.plain(f"Mailbox: {arrival.mailbox_name}", 200))
    if message.special.mailing_list is not None and message.special.mailing_list.name:
        elements.append(blocks.plain(f"List: {message.special.mailing_list.name}", 200))
    return blocks.context(*elements)


def best_date(message: Message, arrival: Arrival) -> tuple[datetime, bool]:
    """The date to show, and whether it is the mail's own."""
    for time in (message.date, message.received):
        if time is not None and EARLIEST <= time <= arrival.received_at + FUTURE:
            return time, time is message.date
    return arrival.received_at.astimezone(UTC), False


def named(address: Address) -> str:
    """Name and address, both always to be seen."""
    if not address.address:
        return f"{address.name or address.group} (no address)"
    is_other = address.name.lower() not in {"", address.address.lower()}
    return f"{address.name} <{address.address}>" if is_other else address.address


def _recipients(message: Message, own_address: str) -> Iterator[Block]:
    """To and Cc when others than the owner are addressed; Reply-To when it leads elsewhere."""
    own = own_address.strip().lower()
    if any(address.address.lower() != own for address in (*message.to, *message.cc)):
        for label, field, count in (
            ("To", message.to, message.to_count),
            ("Cc", message.cc, message.cc_count),
        ):
            if field and not _is_list_alone(message, field, own):
                yield blocks.note(f"{label}: {_listed(field, count)}")
    domain = message.sender.domain if message.sender else ""
    elsewhere = [address for address in message.reply_to if address.address and address.domain != domain]
    if elsewhere:
        yield blocks.note(f"Replies go to: {_listed(elsewhere, len(elsewhere))}")


def _is_list_alone(message: Message, field: Iterable[Address], own: str) -> bool:
    """Whether nobody but the mailing list, which is named already, and the owner are addressed."""
    found = message.special.mailing_list
    if found is None or not found.name or not found.post:
        return False
    post = found.post.removeprefix("mailto:").partition("?")[0].lower()
    return all(address.address.lower() in {post, own} for address in field)


def _listed(field: Iterable[Address], count: int) -> str:
    """The first addresses and how many more there are; a group by its name."""
    entries = list(
        dict.fromkeys((address.group, "") if address.group else ("", named(address)) for address in field)
    )
    shown = [blocks.plain(group or name, ADDRESS_UNITS)["text"] for group, name in entries[:SHOWN_ADDRESSES]]
    more = max(count, len(entries)) - len(shown) if len(entries) > SHOWN_ADDRESSES else 0
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _alarms(message: Message) -> Iterator[str]:
    sender = message.sender
    if sender is not None and "@" in sender.name and sender.address.lower() not in sender.name.lower():
        yield f"The sender's name shows another address than the one this mail comes from: {sender.address or 'none'}"
    yield from files.warnings(message.attachments)


def _doubts(message: Message, arrival: Arrival) -> Iterator[str]:
    """What the mailbox's own server doubts; that it doubts nothing is not said."""
    if authentication.is_doubtful(message.special.verdicts, arrival.incoming_host, arrival.authserv_ids):
        domain = message.sender.domain if message.sender else ""
        yield f"The mail server could not confirm that this mail comes from {domain or 'where it says'}."
