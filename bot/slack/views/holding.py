"""What somebody reads who may not add a mailbox: why, and whom to ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.slack import names
from bot.slack.views.words import Block, View, actions, button, literal, modal, mrkdwn, plain, section
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

ERASED = "Its password was erased because its owner's account had been deactivated for 14 days."


def is_erased(mailbox: Mailbox) -> bool:
    """Whether its password was erased, and none was stored since: that sets the failures back."""
    return mailbox.health is Health.PASSWORD_ERASED and mailbox.failures > 0


def enter_password(mailbox_id: str) -> dict[str, Any]:
    """The button that leads to the password form, where there is no password."""
    return button("Enter password", names.PASSWORD_BUTTON, mailbox_id, style="primary")


def not_examined(mailbox: Mailbox) -> View | None:
    """Why the doctor does not sign in to a mailbox, and what mends it; None where it may."""
    if mailbox.suspension is not None:
        why = SUSPENDED[mailbox.suspension]
        words = (
            f"{why}, so it is not fetched and nobody signs in to it. Please ask a workspace administrator."
        )
        return modal("Mailbox doctor", names.RESULT, [section(plain(words))])
    if is_erased(mailbox):
        words = f"{ERASED} So nobody can sign in, and nothing is fetched. Enter it again and mail comes as before."
        blocks = [section(plain(words)), actions(enter_password(mailbox.id))]
        return modal("Mailbox doctor", names.RESULT, blocks)
    return None


def cannot_add_blocks(sentence: str, administrators: Sequence[str]) -> list[Block]:
    """Why, and whom to ask; `administrators` are user ids."""
    named = " or ".join(f"<@{user}>" for user in administrators[:MOST_NAMED])
    ask = f"To change that, ask {named}." if named else "To change that, ask a workspace administrator."
    return [section(mrkdwn(f"{literal(sentence, 1000)}\n{ask}"))]


def cannot_add(sentence: str, administrators: Sequence[str]) -> View:
    """The same as a modal, in place of the add form."""
    return modal("Add mailbox", names.RESULT, cannot_add_blocks(sentence, administrators))
