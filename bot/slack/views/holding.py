"""What somebody reads who may not add a mailbox: why, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack import names
from bot.slack.views.words import Block, View, literal, modal, mrkdwn, section
from storage.records import Health
from storage.sharing import Suspension

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.records import Mailbox

MOST_NAMED = 5

SUSPENDED = {
    Suspension.ADMINISTRATOR: "Suspended by an administrator",
    Suspension.ROLE: "Suspended: your role may not have a mailbox",
    Suspension.DEACTIVATED: "Suspended while its owner's account is deactivated",
}
"""Why a mailbox is not fetched."""

_ERASED = (
    "Its password was erased while your account was deactivated, so nobody signs in. Enter it anew with /mailbox password; "
    "then the doctor can look."
)


def not_examined(mailbox: Mailbox) -> str:
    """Why the doctor does not sign in to a mailbox, "" where it may."""
    if mailbox.suspension is not None:
        why = SUSPENDED[mailbox.suspension]
        return f"{why}, so it is not fetched and nobody signs in to it. Please ask a workspace administrator."
    return _ERASED if mailbox.health is Health.PASSWORD_ERASED else ""


def cannot_add_blocks(sentence: str, administrators: Sequence[str]) -> list[Block]:
    """Why, and whom to ask; `administrators` are user ids."""
    named = " or ".join(f"<@{user}>" for user in administrators[:MOST_NAMED])
    ask = f"To change that, ask {named}." if named else "To change that, ask a workspace administrator."
    return [section(mrkdwn(f"{literal(sentence, 1000)}\n{ask}"))]


def cannot_add(sentence: str, administrators: Sequence[str]) -> View:
    """The same as a modal, in place of the add form."""
    return modal("Add mailbox", names.RESULT, cannot_add_blocks(sentence, administrators))
