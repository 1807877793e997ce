"""Makes of a bot one that dies or stands still where it is told to, or that lacks one of the product's safeguards.

The stores' methods are wrapped so that the process ends itself (`os._exit`, as `kill -9` does: nothing is tidied up)
before or after the n-th call of a named one. The product itself knows nothing of this.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final

from sqlmodel import col

from bot import deliver, lease, paces, runner, sent
from bot.app import sending
from bot.mail.pop3_client import Session
from bot.slack.client import SlackClient
from storage import fencing, submissions
from storage.digests import Digests
from storage.mailboxes import Mailboxes
from storage.messages import Messages
from storage.outbox import Outbox
from storage.outgoing_posts import OutgoingPosts
from storage.records import Dm, EntryState
from storage.submissions import Submissions
from storage.tables import MailboxRow

CRASHED: Final = 9
TICK_SECONDS: Final = 0.2

WATCHED: Final[tuple[tuple[type, str], ...]] = (
    (Mailboxes, "claim_due"),
    (Mailboxes, "renew"),
    (Mailboxes, "finish"),
    (Mailboxes, "release"),
    (Messages, "keep"),
    (Messages, "note_failure"),
    (Messages, "note_missing"),
    (Messages, "mark_deleting"),
    (Messages, "confirm_deleted"),
    (Messages, "purge"),
    (Digests, "end_hold"),
    (Digests, "dissolve"),
    (Outbox, "claim_due"),
    (Outbox, "record"),
    (Outbox, "reopen"),
    (Outbox, "renew"),
    (Outbox, "release"),
    (Outbox, "release_worker"),
    (SlackClient, "post"),
    (SlackClient, "share_files"),
    (Session, "dele"),
    (Session, "quit"),
)
"""Where a bot may be told to die: each write of the mail's path, and each act on somebody else's server."""

SENDING: Final[tuple[tuple[type, str], ...]] = (
    (Submissions, "claim_due"),
    (Submissions, "renew"),
    (Submissions, "release"),
    (Submissions, "octets"),
    (Submissions, "intend"),
    (Submissions, "settle"),
    (OutgoingPosts, "told"),
    (SlackClient, "update"),
)
"""The same of mail that is sent."""

TRIES: Final = (0.02,)
"""Minutes until a mail is tried again, in place of an hour in the end."""


@dataclass(frozen=True)
class Orders:
    """What becomes of one bot.

    Attributes:
        crash: "before" or "after", a boundary, and at which call of it, as in `("after", "Messages.keep", 2)`.
        stop: the same, but the process stops as by SIGSTOP and waits for SIGCONT.
        without: a safeguard it lacks: intent, grace, reconcile, fencing, or submission, the intent of mail that is sent.
        lease_seconds, beat_seconds: in place of the product's, None leaves them.
        is_patient: whether it keeps to one post a second in each DM and looks for work once a second; neither is part
            of a promise, and without them a short life is a full one.
        purges: drop the octets of settled messages every second, at once, instead of after 30 days.
    """

    crash: tuple[str, str, int] | None = None
    stop: tuple[str, str, int] | None = None
    without: str | None = None
    lease_seconds: float | None = None
    beat_seconds: float | None = None
    is_patient: bool = False
    purges: bool = False

    def as_json(self) -> dict[str, Any]:
        """What goes over the pipe."""
        return asdict(self)


class _Watch:
    """Counts calls and strikes at the one that was ordered."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._calls: Counter[tuple[str, str]] = Counter()

    def wrap(self, owner: type, name: str) -> None:
        """Put this watch around a method; a call that raises has no "after"."""
        real = getattr(owner, name)

        @functools.wraps(real)
        async def watched(*args: Any, **kwargs: Any) -> Any:
            label = _label(owner, name, args)
            await self._pass("before", label, args[0])
            result = await real(*args, **kwargs)
            await self._pass("after", label, args[0])
            return result

        setattr(owner, name, watched)

    async def _pass(self, when: str, label: str, store: Any) -> None:
        self._calls[when, label] += 1
        here = (when, label, self._calls[when, label])
        if self._orders.crash and tuple(self._orders.crash) == here:
            os._exit(CRASHED)
        if self._orders.stop and tuple(self._orders.stop) == here:
            async with store._database.write():
                pass  # between two transactions: what a process that stands still holds of SQLite, nobody else gets
            os.kill(os.getpid(), signal.SIGSTOP)


def _label(owner: type, name: str, args: tuple[Any, ...]) -> str:
    """Names a boundary: `Outbox.record` by the state it commits as well."""
    is_record = owner is Outbox and name == "record"
    return f"{owner.__name__}.{name}" + (f"/{args[2].state}" if is_record else "")


def _without_intent() -> None:
    real = Outbox.record

    async def record(self: Outbox, dm: Dm, entry: Any, **kwargs: Any) -> Dm:
        is_intent = entry.state in {EntryState.POSTING, EntryState.FILING} and not kwargs.get("held_until")
        return dm if is_intent else await real(self, dm, entry, **kwargs)

    Outbox.record = record  # type: ignore[method-assign] # the switch


def _without_grace() -> None:
    real = deliver.Deliverer.__init__

    def __init__(self: deliver.Deliverer, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - it replaces one
        real(self, *args, **{**kwargs, "grace": timedelta(0)})

    deliver.Deliverer.__init__ = __init__  # type: ignore[method-assign] # the switch


def _without_reconcile() -> None:
    async def find_posts(_self: SlackClient, *_: str | None) -> dict[str, str]:
        return {}

    SlackClient.find_posts = find_posts  # type: ignore[assignment,method-assign] # the switch


def _without_fencing() -> None:
    def is_claimed(claim: Any) -> Any:
        return col(MailboxRow.id) == claim.mailbox.id

    def is_held(dm: Dm) -> Any:
        return fencing.is_dm_of(dm.owner)

    for module in [module for name, module in sys.modules.items() if name.startswith("storage.")]:
        for switch in (is_claimed, is_held):
            if hasattr(module, switch.__name__):
                setattr(module, switch.__name__, switch)


def _without_submission() -> None:
    async def intend(_self: Submissions, *_: Any) -> None:
        pass

    Submissions.intend = intend  # type: ignore[assignment,method-assign] # the switch
    submissions._may_come = lambda *_: True  # what comes without an intent is recorded too


SWITCHES: Final = {
    "intent": _without_intent,
    "grace": _without_grace,
    "reconcile": _without_reconcile,
    "fencing": _without_fencing,
    "submission": _without_submission,
}


def obey(orders: Orders) -> None:
    """Change this process accordingly, before it becomes a bot."""
    if orders.without:
        SWITCHES[orders.without]()
    if orders.lease_seconds is not None:
        for module in (lease, runner):
            vars(module)["LEASE"] = timedelta(seconds=orders.lease_seconds)
    if orders.beat_seconds is not None:
        lease.BEAT = timedelta(seconds=orders.beat_seconds)
    if not orders.is_patient:
        paces.BURST = 1_000_000
        runner.TICK_SECONDS = TICK_SECONDS  # type: ignore[assignment] # schedule takes fractions
        vars(sending)["TICK_SECONDS"] = TICK_SECONDS
        vars(sent)["TRIES"] = TRIES
    if orders.purges:
        runner.KEEP_OCTETS = timedelta(0)
        runner.PURGE_MINUTES = 1 / 60  # type: ignore[assignment] # schedule takes fractions
    watch = _Watch(orders)
    for owner, name in (*WATCHED, *SENDING):
        watch.wrap(owner, name)
