"""The render child, but it dies, hangs or lies when a mail orders it to; run in place of the interpreter.

A mail orders a fault by its field `X-Fault`, for the whole mail, or `X-Fault-Always`, for its header alone too.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from bot.mail import render_child
from bot.mail.frames import Mode
from storage.records import Shape

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.mail.content import Rendered
    from bot.mail.frames import Request

_ORDER = re.compile(rb"^X-Fault(-Always)?: (\S+)(?: (\S+))?", re.MULTILINE)
_real = render_child.rendered


def _recurse(argument: str) -> None:
    _recurse(argument)


def _spin(argument: str) -> None:
    while True:
        pass


def _swell(argument: str) -> None:
    held = []
    while True:
        held.append(bytearray(16 * 1024 * 1024))


def _once(path: str) -> None:
    if not Path(path).exists():
        Path(path).touch()
        _die(path)


def _die(argument: str) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _lie(argument: str) -> None:
    sys.stdout.buffer.write(b"\xff" * 64)
    sys.stdout.buffer.flush()


def _fail(argument: str) -> None:
    raise KeyError(argument)


FAULTS: dict[str, Callable[[str], object]] = {
    "die": _die,
    "fail": _fail,
    "leave": lambda argument: sys.exit(0),
    "lie": _lie,
    "once": _once,
    "recurse": _recurse,
    "sleep": lambda argument: time.sleep(600),
    "spin": _spin,
    "swell": _swell,
    "write": lambda argument: Path(argument).write_bytes(b"x"),
}


def rendered(request: Request) -> Rendered:
    """The post, unless the mail orders otherwise."""
    order = _ORDER.search(request.octets)
    if order and (order[1] or _is_whole(request)):
        FAULTS[order[2].decode()]((order[3] or b"").decode())
    return _real(request)


def _is_whole(request: Request) -> bool:
    return request.mode is Mode.FULL or (
        request.mode is Mode.ORIGINAL and request.arrival.shape is Shape.WHOLE
    )


if __name__ == "__main__":
    sys.argv = [__file__, sys.argv[-1]]
    render_child.rendered = rendered
    render_child.CPU_SECONDS = 0.5  # type: ignore[misc]  # its mails are small, and spinning is dear
    render_child.main()
