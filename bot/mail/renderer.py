"""Renders mails in child processes that may die: the event loop never waits, a hostile mail costs only itself.

A child is started when first needed and kept for the mails that follow. It has bounds for processor time, memory
and open files and an environment of its own, without the bot's secrets; here each mail has a deadline besides. A
mail that a child did not survive is tried once more in a new one; then its header alone is read; and should that
fail too, the card is made without looking at the mail. Nothing is queued here: whoever asks while all children
are busy waits, holding the octets that are theirs anyway.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from bot.errors import RenderFailed
from bot.mail import frames
from bot.mail.content import Arrival, File, Rendered
from bot.mail.frames import Mode, Request
from bot.slack import posts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from datetime import datetime

    from storage.records import Shape

__all__ = ["File", "Rendered", "Renderer"]

log = structlog.get_logger(__name__)

CHILDREN: Final = 2
"""One hostile mail may hold a child for seconds; the other mails take the second one."""

START_DEADLINE: Final = timedelta(seconds=60)
MAIL_DEADLINE: Final = timedelta(seconds=10)
CLOSE_DEADLINE: Final = timedelta(seconds=5)
START_PAUSES: Final = (0.0, 0.2, 1.0, 3.0)

_PROGRAM: Final = "bot.mail.render_child"
_PACKAGE_ROOT: Final = Path(__file__).resolve().parents[2]


class _Died(Exception):
    """The child ended, broke the framing or overran the deadline."""


@contextlib.asynccontextmanager
async def _deadline(time: timedelta) -> AsyncIterator[None]:
    """All that a dead, stuck or confused child can cause becomes _Died."""
    try:
        async with asyncio.timeout(time.total_seconds()):
            yield
    except (TimeoutError, OSError, EOFError, LookupError, TypeError, ValueError) as error:
        raise _Died(type(error).__name__) from error


class _Child:
    """One child process and the pipes to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._stdin = process.stdin
        self._stdout = process.stdout

    @classmethod
    async def spawn(cls, python: str) -> _Child:
        """A child that is still starting."""
        process = await asyncio.create_subprocess_exec(
            python, "-P", "-s", "-B", "-m", _PROGRAM, str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # a traceback may hold a line of the mail
            env=_environment(),
            cwd="/",
            start_new_session=True,  # the terminal's Ctrl-C is for the bot, which then closes the child
        )  # fmt: skip
        return cls(process)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def ready(self) -> None:
        """Returns when the child can take mails; raises _Died when it cannot."""
        async with _deadline(START_DEADLINE):
            await self._read()

    async def render(self, request: Request, deadline: timedelta) -> frames.Answer:
        """One request, one answer; raises _Died when the child is of no more use."""
        async with _deadline(deadline):
            return await self._exchange(request)

    async def gone(self) -> None:
        """Kills the process and waits until it is reaped and its pipes are closed."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        self._stdin.close()
        with contextlib.suppress(OSError):
            while await self._stdout.read(65536):
                pass
        await self._process.wait()

    def kill(self) -> None:
        """Ends the process; whoever waits for its answer gets _Died."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()

    async def _exchange(self, request: Request) -> frames.Answer:
        for piece in frames.packed(frames.request_head(request), request.octets):
            if self._stdin.is_closing():
                raise BrokenPipeError  # uvloop would say so by a RuntimeError
            self._stdin.write(piece)
            await self._stdin.drain()
        head, octets = await self._read()
        return frames.answer(head, octets, request.octets)

    async def _read(self) -> tuple[dict[str, Any], bytes]:
        head, octets = frames.lengths(await self._stdout.readexactly(frames.LENGTHS.size))
        line = await self._stdout.readexactly(head)
        return json.loads(line), await self._stdout.readexactly(octets)


