"""Use case: call back what the bot posted for others, once their right to it has ended.

Two methods share the load, since Slack counts each apart: `chat.delete` takes the newest posts away, `chat.update` blanks
those that would wait, and what is blank is deleted later. `files.delete` takes the files. Where each post stands is
committed after every few calls; what a crash repeats changes nothing in Slack.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import structlog

from bot.allowance import Allowance
from bot.slack.client import NO_RIGHTS, CallFailed, Posted, Refused, TryLater, Unknown
from bot.slack.copies import BLANK
from storage.copied import Withdrawal, WithdrawalState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.slack.client import Outcome, SlackClient
    from storage.withdrawals import Withdrawals

log = structlog.get_logger(__name__)

WINDOW: Final = 300
"""Posts looked at in one round."""

AT_ONCE: Final = 10
"""Calls of one method at a time."""

REFUSALS: Final = 3
"""So often Slack may refuse a post, over half a minute, before it counts as one that cannot be called back."""

ATTEMPTS: Final = 30
"""So often a call may go without an answer, or without the app's rights, over hours."""

REFUSED_AGAIN: Final = timedelta(seconds=10)
UNAUTHORISED: Final = timedelta(minutes=5)
LONGEST_WAIT: Final = timedelta(minutes=5)

_SAYS: Final = frozenset({WithdrawalState.ASKED, WithdrawalState.STUCK})


class _Act(StrEnum):
    """A call to Slack; each is of a method of its own, with an allowance of its own."""

    LOOK = "look"
    DELETE = "delete"
    BLANK = "blank"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class _Deed:
    """What is done about one post in a round: one call about the post, one about a file of it, or either."""

    row: Withdrawal
    act: _Act | None = None
    file_id: str = ""


