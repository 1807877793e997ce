"""Short answers: acknowledgements, refusals and errors, each a sentence or two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.views.holding import ERASED, enter_password, is_erased
from bot.slack.views.words import (
    Answer,
    Block,
    actions,
    answer,
    button,
    escaped,
    listed,
    mrkdwn,
    quoted,
    section,
    shortened,
    shown,
    when,
)
from storage.records import Health

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.records import Mailbox

IS_PAUSED: Final = "It is paused, so nothing is fetched until you resume it."
MOST_NAMED: Final = 5


def name_of(mailbox: Mailbox) -> str:
    """A mailbox's name in quotation marks, for mrkdwn."""
    return quoted(mailbox.profile.name)


def names_of(mailboxes: Sequence[Mailbox]) -> str:
    """The names of some, and how many there are beside them, for mrkdwn."""
    return listed([name_of(mailbox) for mailbox in mailboxes], MOST_NAMED)


def gave_way(rested: Sequence[Mailbox]) -> str:
    """Which mailboxes were active until now, "" for none; mrkdwn."""
    if not rested:
        return ""
    if len(rested) == 1:
        return f" {name_of(rested[0])} keeps its settings and its place, and is not fetched meanwhile."
    return f" {names_of(rested)} keep their settings and their places, and are not fetched meanwhile."


def activated(mailbox: Mailbox, *, rested: Sequence[Mailbox] = (), is_only: bool = True) -> Answer:
    """A mailbox was made active; `rested` were active until now. `is_only`: no other one is active."""
    text = f"{name_of(mailbox)} is {'the active mailbox' if is_only else 'active'} now."
    if mailbox.is_paused:
        text += f" {IS_PAUSED}"
    elif is_erased(mailbox):
        text += f" {ERASED} Nothing is fetched until you enter it again."
    elif mailbox.health is Health.LOGIN_REFUSED:
        text += " Its password was refused, so nothing is fetched until you correct it."
    else:
        text += " New mail comes from there."
    text += gave_way(rested)
    return answer(text, [section(mrkdwn(text)), *_remedy(mailbox)])


def paused(mailbox: Mailbox) -> Answer:
    """Fetching was stopped."""
    text = f"{name_of(mailbox)} is paused. Its mail waits on the mail server until you resume it."
    return answer(text, [section(mrkdwn(text)), actions(button("Resume", names.RESUME_BUTTON, mailbox.id))])


def resumed(mailbox: Mailbox) -> Answer:
    """Fetching goes on, if nothing else stands in its way."""
    if not mailbox.is_active:
        text = f"{name_of(mailbox)} is no longer paused. It is not active, so nothing is fetched from it yet."
    elif is_erased(mailbox):
        text = (
            f"{name_of(mailbox)} is no longer paused. {ERASED} Nothing is fetched until you enter it again."
        )
    elif mailbox.health is Health.LOGIN_REFUSED:
        text = f"{name_of(mailbox)} is no longer paused, but its password was refused. Please enter the right one."
    else:
        text = f"{name_of(mailbox)} is fetched again, starting now."
    return answer(text, [section(mrkdwn(text)), *_remedy(mailbox)])


def checking(mailbox: Mailbox, *, not_before: datetime | None = None) -> Answer:
    """What "check now" does to a mailbox in this state; the provider allows none before `not_before`."""
    if mailbox.is_paused:
        text = f"{name_of(mailbox)} is paused, so it was not checked. Resume it to fetch its mail."
    elif not mailbox.is_active:
        text = f"{name_of(mailbox)} is not active, so it was not checked. Make it active to fetch its mail."
    elif is_erased(mailbox):
        text = f"{name_of(mailbox)} was not checked. {ERASED} Please enter it again."
    elif mailbox.health is Health.LOGIN_REFUSED:
        text = f"{name_of(mailbox)} was not checked: the mail server refused its password. Please enter the right one."
    elif not_before is not None:
        text = f"{name_of(mailbox)} will be checked {when(not_before)}; its provider asks for that much time in between."
    else:
        text = f"Checking {name_of(mailbox)} now. What is new appears in our direct messages."
    return answer(text, [section(mrkdwn(text)), *_remedy(mailbox)])


def _remedy(mailbox: Mailbox) -> list[Block]:
    """The button that lets a mailbox be fetched, where something stops it."""
    if mailbox.is_paused:
        return [actions(button("Resume", names.RESUME_BUTTON, mailbox.id, style="primary"))]
    if not mailbox.is_active:
        return [actions(button("Make active", names.ACTIVATE_BUTTON, mailbox.id, style="primary"))]
    if is_erased(mailbox):
        return [actions(enter_password(mailbox.id))]
    if mailbox.health is Health.LOGIN_REFUSED:
        return [actions(button("Change password", names.PASSWORD_BUTTON, mailbox.id, style="primary"))]
    return []


def nothing_to_do(word: str) -> Answer:
    """A command needs a mailbox and the person has none."""
    text = f"`{names.COMMAND} {word}` needs a mailbox, and you have none yet. Adding one takes a minute."
    return answer(
        text, [section(mrkdwn(text)), actions(button("Add mailbox", names.OPEN_ADD, style="primary"))]
    )


def failed(sentence: str, *, reference: str = "") -> Answer:
    """An error in words; `reference` is the id under which it stands in the log."""
    text = escaped(shortened(shown(sentence), 2000))
    if reference:
        text += f" (Reference {escaped(shortened(shown(reference), 100))})"
    return answer(text)
