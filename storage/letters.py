"""Between the row of a mail that is sent and its value: what is sealed, in which place, and how it reads when opened."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

from storage.errors import NotFound
from storage.records import Person
from storage.sending import (
    Letter,
    Outgoing,
    OutgoingState,
    Recipient,
    RecipientField,
    RecipientState,
    Trouble,
)
from storage.vault import Place

if TYPE_CHECKING:
    from storage.vault import DataKey, Vault

_IMPLIED: Final = {
    OutgoingState.UNKNOWN: Trouble.NO_ANSWER,
    OutgoingState.HELD: Trouble.LOGIN_REFUSED,
}
"""What a state says by itself: a mail may come to it without a try of its own, and then nothing was said about it."""


def key_of(vault: Vault, row: Any) -> DataKey:
    """The key of the mailbox whose row, or joined row, this is.

    Raises:
        NotFound: the mailbox is being removed.
    """
    if row.wrapped_key is None:
        raise NotFound("The mailbox is being removed.")
    return vault.data_key(row.wrapped_key, row.mailbox_workspace, row.mailbox_id)


def sealed_letter(key: DataKey, workspace: str, outgoing_id: str, letter: Letter) -> bytes:
    """A letter as its column holds it."""
    # What a form holds may be no valid Unicode; JSON in ASCII keeps it as it is.
    return key.seal(json.dumps(asdict(letter)).encode(), _place(workspace, outgoing_id))


def opened_letter(key: DataKey, workspace: str, outgoing_id: str, sealed: bytes) -> Letter:
    """What `sealed_letter` sealed."""
    fields = json.loads(key.open(sealed, _place(workspace, outgoing_id)))
    recipients = tuple(_recipient(each) for each in fields["recipients"])
    return Letter(**{**fields, "recipients": recipients, "files": tuple(fields["files"])})


def outgoing_record(row: Any, key: DataKey) -> Outgoing:
    """The record of a row that is joined with its mailbox, as `storage.outgoing_rows` reads it."""
    state = OutgoingState(row.state)
    letter = None
    if row.letter is not None:
        letter = opened_letter(key, row.mailbox_workspace, row.id, row.letter)
        # What was said of a try is over once that trouble is.
        letter = letter if row.trouble is not None else replace(letter, said="")
    return Outgoing(
        id=row.id,
        mailbox_id=row.mailbox_id,
        owner=Person(row.mailbox_workspace, row.owner),
        actor=Person(row.workspace, row.actor),
        answers=row.answers,
        state=state,
        letter=letter,
        attempts=row.attempts,
        created_at=row.created_at,
        due_at=row.due_at,
        finished_at=row.finished_at,
        octets=row.octets,
        trouble=_IMPLIED.get(state) if row.trouble is None else Trouble(row.trouble),
        is_left=row.is_left,
        begun_at=row.begun_at,
    )


def _recipient(fields: dict[str, Any]) -> Recipient:
    words = {"field": RecipientField(fields["field"]), "state": RecipientState(fields["state"])}
    return Recipient(**{**fields, **words})


def _place(workspace: str, outgoing_id: str) -> Place:
    return Place(workspace, "outgoing", outgoing_id, "letter")
