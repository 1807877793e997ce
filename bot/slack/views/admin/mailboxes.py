"""Health of every mailbox of the workspace, worst first: no address, no name, no content, and no way to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.slack import names
from bot.slack.views.admin.wording import person
from bot.slack.views.fields import lines
from bot.slack.views.words import (
    Block,
    View,
    actions,
    button,
    context,
    counted,
    literal,
    modal,
    mrkdwn,
    plain,
    section,
    when,
)
from storage.records import Health
from storage.sharing import Suspension

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.dossier import Holding

MAILBOXES_A_PAGE: Final = 20

_HEALTH: Final = {
    Health.NEW: "not checked yet",
    Health.OK: "well",
    Health.LOGIN_DOUBTED: "login refused once, tried again",
    Health.LOGIN_REFUSED: "login refused: the owner must give a new password",
    Health.PASSWORD_ERASED: "its password was erased: the owner must enter it anew",
    Health.MAILDROP_BUSY: "another mail program holds it",
    Health.UNREACHABLE: "the server does not answer",
    Health.CERTIFICATE_INVALID: "the server's certificate is wrong",
    Health.SERVER_FAULT: "the server answers with an error",
    Health.ASKED: "waits for its owner's answer about old mail",
}
_SUSPENDED: Final = {
    Suspension.ADMINISTRATOR: "suspended by an administrator",
    Suspension.ROLE: "suspended: its owner may not have a mailbox",
    Suspension.DEACTIVATED: "suspended: its owner's account is deactivated",
}
_SET_ABOVE: Final = "suspended by somebody who ranks above you; they, or somebody of their rank, can lift it"
_STAYS: Final = (
    "everything posted in the owner's direct messages",
    "every message on the mail server",
    "backups that whoever runs Mailbox made before, until they run out",
)


@dataclass(frozen=True, slots=True)
class MailboxState:
    """What an administrator sees of a mailbox.

    Attributes:
        owner: a user.
        server: the provider's name where it is known, else the incoming server's.
        waiting: messages on their way to Slack.
        is_liftable: nobody who ranks above the administrator who looks suspended it.
    """

    id: str
    owner: str
    server: str
    health: Health
    is_active: bool
    is_paused: bool
    suspension: Suspension | None
    created_at: datetime
    last_success_at: datetime | None
    failures: int
    waiting: int
    is_liftable: bool = True


def mailboxes_view(found: Sequence[MailboxState], page: int, total: int, *, notice: str = "") -> View:
    """One page, worst first.

    Args:
        page: from 0.
        notice: what was just done, in mrkdwn of our own words.
    """
    blocks = [section(mrkdwn(notice))] if notice else []
    if not total:
        blocks.append(section(plain("Nobody has a mailbox yet.")))
        return modal("Mailboxes", names.ADMIN_MAILBOXES, blocks)
    pages = -(-total // MAILBOXES_A_PAGE)
    words = f"{counted(total, 'mailbox', 'mailboxes')}, those that need somebody first · page {page + 1} of {pages}"
    blocks.append(context(plain(words)))
    for state in found:
        blocks += [section(mrkdwn(_state(state))), _row(state)]
    blocks += _paging(page, pages)
    return modal("Mailboxes", names.ADMIN_MAILBOXES, blocks, metadata=str(page))


def delete_form(state: MailboxState, held: Holding, page: int) -> View:
    """Asks before somebody's mailbox is deleted. The metadata is its id, and the page to show afterwards."""
    goes = ["its settings and its passwords", "every share of it; copies for others are withdrawn from Slack"]
    if held.waiting:
        goes.append(f"{counted(held.waiting, 'post', 'posts')} on the way to Slack, not made yet")
    if held.copies:
        goes.append(f"{counted(held.copies, 'sealed copy', 'sealed copies')} of messages")
    if held.uids:
        goes.append(
            f"what Mailbox remembers of {counted(held.uids, 'message', 'messages')} on the mail server"
        )
    blocks = [
        section(mrkdwn(f"Delete the mailbox of {person(state.owner)} at {literal(state.server, 120)}?")),
        section(mrkdwn(f"*What goes, for good:*\n{lines(goes)}")),
        section(mrkdwn(f"*What stays:*\n{lines(_STAYS)}")),
        context(mrkdwn("Its owner is told. To stop it for a while, choose Suspend instead.")),
    ]
    metadata = f"{state.id} {page}"
    return modal(
        "Delete mailbox", names.ADMIN_DELETE_FORM, blocks, submit="Delete", close="Keep", metadata=metadata
    )


