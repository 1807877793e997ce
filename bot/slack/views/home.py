"""App Home, the front page: one's own mailboxes and who can see them, what others opened, the administrators' part.

Never more blocks than Slack takes, however many mailboxes there are; what could not be found out is said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bot.slack import names
from bot.slack.views.admin.wording import LEVELS, audience_words, person
from bot.slack.views.lists import mailbox_blocks
from bot.slack.views.opened import OpenedToMe
from bot.slack.views.shared import shared_blocks
from bot.slack.views.words import (
    Block,
    View,
    actions,
    button,
    context,
    header,
    last_day,
    listed,
    mrkdwn,
    plain,
    section,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from storage.records import Mailbox
    from storage.sharing import Share

MAILBOXES_A_PAGE: Final = 15
MOST_SHARED: Final = 15
MOST_BLOCKS: Final = 100
_MOST_NAMED: Final = 4

_WELCOME: Final = (
    "Mailbox brings your e-mail into our direct messages: readable, complete, each message once. "
    "Only you see your mailboxes and your mail, and those you share them with."
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
_NO_RIGHT: Final = (
    "Your administrators allow no mailbox for your account, so Mailbox brings you no e-mail of your own. What others share "
    "with you is here all the same."
)
_ONLY_YOU: Final = "Who can see it: only you."
_NOT_KNOWN: Final = "Slack did not answer just now, so nobody else sees your mail until it does; what you shared stays as it is."


@dataclass(frozen=True, slots=True)
class SeenBy:
    """Who can see a mailbox beside its owner.

    Attributes:
        shares: those of the whole mailbox that count, each at the level it gives.
        messages: how many of its messages are shared singly.
    """

    shares: Sequence[Share] = ()
    messages: int = 0


@dataclass(frozen=True, slots=True)
class HomePage:
    """What App Home of one person shows.

    Attributes:
        waiting, not_done: as in `mailbox_list`.
        seen_by: by mailbox id; None where Slack could not be asked.
        groups: names of the user groups by id.
        no_right: why they may not have a mailbox, and whom to ask, in our own mrkdwn; "" where they may.
        shared: what others opened to them.
        admin: the administrators' part; empty for others.
        number: of the page of their own mailboxes, from 0; past the end, the last one is shown.
        may_send: there is a mailbox that they can send from.
    """

    mailboxes: Sequence[Mailbox]
    waiting: Mapping[str, int] = field(default_factory=dict)
    not_done: Mapping[str, int] = field(default_factory=dict)
    seen_by: Mapping[str, SeenBy] | None = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    no_right: str = ""
    shared: OpenedToMe = field(default_factory=OpenedToMe)
    admin: Sequence[Block] = ()
    number: int = 0
    may_send: bool = False


def home(page: HomePage, now: datetime) -> View:
    """App Home of one person."""
    found = [*_top(page), *_own(page, now), *_shared(page), *_admin(page), *_end(page)]
    assert len(found) <= MOST_BLOCKS, len(found)
    return {"type": "home", "callback_id": names.HOME, "blocks": found}


def _top(page: HomePage) -> list[Block]:
    """Who is speaking; more of it the first time, and why somebody may not begin."""
    if page.no_right:
        return [header("Mailbox"), section(mrkdwn(page.no_right))]
    if page.mailboxes:
        return [context(plain(_WELCOME))]
    return [header("Welcome to Mailbox"), section(plain(_WELCOME)), section(mrkdwn(_FIRST_STEPS))]


def no_right(administrators: Sequence[str]) -> str:
    """Why somebody may not have a mailbox, and whom to ask; mrkdwn."""
    ask = listed([person(user) for user in administrators], _MOST_NAMED) or "a workspace administrator"
    return f"{_NO_RIGHT} To have one, please ask {ask}."


# One's own


def _own(page: HomePage, now: datetime) -> list[Block]:
    """The person's mailboxes, a page of them."""
    add = (
        []
        if page.no_right
        else [
            button("Add mailbox", names.OPEN_ADD, style="" if page.mailboxes or page.may_send else "primary")
        ]
    )
    write = _write(page)
    if not page.mailboxes:
        return [actions(*write, *add)] if write or add else []
    pages = -(-len(page.mailboxes) // MAILBOXES_A_PAGE)
    at = max(0, min(page.number, pages - 1))
    some = page.mailboxes[at * MAILBOXES_A_PAGE : (at + 1) * MAILBOXES_A_PAGE]
    found = [actions(*write)] if write else []
    found += mailbox_blocks(some, page.waiting, now, page.not_done, _seen_by(page))
    if page.seen_by is None:
        found.append(context(plain(_NOT_KNOWN)))
    if pages > 1:
        found.append(context(plain(f"Page {at + 1} of {pages}: {len(page.mailboxes):,} mailboxes in all.")))
    return [*found, actions(*add, button("Muted mail", names.OPEN_RULES), *_turns(at, pages))]


def _write(page: HomePage) -> list[dict[str, Any]]:
    return [button("New e-mail", names.COMPOSE_BUTTON, style="primary")] if page.may_send else []


def _turns(at: int, pages: int) -> list[dict[str, Any]]:
    turns = []
    if at > 0:
        turns.append(button("Previous mailboxes", names.HOME_PAGE_BACK, str(at - 1)))
    if at + 1 < pages:
        turns.append(button("Next mailboxes", names.HOME_PAGE, str(at + 1)))
    return turns


def _seen_by(page: HomePage) -> dict[str, str]:
    """Who can see each mailbox, by its id."""
    if page.seen_by is None:
        return {}
    return {
        mailbox.id: seers_words(page.seen_by.get(mailbox.id, SeenBy()), page.groups)
        for mailbox in page.mailboxes
    }


def seers_words(seers: SeenBy, groups: Mapping[str, str]) -> str:
    """Who can see a mailbox, on one line of mrkdwn."""
    said = [_share(share, groups) for share in seers.shares]
    if seers.messages:
        said.append(
            f"{seers.messages:,} single message{'' if seers.messages == 1 else 's'}, to those you chose"
        )
    if not said:
        return _ONLY_YOU
    return f"Who can see it: you; {listed(said, _MOST_NAMED, 'more')}."


def _share(share: Share, groups: Mapping[str, str]) -> str:
    until = "" if share.until is None else f", until the end of {last_day(share.until)}"
    return f"{audience_words(share.audience, groups)} ({LEVELS[share.level]}{until})"


# Others'


def _shared(page: HomePage) -> list[Block]:
    return [_divider(), header("Shared with you"), *shared_blocks(page.shared, most=MOST_SHARED)]


def _admin(page: HomePage) -> list[Block]:
    return [_divider(), *page.admin] if page.admin else []


def _end(page: HomePage) -> list[Block]:
    """What is about the person's data, once there is any, and where to read on."""
    mine = actions(
        button("Export my data", names.EXPORT_BUTTON),
        button("Erase everything", names.ERASE_BUTTON, style="danger"),
    )
    return [_divider(), *([mine] if page.mailboxes else []), context(mrkdwn(_FOOTER))]


def _divider() -> Block:
    return {"type": "divider"}
