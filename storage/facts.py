"""Reads what a decision about sharing stands on, inside the transaction of whoever needs it.

Everything that changes grants or shares, or acts on them, first takes `lock_sharing`: there is one such transaction in a
workspace at a time, so what the judge saw is what holds when the effect is committed.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy
from sqlalchemy import bindparam, text

from storage.database import is_id
from storage.errors import NotFound, NotPermitted
from storage.records import EntryState, Person, Shape
from storage.sharing import (
    Audience,
    AudienceKind,
    ChannelReach,
    Facts,
    Grant,
    GrantKind,
    Level,
    ListedMessage,
    Reach,
    Share,
    Subject,
    SubjectKind,
    Suspension,
)
from storage.sharing_tables import IN_FORCE, GrantRow, ShareRow
from storage.statements import plain
from storage.tables import EntryRow, MailboxRow, MessageRow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

    from storage.database import Database
    from storage.sending import Source


_AT_ONCE: Final = 50


async def lock_sharing(database: Database, session: AsyncSession, workspace: str) -> None:
    """Until this transaction ends, no other one changes what is shared in this workspace. Take it before any row."""
    await database.serialise(session, "sharing", workspace)


async def grants_in(session: AsyncSession, workspace: str) -> tuple[Grant, ...]:
    """All grants that are written in a workspace."""
    rows = (await session.exec(_grants(), params={"workspace": workspace})).all()
    return tuple(grant_of(row) for row in rows)


@cache
def _grants() -> Any:
    grant = plain(GrantRow)
    query = sqlalchemy.select(grant).where(grant.c.workspace == bindparam("workspace"))
    return query.order_by(grant.c.subject_kind, grant.c.subject_id)


async def facts_in(session: AsyncSession, mailbox_id: str) -> Facts:
    """The facts of a mailbox.

    Raises:
        NotFound: it is gone.
    """
    if not is_id(mailbox_id):
        raise NotFound("There is no such mailbox.")
    # The grants before the shares: without the lock both may change in between, and a share that ended before its
    # grant was widened must not be judged by the wider one.
    found = (await session.exec(_mailbox(), params={"mailbox": mailbox_id})).first()
    if found is None:
        raise NotFound("There is no such mailbox.")
    grants = await grants_in(session, found.workspace)
    rows = (await session.exec(_shares(), params={"mailbox": mailbox_id})).all()
    return _facts(found, grants, [share_of(row) for row in rows])


async def message_in(session: AsyncSession, message_id: str) -> ListedMessage:
    """A message that is not kept out of Slack by its owner.

    Raises:
        NotFound: it is gone, or kept out.
    """
    if not is_id(message_id):
        raise NotFound("There is no such message.")
    row = (await session.exec(_message(), params={"message": message_id})).first()
    if row is None:
        raise NotFound("There is no such message.")
    return listed(row)


async def sending_facts_in(
    session: AsyncSession, mailbox_id: str, permits: Callable[[Facts], bool], source: Source | None
) -> Facts:
    """The facts of a mailbox from which a mail may be sent, as its judge and that of its source say.

    Raises:
        NotFound: it is gone.
        NotPermitted: a judge said no, or a mailbox is suspended.
    """
    facts = await facts_in(session, mailbox_id)
    if facts.suspension is not None or not permits(facts) or not await _permits_source(session, source):
        raise NotPermitted("This person may not send from the mailbox.")
    return facts


async def _permits_source(session: AsyncSession, source: Source | None) -> bool:
    """Whether the judge of a mail's source lets it be used; where there is no source, nothing stands against it."""
    if source is None:
        return True
    try:
        message = await message_in(session, source.message_id)
        facts = await facts_in(session, message.mailbox_id)
    except NotFound:
        return source.may_be_gone
    return facts.suspension is None and source.permits(facts)


