"""What is open to somebody of another's mail, as the views take it. Pure values, decided before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.mail.content import Rendered
    from storage.sharing import Level


@dataclass(frozen=True, slots=True)
class Opened:
    """A mailbox as far as it is open to a viewer.

    Attributes:
        owner: a user.
        name: as its owner calls it.
        until: when the share ends by itself that gives the level.
        since: when it began, where nothing before it is open; None where history is.
        is_single: single messages alone are open.
    """

    mailbox_id: str
    owner: str
    name: str
    level: Level
    until: datetime | None = None
    since: datetime | None = None
    is_single: bool = False


@dataclass(frozen=True, slots=True)
class OpenedToMe:
    """Everything that others opened to a viewer.

    Attributes:
        why: in our own mrkdwn, why nothing, or perhaps not everything, is shown; "" where all is.
    """

    mailboxes: Sequence[Opened] = ()
    why: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One message in a list.

    Attributes:
        read: sender, subject and date; None when its octets are past their time.
        octets: its size as the server gave it.
    """

    message_id: str
    level: Level
    received_at: datetime
    octets: int
    read: Rendered | None


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of what is open of a mailbox, the newest first.

    Attributes:
        trail: the ids behind which this page and those before it begin, the first page apart.
        before: the id behind which the next page begins; None when this is the last one.
    """

    opened: Opened
    lines: Sequence[Line]
    trail: Sequence[str] = ()
    before: str | None = None


@dataclass(frozen=True, slots=True)
class Viewed:
    """One message as far as its viewer may see it.

    Attributes:
        line: who wrote it about what and when; None when its octets are past their time.
        page: the text, from OPEN up; None where there is none to show.
        why_not: the sentence that says why a text that may be seen is not shown.
    """

    message_id: str
    owner: str
    name: str
    level: Level
    received_at: datetime
    octets: int
    line: Rendered | None
    page: Rendered | None = None
    number: int = 0
    why_not: str = ""
