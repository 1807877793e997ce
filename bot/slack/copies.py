"""What is posted for others than the owner: copies of messages, and what people are told about sharing. Pure.

What came with a mail is shown as in its owner's post, without the buttons that are the owner's; of a card nothing beyond
sender, subject, date and size. People and channels are named by their ids, which Slack shows as names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.mail import rich_text
from bot.mail.content import Rendered
from bot.slack import blocks, names
from bot.slack.answers import answers
from bot.slack.views.holding import ERASED, enter_password
from bot.slack.views.words import actions, button, last_day, mrkdwn, quoted, section
from storage.copied import TellingKind
from storage.records import Health
from storage.sharing import AudienceKind, Level, Suspension

if TYPE_CHECKING:
    from datetime import datetime

    from bot.slack.blocks import Block
    from storage.copied import Telling
    from storage.sharing import Audience

BLANK: Final = "This e-mail is no longer shared."
"""What is left of a post that waits to be deleted."""

UNREAD: Final = "A message that cannot be shown"
NAME_UNITS: Final = 200
MOST_BLOCKS: Final = 50

MAY: Final = {
    Level.NONE: "nothing",
    Level.SEE: "sender, subject, date and size",
    Level.OPEN: "whole messages with their attachments",
    Level.REPLY: "whole messages, and you may answer for the mailbox",
    Level.MANAGE: "whole messages, and you may answer for the mailbox, check, pause and set it",
}
"""What a level opens, after “open to you:”."""

_LEVEL: Final = {
    Level.NONE: "None",
    Level.SEE: "See",
    Level.OPEN: "Open",
    Level.REPLY: "Reply",
    Level.MANAGE: "Manage",
}
_SUSPENDED: Final = {
    Suspension.ADMINISTRATOR: "by an administrator, who can say why and lift it",
    Suspension.ROLE: "because your role may not have a mailbox any more; an administrator can say why",
    Suspension.DEACTIVATED: "because your account was deactivated",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Whose mailbox something is from; `name` is "" where the mailbox is gone."""

    owner: str
    name: str


def opened(rendered: Rendered, source: Source, message_id: str, *, may_reply: bool = False) -> Rendered:
    """A whole message for viewers.

    Args:
        may_reply: its one reader may answer it; in a channel there is never one reader.
    """
    if not rendered.blocks:
        return replace(rendered, text=f"Shared by <@{source.owner}>\n{rendered.text}")
    shown = [block for block in rendered.blocks if block.get("type") != "actions"]
    row = blocks.button("Open", names.SHARED_OPEN, message_id)
    del row["elements"][0]["style"]
    if may_reply:
        row["elements"] += answers(message_id, may_reply_all=rendered.may_reply_all)
    return replace(rendered, blocks=[_shared_by(source), *shown[: MOST_BLOCKS - 2], row])


def card(line: Rendered | None, source: Source, octets: int, *, plain: bool = False) -> Rendered:
    """What somebody who only sees is shown of a message.

    Args:
        line: sender, subject and date as `digest.line` says them; None where the message cannot be read.
        plain: text alone, since Slack took no blocks.
    """
    text = blocks.escaped_within(UNREAD if line is None else line.text, blocks.TEXT_UNITS)
    if plain:
        return Rendered(f"Shared by <@{source.owner}>\n{text}\n{blocks.size(octets)}", [])
    if line is None or not line.blocks:
        return Rendered(text, [_shared_by(source), blocks.sentence(UNREAD)])
    size = blocks.note(blocks.size(octets))
    return Rendered(text, [_shared_by(source), rich_text.block(line.blocks[:1]), size], domains=line.domains)


def _shared_by(source: Source) -> Block:
    by = mrkdwn(f"Shared by <@{source.owner}>")
    return blocks.context(by, blocks.plain(f"Mailbox: {source.name}", NAME_UNITS))


def told(telling: Telling, mailbox_id: str, source: Source | None, *, is_channel: bool = False) -> Rendered:
    """What somebody is told; a button leads on where there is something to see.

    Args:
        source: None where the mailbox is gone.
    """
    words = _WORDS[telling.kind](telling, source, is_channel)
    if _is_erased(telling) and source is not None:
        return Rendered(words, [section(mrkdwn(words)), actions(enter_password(mailbox_id))])
    shows = telling.kind in {TellingKind.SHARED_WITH_YOU, TellingKind.SHARE_CHANGED}
    if not shows or source is None or is_channel:
        return Rendered(words, [section(mrkdwn(words))])
    if telling.message_id:
        action = (
            button("Open", names.SHARED_OPEN, telling.message_id) if telling.level >= Level.OPEN else None
        )
    else:
        action = button("Open", names.SHARED_LIST, mailbox_id)
    return Rendered(words, [section(mrkdwn(words), accessory=action) if action else section(mrkdwn(words))])


def _mailbox(source: Source | None) -> str:
    return f"the mailbox {quoted(source.name)}" if source is not None and source.name else "a mailbox"


def _lower(words: str) -> str:
    return f"{words[0].lower()}{words[1:]}"


def _capital(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}"


def _shared(telling: Telling, source: Source | None, is_channel: bool) -> str:  # noqa: FBT001 - one of a table
    who = f"<@{telling.who}>" if telling.who else "Somebody"
    what = f"one message of {_mailbox(source)}" if telling.message_id else _mailbox(source)
    whom = "this channel" if is_channel else "you"
    gives = f"Open to {whom}: {MAY[telling.level]}"
    if is_channel:
        gives = gives.replace("you may", "those here may")
    comes = " New mail comes here." if is_channel and not telling.message_id else ""
    return f"{who} shares {what} with {whom}. {gives}{_until(telling.until)}.{comes}"


