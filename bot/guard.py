"""Use case part: which logins at other people's mail servers may be tried now.

Asked before any connection is made, afresh each time. Room for a refusal is taken before a doubtful login and given
back when the server takes it, so that however many run at once, and whenever the process dies, a host refuses no more
of them than its limit. Logins that work are counted nowhere and wait for nobody, unless their host has begun to refuse
one after the other.
"""

from __future__ import annotations

from collections import Counter, deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import structlog

from bot import limits
from bot.errors import BotError, ConnectionLost, LoginRejected, Step, TooOften
from bot.mail.hosts import plain_host
from storage.attempts import Full
from storage.errors import LeaseLost

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Sequence
    from datetime import datetime

    from storage.attempts import Attempts
    from storage.counting import Counted
    from storage.records import Mailbox, Person, Profile, ServerAddress

log = structlog.get_logger(__name__)


class Refusals:
    """The hosts that refused a login of one test."""

    def __init__(self) -> None:
        self.hosts: Final[set[str]] = set()

    def note(self, server: ServerAddress, begun: Sequence[Step], error: BotError) -> None:
        """A test failed, after these steps; a login that was cut off may have been refused as well."""
        if begun[-1:] == [Step.LOGIN] and isinstance(error, LoginRejected | ConnectionLost):
            self.hosts.add(plain_host(server.host))


class Guard:
    """Counts tests and refused logins, and says when it is too often.

    Args:
        is_exempt: hosts that are nobody else's, where nothing is counted.
    """

    def __init__(
        self, attempts: Attempts, *, is_exempt: Callable[[str], bool], clock: Callable[[], datetime]
    ) -> None:
        self._attempts: Final = attempts
        self._is_exempt: Final = is_exempt
        self._clock: Final = clock
        self._in_flight = Counter[str]()
        self._refused: Final[dict[str, deque[datetime]]] = {}

    @asynccontextmanager
    async def test(self, person: Person, profile: Profile) -> AsyncIterator[Refusals]:
        """Around the test of a profile: whoever runs it notes what is refused.

        Raises:
            TooOften: before anything; the test is not to be made.
        """
        refusals = Refusals()
        logins = [login for login in _logins(profile) if not self._is_exempt(login[0])]
        if not logins:
            yield refusals
            return
        counts = limits.test_counts(person, logins)
        async with self._room({host for host, _ in logins}, counts, refusals.hosts):
            yield refusals

    @asynccontextmanager
    async def login(self, mailbox: Mailbox) -> AsyncIterator[None]:
        """Around the connection and login of a poll.

        Raises:
            TooOften: before anything; the poll is to be put off.
        """
        host = plain_host(mailbox.profile.incoming.host)
        if self._is_exempt(host):
            yield
        elif limits.is_doubtful(mailbox):
            async with self._doubtful_login(host):
                yield
        else:
            async with self._working_login(host, mailbox.id):
                yield

    @asynccontextmanager
    async def submission(self, mailbox_id: str, server: ServerAddress) -> AsyncIterator[None]:
        """Around the session in which a mail is sent.

        Its password passed a test before it was stored, and is not used any more once it was refused.

        Raises:
            TooOften: before anything; the mail is to wait.
        """
        host = plain_host(server.host)
        if self._is_exempt(host):
            yield
        else:
            async with self._working_login(host, mailbox_id):
                yield

    @asynccontextmanager
    async def _doubtful_login(self, host: str) -> AsyncIterator[None]:
        refused: set[str] = set()
        async with self._room({host}, (), refused):
            try:
                yield
            except (LoginRejected, ConnectionLost):
                refused.add(host)
                raise
            self._refused.pop(host, None)

    @asynccontextmanager
    async def _working_login(self, host: str, mailbox_id: str) -> AsyncIterator[None]:
        """A password that worked at its last poll: only a host that refuses all of them makes it wait.

        That is throttling or a ban that reads "wrong password", and every further login would make it longer.
        """
        times = self._refused.get(host)
        if times is not None and len(times) == limits.REFUSED.most:
            until = times[0] + limits.REFUSED.window
            if until > self._clock():
                log.info("logins_rest", mailbox=mailbox_id)
                raise TooOften(until, "the host refuses logins that worked")
        try:
            yield
        except LoginRejected:
            now = self._clock()
            self._refused.setdefault(host, deque(maxlen=limits.REFUSED.most)).append(now)
            await self._attempts.note(limits.refusal_at(host), now)
            raise
        self._refused.pop(host, None)

    @asynccontextmanager
    async def _room(
        self, hosts: Collection[str], counts: Collection[Counted], refused: Collection[str]
    ) -> AsyncIterator[None]:
        """Hold room for a refusal at each host; it is kept by those in `refused` at the end, and by what breaks off."""
        refusals = {limits.refusal_at(host): host for host in hosts}
        taken = await self._taken([*counts, *refusals], refusals)
        self._in_flight.update(hosts)
        try:
            yield
        except (BotError, LeaseLost):
            await self._give_back(taken, refusals, refused)
            raise
        finally:
            self._in_flight -= Counter(hosts)
        await self._give_back(taken, refusals, refused)

    async def _taken(self, wanted: Collection[Counted], refusals: dict[Counted, str]) -> dict[Counted, str]:
        now = self._clock()
        taken = await self._attempts.take(wanted, now)
        if not isinstance(taken, Full):
            return taken
        waits = {
            one: now + limits.IN_FLIGHT if self._in_flight[refusals.get(one, "")] else until
            for one, until in taken.waits.items()
        }
        until = max(waits.values())
        kinds = sorted(one.limit.kind for one in waits)
        log.info("attempts_refused", kinds=kinds)
        raise TooOften(until, ", ".join(kinds), sentence=limits.too_often(until, now))

    async def _give_back(
        self, taken: dict[Counted, str], refusals: dict[Counted, str], refused: Collection[str]
    ) -> None:
        await self._attempts.give_back([taken[one] for one, host in refusals.items() if host not in refused])


def _logins(profile: Profile) -> list[tuple[str, str]]:
    """Host and user name of each login a test makes."""
    found = [(plain_host(profile.incoming.host), profile.username)]
    if profile.outgoing is not None:
        found.append((plain_host(profile.outgoing.host), profile.outgoing_username or profile.username))
    return found
