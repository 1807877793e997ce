"""Starts bots that die or stand still where they are told to, or that lack one of the product's safeguards.

Imports the product once, then makes a process of each order that it reads: the product's own `serve`, with the
stores' methods wrapped so that the process ends itself (`os._exit`, as `kill -9` does: nothing is tidied up) before
or after the n-th call of a named one. The product itself knows nothing of this. One JSON order a line on standard
input; on standard output "started PID" and "ended PID STATUS".
"""

from __future__ import annotations

import functools
import json
import os
import select
import signal
import socket
import sys
from collections import Counter
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlmodel import col

import bot.__main__ as program
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
            self._pass("before", label)
            result = await real(*args, **kwargs)
            self._pass("after", label)
            return result

        setattr(owner, name, watched)

    def _pass(self, when: str, label: str) -> None:
        self._calls[when, label] += 1
        here = (when, label, self._calls[when, label])
        if self._orders.crash and tuple(self._orders.crash) == here:
            os._exit(CRASHED)
        if self._orders.stop and tuple(self._orders.stop) == here:
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


def _obey(orders: Orders) -> None:
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


def _be_a_bot(order: dict[str, Any]) -> None:
    os.setsid()
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for number, target in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(target, number)
    os.environ.clear()
    os.environ.update(order["environment"])
    os.chdir(order["folder"])
    _obey(replace(Orders(), **order["orders"]))
    program.cli(["serve"], prog_name="python -m bot")


class _Maker:
    """Makes a process of each order, and tells when it has ended."""

    def __init__(self) -> None:
        self._wakes, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        self._living: set[int] = set()
        self._unread = b""

    def run(self) -> None:
        """Until standard input ends; whatever still lives then is killed, by its id."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([0, self._wakes.fileno()], [], [])
            if self._wakes.fileno() in ready:
                self._wakes.recv(4096)
                self._reap()
            if 0 in ready and not self._read():
                break
        for pid in self._living:
            os.kill(pid, signal.SIGKILL)

    def _read(self) -> bool:
        octets = os.read(0, 65_536)
        *lines, self._unread = (self._unread + octets).split(b"\n")
        for line in lines:
            self._start(json.loads(line))
        return bool(octets)

    def _start(self, order: dict[str, Any]) -> None:
        pid = os.fork()
        if pid == 0:
            self._leave_parent()
            status = 1
            try:
                _be_a_bot(order)
            except SystemExit as leaving:
                status = leaving.code if isinstance(leaving.code, int) else 0
            finally:
                sys.stdout.flush()
                os._exit(status)
        self._living.add(pid)
        _say(f"started {pid}")

    def _leave_parent(self) -> None:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._wakes.close()
        self._waker.close()

    def _reap(self) -> None:
        while self._living:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            self._living.discard(pid)
            _say(f"ended {pid} {os.waitstatus_to_exitcode(status)}")


def _say(line: str) -> None:
    os.write(1, line.encode() + b"\n")


if __name__ == "__main__":
    assert Path(program.__file__).name == "__main__.py"
    _Maker().run()
