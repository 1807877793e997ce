"""What others opened to somebody: the mailboxes, the messages of one, a message in pages. Pure.

Whatever came with a mail stands in plain text or in what the render child laid out; people are named by their ids.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from bot.slack import names
from bot.slack.answers import answers
from bot.slack.blocks import size
from bot.slack.views.words import (
    Answer,
    Block,
    View,
    actions,
    answer,
    button,
    context,
    last_day,
    modal,
    mrkdwn,
    plain,
    quoted,
    section,
    when,
)
from storage.sharing import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.mail.content import Rendered
    from bot.slack.views.opened import Line, Listing, Opened, OpenedToMe, Viewed

MAY: Final = {
    Level.SEE: "see sender, subject, date and size",
    Level.OPEN: "open and read",
    Level.REPLY: "open, read and answer as the mailbox",
    Level.MANAGE: "open, read, answer as the mailbox and manage",
    Level.OWN: "do everything: it is yours",
}
"""What somebody may do at a level, after “you may”."""

MOST_SHOWN: Final = 40
MOST_TRAIL: Final = 50
_LABEL: Final = 300
_MOST_FILES: Final = 20
_FILE_NAME: Final = 90
_NONE: Final = (
    "Nobody has opened a mailbox or a message to you yet. Ask its owner to type `/mailbox share`, or to press “Share…” "
    "beneath a message; it then appears here."
)
_EMPTY: Final = (
    "Nothing of this mailbox is here for you yet. What comes from now on appears as soon as it does."
)
_EMPTY_PAGE: Final = "There is nothing more behind the page before this one."
_PAST: Final = "An e-mail past its time: Mailbox keeps its copy for 30 days after it came to Slack."
_SEE_ONLY: Final = "You may see who wrote this, about what and when. To read it, ask <@{owner}> to share it at the level “Open”."
_GONE: Final = (
    "Mailbox keeps its copy of a message for 30 days after it came to Slack, and this one is gone by now. Ask <@{owner}>, "
    "who may still have it."
)
SENT: Final = (
    "It comes into our direct messages with its files, and stays there as long as it is shared with you."
)
SENT_BEFORE: Final = "It is in our direct messages already, or on its way there."


def shared_answer(found: OpenedToMe) -> Answer:
    """All that others opened to somebody."""
    text = _summary(found.mailboxes) if found.mailboxes else found.why or _NONE
    return answer(text, [section(mrkdwn("*Shared with you*")), *shared_blocks(found, most=MOST_SHOWN)])


def _summary(mailboxes: Sequence[Opened]) -> str:
    count = len(mailboxes)
    return f"{count:,} {'mailbox is' if count == 1 else 'mailboxes are'} shared with you."


def shared_blocks(found: OpenedToMe, *, most: int) -> list[Block]:
    """The same as blocks: one for each of at most `most` mailboxes, and 2 more."""
    rows = [_row(opened) for opened in found.mailboxes[:most]]
    left = len(found.mailboxes) - most
    if left > 0:
        rows.append(context(mrkdwn(f"And {left:,} more. `{names.COMMAND} {names.SHARED}` shows them.")))
    if found.why:
        rows.append(context(mrkdwn(found.why)))
    return rows or [section(mrkdwn(_NONE))]


def _row(opened: Opened) -> Block:
    """One mailbox: what of whom, how far, until when, and the way in."""
    what = "Single messages of" if opened.is_single else "Mailbox"
    said = f"{what} {quoted(opened.name)} of <@{opened.owner}>\n{_may(opened)}"
    return section(mrkdwn(said), accessory=button("Messages", names.SHARED_LIST, opened.mailbox_id))


def _may(opened: Opened) -> str:
    since = (
        ""
        if opened.since is None or opened.is_single
        else f" Only what came since {when(opened.since)} is open."
    )
    until = "" if opened.until is None else f", until the end of {last_day(opened.until)}"
    return f"You may {MAY[opened.level]}{until}.{since}"


# The messages of a mailbox


def shared_listing(found: Listing) -> View:
    """A page of the messages that are open of a mailbox."""
    opened = found.opened
    top = [
        section(plain(f"“{opened.name}”")),
        context(mrkdwn(f"Of <@{opened.owner}>. {_may(opened)}")),
    ]
    lines = [block for line in found.lines for block in _line(line)]
    if not lines:
        lines = [section(plain(_EMPTY_PAGE if found.trail else _EMPTY))]
    row = _turns(found)
    if opened.level >= Level.MANAGE and not opened.is_single:
        row.append(button("Manage", names.SHARED_MANAGE, opened.mailbox_id))
    below = [actions(*row)] if row else []
    return modal("Shared mail", names.SHARED_LISTED, [*top, *lines, *below], metadata=opened.mailbox_id)


def _line(line: Line) -> list[Block]:
    """A message: who about what, when, how large; the button only where there is more to see."""
    if line.read is None:
        return [section(plain(_PAST)), context(mrkdwn(_figures(line.received_at, line.octets)))]
    more = (
        {"accessory": button("Open", names.SHARED_OPEN, line.message_id)} if line.level >= Level.OPEN else {}
    )
    sent_at = _sent_at(line.read) or line.received_at
    return [section(plain(line.read.text, _LABEL), **more), context(mrkdwn(_figures(sent_at, line.octets)))]


def _figures(time: datetime, octets: int) -> str:
    return f"{when(time)} · {size(octets)}"


def _sent_at(read: Rendered) -> datetime | None:
    """The date within a line that the render child laid out."""
    elements = read.blocks[0].get("elements", ()) if read.blocks else ()
    found = next((each for each in elements if each.get("type") == "date"), None)
    return None if found is None else datetime.fromtimestamp(found["timestamp"], UTC)


def _turns(found: Listing) -> list[dict[str, Any]]:
    trail, mailbox_id = tuple(found.trail), found.opened.mailbox_id
    turns = []
    if trail:
        turns.append(button("Newer", names.SHARED_NEWER, ",".join((mailbox_id, *trail[:-1]))))
    if found.before is not None:
        # A value has its limit: who goes on and on comes back to the newest by fewer steps.
        onward = (*trail, found.before)[-MOST_TRAIL:]
        turns.append(button("Older", names.SHARED_OLDER, ",".join((mailbox_id, *onward))))
    return turns


def turned_to(value: str) -> tuple[str, tuple[str, ...]]:
    """The mailbox id and the trail of a page, from the value of the button that leads there."""
    mailbox_id, *trail = value.split(",")
    return mailbox_id, tuple(trail)


# A message


def shared_message(found: Viewed, *, said: str = "") -> View:
    """A message as far as its viewer may see it; of SEE nothing but sender, subject, date and size.

    Args:
        said: what came of a button, in plain text.
    """
    found_blocks = [*_head(found), *_body(found)]
    if said:
        found_blocks.append(section(plain(said)))
    return modal("Shared message", names.SHARED_MESSAGE, found_blocks, metadata=found.message_id)


def _head(found: Viewed) -> list[Block]:
    whose = context(mrkdwn(f"From {quoted(found.name)} of <@{found.owner}>"))
    if found.line is None:
        return [whose, context(mrkdwn(_figures(found.received_at, found.octets)))]
    time = _sent_at(found.line) or found.received_at
    return [section(plain(found.line.text, _LABEL)), context(mrkdwn(_figures(time, found.octets))), whose]


def _body(found: Viewed) -> list[Block]:
    if found.line is None:
        return [section(mrkdwn(_GONE.format(owner=found.owner)))]
    if found.level < Level.OPEN:
        return [section(mrkdwn(_SEE_ONLY.format(owner=found.owner)))]
    page = found.page
    if page is None:
        return [section(plain(found.why_not)), actions(*_buttons(found, may_reply_all=False))]
    at = max(0, min(found.number, page.pages - 1))
    below = [] if page.pages < 2 else [context(plain(f"Page {at + 1:,} of {page.pages:,}"))]
    return [
        *page.blocks,
        *_files(page.attached),
        *below,
        actions(*_page_turns(at, page.pages), *_buttons(found, may_reply_all=page.may_reply_all)),
    ]


def _files(attached: Sequence[tuple[str, int]]) -> list[Block]:
    """The attachments by name and size."""
    if not attached:
        return []
    named = [f"{plain(name, _FILE_NAME)['text']} ({size(octets)})" for name, octets in attached[:_MOST_FILES]]
    more = f" and {len(attached) - _MOST_FILES:,} more" if len(attached) > _MOST_FILES else ""
    return [section(plain(f"Attachments: {', '.join(named)}{more}"))]


def _page_turns(at: int, pages: int) -> list[dict[str, Any]]:
    turns = []
    if at > 0:
        turns.append(button("Previous page", names.SHARED_PREVIOUS, str(at - 1)))
    if at + 1 < pages:
        turns.append(button("Next page", names.SHARED_NEXT, str(at + 1)))
    return turns


def _buttons(found: Viewed, *, may_reply_all: bool) -> list[dict[str, Any]]:
    row = answers(found.message_id, may_reply_all=may_reply_all) if found.level >= Level.REPLY else []
    row += [
        button("Send to direct messages", names.SHARED_SEND, f"{found.message_id}:{found.number}"),
        button("Headers", names.SHARED_HEADERS, found.message_id),
    ]
    if found.level >= Level.MANAGE:
        row.append(button("Mute sender", names.SHARED_MUTE, f"{found.message_id}:{found.number}"))
    return row


def at_page(value: str) -> tuple[str, int]:
    """The message id and the number of the page, from the value of a button; the first where none is named."""
    message_id, _, number = value.partition(":")
    return message_id, names.number_in(number) or 0


def muted_sender(sender: str) -> str:
    """What came of “Mute sender”, as plain text."""
    return f"New mail from {plain(sender, _LABEL)['text']} stays out of its owner's Slack from now on."


def shared_fields(message_id: str, read: Rendered, number: int) -> View:
    """A page of a message's header."""
    at = max(0, min(number, read.pages - 1))
    below = [] if read.pages < 2 else [
        context(plain(f"Page {at + 1:,} of {read.pages:,}")),
        actions(*_page_turns(at, read.pages)),
    ]  # fmt: skip
    return modal("Headers", names.SHARED_FIELDS, [*read.blocks, *below], metadata=message_id)
