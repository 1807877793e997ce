"""What is stored about a person, in words: before it goes, after it is gone, and when it is handed to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.views.fields import lines
from bot.slack.views.sentences import name_of
from bot.slack.views.words import (
    Answer,
    Block,
    View,
    answer,
    context,
    counted,
    literal,
    modal,
    mrkdwn,
    plain,
    quoted,
    section,
    when,
)

if TYPE_CHECKING:
    from datetime import datetime

    from bot.slack.views.values import Receipt
    from storage.dossier import Holding
    from storage.records import Mailbox

CONFIRMATION_WORD: Final = "erase"

_STAYS: Final = (
    "everything posted in Slack",
    "every message on the mail server",
    "backups that whoever runs Mailbox made before, until they run out",
)
_ACTIVE: Final = "It is active; when it is gone, no other mailbox becomes active by itself."
_NOT_CONFIRMED: Final = f"Type “{CONFIRMATION_WORD}” to go on, or press “Keep”."


def remove_form(mailbox: Mailbox, held: Holding) -> View:
    """Asks before a mailbox is removed; says what goes and what stays. The metadata is the mailbox's id."""
    blocks = [
        section(mrkdwn(f"Remove {name_of(mailbox)}?")),
        section(plain(f"{mailbox.profile.address} at {mailbox.profile.incoming.host}")),
        *_goes_and_stays(["its settings and its passwords", *_contents(held)]),
    ]
    if mailbox.is_active:
        blocks.append(context(plain(_ACTIVE)))
    return modal(
        "Remove mailbox", names.REMOVE_FORM, blocks, submit="Remove", close="Keep", metadata=mailbox.id
    )


def removed(name: str, receipt: Receipt) -> Answer:
    """A mailbox is gone: the receipt."""
    gone = ["its settings and its passwords", *_contents(receipt.held)]
    return _receipt(f"{quoted(name)} is removed.", gone, receipt)


def erase_form(held: Holding, now: datetime) -> View:
    """Asks before everything about a person is destroyed. The metadata is when they were told what that is."""
    warning = (
        "*Erase everything Mailbox has stored about you?* Fetching stops at once. This cannot be undone."
    )
    if held.mailboxes > 1:
        warning += " To remove a single mailbox, use `/mailbox remove`."
    ask: Block = {
        "type": "input",
        "block_id": names.CONFIRMATION,
        "label": plain(f"Type “{CONFIRMATION_WORD}” to confirm"),
        "element": {"type": "plain_text_input", "action_id": names.VALUE, "max_length": 50},
    }
    hint = context(mrkdwn("`/mailbox export` first gives you a file of it."))
    blocks = [section(mrkdwn(warning)), *_goes_and_stays(_everything(held)), ask, hint]
    return modal(
        "Erase everything",
        names.ERASE_FORM,
        blocks,
        submit="Erase everything",
        close="Keep",
        metadata=now.isoformat(),
    )


def not_confirmed() -> dict[str, str]:
    """The fault under the field of the word that confirms."""
    return {names.CONFIRMATION: _NOT_CONFIRMED}


def erased(receipt: Receipt) -> Answer:
    """Everything is gone: the receipt."""
    if not receipt.held:
        return nothing_stored()
    return _receipt("Everything Mailbox had stored about you is erased.", _everything(receipt.held), receipt)


def nothing_stored() -> Answer:
    """There is nothing to erase."""
    return answer("Mailbox has nothing stored about you, so there is nothing to erase.")


def given() -> Answer:
    """The export stands in the DM."""
    return answer(
        "Your data is in our direct messages now, as a file. It holds no password, and nothing of what your e-mail says."
    )


def not_given(code: str) -> Answer:
    """Slack did not take the file; `code` is its name for the reason, empty when it gave none."""
    if code:
        return answer(
            f"Slack did not take the file ({literal(code, 80)}), so your data was not sent. Please try again later."
        )
    return answer(
        "Slack did not say whether it took the file. Look into our direct messages; if it is not there, please try again."
    )


def _goes_and_stays(goes: list[str]) -> list[Block]:
    return [
        section(mrkdwn(f"*What goes, for good:*\n{lines(goes)}")),
        section(mrkdwn(f"*What stays:*\n{lines(_STAYS)}")),
    ]


def _receipt(done: str, gone: list[str], receipt: Receipt) -> Answer:
    text = "\n".join(
        [
            f"{done} Destroyed {when(receipt.at)}:",
            lines(gone),
            "",
            "What stays:",
            lines(_STAYS),
            "",
            f"Receipt {literal(receipt.id)}. Whoever runs Mailbox finds it in the log, without your name.",
        ]
    )
    return answer(text)


def _everything(held: Holding) -> list[str]:
    found = (
        [f"{counted(held.mailboxes, 'mailbox', 'mailboxes')} with settings and passwords"]
        if held.mailboxes
        else []
    )
    found += _contents(held)
    return [*found, "where our direct messages stand, and what was counted of your connection tests"]


def _contents(held: Holding) -> list[str]:
    """What stands behind a mailbox, as far as there is any."""
    found = []
    if held.waiting:
        found.append(f"{counted(held.waiting, 'post', 'posts')} on the way to Slack, not made yet")
    if held.unsent:
        found.append(f"{counted(held.unsent, 'e-mail', 'e-mails')} not sent yet: it will not happen any more")
    if held.sent > held.unsent:
        past = held.sent - held.unsent
        found.append(
            f"what Mailbox remembers of {counted(past, 'e-mail', 'e-mails')} that you or others sent"
        )
    if held.copies:
        found.append(f"{counted(held.copies, 'sealed copy', 'sealed copies')} of messages, kept for a while")
    if held.uids:
        found.append(
            f"what Mailbox remembers of {counted(held.uids, 'message', 'messages')} on the mail server: "
            "added again, they would count as new"
        )
    return found
