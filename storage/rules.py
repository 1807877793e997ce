"""Rules of owners: whose mail, and which conversations, are kept out of Slack.

A rule is found by a digest under its mailbox's own key, and shown by a label sealed under it: the table names nobody.
How many mails a rule kept out is counted from the entries it muted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, delete, func
from sqlmodel import col, select

from storage.answers import of_owner
from storage.database import is_id, new_id
from storage.errors import NotFound, TooMany
from storage.managing import admit, note
from storage.statements import plain
from storage.tables import EntryRow, MailboxRow, RuleRow
from storage.vault import Place
from storage.wishes import Rule, RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.managing import Manager
    from storage.records import Person
    from storage.vault import DataKey, Vault

MOST_RULES: Final = 1000
"""Of one mailbox; a person who wants more filters on the mail server."""


@dataclass(frozen=True, slots=True)
class Sieve:
    """The rules of one mailbox as they are now.

    Attributes:
        key: the mailbox's; None where that is gone.
        rules: their ids, by digest.
        has_threads: one of them is about a conversation.
    """

    key: DataKey | None
    rules: Mapping[bytes, str]
    has_threads: bool

    def match(self, sender: str, conversation: str | None) -> str | None:
        """The rule that keeps a mail out of Slack; None where none does.

        Args:
            sender: the address in lower case; "" where the mail names none.
        """
        if not self.rules or self.key is None:
            return None
        wanted = [(RuleKind.SENDER, sender), (RuleKind.CONVERSATION, conversation or "")]
        found = (self.rules.get(self.key.digest("rule", kind, name)) for kind, name in wanted if name)
        return next((rule for rule in found if rule is not None), None)


class Rules:
    """The store of rules."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database: Final = database
        self._vault: Final = vault

    async def add(
        self,
        owner: Person,
        mailbox_id: str,
        kind: RuleKind,
        key: str,
        *,
        label: str,
        now: datetime,
        manager: Manager | None = None,
    ) -> Rule:
        """Keep this mail out of Slack from now on; the rule that was there already, where there is one.

        Args:
            key: the sender's address in lower case, or the conversation's id.

        Raises:
            NotFound: the mailbox is gone, or somebody else's.
            TooMany: it has as many as it may have.
        """
        async with self._database.write() as session:
            await admit(self._database, session, mailbox_id, manager)
            opener = await self._opener(session, owner, mailbox_id, is_locked=True)
            digest = opener.digest("rule", kind, key)
            this = select(RuleRow).where(
                RuleRow.mailbox_id == mailbox_id, RuleRow.kind == kind, RuleRow.digest == digest
            )
            row = (await session.exec(this)).first()
            if row is None:
                await _check_room(session, mailbox_id)
                rule_id = new_id()
                sealed = opener.seal(label.encode(errors="replace"), _place(owner.workspace, rule_id))
                row = RuleRow(
                    id=rule_id, mailbox_id=mailbox_id, kind=kind, digest=digest, label=sealed, created_at=now
                )
                session.add(row)
                await session.flush()
                after = f"muted {kind}, rule {rule_id}"
                await note(
                    self._database,
                    session,
                    owner,
                    mailbox_id,
                    manager,
                    before="",
                    after=after,
                    telling="muted",
                )
            return _rule(opener, owner.workspace, row, await _counts(session, [row.id]))

    async def of(self, owner: Person) -> list[Rule]:
        """All rules of a person's mailboxes, the newest first."""
        rows = (
            select(RuleRow).join(MailboxRow, col(MailboxRow.id) == RuleRow.mailbox_id).where(*of_owner(owner))
        )
        async with self._database.read() as session:
            found = (await session.exec(rows.order_by(col(RuleRow.id).desc()))).all()
            counts = await _counts(session, [row.id for row in found])
            openers: dict[str, DataKey] = {}
            for row in found:
                if row.mailbox_id not in openers:
                    openers[row.mailbox_id] = await self._opener(session, owner, row.mailbox_id)
        return [_rule(openers[row.mailbox_id], owner.workspace, row, counts) for row in found]

    async def remove(self, owner: Person, rule_id: str) -> None:
        """Let the mail of a rule come again; what was kept out stays out. Once is enough.

        Raises:
            NotFound: it was removed before, or is somebody else's.
        """
        if not is_id(rule_id):
            raise NotFound("This person has no such rule.")
        mine = select(MailboxRow.id).where(*of_owner(owner))
        async with self._database.write() as session:
            this = (col(RuleRow.id) == rule_id) & col(RuleRow.mailbox_id).in_(mine)
            if (await session.exec(delete(RuleRow).where(this))).rowcount != 1:
                raise NotFound("This person has no such rule.")

    async def remove_from(self, owner: Person, mailbox_id: str, rule_id: str, manager: Manager) -> None:
        """The same of a sender, by somebody who manages this mailbox of the owner's, and no other one.

        Raises:
            NotFound: it was removed before, or is another mailbox's.
            NotPermitted: they may not; nothing was written.
        """
        async with self._database.write() as session:
            await admit(self._database, session, mailbox_id, manager)
            if not is_id(rule_id):
                raise NotFound("This mailbox has no such rule.")
            this = (col(RuleRow.id) == rule_id) & (col(RuleRow.mailbox_id) == mailbox_id)
            this &= col(RuleRow.kind) == RuleKind.SENDER
            if (await session.exec(delete(RuleRow).where(this))).rowcount != 1:
                raise NotFound("This mailbox has no such rule.")
            before = f"muted {RuleKind.SENDER}, rule {rule_id}"
            await note(self._database, session, owner, mailbox_id, manager, before=before, after="")

    async def sieve(self, mailbox_id: str) -> Sieve:
        """What a mailbox keeps out of Slack now, in one look; nothing where it is gone."""
        async with self._database.read() as session:
            rows = (await session.exec(_sieved(), params={"mailbox": mailbox_id})).all()
        if not rows or rows[0].wrapped_key is None:
            return Sieve(None, {}, has_threads=False)
        key = self._vault.data_key(rows[0].wrapped_key, rows[0].workspace, mailbox_id)
        rules = {row.digest: str(row.id) for row in rows if row.id is not None}
        return Sieve(key, rules, has_threads=any(row.kind == RuleKind.CONVERSATION for row in rows))

    async def _opener(
        self, session: AsyncSession, owner: Person, mailbox_id: str, *, is_locked: bool = False
    ) -> DataKey:
        query = select(MailboxRow.wrapped_key).where(*of_owner(owner), MailboxRow.id == mailbox_id)
        wrapped = (await session.exec(query.with_for_update(key_share=True) if is_locked else query)).first()
        if wrapped is None:
            raise NotFound("This person has no such mailbox.")
        return self._vault.data_key(wrapped, owner.workspace, mailbox_id)


