"""The doctor: a test while it runs, and what explains that mail does not appear, each with what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.doctor import Cause
from bot.errors import Step
from bot.retention import knows_recent
from bot.slack import names
from bot.slack.views.calm import calm_words
from bot.slack.views.sentences import name_of, names_of
from bot.slack.views.steps import TEST_TAKES, passed_lines, running_line, tested_text
from bot.slack.views.values import Tested
from bot.slack.views.words import (
    Block,
    View,
    button,
    context,
    counted,
    escaped,
    literal,
    modal,
    mrkdwn,
    plain,
    section,
    when,
)
from storage.deletion import DELETION_TRIES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.doctor import Counts, Facts
    from bot.slack.views.values import Progress, Report
    from storage.records import Mailbox

_TITLE: Final = "Mailbox doctor"
_RECENT: Final = "Tick the reading of the last 30 days (“recent:”) in Edit, or stop the other program."
_BEFORE_GREETING: Final = frozenset({Step.NAME, Step.CONNECT, Step.TLS, Step.GREETING})

_TEXTS: Final = {
    Cause.PAUSED: "*It is paused.* Its mail waits on the mail server until you resume it.",
    Cause.NOT_ACTIVE: "*It is not active, so nothing is fetched from it.* {active}Make this one active to see its mail.",
    Cause.ASKED: (
        "*A question waits for you.* Nearly all of its mail suddenly looked new, so Mailbox has stopped and asked you what it "
        "is, in our direct messages. Answer there; nothing is fetched before."
    ),
    Cause.WRONG_PASSWORD: (
        "*The mail server does not take the user name or the password.* Enter the right one; with two-step sign-in that is "
        "an app password of your provider."
    ),
    Cause.POP_OFF: "*POP may be switched off at {provider}.* Switch it on there{where}, then look again.",
    Cause.STOPPED: (
        "*Mailbox has stopped trying, though the password is taken now.* The mail server had refused it. Enter it once more "
        "and Mailbox goes on."
    ),
    Cause.WRONG_SERVER: (
        "*The mail server cannot be used as it is entered.* Compare its name, port and security with what your provider says."
    ),
    Cause.TRY_LATER: "*This says nothing yet.* Look again in a few minutes.",
    Cause.NO_SENDING: "*Receiving works; only sending does not.* Correct the outgoing server.",
    Cause.WRONG_ADDRESS: (
        "*It may be another account.* The mailbox is called {address}, but signs in as {username} at {host}. Mail that goes to "
        "the address does not get there, unless it is forwarded. Correct the address or the user name."
    ),
    Cause.WAITING_THERE: "*{new} on the server {has} not been fetched yet.* {next}",
    Cause.HIDDEN: (
        "*Another mail program was first.* {provider} shows a message to mail programs only once: what another one has fetched, "
        "Mailbox never gets to see. {recent}"
    ),
    Cause.TAKEN: (
        "*{taken} Mailbox knew {is} gone from the server, and it did not delete {them}.* Another mail program does, or you "
        "did. What goes before Mailbox looks never gets to Slack: set the other program to leave mail on the server."
    ),
    Cause.UNDELETED: (
        "*The server does not delete what it is told to: {undeleted}.* Mailbox tried {tries} times and leaves {it} there now. "
        "Some providers let mail programs read only; look on your provider's page, then save Edit once to have it tried again."
    ),
    Cause.ALL_SEEN: (
        "*There is nothing new.* {known} A message that you miss never got here: look in the spam folder on your provider's "
        "page, which POP does not show."
    ),
    Cause.EMPTY: (
        "*The mailbox is empty on the server.* Either nothing has come, or another mail program takes it away, or a rule moves "
        "it to a folder that POP does not show. Look on your provider's page."
    ),
    Cause.SLACK_CLOSED: (
        "*Slack lets nothing into our direct messages: {waiting}.* Open the Messages tab of this app, or ask an administrator "
        "whether apps may write to you."
    ),
    Cause.SLACK_HOLDS: "*{waiting} on the way: fetched, and not yet posted in Slack.* {held}",
    Cause.FINE: (
        "*Everything is in order.* What arrives from now on is posted in our direct messages. {next} A message that you miss may "
        "lie in the spam folder on your provider's page, which POP does not show."
    ),
}

_FIX: Final = {
    Cause.PAUSED: ("Resume", names.RESUME_BUTTON),
    Cause.NOT_ACTIVE: ("Make active", names.ACTIVATE_BUTTON),
    Cause.WRONG_PASSWORD: ("Fix password", names.PASSWORD_BUTTON),
    Cause.POP_OFF: ("Look again", names.DOCTOR_BUTTON),
    Cause.STOPPED: ("Fix password", names.PASSWORD_BUTTON),
    Cause.WRONG_SERVER: ("Edit", names.EDIT_BUTTON),
    Cause.TRY_LATER: ("Look again", names.DOCTOR_BUTTON),
    Cause.NO_SENDING: ("Edit", names.EDIT_BUTTON),
    Cause.WRONG_ADDRESS: ("Edit", names.EDIT_BUTTON),
    Cause.WAITING_THERE: ("Check now", names.CHECK_BUTTON),
    Cause.HIDDEN: ("Edit", names.EDIT_BUTTON),
    Cause.UNDELETED: ("Edit", names.EDIT_BUTTON),
}
"""What mends it; nothing in Slack does where there is none."""


def doctor_running(name: str, progress: Progress) -> View:
    """Shown while the test runs, drawn anew as its steps go."""
    blocks = [
        section(plain(f"Looking into “{name}”…")),
        section(mrkdwn(_begun("Incoming server", progress.incoming))),
    ]
    if progress.outgoing:
        blocks.append(section(mrkdwn(_begun("Outgoing server", progress.outgoing))))
    blocks.append(context(plain(TEST_TAKES)))
    return modal(_TITLE, names.TESTING, blocks)


def _begun(title: str, begun: Sequence[Step]) -> str:
    """The steps so far. How far a server comes that has not greeted is nobody's business, so that is one step."""
    steps = tuple(dict.fromkeys(begun))
    if steps and _BEFORE_GREETING.issuperset(steps):
        steps = steps[:2]
    lines = [*passed_lines(Tested(steps[:-1])), running_line(steps[-1])] if steps else ["One moment…"]
    return "\n".join([f"*{title}*", *lines])


