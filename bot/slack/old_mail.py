"""The post in whose thread old mail is brought: how far it is, how long it still takes, and the way to stop it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.content import Rendered
from bot.slack import blocks, names

if TYPE_CHECKING:
    from datetime import timedelta

    from storage.records import Bringing, Mailbox

TEXT_UNITS: Final = 1000
NAME_UNITS: Final = 200


def progress(mailbox: Mailbox, bringing: Bringing, left: timedelta) -> Rendered:
    """What the post says now.

    Args:
        left: about how long the rest takes.
    """
    name = blocks.plain(mailbox.profile.name, NAME_UNITS)["text"]
    if bringing.left and not bringing.is_stopped:
        words = f"Bringing {_messages(bringing.total)} of “{name}”: {_so_far(mailbox, bringing, left)}."
        stop = blocks.button("Stop", names.STOP_OLD_MAIL, bringing.id)
        stop["elements"][0].pop("style")
        found = [blocks.sentence(words), stop, blocks.note("They stand in the thread of this message.")]
    else:
        words = _ended(bringing)
        found = [blocks.sentence(words), blocks.note(f"Mailbox “{name}”, in the thread of this message.")]
    return Rendered(blocks.escaped_within(words, TEXT_UNITS), found)


def _so_far(mailbox: Mailbox, bringing: Bringing, left: timedelta) -> str:
    done = f"{bringing.brought:,} of {bringing.total:,}"
    if not mailbox.is_active:
        return f"{done}; the rest comes once this mailbox is active"
    if mailbox.is_paused:
        return f"{done}; the rest comes once you resume this mailbox"
    return f"{done}, {about(left)} left"


def _ended(bringing: Bringing) -> str:
    if bringing.is_stopped:
        return f"Stopped: {bringing.brought:,} of {bringing.total:,} were brought."
    if bringing.brought < bringing.total:
        return f"{bringing.brought:,} of {_messages(bringing.total)} are here; Slack did not take the others."
    if bringing.total == 1:
        return "The one older message is here."
    return f"All {_messages(bringing.total)} are here."


def _messages(count: int) -> str:
    return f"{count:,} older {'message' if count == 1 else 'messages'}"


def about(time: timedelta) -> str:
    """A time to come, as people say it."""
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    if minutes < 90:
        return "about a minute" if minutes == 1 else f"about {minutes} minutes"
    hours = round(minutes / 60)
    return f"about {hours} hours" if hours < 48 else f"about {round(hours / 24)} days"