def _changed(telling: Telling, source: Source | None, is_channel: bool) -> str:  # noqa: FBT001 - one of a table
    whom = "this channel" if is_channel else "you"
    return (
        f"What is shared with {whom} of {_mailbox(source)} has changed. "
        f"Open to {whom} from now on: {MAY[telling.level]}{_until(telling.until)}."
    )


def _ended(telling: Telling, source: Source | None, is_channel: bool) -> str:  # noqa: FBT001 - one of a table
    what = f"One message of {_mailbox(source)}" if telling.message_id else _mailbox(source)
    whom = "this channel" if is_channel else "you"
    return f"{_capital(what)} is no longer shared with {whom}. What Mailbox posted of it is being deleted."


def _cut(telling: Telling, source: Source | None, _: bool) -> str:  # noqa: FBT001 - one of a table
    whom = _audience(telling.audience)
    if telling.level is Level.NONE:
        return f"Your share of {_mailbox(source)} with {whom} has ended: it is not allowed any more. An administrator can say why."
    return (
        f"Your share of {_mailbox(source)} with {whom} is now “{_LEVEL[telling.level]}”: more is not allowed any more. "
        "An administrator can say why."
    )


def _audience(audience: Audience | None) -> str:
    if audience is None:
        return "others"
    if audience.kind is AudienceKind.PERSON:
        return f"<@{audience.id}>"
    if audience.kind is AudienceKind.CHANNEL:
        return f"<#{audience.id}>"
    return "a user group" if audience.kind is AudienceKind.GROUP else f"{audience.id.replace('_', ' ')}s"


def _grant_changed(_telling: Telling, _source: Source | None, _: bool) -> str:  # noqa: FBT001 - one of a table
    return (
        "An administrator has changed what you may do with mailboxes. `/mailbox share` shows what you may share now, "
        "`/mailbox list` your mailboxes."
    )


def _suspended(telling: Telling, source: Source | None, _: bool) -> str:  # noqa: FBT001 - one of a table
    why = _SUSPENDED.get(Suspension(telling.why)) if telling.why in set(Suspension) else None
    return (
        f"{_capital(_mailbox(source))} is suspended{' ' + why if why else ''}. Meanwhile no mail is fetched and nothing of "
        "it is shared; your mail stays on the server."
    )


def _is_erased(telling: Telling) -> bool:
    return telling.kind is TellingKind.MAILBOX_LIFTED and telling.why == Health.PASSWORD_ERASED.value


def _lifted(telling: Telling, source: Source | None, _: bool) -> str:  # noqa: FBT001 - one of a table
    if _is_erased(telling):
        return (
            f"{_capital(_mailbox(source))} is no longer suspended, but nothing is fetched from it yet: {_lower(ERASED)} Enter "
            "it again and mail comes as before; it has waited on the mail server."
        )
    return f"The suspension of {_mailbox(source)} is over. Mail is fetched again, as you have set it."


def _deleted(telling: Telling, _source: Source | None, is_channel: bool) -> str:  # noqa: FBT001 - one of a table
    is_one = telling.count <= 1
    what = "a mailbox" if is_one else f"{telling.count} mailboxes"
    open_to = f"that {'was' if is_one else 'were'} open to {'this channel' if is_channel else 'you'}"
    if not telling.who:
        said = f"{_capital(what)} {open_to} {'is' if is_one else 'are'} gone from Mailbox."
    elif telling.why:
        said = f"An administrator has removed {what} of <@{telling.who}> {open_to}."
    else:
        said = f"<@{telling.who}> has removed {what} {open_to}."
    return f"{said} What Mailbox posted of {'it' if is_one else 'them'} is being deleted."


def _managed(telling: Telling, source: Source | None, _: bool) -> str:  # noqa: FBT001 - one of a table
    what = _MANAGED.get(telling.why, "changed {mailbox}.").format(mailbox=_mailbox(source))
    return f"<@{telling.who}>, who may manage it, has {what} `/mailbox list` shows how it is, `/mailbox share` who may do that."


def _not_called_back(telling: Telling, source: Source | None, _: bool) -> str:  # noqa: FBT001 - one of a table
    posts = "1 post" if telling.count == 1 else f"{telling.count:,} posts"
    return (
        f"{posts} of {_mailbox(source)} could not be called back: Slack would not delete them, as in a channel that is "
        "archived or that Mailbox was taken out of. They still show what was shared. An administrator of Slack can delete "
        "them."
    )


def _until(until: datetime | None) -> str:
    return "" if until is None else f", until {last_day(until)}"


_MANAGED: Final = {
    "paused": "paused {mailbox}: nothing is fetched from it until it is resumed.",
    "fetched": "resumed {mailbox}: it is fetched again.",
    "retention": "changed the delete setting of {mailbox}.",
    "muted": "muted a sender in {mailbox}: such mail stays out of Slack. `/mailbox rules` shows whom.",
}
"""What somebody did who may manage a mailbox."""

_WORDS: Final = {
    TellingKind.SHARED_WITH_YOU: _shared,
    TellingKind.SHARE_CHANGED: _changed,
    TellingKind.SHARE_ENDED: _ended,
    TellingKind.SHARE_CUT: _cut,
    TellingKind.GRANT_CHANGED: _grant_changed,
    TellingKind.MAILBOX_SUSPENDED: _suspended,
    TellingKind.MAILBOX_LIFTED: _lifted,
    TellingKind.MAILBOX_DELETED: _deleted,
    TellingKind.MAILBOX_MANAGED: _managed,
    TellingKind.NOT_CALLED_BACK: _not_called_back,
}