def doctor_result(report: Report, facts: Facts, found: Sequence[Cause], now: datetime) -> View:
    """The test, and every cause that was found, what weighs most first."""
    blocks = [
        section(
            mrkdwn(
                f"What stands in the way of {name_of(facts.mailbox)}:"
                if report.incoming.failed is not None
                else f"{name_of(facts.mailbox)} as it is now:"
            )
        ),
        section(mrkdwn(tested_text("Incoming server", report.incoming))),
    ]
    if report.outgoing is not None:
        blocks.append(section(mrkdwn(tested_text("Outgoing server", report.outgoing))))
    values = _values(facts, now)
    blocks += [_cause(cause, facts, values) for cause in found]
    return modal(_TITLE, names.RESULT, blocks)


def _cause(cause: Cause, facts: Facts, values: dict[str, str]) -> Block:
    """One cause, with the button that mends it where there is one."""
    text = section(mrkdwn(_TEXTS[cause].format_map(values).strip()))
    if cause not in _FIX or (cause is Cause.WAITING_THERE and facts.mailbox.due_at is None):
        return text
    words, action_id = _FIX[cause]
    return {**text, "accessory": button(words, action_id, facts.mailbox.id)}


def _values(facts: Facts, now: datetime) -> dict[str, Any]:
    """Whatever the texts may name; what was typed is made harmless here."""
    profile, counts, provider = facts.mailbox.profile, facts.counts, facts.provider
    name = escaped(provider.name.partition(" (")[0]) if provider else "your provider"
    where = provider.enable_where.rstrip(". ") if provider else ""
    found = {
        "active": _active(facts.active),
        "provider": name,
        "where": f" ({escaped(where)})" if where else "",
        "recent": _RECENT if knows_recent(profile.incoming.host) else "Stop the other program.",
        "address": literal(profile.address, 320),
        "username": literal(profile.username, 320),
        "host": literal(profile.incoming.host, 260),
        "waiting": counted(facts.waiting, "message is", "messages are"),
        "next": _next(facts, now),
        "held": _held(facts, now),
    }
    if counts is None:
        return found
    return found | {
        "known": _known(counts, facts.waiting),
        "new": counted(counts.new, "new message", "new messages"),
        "has": "has" if counts.new == 1 else "have",
        "taken": counted(counts.taken, "message", "messages"),
        "is": "is" if counts.taken == 1 else "are",
        "them": "it" if counts.taken == 1 else "them",
        "undeleted": counted(counts.undeleted, "message", "messages"),
        "tries": str(DELETION_TRIES),
        "it": "it" if counts.undeleted == 1 else "them",
    }


def _active(mailboxes: Sequence[Mailbox]) -> str:
    """What is fetched instead."""
    if not mailboxes:
        return ""
    return f"{names_of(mailboxes)} {'is' if len(mailboxes) == 1 else 'are'} active instead. "


def _known(counts: Counts, waiting: int) -> str:
    """What became of the messages on the server, none of which is new."""
    listed = counted(counts.listed, "message", "messages")
    came = "fetched" if waiting else "brought to Slack"
    if not counts.left_out:
        is_one = counts.listed == 1
        return (
            f"The one message on the server was {came}."
            if is_one
            else f"All {listed} on the server were {came}."
        )
    old = "old mail that you left out when you added the mailbox"
    if not counts.brought:
        return f"What lies on the server, {listed}, is {old}."
    was = "was" if counts.brought == 1 else "were"
    return f"Of {listed} on the server, {counts.brought:,} {was} {came}; the rest is {old}."


def _next(facts: Facts, now: datetime) -> str:
    due_at = facts.mailbox.due_at
    if due_at is None:
        return "No check is planned."
    return "The next check is due now." if due_at <= now else f"The next check comes {when(due_at)}."


def _held(facts: Facts, now: datetime) -> str:
    if facts.held_until is not None and facts.held_until > now:
        return f"Slack asked Mailbox to wait, so it goes on {when(facts.held_until)}."
    chosen = calm_words(facts.mailbox)
    if chosen:
        return f"Posts wait for their time, as you have chosen with Edit. {chosen}"
    return "Posts are made one after the other, about one a second."
