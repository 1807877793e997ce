"""Attempts that are counted, so that nobody makes them too often.

Whoever an attempt counts for stands here as a keyed digest: no person, no host, no address, no user name. A row lives
an hour at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, or_
from sqlmodel import col, select

from storage.counting import AttemptKind, Counted
from storage.database import new_id
from storage.statements import insert_rows
from storage.tables import AttemptRow

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person
    from storage.vault import Vault

LONGEST: Final = timedelta(hours=1)
"""No window is longer, so no row is of use afterwards."""

_OF_PERSONS: Final = (AttemptKind.TEST, AttemptKind.SENT, AttemptKind.SENT_TO)


@dataclass(frozen=True, slots=True)
class Full:
    """Limits without room, each with the time when it has room again."""

    waits: dict[Counted, datetime]


class Attempts:
    """The store of counted attempts."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def take(self, wanted: Collection[Counted], now: datetime) -> dict[Counted, str] | Full:
        """Count an attempt against all of these limits or, when one of them has no room, against none.

        However many ask at once, no limit is passed.

        Returns:
            What `give_back` takes, for each of them; or when there is room again.
        """
        rows = {one: self._row(one, now) for one in wanted}
        async with self._database.write() as session:
            # In one order for everybody, so that nobody waits for somebody who waits for them.
            for name in sorted(f"{row['kind']} {row['who'].hex()}" for row in rows.values()):
                await self._database.serialise(session, "attempt", name)
            waits = {one: until for one in rows if (until := await self._wait(session, one, now))}
            if waits:
                return Full(waits)
            if rows:
                await insert_rows(session, AttemptRow, list(rows.values()))
        return {one: row["id"] for one, row in rows.items()}

    async def note(self, counted: Counted, now: datetime) -> None:
        """Count an attempt that was made already, room or not."""
        async with self._database.write() as session:
            await insert_rows(session, AttemptRow, [self._row(counted, now)])

    async def give_back(self, taken: Collection[str]) -> None:
        """Attempts that turned out not to count."""
        if taken:
            async with self._database.write() as session:
                await session.exec(delete(AttemptRow).where(col(AttemptRow.id).in_(taken)))

    async def purge(self, now: datetime) -> int:
        """Forget what is past every window; how many. What a clock that was wrong put far ahead goes too."""
        at = col(AttemptRow.at)
        async with self._database.write() as session:
            old = delete(AttemptRow).where((at <= now - LONGEST) | (at > now + LONGEST))
            return (await session.exec(old)).rowcount

    def _row(self, counted: Counted, now: datetime) -> dict[str, Any]:
        kind = counted.limit.kind
        who = _who(self._vault, kind, *counted.who)
        return {"id": new_id(), "kind": kind, "who": who, "at": now, "times": counted.times}

    async def _wait(self, session: AsyncSession, counted: Counted, now: datetime) -> datetime | None:
        limit = counted.limit
        who = _who(self._vault, limit.kind, *counted.who)
        query = select(AttemptRow.at, AttemptRow.times).where(
            AttemptRow.kind == limit.kind, AttemptRow.who == who
        )
        query = query.where(col(AttemptRow.at) > now - limit.window).order_by(col(AttemptRow.at).desc())
        rows = (await session.exec(query.limit(limit.most))).all()
        too_many = sum(times for _, times in rows) + counted.times - limit.most
        until = now
        for at, times in reversed(rows):
            if too_many <= 0:
                break
            too_many, until = too_many - times, at + limit.window
        if too_many > 0:  # more than fits at all
            until = now + limit.window
        return until if until > now else None


async def count_of(session: AsyncSession, vault: Vault, owner: Person, *kinds: AttemptKind) -> int:
    """How many attempts of this person are counted at present; of these kinds, or of all that count persons."""
    query = select(func.count()).select_from(AttemptRow).where(_of(vault, owner, kinds or _OF_PERSONS))
    return (await session.exec(query)).one()


async def forget(session: AsyncSession, vault: Vault, owner: Person) -> None:
    """Drop what is counted for this person."""
    await session.exec(delete(AttemptRow).where(_of(vault, owner, _OF_PERSONS)))


def _of(vault: Vault, owner: Person, kinds: Collection[AttemptKind]) -> Any:
    counted = [(kind, _who(vault, kind, owner.workspace, owner.user)) for kind in kinds]
    return or_(*((col(AttemptRow.kind) == kind) & (col(AttemptRow.who) == who) for kind, who in counted))


def _who(vault: Vault, kind: AttemptKind, *parts: str) -> bytes:
    return vault.digest("attempt", kind, *parts)
