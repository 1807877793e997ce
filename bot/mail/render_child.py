"""The program that reads mails for the bot: requests on standard input, posts on standard output.

Run as `python -m bot.mail.render_child PARENT`. It opens no file or socket of its own and logs nothing. A mail that
takes more processor time or memory than is allowed ends it, which the parent expects; so does the parent's end.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import resource
import signal
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bot.mail import answering, conversation, frames, message, originals, parties
from bot.mail.content import Arrival, Fault
from bot.mail.frames import Answer, Mode, Request
from bot.slack import digest, pages, posts
from storage.records import Shape

if TYPE_CHECKING:
    from typing import BinaryIO

    from bot.mail.content import Message, Rendered

MEMORY: Final = 512 * 1024 * 1024
"""Beyond what the interpreter and the libraries take themselves."""

CPU_SECONDS: Final = 2.0
OPEN_FILES: Final = 16
_WHOLE: Final = frozenset({Mode.FULL, Mode.TEXT, Mode.ORIGINAL, Mode.FILES})
_PR_SET_PDEATHSIG: Final = 1
_WARM_UP: Final = (
    b"Subject: =?utf-8?q?x?=\nContent-Type: text/html; charset=x\n\n<p>\xe4 <a href=http://a.b>c</a>"
)


def main() -> None:
    """Serves until standard input ends."""
    _end_with(int(sys.argv[1]))
    _answer(Request(_WARM_UP, Arrival(Shape.WHOLE, 0, datetime.now(UTC), None, ""), Mode.FULL))
    _bound()
    gc.freeze()
    gc.disable()  # trees of a hundred thousand nodes would be searched for cycles again and again
    _write(sys.stdout.buffer, {"ready": True}, b"")
    while (request := _read(sys.stdin.buffer)) is not None:
        # SIGPROF keeps its default action: it ends the process even inside a library's C code.
        signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
        answer = _answer(request)
        head, octets = frames.answer_frame(answer, request.octets)
        signal.setitimer(signal.ITIMER_PROF, 0)
        _write(sys.stdout.buffer, head, octets)
        if answer.is_last:
            break
        del request, answer, head, octets
        gc.collect()


def rendered(request: Request) -> Rendered:
    """The post of one request, with the domains that the mail is from or to."""
    mail = (message.parse if _is_read_whole(request) else message.parse_header)(request.octets)
    return replace(_said(request, mail), domains=parties.domains(mail, request.arrival, request.octets))


def _is_read_whole(request: Request) -> bool:
    is_whole = request.mode is not Mode.ORIGINAL or request.arrival.shape is Shape.WHOLE
    return request.mode in _WHOLE and is_whole


def _said(request: Request, mail: Message) -> Rendered:
    if request.mode is Mode.FULL:
        post = _signed(posts.post(mail, request.arrival, request.octets), mail, request.arrival)
        return replace(post, may_reply_all=_may_reply_all(request, mail))
    if request.mode in {Mode.TEXT, Mode.FIELDS, Mode.LABEL}:
        return _page(request, mail)
    if request.mode in {Mode.ORIGINAL, Mode.FILES}:
        return _to_be_answered(request, mail)
    if request.mode is Mode.LINE:
        return _signed(digest.line(mail, request.arrival), mail, request.arrival)
    card = posts.plain if request.mode is Mode.PLAIN else posts.minimal
    return _signed(card(mail, request.arrival, request.octets), mail, request.arrival)


def _page(request: Request, mail: Message) -> Rendered:
    if request.mode is Mode.TEXT:
        page = pages.text_page(mail, request.page)
        return replace(page, may_reply_all=_may_reply_all(request, mail))
    if request.mode is Mode.FIELDS:
        return pages.fields_page(message.header_fields(request.octets), request.page)
    return pages.label(mail)


def _to_be_answered(request: Request, mail: Message) -> Rendered:
    """What an answer needs of the mail, or its files; no post."""
    labelled = pages.label(mail)
    if request.mode is Mode.FILES:
        files, left_out = originals.files(mail)
        return replace(labelled, files=files, left_out=left_out)
    original = originals.original(mail, request.octets, with_text=_is_read_whole(request))
    invited = originals.invited(mail, [request.arrival.own_address])
    return replace(labelled, original=original, invited=invited)


def _may_reply_all(request: Request, mail: Message) -> bool:
    if Fault.NOT_A_MAIL in mail.faults or request.arrival.shape is Shape.REFUSED:
        return False
    original = originals.original(mail, request.octets, with_text=False)
    return answering.may_reply_all(original, [request.arrival.own_address])


def _signed(post: Rendered, mail: Message, arrival: Arrival) -> Rendered:
    """The post with whose it is, and what the mail tells of its conversation."""
    return replace(post, sender=pages.sender(mail), clues=conversation.clues(mail, arrival))


def _answer(request: Request) -> Answer:
    """The post or the original; when our own code fails, of the header alone. A heap once full is not used again."""
    try:
        return Answer(rendered(request), None, is_last=False)
    except Exception as error:
        if request.mode not in {Mode.FULL, Mode.ORIGINAL}:
            raise
        fault, is_full = type(error).__name__, isinstance(error, MemoryError)
    gc.collect()
    header_alone = frames.of_header(request)
    return Answer(rendered(header_alone), fault, is_last=is_full)


def _end_with(parent: int) -> None:
    """The parent's death ends this process, even in the middle of a mail."""
    with contextlib.suppress(
        OSError, AttributeError
    ):  # Linux alone has it; elsewhere the end of input must do
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(0)


def _bound() -> None:
    """From here on: nothing of the parent's left open, little memory, no new files, no core."""
    os.closerange(3, 1 << 20)  # uvloop hands on what is inheritable
    pages = _pages()
    bounds = [(resource.RLIMIT_NOFILE, OPEN_FILES), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)]
    if pages:
        bounds.append((resource.RLIMIT_AS, pages * resource.getpagesize() + MEMORY))
    for kind, most in bounds:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (most, most))


def _pages() -> int:
    """The size of the address space; 0 where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 0


def _read(stream: BinaryIO) -> Request | None:
    prefix = stream.read(frames.LENGTHS.size)
    if len(prefix) < frames.LENGTHS.size:
        return None
    head, octets = frames.lengths(prefix)
    line = stream.read(head)
    return frames.request(json.loads(line), stream.read(octets))


def _write(stream: BinaryIO, head: dict[str, Any], octets: bytes) -> None:
    stream.writelines(frames.packed(head, octets))
    stream.flush()


if __name__ == "__main__":
    main()
