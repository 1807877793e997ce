"""What a mail tells of the conversation it belongs to, as a value that every layer shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clues:
    """Ids and words of a mail, in clear.

    Attributes:
        own_id: the mail's own.
        refers_to: ids of other mails, the one that counts most first; its own is not among them.
        subject: without prefixes; empty is no subject.
        people: addresses of who takes part, the mailbox's own apart.
        is_answer: it says of itself that it answers another mail.
        is_sent: it is sent from here; its server may give it another id than its own.
    """

    own_id: str
    refers_to: tuple[str, ...]
    subject: str
    people: tuple[str, ...]
    is_answer: bool
    is_sent: bool = False