class Withdrawing:
    """Empties the store of withdrawals.

    Args:
        stopping: once set, the calls at hand are finished and no others are begun.
    """

    def __init__(
        self,
        store: Withdrawals,
        slack: SlackClient,
        *,
        clock: Callable[[], datetime],
        stopping: asyncio.Event,
    ) -> None:
        self._store = store
        self._slack = slack
        self._clock = clock
        self._stopping = stopping
        self._allowances = {act: Allowance() for act in _Act}
        self._unblankable: set[str] = set()

    async def work(self) -> None:
        """Until nothing is due; in the pace that Slack allows."""
        while not self._stopping.is_set():
            rows = await self._store.due(self._clock(), WINDOW)
            if not rows:
                self._unblankable.clear()
                return
            deeds = self._deeds(rows)
            if deeds:
                changed = await asyncio.gather(*(self._do(deed) for deed in deeds))
                await self._store.record([row for row in changed if row is not None], self._clock())
            else:
                await self._rest(rows)

    def _deeds(self, rows: Sequence[Withdrawal]) -> list[_Deed]:
        """The next calls: what still says something comes first, of that the newest."""
        deeds: dict[str, _Deed] = {row.entry_id: _Deed(row) for row in rows}
        for act, wanted in self._wanted(rows).items():
            now, free = self._clock(), [row for row in wanted if not deeds[row.entry_id].act]
            for row in free[:AT_ONCE]:
                if not self._allowances[act].take(now):
                    break
                deeds[row.entry_id] = replace(deeds[row.entry_id], act=act)
        with_files = [row for row in rows if row.file_ids and row.ts is not None]
        for row in with_files[:AT_ONCE]:
            if not self._allowances[_Act.FILE].take(self._clock()):
                break
            deeds[row.entry_id] = replace(deeds[row.entry_id], file_id=row.file_ids[0])
        return [deed for deed in deeds.values() if deed.act or deed.file_id]

    def _wanted(self, rows: Sequence[Withdrawal]) -> dict[_Act, list[Withdrawal]]:
        """For each method the posts it may be called about, in their order."""
        there = [row for row in rows if row.ts is not None]
        saying = [row for row in there if row.state is WithdrawalState.ASKED]
        blank = [row for row in there if row.state is WithdrawalState.BLANKED]
        # What is deleted at once needs no blanking; what Slack will not delete does.
        deleted = {row.entry_id for row in saying[: self._allowances[_Act.DELETE].left(self._clock())]}
        kept = deleted | self._unblankable
        to_blank = [row for row in there if row.state in _SAYS and row.entry_id not in kept]
        unknown = [row for row in rows if row.ts is None and row.state is WithdrawalState.ASKED]
        return {_Act.LOOK: unknown, _Act.DELETE: [*saying, *blank], _Act.BLANK: to_blank}

    async def _rest(self, rows: Sequence[Withdrawal]) -> None:
        """Until a call may be made that somebody waits for."""
        now = self._clock()
        waited_for = [act for act, wanted in self._wanted(rows).items() if wanted]
        waited_for += [_Act.FILE] if any(row.file_ids for row in rows) else []
        seconds = min((self._allowances[act].seconds(now) for act in waited_for), default=1.0)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), max(0.01, min(seconds, 1.0)))

    # Calls

    async def _do(self, deed: _Deed) -> Withdrawal | None:
        """Make the calls; the row as it is then, None where nothing is new."""
        post, file = await asyncio.gather(self._post_call(deed), self._file_call(deed))
        row = deed.row
        if deed.act is not None and post is not None:
            row = self._after(row, deed.act, post)
        if file is not None:
            row = self._after_file(row, deed.file_id, file)
        return None if row == deed.row else row

    async def _post_call(self, deed: _Deed) -> Outcome | None:
        row = deed.row
        if deed.act is _Act.LOOK:
            return await self._look(row)
        if deed.act is None:
            return None
        assert row.ts is not None
        if deed.act is _Act.DELETE:
            return await self._slack.delete_post(row.channel, row.ts)
        return await self._slack.blank_post(row.channel, row.ts, BLANK)

    async def _file_call(self, deed: _Deed) -> Outcome | None:
        return await self._slack.delete_file(deed.file_id) if deed.file_id else None

    async def _look(self, row: Withdrawal) -> Outcome:
        """Where a post is of which no answer came; an empty `ts` says that it is nowhere."""
        try:
            found = await self._slack.find_posts(row.channel, row.look_from)
        except CallFailed as failed:
            return failed.outcome
        log.info("withdrawn_post_looked_up", entry=row.entry_id, is_there=row.entry_id in found)
        return Posted(found.get(row.entry_id, ""))

    # What comes of them

    def _after(self, row: Withdrawal, act: _Act, outcome: Outcome) -> Withdrawal:
        if isinstance(outcome, Posted):
            return _succeeded(row, act, outcome)
        if isinstance(outcome, TryLater):
            self._allowances[act].hold(self._clock(), outcome.seconds)
            return row
        log.info("withdrawal_failed", entry=row.entry_id, act=act, outcome=repr(outcome))
        if isinstance(outcome, Unknown) or outcome.code in NO_RIGHTS:
            return self._again(row, outcome)
        return self._after_refusal(row, act)

    def _after_refusal(self, row: Withdrawal, act: str) -> Withdrawal:
        if act is _Act.DELETE and row.state is WithdrawalState.BLANKED:
            # It says nothing any more: that is all that can be had.
            return replace(row, state=WithdrawalState.GONE)
        if act is _Act.DELETE and row.entry_id not in self._unblankable:
            return replace(row, state=WithdrawalState.STUCK)
        if act is _Act.BLANK and row.state is WithdrawalState.ASKED:
            self._unblankable.add(row.entry_id)
            return row
        if row.attempts + 1 >= REFUSALS:
            return replace(row, state=WithdrawalState.LOST)
        return replace(row, attempts=row.attempts + 1, due_at=self._clock() + REFUSED_AGAIN)

    def _after_file(self, row: Withdrawal, file_id: str, outcome: Outcome) -> Withdrawal:
        if isinstance(outcome, TryLater):
            self._allowances[_Act.FILE].hold(self._clock(), outcome.seconds)
            return row
        is_open = isinstance(outcome, Unknown) or (isinstance(outcome, Refused) and outcome.code in NO_RIGHTS)
        if is_open and row.attempts < ATTEMPTS:
            assert isinstance(outcome, Unknown | Refused)
            return self._again(row, outcome)
        left = tuple(each for each in row.file_ids if each != file_id)
        lost = row.lost_files + (not isinstance(outcome, Posted))
        return replace(row, file_ids=left, lost_files=lost)

    def _again(self, row: Withdrawal, outcome: Unknown | Refused) -> Withdrawal:
        """The same once more, later each time; not for ever."""
        if row.attempts >= ATTEMPTS:
            return replace(row, state=WithdrawalState.LOST)
        wait = min(timedelta(seconds=2.0 ** min(row.attempts, 10)), LONGEST_WAIT)
        until = self._clock() + (UNAUTHORISED if isinstance(outcome, Refused) else wait)
        return replace(row, attempts=row.attempts + 1, due_at=until)


def _succeeded(row: Withdrawal, act: _Act, outcome: Posted) -> Withdrawal:
    if act is _Act.LOOK:
        return (
            replace(row, ts=outcome.ts)
            if outcome.ts
            else replace(row, state=WithdrawalState.GONE, file_ids=())
        )
    if act is _Act.BLANK and row.state is WithdrawalState.ASKED:
        return replace(row, state=WithdrawalState.BLANKED)
    return replace(row, state=WithdrawalState.GONE)