async def facts_where(session: AsyncSession, workspace: str, *which: ColumnElement[bool]) -> list[Facts]:
    """The facts of all mailboxes of a workspace for which `which` is true, in the order they were added.

    Of thousands some at a time, so that they hold up nothing else on the loop.

    Args:
        which: about the bare table of mailboxes.
    """
    grants = await grants_in(session, workspace)
    mailbox = plain(MailboxRow)
    of_workspace = (mailbox.c.workspace == workspace, mailbox.c.wrapped_key.is_not(None), *which)
    mailboxes: Any = sqlalchemy.select(*_columns()).where(*of_workspace)
    found = (await session.exec(mailboxes.order_by(mailbox.c.created_at, mailbox.c.id))).all()
    facts: list[Facts] = []
    for start in range(0, len(found), _AT_ONCE):
        some = found[start : start + _AT_ONCE]
        shares = await _shares_of(session, [row.id for row in some])
        facts += [_facts(row, grants, shares.get(row.id, ())) for row in some]
    return facts


async def _shares_of(session: AsyncSession, mailbox_ids: list[str]) -> dict[str, list[Share]]:
    """The shares in force of these mailboxes, by mailbox."""
    share = plain(ShareRow)
    query: Any = sqlalchemy.select(share).where(share.c.mailbox_id.in_(mailbox_ids), text(IN_FORCE))
    shares: dict[str, list[Share]] = {}
    for row in (await session.exec(query.order_by(share.c.id))).all():
        shares.setdefault(row.mailbox_id, []).append(share_of(row))
    return shares


def _columns() -> list[Any]:
    mailbox = plain(MailboxRow).c
    names = ("id", "workspace", "owner", "suspension", "suspended_rank")
    return [mailbox[name] for name in names]


@cache
def _mailbox() -> Any:
    mailbox = plain(MailboxRow).c
    this = mailbox.id == bindparam("mailbox")
    return sqlalchemy.select(*_columns()).where(this, mailbox.wrapped_key.is_not(None))


@cache
def _shares() -> Any:
    share = plain(ShareRow)
    this = share.c.mailbox_id == bindparam("mailbox")
    return sqlalchemy.select(share).where(this, text(IN_FORCE)).order_by(share.c.id)


@cache
def _message() -> Any:
    message, entry = plain(MessageRow), plain(EntryRow).c
    muted = sqlalchemy.exists().where(entry.message_id == message.c.id, entry.state == EntryState.MUTED)
    return sqlalchemy.select(message).where(message.c.id == bindparam("message"), ~muted)


def _facts(mailbox: Any, grants: tuple[Grant, ...], shares: Iterable[Share]) -> Facts:
    why = mailbox.suspension
    return Facts(
        mailbox_id=mailbox.id,
        owner=Person(mailbox.workspace, mailbox.owner),
        suspension=None if why is None else Suspension(why),
        grants=grants,
        shares=tuple(shares),
        suspended_rank=mailbox.suspended_rank,
    )


@lru_cache(maxsize=2_048)
def grant_of(row: Any) -> Grant:
    """A grant as its row has it; every decision reads them all, and they hardly ever change."""
    has_audience = row.audience_kind is not None
    return Grant(
        subject=Subject(SubjectKind(row.subject_kind), row.subject_id),
        kind=GrantKind(row.kind),
        level=Level(row.level),
        audience=Audience(AudienceKind(row.audience_kind), row.audience_id) if has_audience else None,
        reach=Reach(row.reach),
        channels=ChannelReach(row.channels),
        may_hold=row.may_hold,
        mailboxes=row.mailboxes,
        active=row.active,
        may_view=row.may_view,
        excluded=frozenset(json.loads(row.excluded)),
        allows_plain=row.allows_plain,
        written_by=row.written_by,
        since=row.since,
        rank=row.rank,
    )


def share_of(row: Any) -> Share:
    """A share as its row has it."""
    return Share(
        id=row.id,
        mailbox_id=row.mailbox_id,
        audience=Audience(AudienceKind(row.audience_kind), row.audience_id),
        level=Level(row.level),
        created_at=row.created_at,
        message_id=row.message_id,
        history=row.history,
        until=row.until,
        was_private=row.was_private,
        ended_at=row.ended_at,
    )


def listed(row: Any) -> ListedMessage:
    """A message as its row has it."""
    return ListedMessage(
        id=row.id,
        mailbox_id=row.mailbox_id,
        shape=Shape(row.shape),
        octets=row.octets,
        listed_octets=row.listed_octets,
        received_at=row.received_at,
    )