def deleted(owner: str, receipt: str, *, is_told: bool) -> View:
    """A mailbox is gone."""
    told = (
        "The owner was told." if is_told else "Slack did not take the message to the owner: please tell them."
    )
    words = f"✓ The mailbox of {person(owner)} is deleted. {told} Receipt {literal(receipt, 40)}."
    return modal("Delete mailbox", names.RESULT, [section(mrkdwn(words))], close="Back")


def switched(state: MailboxState) -> str:
    """What became of a mailbox that was suspended or lifted, in mrkdwn."""
    who = f"The mailbox of {person(state.owner)}"
    if state.suspension is Suspension.ADMINISTRATOR:
        return f"✓ {who} is suspended: nothing is fetched, and nothing of it is shared."
    if state.suspension is None:
        return f"✓ {who} goes on."
    return f"✓ No administrator holds it back any more. {who} still is {_SUSPENDED[state.suspension]}."


def owner_told() -> str:
    """What the owner of a deleted mailbox is told, in mrkdwn."""
    return (
        "An administrator of this workspace deleted one of your mailboxes from Mailbox. Its settings, passwords and copies "
        "are destroyed; your mail on the mail server and the posts here stay. `/mailbox list` shows what you have left."
    )


def _state(state: MailboxState) -> str:
    """A mailbox in words."""
    said = [f"{person(state.owner)} · {literal(state.server, 120)}", f"{_mark(state)} {_words(state)}"]
    last = state.last_success_at
    times = f"last success {when(last)}" if last else "no success yet"
    said.append(f"{times} · added {when(state.created_at)}")
    counts = []
    if state.failures:
        counts.append(f"{counted(state.failures, 'failed check', 'failed checks')} in a row")
    if state.waiting:
        counts.append(f"{counted(state.waiting, 'message waits', 'messages wait')} for Slack")
    return "\n".join([*said, *filter(None, [" · ".join(counts)])])


def _mark(state: MailboxState) -> str:
    if state.suspension is not None:
        return "❚❚"
    return {Health.OK: "✓", Health.NEW: "○"}.get(state.health, "✗")


def _words(state: MailboxState) -> str:
    if state.suspension is Suspension.ADMINISTRATOR and not state.is_liftable:
        return _SET_ABOVE
    if state.suspension is not None:
        return _SUSPENDED[state.suspension]
    if not state.is_active:
        return f"not its owner's active one ({_HEALTH[state.health]})"
    return f"paused by its owner ({_HEALTH[state.health]})" if state.is_paused else _HEALTH[state.health]


def _row(state: MailboxState) -> Block:
    last = button("Delete …", names.DELETE_MAILBOX, state.id, style="danger")
    row = f"mailbox:{state.id}"
    if state.suspension is Suspension.ADMINISTRATOR and not state.is_liftable:
        return {**actions(last), "block_id": row}
    if state.suspension is not Suspension.ADMINISTRATOR:
        first = button("Suspend", names.SUSPEND_MAILBOX, state.id)
        first["confirm"] = _confirm(
            "Suspend this mailbox?",
            "It is not fetched, and nothing of it is shared, until an administrator lifts this. Its mail waits on the mail "
            "server. The owner is told.",
            "Suspend",
        )
    else:
        first = button("Lift", names.LIFT_MAILBOX, state.id, style="primary")
    return {**actions(first, last), "block_id": row}


def _confirm(title: str, text: str, yes: str) -> dict[str, Any]:
    return {
        "title": plain(title, 100),
        "text": plain(text, 300),
        "confirm": plain(yes, 30),
        "deny": plain("Cancel", 30),
    }


def _paging(page: int, pages: int) -> list[Block]:
    elements = []
    if page:
        elements.append(
            {**button("Previous", names.ADMIN_PAGE, str(page - 1)), "action_id": f"{names.ADMIN_PAGE}:back"}
        )
    if page + 1 < pages:
        elements.append(
            {**button("Next", names.ADMIN_PAGE, str(page + 1)), "action_id": f"{names.ADMIN_PAGE}:on"}
        )
    return [actions(*elements)] if elements else []
