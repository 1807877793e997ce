"""Whom a mail goes to and what else was typed into its form: values, or a sentence for each field that is wrong. Pure.

What the form found out before counts for nothing here: everything is read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot import limits
from bot.filled import NAME_CHARACTERS, SIGNATURE_CHARACTERS, SUBJECT_CHARACTERS, UNDO_SECONDS
from bot.mail import recipients
from bot.sending_errors import NotSendable
from bot.slack import checks
from storage.sending import Recipient, RecipientField

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.filled import Filled
    from bot.mail.content import Address

NOBODY: Final = "Enter at least one address, such as name@example.org, here or under Cc or Bcc."
MANY: Final = f"A mail can go to {limits.RECIPIENTS} people at most. Take some out."
NO_SUBJECT: Final = "Enter a shorter subject, on one line."

Addresses = dict[RecipientField, tuple["Address", ...]]


def typed(to: str, cc: str, bcc: str) -> tuple[Addresses, Mapping[RecipientField, str]]:
    """Each address once, in the first field that has it; and a sentence for each field that cannot be read."""
    fields = (RecipientField.TO, RecipientField.CC, RecipientField.BCC)
    read = [recipients.typed(text) for text in (to, cc, bcc)]
    merged = recipients.merged(*(each.addresses for each in read))
    faults = {name: " ".join(each.faults) for name, each in zip(fields, read, strict=True) if each.faults}
    return dict(zip(fields, merged, strict=True)), faults


def addresses_of(filled: Filled) -> Addresses:
    """Whom a mail goes to.

    Raises:
        NotSendable: what is wrong with it.
    """
    addresses, faults = typed(filled.to, filled.cc, filled.bcc)
    by_field = {name.value: sentence for name, sentence in faults.items()}
    count = sum(len(some) for some in addresses.values())
    if not count and not by_field:
        by_field["to"] = NOBODY
    if count > limits.RECIPIENTS:
        by_field.setdefault("to", MANY)
    if len(filled.subject) > SUBJECT_CHARACTERS or checks.has_controls(filled.subject):
        by_field["subject"] = NO_SUBJECT
    if by_field:
        raise NotSendable(by_field)
    return addresses


def envelope(addresses: Addresses) -> tuple[Recipient, ...]:
    """The recipients, field by field."""
    return tuple(Recipient(each.address, name) for name, some in addresses.items() for each in some)


def check_settings(sender_name: str, signature: str, undo_seconds: int) -> None:
    """Nothing, where a mailbox may send so.

    Raises:
        NotSendable: by sender_name and signature.
    """
    faults = dict[str, str]()
    if len(sender_name) > NAME_CHARACTERS or checks.has_controls(sender_name):
        faults["sender_name"] = f"Enter a name of at most {NAME_CHARACTERS} characters, on one line."
    if len(signature) > SIGNATURE_CHARACTERS or checks.has_controls(
        signature.replace("\n", "").replace("\t", "")
    ):
        faults["signature"] = f"Enter a signature of at most {SIGNATURE_CHARACTERS:,} characters."
    if faults or undo_seconds not in UNDO_SECONDS:
        raise NotSendable(faults, "settings")
