"""App Home: a person's mailboxes, or the way to the first one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.views.lists import MOST_IN_HOME, list_blocks
from bot.slack.views.words import Block, View, actions, button, context, header, mrkdwn, plain, section

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from storage.records import Mailbox

_WELCOME: Final = (
    "Mailbox brings your e-mail into our direct messages: readable, complete, each message once. "
    "Only you see your mailboxes and your mail."
)
_FIRST_STEPS: Final = (
    "*How it goes*\n"
    "1. Press “Add mailbox” and type your e-mail address; the servers of many providers are filled in.\n"
    "2. Enter your password, or better an app password. Mailbox tries it at once.\n"
    "3. New mail appears under Messages; nothing on the mail server changes unless you choose so."
)
_FOOTER: Final = (
    "`/mailbox help` lists the commands. They work in every channel, and only you see the answers."
)


def home(
    mailboxes: Sequence[Mailbox],
    waiting: Mapping[str, int],
    now: datetime,
    not_done: Mapping[str, int] | None = None,
) -> View:
    """App Home of one person; `waiting` and `not_done` as in `mailbox_list`."""
    top = _top(first_use=not mailboxes)
    mine = actions(
        button("Export my data", names.EXPORT_BUTTON),
        button("Erase everything", names.ERASE_BUTTON, style="danger"),
    )
    footer = context(mrkdwn(_FOOTER))
    found = list_blocks(mailboxes, waiting, now, not_done, most=MOST_IN_HOME)
    return {"type": "home", "callback_id": names.HOME, "blocks": [*top, *found, mine, footer]}


def _top(*, first_use: bool) -> list[Block]:
    """Who is speaking; more of it the first time."""
    if first_use:
        return [header("Welcome to Mailbox"), section(plain(_WELCOME)), section(mrkdwn(_FIRST_STEPS))]
    return [section(plain(_WELCOME))]
