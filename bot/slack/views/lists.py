"""A person's mailboxes: the list, and the question which one is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.slack import names
from bot.slack.views.calm import calm_words
from bot.slack.views.holding import ERASED, SUSPENDED, enter_password, is_erased
from bot.slack.views.sentences import name_of, nothing_to_do
from bot.slack.views.words import (
    Answer,
    Block,
    actions,
    answer,
    button,
    context,
    counted,
    header,
    literal,
    mrkdwn,
    option,
    plain,
    section,
    when,
)
from storage.records import Health

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from storage.records import Mailbox

_HEALTH: Final = {
    Health.NEW: "It has not been checked yet.",
    Health.OK: "All is well.",
    Health.LOGIN_DOUBTED: (
        "The mail server refused the user name or the password, though it took them before; Mailbox tries once more."
    ),
    Health.LOGIN_REFUSED: (
        "The mail server refuses the user name or the password, so Mailbox has stopped trying. Please change the password."
    ),
    Health.PASSWORD_ERASED: "Its new password is stored; it has not been checked yet.",
    Health.MAILDROP_BUSY: "Another mail program is using the mailbox right now; Mailbox tries again by itself.",
    Health.UNREACHABLE: "The mail server does not answer; Mailbox tries again by itself.",
    Health.CERTIFICATE_INVALID: (
        "The mail server's certificate is wrong or expired, so nothing is sent to it. Check the server's name with Edit, "
        "or tell whoever runs it; Mailbox tries again by itself."
    ),
    Health.SERVER_FAULT: "The mail server answers with an error; Mailbox tries again by itself.",
    Health.ASKED: (
        "Nearly all of its mail suddenly looks new. Mailbox has asked you what it is, in our direct messages, and fetches "
        "nothing before you answer."
    ),
}
_NOT_SENDING: Final = "✗ The outgoing server refuses the user name or the password, so nothing is sent; what was written is kept."
OUTGOING_PASSWORD: Final = "Change outgoing password"  # noqa: S105 - words of a button
_MARKS: Final = {Health.NEW: "○", Health.OK: "✓", Health.PASSWORD_ERASED: "○"}

# Three blocks each, of 50 in a message and 100 in Home; and a message is refused above some 12,000 characters.
MOST_IN_MESSAGE: Final = 10
_EMPTY: Final = "You have no mailbox yet. Add one, and its new e-mail arrives in our direct messages."
_BUTTON_WORDS: Final = {
    names.EDIT: "Edit",
    names.PASSWORD: "Password",
    names.ACTIVATE: "Make active",
    names.PAUSE: "Pause",
    names.RESUME: "Resume",
    names.CHECK: "Check now",
    names.DOCTOR: "Doctor",
    names.SHARE: "Share",
    names.REMOVE: "Remove",
}
_SENDING: Final = "Sending"
_ASK: Final = {
    names.EDIT: "Which mailbox do you want to edit?",
    names.PASSWORD: "Which mailbox gets a new password?",
    names.ACTIVATE: "Which mailbox should be active?",
    names.PAUSE: "Which mailbox should be paused?",
    names.RESUME: "Which mailbox should be fetched again?",
    names.CHECK: "Which mailbox should be checked now?",
    names.DOCTOR: "Which mailbox should the doctor look into?",
    names.SHARE: "Which mailbox do you want to share?",
    names.REMOVE: "Which mailbox do you want to remove?",
}
_MOST_BUTTONS: Final = 10
_MOST_OPTIONS: Final = 100


def mailbox_list(
    mailboxes: Sequence[Mailbox],
    waiting: Mapping[str, int],
    now: datetime,
    not_done: Mapping[str, int] | None = None,
) -> Answer:
    """A person's mailboxes with their state and buttons, or the way to the first one.

    By mailbox id, `waiting` counts the messages not yet in Slack, `not_done` the posts not marked as done.
    """
    text = _summary(mailboxes) if mailboxes else _EMPTY
    return answer(text, list_blocks(mailboxes, waiting, now, not_done, most=MOST_IN_MESSAGE))


def _summary(mailboxes: Sequence[Mailbox]) -> str:
    """The list in one breath, for notifications and screen readers; names the first ten."""
    named = [f"{name_of(mailbox)} ({_role(mailbox)})" for mailbox in mailboxes[:_MOST_BUTTONS]]
    more = " and more" if len(mailboxes) > len(named) else ""
    return f"You have {counted(len(mailboxes), 'mailbox', 'mailboxes')}: {', '.join(named)}{more}."


def _role(mailbox: Mailbox) -> str:
    """Whether a mailbox is the active one, and whether it rests."""
    role = "active" if mailbox.is_active else "not active"
    return f"{role}, paused" if mailbox.is_paused else role


def list_blocks(
    mailboxes: Sequence[Mailbox],
    waiting: Mapping[str, int],
    now: datetime,
    not_done: Mapping[str, int] | None,
    *,
    most: int,
) -> list[Block]:
    """The same as blocks, with at most `most` mailboxes: 3 blocks each and 2 more."""
    add = button("Add mailbox", names.OPEN_ADD, style="" if mailboxes else "primary")
    if not mailboxes:
        return [section(plain(_EMPTY)), actions(add)]
    blocks = mailbox_blocks(mailboxes[:most], waiting, now, not_done)
    left = len(mailboxes) - most
    if left > 0:
        words = "`/mailbox edit`, `check` and the other commands reach every one of them."
        blocks.append(context(mrkdwn(f"And {counted(left, 'more mailbox', 'more mailboxes')}. {words}")))
    return [*blocks, actions(add, button("Muted mail", names.OPEN_RULES))]


def mailbox_blocks(
    mailboxes: Sequence[Mailbox],
    waiting: Mapping[str, int],
    now: datetime,
    not_done: Mapping[str, int] | None,
    seen_by: Mapping[str, str] | None = None,
) -> list[Block]:
    """Three blocks for each mailbox; `seen_by` holds by mailbox id who can see it, as mrkdwn."""
    counts, seers = not_done or {}, seen_by or {}
    return [
        block
        for mailbox in mailboxes
        for block in _mailbox(
            mailbox,
            waiting.get(mailbox.id, 0),
            counts.get(mailbox.id, 0),
            now,
            seen_by=seers.get(mailbox.id, ""),
        )
    ]


def _mailbox(mailbox: Mailbox, waiting: int, not_done: int, now: datetime, *, seen_by: str) -> list[Block]:
    """One mailbox: name, state, buttons."""
    left = [button(f"Not done ({not_done:,})", names.OPEN_NOT_DONE, mailbox.id)] if not_done else []
    return [
        header(mailbox.profile.name),
        section(
            mrkdwn("\n".join(filter(None, [_state(mailbox, waiting, now), seen_by]))), **_repair(mailbox)
        ),
        actions(*_buttons(mailbox), *left),
    ]


def _state(mailbox: Mailbox, waiting: int, now: datetime) -> str:
    """A mailbox in words."""
    said = [
        f"{literal(mailbox.profile.address, 320)} · {_role(mailbox)}{_direction(mailbox)}",
        _health(mailbox),
        *([_NOT_SENDING] if _is_sending_refused(mailbox) else []),
        _times(mailbox, now),
        *filter(None, [calm_words(mailbox)]),
    ]
    if waiting:
        said.append(f"{counted(waiting, 'message waits', 'messages wait')} to be posted in Slack.")
    return "\n".join(said)


def _is_sending_refused(mailbox: Mailbox) -> bool:
    """Whether the outgoing server takes the password no more; one that is suspended has greater troubles."""
    may_send = mailbox.profile.outgoing is not None and mailbox.suspension is None
    return may_send and mailbox.outgoing_refused_at is not None


def _repair(mailbox: Mailbox) -> dict[str, Any]:
    """The button that lets a mailbox send again, beside what is said of it."""
    if not _is_sending_refused(mailbox):
        return {}
    mend = button(OUTGOING_PASSWORD, names.OUTGOING_PASSWORD_BUTTON, mailbox.id, style="primary")
    return {"accessory": mend}


def _direction(mailbox: Mailbox) -> str:
    """Whether nothing can be sent from a mailbox."""
    return "" if mailbox.profile.outgoing else " · receiving only"


def _health(mailbox: Mailbox) -> str:
    """What the last check found, unless the mailbox rests on purpose and is well."""
    if mailbox.suspension is not None:
        since = f" {when(mailbox.suspended_at)}" if mailbox.suspended_at else ""
        return f"❚❚ {SUSPENDED[mailbox.suspension]}{since}. It is not fetched; ask a workspace administrator."
    if is_erased(mailbox):
        return f"✗ {ERASED} Nothing is fetched until its owner enters it again."
    mark = _MARKS.get(mailbox.health, "✗")
    if mailbox.health in _MARKS and mailbox.is_paused:
        return "❚❚ Paused: its mail waits on the mail server."
    if mailbox.health in _MARKS and not mailbox.is_active:
        return f"{mark} It is not active, so nothing is fetched from it."
    if mailbox.health is Health.OK and _is_sending_refused(mailbox):
        return f"{mark} Receiving works."
    return f"{mark} {_HEALTH[mailbox.health]}"


def state_words(mailbox: Mailbox, now: datetime) -> str:
    """How a mailbox is and when it was and will be checked, for mrkdwn; nothing of its servers, no address."""
    return f"{_health(mailbox)}\n{_times(mailbox, now)}"


def _times(mailbox: Mailbox, now: datetime) -> str:
    """When a check last succeeded, and when the next one comes."""
    last = mailbox.last_success_at
    said = f"Last success {when(last)}" if last else "No success yet"
    if mailbox.due_at is None:
        return f"{said} · no check planned"
    return f"{said} · next check {'now' if mailbox.due_at <= now else when(mailbox.due_at)}"


def _buttons(mailbox: Mailbox) -> list[dict[str, Any]]:
    """What can be done to a mailbox in this state."""
    if mailbox.suspension is not None:
        return [_button(names.REMOVE, mailbox)]
    if is_erased(mailbox):
        found = [_button(word, mailbox) for word in (names.EDIT, names.SHARE, names.REMOVE)]
        return [enter_password(mailbox.id), *found]
    words = [names.CHECK] if mailbox.is_active and not mailbox.is_paused else []
    words += [] if mailbox.is_active else [names.ACTIVATE]
    words += [names.EDIT, names.PASSWORD, names.RESUME if mailbox.is_paused else names.PAUSE]
    found = [_button(word, mailbox) for word in [*words, names.DOCTOR, names.SHARE]]
    if mailbox.profile.outgoing is not None:
        found.append(button(_SENDING, names.SENDING_BUTTON, mailbox.id))
    return [*found, _button(names.REMOVE, mailbox)]


def _button(word: str, mailbox: Mailbox) -> dict[str, Any]:
    """The button for one command word."""
    style = "danger" if word == names.REMOVE else ""
    return button(_BUTTON_WORDS[word], names.BUTTONS[word], mailbox.id, style=style)


def picker(word: str, mailboxes: Sequence[Mailbox]) -> Answer:
    """Asks which mailbox a command word is for; pressing a button does what the word does."""
    if not mailboxes:
        return nothing_to_do(word)
    text = _ASK[word]
    if len(mailboxes) <= _MOST_BUTTONS:
        return answer(text, [section(mrkdwn(text)), *(_choice(word, mailbox) for mailbox in mailboxes)])
    return answer(text, [section(mrkdwn(text)), actions(_select(word, mailboxes))])


def _label(mailbox: Mailbox) -> str:
    """A mailbox on one line, not escaped."""
    return f"{mailbox.profile.name} · {mailbox.profile.address}"


def _choice(word: str, mailbox: Mailbox) -> Block:
    return section(plain(_label(mailbox), 500), accessory=_button(word, mailbox))


def _select(word: str, mailboxes: Sequence[Mailbox]) -> dict[str, Any]:
    """A select of many; Slack takes a hundred options."""
    options = [option(_label(mailbox), mailbox.id) for mailbox in mailboxes[:_MOST_OPTIONS]]
    return {
        "type": "static_select",
        "action_id": names.PICKS[word],
        "placeholder": plain("Choose a mailbox"),
        "options": options,
    }
