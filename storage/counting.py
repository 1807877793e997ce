"""Attempts that are counted and their limits, as values that every layer shares. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import timedelta


class AttemptKind(StrEnum):
    """What is counted against misuse."""

    TEST = "test"  # of other people's servers, by a person
    TEST_LOGIN = "test_login"  # of one user name at one host
    TEST_WORKSPACE = "test_workspace"
    REFUSED_LOGIN = "refused_login"  # at one host, everybody's together
    SENT = "sent"  # mails of a person
    SENT_MAILBOX = "sent_mailbox"  # mails of a mailbox, everybody's together
    SENT_TO = "sent_to"  # recipients of a person


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many attempts of one kind within a window that ends now."""

    kind: AttemptKind
    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Counted:
    """An attempt that counts against a limit, for whom `who` names; stored as a keyed digest only.

    `times`: as so many, at least 1; of them either all have room or none.
    """

    limit: Limit
    who: tuple[str, ...]
    times: int = 1
