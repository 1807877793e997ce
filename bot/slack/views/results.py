"""Modals around a connection test: loading, in progress, done, and what to say when there is nothing to show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.old_mail import about
from bot.slack.views.calm import calm_words
from bot.slack.views.sentences import IS_PAUSED, gave_way, name_of, names_of
from bot.slack.views.steps import TEST_TAKES, maildrop, tested_text
from bot.slack.views.words import (
    Answer,
    Block,
    View,
    actions,
    button,
    context,
    literal,
    modal,
    mrkdwn,
    plain,
    section,
)
from storage.records import Retention

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from bot.slack.views.values import OldMailComing, Report
    from storage.records import Mailbox, Profile

_RETENTION: Final = {
    Retention.LEAVE: "Mail stays on the server.",
    Retention.DELETE_POSTED: "Mail is deleted from the server once it is in Slack.",
    Retention.DELETE_LATER: "Mail is deleted from the server {days} after it is in Slack.",
    Retention.DELETE_ASKED: "Mail is deleted from the server when you press Delete in Slack.",
}
_NO_DATES: Final = (
    "This server does not tell what arrived in the last 7 days, so the newest 50 messages come instead."
)
_IN_PIECES: Final = "They come in the thread of one message in Slack; a button there stops it."
_EXPIRED: Final = (
    "This form is too old to go on with, and nothing was saved. Please open it again with `/mailbox`."
)

_INTERRUPTED: Final = (
    "Mailbox is being restarted, so this test was cut short. Type `/mailbox list` in a minute; "
    "what is not saved there, please send again."
)


def loading(title: str) -> View:
    """A modal that is open while what belongs in it is looked up."""
    return modal(title, names.RESULT, [section(plain("One moment…"))])


def in_progress(profile: Profile) -> View:
    """Shown in place of the form while the test runs; has no fields, so nothing typed stays in sight."""
    found = [_target("Incoming server", profile.incoming.host, profile.incoming.port)]
    if profile.outgoing is not None:
        found.append(_target("Outgoing server", profile.outgoing.host, profile.outgoing.port))
    blocks = [
        section(plain(f"Testing “{profile.name}”…")),
        *found,
        context(plain(TEST_TAKES)),
    ]
    return modal("Testing", names.TESTING, blocks)


def _target(title: str, host: str, port: int) -> Block:
    """Which server is being tested."""
    return section(plain(f"{title}: {host}, port {port}"))


def saved(
    mailbox: Mailbox,
    report: Report,
    *,
    is_new: bool = True,
    old: OldMailComing | None = None,
    interval: timedelta | None = None,
    active: Sequence[Mailbox] = (),
    rested: Sequence[Mailbox] = (),
    sharing: str = "",
) -> View:
    """The test passed and the mailbox is stored.

    `is_new`: it was added, not changed. `old`: how much of what lies in the maildrop is brought, when that was asked.
    `active`: the others that are active; `rested`: those that were until now. `sharing`: what came of sharing it; mrkdwn.
    """
    state = _state(mailbox, active, interval) + gave_way(rested)
    words = " ".join([*_mail_words(mailbox, report, old), state])
    blocks = [
        section(mrkdwn(f"✓ {name_of(mailbox)} is {'added' if is_new else 'changed'}.")),
        *_passed(report),
        section(mrkdwn(words)),
        *([section(mrkdwn(sharing))] if sharing else []),
        _buttons(mailbox),
    ]
    title = "Mailbox added" if is_new else "Mailbox changed"
    return modal(title, names.RESULT, blocks)


def _passed(report: Report) -> list[Block]:
    """What the test found; a failed outgoing server was left out by the person's own choice."""
    blocks = [section(mrkdwn(tested_text("Incoming server", report.incoming)))]
    if report.outgoing is not None and report.outgoing.failed is None:
        blocks.append(section(mrkdwn(tested_text("Outgoing server", report.outgoing))))
    else:
        blocks.append(section(plain("It only receives; you can add an outgoing server later with Edit.")))
    return blocks


def _mail_words(mailbox: Mailbox, report: Report, old: OldMailComing | None) -> list[str]:
    """What happens to the mail there is."""
    said = [maildrop(report.messages)]
    if old is not None:
        said += _old_mail(old, report.messages or 0)
    days = "a day" if mailbox.delete_days == 1 else f"{mailbox.delete_days} days"
    return [
        *filter(None, said),
        _RETENTION[mailbox.retention].format(days=days),
        *filter(None, [calm_words(mailbox)]),
    ]


def _old_mail(old: OldMailComing, messages: int) -> list[str]:
    """How much of the mail there is comes, and how long that takes."""
    if messages == 0:
        return ["What arrives from now on is brought to Slack."]
    if old.count == 0:
        return ["Old mail stays out of Slack; what arrives from now on is brought."]
    which = "all of them" if old.count == messages else f"the newest {old.count:,}"
    if messages == 1:
        which = "it"
    said = [f"Bringing {which} takes {about(old.takes)}; what arrives meanwhile comes first."]
    if old.has_no_dates:
        said.insert(0, _NO_DATES)
    return [*said, _IN_PIECES] if old.is_in_pieces else said


def _state(mailbox: Mailbox, active: Sequence[Mailbox], interval: timedelta | None) -> str:
    """Whether this mailbox is fetched, and what is fetched instead."""
    if not mailbox.is_active:
        others = f" {names_of(active)} {'stays' if len(active) == 1 else 'stay'} active." if active else ""
        return f"It is not active, so nothing is fetched from it until you make it so.{others}"
    if mailbox.is_paused:
        return IS_PAUSED
    return (
        f"It is checked every {_interval(interval)}."
        if interval
        else "It is checked regularly, starting now."
    )


def _interval(interval: timedelta) -> str:
    """The interval in words."""
    seconds = round(interval.total_seconds())
    if seconds < 60:
        return "second" if seconds == 1 else f"{seconds} seconds"
    minutes = round(seconds / 60)
    if minutes % 60 == 0:
        return "hour" if minutes == 60 else f"{minutes // 60} hours"
    return "minute" if minutes == 1 else f"{minutes} minutes"


def _buttons(mailbox: Mailbox) -> Block:
    """The next thing to do."""
    if not mailbox.is_active:
        return actions(button("Make active", names.ACTIVATE_BUTTON, mailbox.id, style="primary"))
    if mailbox.is_paused:
        return actions(button("Resume", names.RESUME_BUTTON, mailbox.id, style="primary"))
    return actions(button("Check now", names.CHECK_BUTTON, mailbox.id, style="primary"))


def expired() -> View:
    """The form's draft is gone."""
    return could_not_open(_EXPIRED)


def interrupted() -> View:
    """The process ends while a test runs."""
    return could_not_open(_INTERRUPTED)


def as_modal(said: Answer) -> View:
    """An answer as a modal, for a button that stands in one."""
    return modal("Mailbox", names.RESULT, said["blocks"])


def could_not_open(sentence: str) -> View:
    """A modal with one sentence, not escaped, in place of what could not be shown."""
    return modal("Mailbox", names.RESULT, [section(mrkdwn(literal(sentence, 2500)))])
