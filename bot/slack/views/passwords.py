"""The form for a new password, its test and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.drafts import PASSWORD_LIMIT
from bot.slack.views.add_form import IN_SIGHT, KEEP_TYPED
from bot.slack.views.fields import field, text_input
from bot.slack.views.sentences import name_of
from bot.slack.views.steps import tested_text
from bot.slack.views.words import Block, View, actions, button, context, modal, mrkdwn, plain, section

if TYPE_CHECKING:
    from bot.slack.drafts import Draft
    from bot.slack.views.values import Report, Tested
    from storage.records import Mailbox

_UNTIL: Final = "Mailbox tries it on the mail server first; until it works, the stored one stays in use."
_OWN_OUTGOING: Final = "The outgoing server has a user name and password of its own; change those with Edit."
_SAME_OUTGOING: Final = "It is used for the outgoing server too."


def password_form(mailbox: Mailbox, draft: Draft, *, report: Report | None = None) -> View:
    """Asks for the incoming password; after a failed test with what failed on top."""
    blocks = [_title(mailbox)]
    if report is not None:
        blocks.append(section(mrkdwn(_failure(report))))
    blocks.append(section(plain(_UNTIL)))
    hint = f"{KEEP_TYPED} {IN_SIGHT}" if draft.has_typed else IN_SIGHT
    entry = text_input("", longest=PASSWORD_LIMIT)
    blocks.append(
        field(draft, names.INCOMING_PASSWORD, "New password", entry, hint=hint, optional=draft.has_typed)
    )
    blocks += _outgoing(mailbox)
    return modal(
        "Incoming password",
        names.PASSWORD_FORM,
        blocks,
        submit="Test and save",
        close="Cancel",
        metadata=draft.metadata(),
    )


def _title(mailbox: Mailbox) -> Block:
    """Which mailbox the password is for."""
    profile = mailbox.profile
    return section(
        plain(f"Incoming password of “{profile.name}” ({profile.username} at {profile.incoming.host})")
    )


def _outgoing(mailbox: Mailbox) -> list[Block]:
    """What the new password means for sending."""
    if mailbox.profile.outgoing is None:
        return []
    return [context(plain(_SAME_OUTGOING if mailbox.profile.outgoing_username is None else _OWN_OUTGOING))]


def _failure(report: Report) -> str:
    """The test that failed; the stored password is untouched."""
    servers: list[tuple[str, Tested | None]] = [
        ("Incoming server", report.incoming),
        ("Outgoing server", report.outgoing),
    ]
    found = [tested_text(title, tested) for title, tested in servers if tested is not None]
    return "\n".join([*found, "The stored password was not changed."])


def password_in_progress(mailbox: Mailbox, *, metadata: str = "") -> View:
    """Shown in place of the form while the test runs."""
    profile = mailbox.profile
    blocks = [
        section(plain(f"Trying the new password of “{profile.name}” at {profile.incoming.host}…")),
        context(
            plain(
                "This takes up to 30 seconds. You may close this window; the result then comes as a direct message."
            )
        ),
    ]
    return modal("Testing", names.TESTING, blocks, metadata=metadata)


def password_saved(mailbox: Mailbox, report: Report, *, metadata: str = "") -> View:
    """The new password works and is stored."""
    blocks = [
        section(mrkdwn(f"✓ The new password of {name_of(mailbox)} works and is saved.")),
        section(mrkdwn(tested_text("Incoming server", report.incoming))),
        section(mrkdwn(_fetched(mailbox))),
        actions(button("Check now", names.CHECK_BUTTON, mailbox.id, style="primary")),
    ]
    return modal("Password changed", names.RESULT, blocks, metadata=metadata)


def _fetched(mailbox: Mailbox) -> str:
    """Whether mail comes again."""
    if not mailbox.is_active:
        return "This mailbox is not active, so nothing is fetched from it until you make it active."
    if mailbox.is_paused:
        return "It is paused, so nothing is fetched until you resume it."
    return "What waited on the mail server follows now."