class Renderer:
    """Mails in, posts out, never an exception for any mail.

    Args:
        python: the interpreter of the children.
        children: how many mails are rendered at once.
        deadline: for one try at one mail.
        authserv_ids: of servers whose judgement of a sender counts, beside those that belong to a mailbox's own.
    """

    def __init__(
        self,
        *,
        python: str = sys.executable,
        children: int = CHILDREN,
        deadline: timedelta = MAIL_DEADLINE,
        authserv_ids: tuple[str, ...] = (),
    ) -> None:
        self._python = python
        self._children = children
        self._deadline = deadline
        self._authserv_ids = authserv_ids
        self._turns = asyncio.Semaphore(children)
        self._idle: list[_Child] = []
        self._busy: set[_Child] = set()
        self._burials: set[asyncio.Task[None]] = set()
        self._closed = False

    async def render(
        self,
        octets: bytes,
        *,
        shape: Shape,
        listed_octets: int,
        received_at: datetime,
        mailbox_name: str | None,
        own_address: str,
        incoming_host: str = "",
        plain: bool = False,
    ) -> Rendered:
        """The post of a message.

        Args:
            octets: the message, or as much of it as `shape` says.
            listed_octets: its size as the server gave it.
            mailbox_name: the label to show, when its owner has several mailboxes.
            incoming_host: the server it was fetched from.
            plain: Slack refused the blocks: text alone, the original attached.

        Raises:
            RenderFailed: the renderer is closed; the message is not to blame.
        """
        arrival = Arrival(
            shape, listed_octets, received_at, mailbox_name, own_address, incoming_host, self._authserv_ids
        )
        first, last = (Mode.PLAIN, Mode.PLAIN) if plain else (Mode.FULL, Mode.HEADERS)
        request = Request(octets, arrival, first)
        async with self._turns:
            rendered = await self._tried((request, request, replace(request, mode=last)))
        if rendered is None:
            log.error("render_given_up", octets=len(octets))
        return rendered or posts.unread(arrival, octets, plain=plain)

    async def read(self, octets: bytes, arrival: Arrival, mode: Mode, page: int = 0) -> Rendered | None:
        """What a person wants to see of a message beyond its post; None when no child survives that.

        Args:
            mode: TEXT, FIELDS, LABEL, LINE, ORIGINAL or FILES; of an original the header must do in the end.
            page: from 0; past the end, the last one is meant.

        Raises:
            RenderFailed: the renderer is closed; the message is not to blame.
        """
        request = Request(octets, arrival, mode, page)
        last = (frames.of_header(request),) if mode is Mode.ORIGINAL else ()
        async with self._turns:
            return await self._tried((request, request, *last))

    async def close(self) -> None:
        """Ends every child; what is being rendered fails with RenderFailed."""
        self._closed = True
        for child in self._busy:
            child.kill()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_DEADLINE.total_seconds()):
                for _ in range(self._children):
                    await self._turns.acquire()
        for _ in range(self._children):
            self._turns.release()  # for those who still wait: they find it closed
        while self._idle:
            self._bury(self._idle.pop())
        if self._burials:
            await asyncio.wait(self._burials, timeout=CLOSE_DEADLINE.total_seconds())

    async def _tried(self, requests: Iterable[Request]) -> Rendered | None:
        """The post of the first request that a child survives; None when none does, or no child can be started."""
        for request in requests:
            child = await self._free_child()
            if child is None:
                return None
            rendered = await self._attempt(child, request)
            if rendered is not None:
                return rendered
        return None

    async def _attempt(self, child: _Child, request: Request) -> Rendered | None:
        """The post, or None when the child did not survive the mail."""
        self._busy.add(child)
        is_usable = False
        try:
            answer = await child.render(request, self._deadline)
            is_usable = not answer.is_last
        except _Died as error:
            log.warning("render_child_died", mode=request.mode.value, reason=str(error))
            return None
        finally:
            # Also when cancelled: the answer still to come would be taken for the next mail's.
            self._busy.discard(child)
            self._idle.append(child) if is_usable else self._bury(child)
        if answer.fault is not None:
            log.error("render_fell_back", error=answer.fault, mode=request.mode.value)
        return answer.rendered

    async def _free_child(self) -> _Child | None:
        """An idle child or a new one; None when none can be started."""
        while self._idle and not self._closed:
            child = self._idle.pop()
            if child.is_alive:
                return child
            self._bury(child)
        for pause in START_PAUSES:
            await asyncio.sleep(pause)
            if self._closed:
                raise RenderFailed("the renderer is closed")
            try:
                return await self._started()
            except (OSError, _Died) as error:
                log.warning("render_child_not_started", reason=str(error))
        return None

    async def _started(self) -> _Child:
        child = await _Child.spawn(self._python)
        self._busy.add(child)
        try:
            await child.ready()
        except BaseException:
            self._bury(child)
            raise
        finally:
            self._busy.discard(child)
        return child

    def _bury(self, child: _Child) -> None:
        burial = asyncio.get_running_loop().create_task(child.gone())
        self._burials.add(burial)
        burial.add_done_callback(self._burials.discard)


def _environment() -> dict[str, str]:
    """All that a child needs, and none of the bot's tokens and keys."""
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return kept | {"PYTHONPATH": str(_PACKAGE_ROOT), "PYTHONUTF8": "1", "LANG": "C.UTF-8"}
