"""How the row of a mailbox changes when its poll ends."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, update
from sqlmodel.sql.sqltypes import UTCDateTime

from storage.fencing import ANY_CLAIM, is_claimed
from storage.records import Notice
from storage.sealing import packed_capabilities
from storage.statements import plain
from storage.tables import MailboxRow

if TYPE_CHECKING:
    from storage.records import PollResult


def columns(result: PollResult) -> dict[str, Any]:
    """What a poll found, as it is recorded."""
    is_alarm = {None: {}, Notice.ALL_CLEAR: {"has_alarm": False}, Notice.ASKED: {}}
    told = is_alarm.get(result.notice, {"has_alarm": True})
    return {
        "health": result.health,
        "failures": result.failures,
        "polled_at": result.polled_at,
        "last_success_at": result.last_success_at,
        "last_mail_at": result.last_mail_at,
        "watched_seconds": int(result.watched.total_seconds()),
        "tail_number": result.tail and result.tail.number,
        "tail_uid": result.tail and result.tail.uid,
        "listed_at": result.listed_at,
        "listed": result.listed,
        "capabilities": packed_capabilities(result.capabilities),
        "one_by_one": result.one_by_one,
        **told,
    }


@cache
def finish(*, stops: bool) -> Any:
    """The poll's word, unless the owner asked for a sooner check while it ran: it may have listed before that."""
    mailbox = plain(MailboxRow)
    stored, decided = mailbox.c.due_at, bindparam("decided", type_=UTCDateTime())
    is_same = stored.is_not_distinct_from(bindparam("claimed_due", type_=UTCDateTime()))
    is_ours = is_same | (stored > decided)
    due_at = None if stops else case((is_ours, decided), else_=stored)
    raised = {"fence": mailbox.c.fence + 1, "due_at": due_at}
    return update(mailbox).where(is_claimed(ANY_CLAIM)).values(raised)
