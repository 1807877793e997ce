"""How often other people's mail servers may be tried, how much mail is sent, and what is said when it is too often.

A test sends a user name and a password that somebody typed to a server that somebody typed: without limits it would
guess passwords and knock on doors for them. Servers count as well: some ban an address after ten refused logins, and
our address is everybody's. Pure.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from storage.counting import AttemptKind, Counted, Limit
from storage.records import Health

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from datetime import datetime

    from storage.records import Mailbox, Person
    from storage.sending import WaitingMail

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)

OF_A_PERSON: Final = Limit(AttemptKind.TEST, 5, 10 * _MINUTE)
OF_A_LOGIN: Final = Limit(AttemptKind.TEST_LOGIN, 3, _HOUR)
OF_A_WORKSPACE: Final = Limit(AttemptKind.TEST_WORKSPACE, 20, _HOUR)
REFUSED: Final = Limit(AttemptKind.REFUSED_LOGIN, 3, _HOUR)
"""Over everybody, at one host, tests and polls together: a third of what gets an address banned."""

IN_FLIGHT: Final = _MINUTE
"""How soon to come again when logins that have not ended yet take the room: most of them leave it."""

OF_A_SENDER: Final = Limit(AttemptKind.SENT, 60, _HOUR)
OF_A_SENDING_MAILBOX: Final = Limit(AttemptKind.SENT_MAILBOX, 100, _HOUR)
OF_RECIPIENTS: Final = Limit(AttemptKind.SENT_TO, 300, _HOUR)
OF_A_MAILBOX_TO: Final = Limit(AttemptKind.SENT_TO, 300, _HOUR)
"""Of a person, and of a mailbox whoever writes. Below what providers allow in an hour: an account that passes theirs is
closed for a day, for receiving as well."""

RECIPIENTS: Final = 100
"""Of one mail; RFC 5321 section 4.5.3.1.8 lets every server take that many at once."""

ENCODED_OCTETS: Final = 25 * 1024 * 1024
"""Of one mail as it is sent; few servers take more."""

_RECENT: Final = "recent:"
"""Gmail's mode, written before the user name of the same account."""


def test_counts(person: Person, logins: Iterable[tuple[str, str]]) -> list[Counted]:
    """What one test counts against, refusals apart.

    Args:
        logins: host and user name, incoming and outgoing; the same one twice counts once.
    """
    accounts = sorted({(host, _account(username)) for host, username in logins})
    return [
        Counted(OF_A_PERSON, (person.workspace, person.user)),
        Counted(OF_A_WORKSPACE, (person.workspace,)),
        *(Counted(OF_A_LOGIN, account) for account in accounts),
    ]


def refusal_at(host: str) -> Counted:
    """What a refused login at a host counts against."""
    return Counted(REFUSED, (host,))


def sent_counts(person: Person, mailbox_id: str, recipients: int) -> list[Counted]:
    """What one mail counts against.

    Args:
        recipients: how many it goes to, at least 1.
    """
    who = (person.workspace, person.user)
    return [
        Counted(OF_A_SENDER, who),
        Counted(OF_A_SENDING_MAILBOX, (mailbox_id,)),
        Counted(OF_RECIPIENTS, who, recipients),
        Counted(OF_A_MAILBOX_TO, (mailbox_id,), recipients),
    ]


def spaced(waiting: Iterable[WaitingMail], now: datetime) -> list[datetime]:
    """When mail of one mailbox goes out that could not for long: one by one, and no more in an hour than may be written.

    None sooner than it may, nor than the one before it. What people write meanwhile counts by itself.
    """
    taken: dict[tuple[Limit, tuple[str, ...]], list[tuple[datetime, int]]] = {}
    found: list[datetime] = []
    for mail in waiting:
        counts = sent_counts(mail.actor, "", mail.recipients)
        at = max(now, mail.not_before or now)
        for one in counts:
            at = _free(taken.get((one.limit, one.who), ()), one, at)
        for one in counts:
            taken.setdefault((one.limit, one.who), []).append((at, one.times))
        found.append(at)
    return found


def _free(taken: Sequence[tuple[datetime, int]], one: Counted, at: datetime) -> datetime:
    """The first time from `at` on that keeps its distance from the one before, and at which the limit has room."""
    limit, room = one.limit, one.limit.most - one.times
    if taken:
        at = max(at, taken[-1][0] + limit.window / limit.most)
    for before, times in reversed(taken):
        if before <= at - limit.window:
            break
        room -= times
        if room < 0:
            return before + limit.window
    return at


def sent_too_often(kinds: Collection[AttemptKind], until: datetime, now: datetime) -> str:
    """The sentence for whoever has to wait before they send more."""
    if AttemptKind.SENT in kinds:
        what = f"You sent {OF_A_SENDER.most} mails in the last hour, and more are not allowed"
    elif AttemptKind.SENT_MAILBOX in kinds:
        what = f"{OF_A_SENDING_MAILBOX.most} mails were sent from this mailbox in the last hour, and more are not allowed"
    else:
        what = (
            f"A person, and a mailbox, may write to {OF_RECIPIENTS.most} people an hour, and this mail goes to more than are "
            "left"
        )
    return f"{what}. Nothing was sent. Try again in {_minutes(until, now)}."


def is_doubtful(mailbox: Mailbox) -> bool:
    """Whether the stored password may be wrong.

    It passed its test before it was stored, so one refusal is what it takes; settings changed since then were tested
    too, and set the failures back.
    """
    was_refused = mailbox.health in {Health.LOGIN_DOUBTED, Health.LOGIN_REFUSED}
    return was_refused and mailbox.failures > 0


def too_often(until: datetime, now: datetime) -> str:
    """The sentence for whoever has to wait: the same words whatever the limit, so it tells of nobody else's tests."""
    return (
        "There were too many connection tests lately, so this one was not made and nothing was sent to a mail server. "
        f"Try again in {_minutes(until, now)}."
    )


def _minutes(until: datetime, now: datetime) -> str:
    minutes = max(1, -((now - until) // _MINUTE))
    return f"{minutes} minute{'' if minutes == 1 else 's'}"


def _account(username: str) -> str:
    """A user name as most servers compare them."""
    return username.strip().casefold().removeprefix(_RECENT)
