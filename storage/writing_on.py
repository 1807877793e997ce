"""Writing on: a mail that was called back, or that failed, gives way to one mail at most that is sent from its form."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from storage.errors import Changed, NotFound
from storage.letters import key_of, outgoing_record, sealed_letter
from storage.outgoing_rows import change, row_of
from storage.sending import NOT_SENT

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.records import Person
    from storage.vault import Vault


async def give_way(session: AsyncSession, vault: Vault, actor: Person, outgoing_id: str) -> None:
    """Mark a mail as written on, inside the transaction that saves what takes its place; its form is opened no more.

    One that is gone, or somebody else's, stands in nobody's way.

    Args:
        actor: who wrote it on.
        outgoing_id: "" for a mail that takes no other's place.

    Raises:
        Changed: it was written on already, or is sent again.
    """
    if not outgoing_id:
        return
    try:
        row = await row_of(session, outgoing_id, is_locked=True)
    except NotFound:
        return
    key = key_of(vault, row)
    outgoing = outgoing_record(row, key)
    if outgoing.actor != actor or outgoing.letter is None:
        return
    if outgoing.is_written_on or outgoing.state not in NOT_SENT:
        raise Changed("The mail was written on already, or is sent again.")
    letter = replace(outgoing.letter, is_written_on=True, draft="")
    await change(session, outgoing_id, {"letter": sealed_letter(key, row.mailbox_workspace, row.id, letter)})
