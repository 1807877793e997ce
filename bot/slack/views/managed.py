"""What somebody sees who may manage another's mailbox: its state, its delete setting, what is muted. Pure.

No server, no address and no password stands in any of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.plan import MOST_DELETE_DAYS
from bot.retention import WORDS
from bot.slack import names
from bot.slack.views.add_form import RETENTIONS
from bot.slack.views.fields import number_input, radio
from bot.slack.views.holding import is_erased
from bot.slack.views.lists import state_words
from bot.slack.views.words import (
    HINT_LIMIT,
    Block,
    View,
    actions,
    button,
    context,
    modal,
    mrkdwn,
    plain,
    quoted,
    section,
)
from storage.records import Health, Retention
from storage.wishes import RuleKind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.retention import WhyNot
    from storage.records import Mailbox
    from storage.wishes import Rule

RETENTION_WORDS: Final = {Retention(value): words for words, value in RETENTIONS} | {
    Retention.DELETE_ASKED: "Delete when its owner presses Delete in Slack"
}
MOST_RULES: Final = 40
_START_DAYS: Final = 30
_LABEL: Final = 300

_LEFT_TO_OWNER: Final = "Its password, its servers, sharing and removing it are its owner's alone."
_NO_RULES: Final = (
    "Nothing is muted. “Mute sender” in a message of this mailbox keeps such mail out of its owner's Slack; it stays on "
    "the mail server."
)
_ABOUT_RULES: Final = (
    "This mail is fetched and not posted to its owner; it stays on the mail server. Once you remove a line, what comes from "
    "then on is posted again."
)
CHECKING: Final = "It is checked now, or as soon as its provider allows."
PAUSED: Final = "It is paused, and its owner is told so. Its mail waits on the mail server."
RESUMED: Final = "It is fetched again."
SAVED: Final = "The delete setting is saved, and its owner is told so."
NOT_CHECKED: Final = (
    "It was not checked: only an active mailbox that is not paused and whose password is taken can be."
)


def managed(mailbox: Mailbox, now: datetime, *, said: str = "") -> View:
    """A mailbox with what may be done to it.

    Args:
        said: what came of a button, of our own words.
    """
    top = section(mrkdwn(f"{quoted(mailbox.profile.name)} of <@{mailbox.owner.user}>"))
    state = section(mrkdwn(f"{state_words(mailbox, now)}\n{_retention(mailbox)}"))
    news = [section(plain(said))] if said else []
    below = context(plain(_LEFT_TO_OWNER))
    blocks = [top, state, *news, actions(*_buttons(mailbox)), below]
    return modal("Manage", names.SHARED_MANAGED, blocks, metadata=mailbox.id)


def _retention(mailbox: Mailbox) -> str:
    days = f" ({mailbox.delete_days} days)" if mailbox.delete_days else ""
    return f"Delete setting: {RETENTION_WORDS[mailbox.retention]}{days}"


def _buttons(mailbox: Mailbox) -> list[dict[str, Any]]:
    """What can be done to it as it is."""
    may_sign_in = mailbox.health is not Health.LOGIN_REFUSED and not is_erased(mailbox)
    is_checked = mailbox.is_active and not mailbox.is_paused and may_sign_in
    row = [button("Check now", names.SHARED_CHECK, mailbox.id)] if is_checked else []
    if mailbox.is_paused:
        row.append(button("Resume", names.SHARED_RESUME, mailbox.id))
    else:
        row.append(button("Pause", names.SHARED_PAUSE, mailbox.id) | {"confirm": _CONFIRM})
    row.append(button("Delete setting…", names.SHARED_RETENTION, mailbox.id))
    row.append(button("Muted senders", names.SHARED_RULES, mailbox.id))
    return row


_CONFIRM: Final = {
    "title": plain("Pause this mailbox?", 100),
    "text": plain(
        "Nothing is fetched from it until somebody resumes it. Its owner is told that you paused it.", 300
    ),
    "confirm": plain("Pause", 30),
    "deny": plain("Leave it", 30),
}


# Delete setting


def retention_form(mailbox: Mailbox, allowed: Sequence[tuple[Retention, WhyNot | None]]) -> View:
    """The delete setting of another's mailbox, as far as its server can carry it out."""
    top = section(mrkdwn(f"{quoted(mailbox.profile.name)} of <@{mailbox.owner.user}>"))
    choices = tuple((RETENTION_WORDS[each], each.value) for each, why_not in allowed if why_not is None)
    why = " ".join(dict.fromkeys(WORDS[why_not] for _, why_not in allowed if why_not is not None))
    if len(choices) == 1:
        words = plain(f"{choices[0][0]}. {why}")
        return modal("Delete setting", names.RESULT, [top, section(words)])
    fields = [
        _input(names.RETENTION, "Delete setting", radio(choices, mailbox.retention.value), why),
        _input(
            names.DELETE_DAYS,
            "After how many days",
            number_input(str(mailbox.delete_days or _START_DAYS), MOST_DELETE_DAYS),
            f"From 1 to {MOST_DELETE_DAYS}; counts for “{RETENTION_WORDS[Retention.DELETE_LATER]}” only.",
        ),
    ]
    note = context(plain("Its owner is told of a change."))
    return modal(
        "Delete setting",
        names.SHARED_RETENTION_FORM,
        [top, *fields, note],
        submit="Save",
        metadata=mailbox.id,
        close="Cancel",
    )


def _input(name: str, label: str, element: dict[str, Any], hint: str) -> Block:
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "element": {"action_id": names.VALUE, **element},
        "optional": name == names.DELETE_DAYS,
    }
    return block | ({"hint": plain(hint, HINT_LIMIT)} if hint else {})


# What is muted


def shared_rules(mailbox: Mailbox, found: Sequence[Rule]) -> View:
    """The senders that are muted in another's mailbox; conversations are their owner's affair."""
    top = section(mrkdwn(f"{quoted(mailbox.profile.name)} of <@{mailbox.owner.user}>"))
    senders = [rule for rule in found if rule.kind is RuleKind.SENDER]
    if not senders:
        return modal(
            "Muted senders", names.SHARED_MUTED, [top, section(plain(_NO_RULES))], metadata=mailbox.id
        )
    lines = [_rule(rule) for rule in senders[:MOST_RULES]]
    if len(senders) > MOST_RULES:
        lines.append(context(plain(f"And {len(senders) - MOST_RULES:,} more: remove some to see them.")))
    return modal(
        "Muted senders",
        names.SHARED_MUTED,
        [top, section(plain(_ABOUT_RULES)), *lines],
        metadata=mailbox.id,
    )


def _rule(rule: Rule) -> Block:
    count = f"{rule.count:,} e-mail{'' if rule.count == 1 else 's'} kept out"
    words = f"{plain(rule.label, _LABEL)['text']}\n{count}"
    return section(plain(words), accessory=button("Remove", names.SHARED_UNMUTE, rule.id))
