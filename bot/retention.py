"""Which delete settings a provider can carry out. Pure.

To delete a message once it is in Slack takes a second session, and so a server that lists it again. Gmail lists a
message no more once it was fetched, unless the user name begins with `recent:`, which is read-only for us: the same
message then comes back for 30 days to every program that asks.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from storage.records import Retention

if TYPE_CHECKING:
    from bot.mail.providers import Provider
    from storage.records import Profile

RECENT: Final = "recent:"
"""Before the user name, at Gmail's servers only: https://support.google.com/mail/answer/7104828."""

_RECENT_HOSTS: Final = frozenset({"pop.gmail.com", "pop.googlemail.com"})


class WhyNot(StrEnum):
    """Why a delete setting is not offered."""

    HIDES_FETCHED = "hides_fetched"
    READS_RECENT = "reads_recent"


WORDS: Final = {
    WhyNot.HIDES_FETCHED: "This provider shows a message to mail programs once only, so Mailbox cannot delete it later. "
    "What happens to it there is set on the provider's own page.",
    WhyNot.READS_RECENT: "With “recent:” all mail of the last 30 days stays readable for your other programs, so Mailbox "
    "deletes nothing.",
}


def lists_all(provider: Provider | None, username: str) -> bool:
    """Whether the server lists a message again that was fetched before."""
    return not (provider and provider.hides_fetched) or _is_recent(username)


def allowed_retentions(
    provider: Provider | None, username: str
) -> tuple[tuple[Retention, WhyNot | None], ...]:
    """Every delete setting, and why it cannot be had; None where it can."""
    why = None
    if provider and provider.hides_fetched:
        why = WhyNot.READS_RECENT if _is_recent(username) else WhyNot.HIDES_FETCHED
    return tuple((each, None if each is Retention.LEAVE else why) for each in Retention)


def knows_recent(host: str) -> bool:
    """Whether this incoming server understands `recent:`."""
    return host.strip().lower().removesuffix(".") in _RECENT_HOSTS


def with_recent(username: str) -> str:
    """A user name that asks for the mail of the last 30 days."""
    return RECENT + without_recent(username)


def without_recent(username: str) -> str:
    """The user name itself, as the outgoing server wants it."""
    return username.strip()[len(RECENT) :] if _is_recent(username) else username


def sends_as(profile: Profile) -> str:
    """The user name for the outgoing server: its own, or that of the incoming one without its mode."""
    return profile.outgoing_username or without_recent(profile.username)


def _is_recent(username: str) -> bool:
    return username.strip().lower().startswith(RECENT)