@cache
def _sieved() -> Any:
    """A mailbox with its rules, built once: every post of a mail asks."""
    rule, mailbox = plain(RuleRow), plain(MailboxRow)
    columns = (rule.c.id, rule.c.kind, rule.c.digest, mailbox.c.wrapped_key, mailbox.c.workspace)
    rows = mailbox.outerjoin(rule, rule.c.mailbox_id == mailbox.c.id)
    return sqlalchemy.select(*columns).select_from(rows).where(mailbox.c.id == bindparam("mailbox"))


async def _check_room(session: AsyncSession, mailbox_id: str) -> None:
    query = select(func.count()).select_from(RuleRow).where(RuleRow.mailbox_id == mailbox_id)
    if (await session.exec(query)).one() >= MOST_RULES:
        raise TooMany("The mailbox has too many rules.")


async def _counts(session: AsyncSession, rule_ids: list[str]) -> Mapping[str, int]:
    muted_by = col(EntryRow.muted_by)
    query = select(muted_by, func.count()).where(muted_by.in_(rule_ids), muted_by.is_not(None))
    return {str(rule_id): count for rule_id, count in (await session.exec(query.group_by(muted_by))).all()}


def _rule(key: DataKey, workspace: str, row: RuleRow, counts: Mapping[str, int]) -> Rule:
    label = key.open(row.label, _place(workspace, row.id)).decode()
    return Rule(row.id, row.mailbox_id, RuleKind(row.kind), label, counts.get(row.id, 0))


def _place(workspace: str, rule_id: str) -> Place:
    return Place(workspace, "rule", rule_id, "label")
