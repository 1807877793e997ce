"""Sessions with one host at a time: a few run, a few wait, and more do not come in.

A host that answers slowly, or not at all, holds its own mailboxes up and nobody else's: who finds the waiting room full
is to come again later.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from bot.mail.hosts import plain_host

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SESSIONS_PER_HOST: Final = 10

WAITING_PER_HOST: Final = 10
ASKED_PER_HOST: Final = 100
"""Polls that somebody waits for may wait longer, up to so many."""


class Host:
    """One host: at most `SESSIONS_PER_HOST` sessions, and who waits for one."""

    def __init__(self) -> None:
        self.places: Final = asyncio.Semaphore(SESSIONS_PER_HOST)
        self.sessions = self.waiting = 0


class Crowd:
    """All hosts with which there is a session just now.

    Attributes:
        waiting: how many wait for a session, with any host.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._hosts: Final[WeakValueDictionary[str, Host]] = WeakValueDictionary()

    def host(self, name: str) -> Host:
        """One host, however its name is typed; keep it while you need it."""
        return self._hosts.setdefault(plain_host(name), Host())

    @staticmethod
    def is_full(host: Host, *, is_asked_for: bool) -> bool:
        """Whether no more may wait there."""
        most = ASKED_PER_HOST if is_asked_for else WAITING_PER_HOST
        return host.places.locked() and host.waiting >= most

    @asynccontextmanager
    async def session(self, host: Host) -> AsyncIterator[bool]:
        """A place for one session; gives whether it had to be waited for."""
        has_waited = host.places.locked()
        if has_waited:
            await self._place(host)
        else:
            await host.places.acquire()
        host.sessions += 1
        try:
            yield has_waited
        finally:
            host.sessions -= 1
            host.places.release()

    async def _place(self, host: Host) -> None:
        self.waiting += 1
        host.waiting += 1
        try:
            await host.places.acquire()
        finally:
            self.waiting -= 1
            host.waiting -= 1
