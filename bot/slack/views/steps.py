"""What a connection test found, step by step, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.errors import Step
from bot.slack.views.words import Block, escaped, mrkdwn, section, shortened, shown

if TYPE_CHECKING:
    from bot.slack.views.values import Report, Tested

TEST_TAKES: Final = (
    "This takes up to 30 seconds. You may close this window; the result then comes as a direct message."
)

_PASSED: Final = {
    Step.TURN: "There was room for one more test",
    Step.NAME: "Found the server by its name",
    Step.CONNECT: "Connected",
    Step.TLS: "Encrypted, and the certificate is right",
    Step.GREETING: "A mail server answers",
    Step.CAPABILITIES: "It says what it can do",
    Step.LOGIN: "Signed in",
    Step.UIDL: "New messages can be told from old ones",
}
_FAILED: Final = {
    Step.TURN: "Waiting for a turn",
    Step.NAME: "Finding the server by its name",
    Step.CONNECT: "Connecting",
    Step.TLS: "Encrypting the connection",
    Step.GREETING: "Waiting for the mail server's greeting",
    Step.CAPABILITIES: "Asking what the server can do",
    Step.LOGIN: "Signing in",
    Step.UIDL: "Telling new messages from old ones",
}
_NEXT: Final = {
    Step.TURN: "Send the form again then.",
    Step.NAME: "Compare the server's name with what your provider says, then test again.",
    Step.CONNECT: "Compare server, port and security with what your provider says, then test again.",
    Step.TLS: "Compare server, port and security with what your provider says, then test again.",
    Step.GREETING: "Compare port and security with what your provider says, then test again.",
    Step.CAPABILITIES: "Compare port and security with what your provider says, then test again.",
    Step.LOGIN: "Correct the user name or the password, then test again.",
    Step.UIDL: "Ask whoever runs this mail server, or use another one.",
}
_IF_BUSY: Final = "This says nothing about what you typed; test again then."
_OUTGOING_NEXT: Final = " Or tick “Save as receiving only”."


def passed_lines(tested: Tested) -> list[str]:
    """A ✓ line for each step that passed."""
    return [f"✓ {_PASSED[step]}" for step in tested.passed]


def running_line(step: Step) -> str:
    """A line for the step that is under way."""
    return f"… {_FAILED[step]}"


def tested_text(title: str, tested: Tested) -> str:
    """One server's test as mrkdwn: its ✓ lines, and the ✗ line with its reason."""
    found = [f"*{title}*", *passed_lines(tested)]
    if tested.failed is not None:
        found.append(f"✗ *{_FAILED[tested.failed]}*: {escaped(shortened(shown(tested.sentence), 1500))}")
    return "\n".join(found)


def report_blocks(report: Report) -> list[Block]:
    """What failed and what to do next, for the top of the form that comes back."""
    blocks = [section(mrkdwn(tested_text("Incoming server", report.incoming)))]
    if report.outgoing is not None:
        blocks.append(section(mrkdwn(tested_text("Outgoing server", report.outgoing))))
    blocks.append(section(mrkdwn(_next(report))))
    return blocks


def _next(report: Report) -> str:
    """What to do after a failure."""
    if report.outgoing is None or report.incoming.failed is not None:
        return f"Nothing was saved yet. {_remedy(report.incoming)}"
    words = _remedy(report.outgoing)
    return f"Mail can be fetched, but not sent, so nothing was saved yet. {words}{_OUTGOING_NEXT}"


def _remedy(tested: Tested) -> str:
    """What to do about one server."""
    if tested.is_busy:
        return _IF_BUSY
    return _NEXT[tested.failed] if tested.failed else "Test again."


def maildrop(messages: int | None) -> str:
    """How many messages wait on the server; "" while that is not known."""
    if messages is None:
        return ""
    if messages == 0:
        return "There is no message on the server right now."
    return "1 message is on the server." if messages == 1 else f"{messages:,} messages are on the server."
