"""The form for a new password, its test and its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.retention import sends_as
from bot.slack import names
from bot.slack.drafts import PASSWORD_LIMIT, asks_outgoing_alone
from bot.slack.views.add_form import IN_SIGHT, KEEP_TYPED
from bot.slack.views.fields import field, text_input
from bot.slack.views.holding import ERASED, is_erased
from bot.slack.views.sentences import IS_PAUSED, name_of
from bot.slack.views.steps import TEST_TAKES, tested_text
from bot.slack.views.words import (
    Block,
    View,
    actions,
    button,
    context,
    escaped,
    modal,
    mrkdwn,
    plain,
    section,
)

if TYPE_CHECKING:
    from bot.slack.drafts import Draft
    from bot.slack.views.values import Report, Tested
    from storage.records import Mailbox

_UNTIL: Final = "Mailbox tries it on the mail server first; until it works, the stored one stays in use."
_AGAIN: Final = f"{ERASED} Mailbox tries it on the mail server first, and fetches mail again once it works."
_SAME_OUTGOING: Final = "It is used for the outgoing server too."
_UNCHANGED: Final = "Leave empty to keep the stored one."
_NONE_STORED: Final = "Without it, nothing is sent."
_SENDING: Final = "It is used from now on when you send, and what waited for it goes out; nothing changes for what you receive."
_APART: Final = (
    "So far one password serves both servers; this one is for sending alone. If the password of the account is a new "
    "one, change it with “Password” in `/mailbox list` instead."
)
_NOTHING_CHANGED: Final = "The stored password was not changed."
_ONE_CHANGED: Final = "The new incoming password is saved; the outgoing one was not changed."


def password_form(mailbox: Mailbox, draft: Draft, *, report: Report | None = None, trouble: str = "") -> View:
    """Asks for the incoming password, for the outgoing one, or both; what failed stands on top."""
    is_alone = asks_outgoing_alone(draft)
    blocks = [_outgoing_title(mailbox) if is_alone else _title(mailbox)]
    if report is not None:
        blocks.append(section(mrkdwn(_failure(report))))
    elif trouble:
        blocks.append(section(mrkdwn(f"✗ {escaped(trouble)}")))
    blocks.append(section(plain(_AGAIN if is_erased(mailbox) else _UNTIL)))
    if is_alone:
        keeps = KEEP_TYPED if draft.has_typed else ""
        blocks.append(_field(draft, names.OUTGOING_PASSWORD, "New outgoing password", keeps))
        blocks += [] if has_own_outgoing(mailbox) else [context(mrkdwn(_APART))]
    elif has_own_outgoing(mailbox):
        keeps = _NONE_STORED if is_erased(mailbox) and not draft.has_typed else _keeps(draft)
        incoming = "" if keeps is _NONE_STORED else keeps
        blocks.append(_field(draft, names.INCOMING_PASSWORD, "New incoming password", incoming))
        blocks.append(_field(draft, names.OUTGOING_PASSWORD, "New outgoing password", keeps))
    else:
        keeps = KEEP_TYPED if draft.has_typed else ""
        blocks.append(_field(draft, names.INCOMING_PASSWORD, "New password", keeps))
        blocks += [context(plain(_SAME_OUTGOING))] if mailbox.profile.outgoing is not None else []
    return modal(
        "Outgoing password" if is_alone else "Change password",
        names.PASSWORD_FORM,
        blocks,
        submit="Test and save",
        close="Cancel",
        metadata=draft.metadata(),
    )


def has_own_outgoing(mailbox: Mailbox) -> bool:
    """The outgoing server has a user name and a password of its own."""
    return mailbox.profile.outgoing is not None and mailbox.profile.outgoing_username is not None


def _keeps(draft: Draft) -> str:
    return KEEP_TYPED if draft.has_typed else _UNCHANGED


def _field(draft: Draft, name: str, label: str, keeps: str) -> Block:
    hint = f"{keeps} {IN_SIGHT}" if keeps else IN_SIGHT
    entry = text_input("", longest=PASSWORD_LIMIT)
    return field(draft, name, label, entry, hint=hint, optional=bool(keeps))


def _title(mailbox: Mailbox) -> Block:
    """Which mailbox the password is for, and at which servers."""
    profile = mailbox.profile
    words = f"Password of “{profile.name}” ({profile.username} at {profile.incoming.host}"
    if profile.outgoing is not None and profile.outgoing_username is not None:
        words += f"; outgoing {profile.outgoing_username} at {profile.outgoing.host}"
    return section(plain(f"{words})"))


def _outgoing_title(mailbox: Mailbox) -> Block:
    """Which mailbox the password is for, and at which outgoing server."""
    profile = mailbox.profile
    user = sends_as(profile)
    host = "" if profile.outgoing is None else f" at {profile.outgoing.host}"
    return section(plain(f"Outgoing password of “{profile.name}” ({user}{host})"))


def _found(report: Report) -> list[str]:
    """Each server that was tried."""
    servers: list[tuple[str, Tested | None]] = [
        ("Incoming server", report.incoming),
        ("Outgoing server", report.outgoing),
    ]
    return [
        tested_text(title, tested) for title, tested in servers if tested is not None and tested.was_tried
    ]


def _failure(report: Report) -> str:
    """The test that failed, and what of it is stored."""
    is_one_saved = report.incoming.was_tried and report.is_outgoing_refused
    return "\n\n".join([*_found(report), _ONE_CHANGED if is_one_saved else _NOTHING_CHANGED])


def password_in_progress(mailbox: Mailbox, *, is_outgoing: bool = False) -> View:
    """Shown in place of the form while the test runs; `is_outgoing`: of the outgoing server alone."""
    profile = mailbox.profile
    server = profile.outgoing if is_outgoing and profile.outgoing is not None else profile.incoming
    blocks = [
        section(plain(f"Trying the new password of “{profile.name}” at {server.host}…")),
        context(plain(TEST_TAKES)),
    ]
    return modal("Testing", names.TESTING, blocks)


def password_saved(mailbox: Mailbox, report: Report) -> View:
    """The new password works and is stored."""
    blocks = [
        section(mrkdwn(f"✓ The new password of {name_of(mailbox)} works and is saved.")),
        section(mrkdwn("\n\n".join(_found(report)))),
        section(mrkdwn(_fetched(mailbox) if report.incoming.was_tried else _SENDING)),
    ]
    if report.incoming.was_tried:
        blocks.append(actions(button("Check now", names.CHECK_BUTTON, mailbox.id, style="primary")))
    return modal("Password changed", names.RESULT, blocks)


def _fetched(mailbox: Mailbox) -> str:
    """Whether mail comes again."""
    if not mailbox.is_active:
        return "This mailbox is not active, so nothing is fetched from it until you make it active."
    if mailbox.is_paused:
        return IS_PAUSED
    return "What waited on the mail server follows now."
