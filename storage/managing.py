"""Somebody else than the owner who changes a mailbox: judged in the transaction of the change, and noted in it.

The stores of mailboxes and rules take a `Manager` where their owner's calls take none. The judge sees the facts behind
the lock of sharing, so a share that ends at the same moment either ends first, or after the change was made and noted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from storage.audits import add_audit
from storage.copied import Telling, TellingKind
from storage.errors import NotPermitted
from storage.facts import facts_in, lock_sharing
from storage.sharing import Act, AuditEntry
from storage.tellings import tell

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.records import Person, Retention
    from storage.sharing import Facts


@dataclass(frozen=True, slots=True)
class Manager:
    """Who acts for an owner, when, and the judge who says whether they may."""

    person: Person
    now: datetime
    permits: Callable[[Facts], bool]


async def admit(database: Database, session: AsyncSession, mailbox_id: str, manager: Manager | None) -> None:
    """Judge a manager before anything else happens in a transaction; an owner, None, needs no judge.

    Raises:
        NotFound: the mailbox is gone.
        NotPermitted: the judge said no.
    """
    if manager is None:
        return
    await lock_sharing(database, session, manager.person.workspace)
    if not manager.permits(await facts_in(session, mailbox_id)):
        raise NotPermitted("This person may not manage the mailbox.")


async def note(
    database: Database,
    session: AsyncSession,
    owner: Person,
    mailbox_id: str,
    manager: Manager | None,
    *,
    before: str,
    after: str,
    telling: str = "",
) -> None:
    """Note what a manager changed, in a few words of ours; what an owner does themselves is nobody's affair.

    Args:
        telling: what the owner is told of it, a word that `TellingKind.MAILBOX_MANAGED` knows; "" for nothing.
    """
    if manager is None:
        return
    entry = AuditEntry(
        at=manager.now,
        workspace=owner.workspace,
        actor=manager.person.user,
        act=Act.MANAGED,
        owner=owner.user,
        mailbox_id=mailbox_id,
        subject=f"mailbox:{mailbox_id}",
        before=before,
        after=after,
    )
    await add_audit(session, entry)
    if telling:
        said = Telling(TellingKind.MAILBOX_MANAGED, who=manager.person.user, why=telling)
        await tell(database, session, owner, mailbox_id, said, now=manager.now)


def retention_words(retention: Retention, delete_days: int | None) -> str:
    """A delete setting as the audit names it."""
    return f"{retention}:{delete_days}" if delete_days else str(retention)
