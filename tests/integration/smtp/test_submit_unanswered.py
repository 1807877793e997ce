"""After the last dot only the server's answer counts: yes, no, or nobody knows; it is never sent again by itself."""

from __future__ import annotations

import asyncio
import time
import traceback
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from aiosmtplib import SMTPResponseException

from bot.errors import BotError
from bot.mail.smtp_wire import WatchedProtocol
from bot.sending_errors import AnswerUnknown, MessageRefused, NotTaken, TooLargeToSend
from tests.fakes.smtp_server import (
    NOT_TAKEN_IN_SILENCE,
    NOT_TAKEN_UNANSWERED,
    TAKEN_IN_SILENCE,
    TAKEN_UNANSWERED,
    Ending,
    SmtpServer,
)
from tests.integration.smtp.conftest import MAIL, PATIENT, Send

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

B, C = MAIL.recipients
ENOUGH = 4_000_000
"""Octets that no client of ours may hold."""


@pytest.mark.parametrize("answer", [b"250 2.0.0 queued\r\n", b"250-queued\r\n250 as 1\r\n", b"251 moved\r\n"])
@pytest.mark.parametrize("farewell", [b"221 bye\r\n", b"", None, b"500 what\r\n", b"garbage\r\n"])
async def test_a_yes_is_a_yes_whatever_becomes_of_the_goodbye(
    send: Send, answer: bytes, farewell: bytes | None
) -> None:
    """Any answer of 2xx to the dot means that the server has the mail; QUIT changes nothing."""
    async with SmtpServer(ending=Ending(answer, is_kept=True), replies={"QUIT": farewell}) as server:
        sent = await send(server, limits=replace(PATIENT, goodbye=timedelta(seconds=0.2)))

    assert sent.error is None
    assert all(reply.is_taken for reply in sent.replies)
    assert server.copies() == {(B, "<1@a.example>"): 1, (C, "<1@a.example>"): 1}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"554 5.6.0 secret\r\n", (MessageRefused, False)),
        (b"550-5.7.1 secret\r\n550 5.7.1 policy\r\n", (MessageRefused, False)),
        (b"451 4.3.0 secret\r\n", (MessageRefused, True)),
        (b"421 4.3.2 secret\r\n", (MessageRefused, True)),
        (b"550 secret, rate limited\r\n", (MessageRefused, True)),
        (b"552 5.3.4 secret\r\n", (TooLargeToSend, False)),
        (b"552-5.2.3 secret\r\n552 5.2.3 too large\r\n", (TooLargeToSend, False)),
    ],
)
async def test_a_no_is_a_no(send: Send, answer: bytes, expected: tuple[type[BotError], bool]) -> None:
    """An answer of 4xx or 5xx to the dot means that the server does not have it, for now or for good."""
    recipients: dict[str, bytes | None] = {B: b"550 5.1.1 nobody\r\n"}
    async with SmtpServer(ending=Ending(answer, is_kept=False), recipients=recipients) as server:
        sent = await send(server)

    assert isinstance(sent.error, NotTaken)
    assert (type(sent.error), sent.error.temporary) == expected
    assert sent.error.code == int(answer[:3])
    assert [reply.is_taken for reply in sent.error.replies] == [False, True]
    assert "secret" in sent.error.said
    assert "secret" not in "".join(traceback.format_exception(sent.error)) + sent.error.sentence


@pytest.mark.parametrize(
    "ending",
    [
        TAKEN_UNANSWERED,
        NOT_TAKEN_UNANSWERED,
        TAKEN_IN_SILENCE,
        NOT_TAKEN_IN_SILENCE,
        Ending(b"queued\r\n", is_kept=True),
        Ending(b"25", is_kept=True),
        Ending(b"250-so far\r\n", is_kept=True),
        Ending(b"354 more\r\n", is_kept=True),
        Ending(b"100 hm\r\n", is_kept=True),
        Ending(b"999 what\r\n", is_kept=True),
        Ending(b"250-" + b"x" * 100_000 + b"\r\n250 ok\r\n", is_kept=True),
        Ending(b"250-x\r\n" * 2000 + b"250 ok\r\n", is_kept=True),
    ],
)
async def test_no_answer_that_can_be_read_is_no_answer(send: Send, ending: Ending) -> None:
    """Silence, a lost connection and nonsense after the dot are all unknown; who was refused before stays refused."""
    recipients: dict[str, bytes | None] = {B: b"550 5.1.1 nobody\r\n"}
    async with SmtpServer(ending=ending, recipients=recipients) as server:
        sent = await send(server, limits=replace(PATIENT, answer=timedelta(seconds=0.5)))

    assert isinstance(sent.error, AnswerUnknown)
    assert not sent.error.temporary
    assert [(reply.code, reply.is_taken) for reply in sent.error.replies] == [(550, False), (250, True)]
    assert sent.dots == 1
    assert len(server.transactions) == 1
    assert server.transactions[0].has_dot


async def test_the_answer_has_its_own_long_deadline(send: Send) -> None:
    """What a server takes to think after the dot is no part of the deadline before it."""
    limits = replace(PATIENT, total=timedelta(seconds=2))
    async with SmtpServer(delays={".": 2.1}) as server:
        sent = await send(server, limits=limits)

    assert sent.error is None


async def test_a_large_mail_has_all_its_time_while_it_moves(send: Send) -> None:
    """Each piece has its deadline; a server that goes on taking them is never too slow for that."""
    octets = MAIL.octets + b"x" * 76 + b"\r\n" * 4_000_000
    limits = replace(PATIENT, piece=timedelta(seconds=2))
    async with SmtpServer(reads_every=0.08) as server:
        started = time.monotonic()
        sent = await send(server, replace(MAIL, octets=octets), limits=limits)

    assert sent.error is None
    assert time.monotonic() - started > limits.piece.total_seconds()
    assert server.kept[0].octets == octets


async def _endless(piece: bytes) -> AsyncIterator[bytes]:
    sent = 0
    while sent < 10 * ENOUGH:
        yield piece
        sent += len(piece)


@pytest.mark.parametrize("word", ["220", "EHLO", "MAIL", "354", "."])
@pytest.mark.parametrize("piece", [b"250-x\r\n" * 1000, b"x" * 65536, b"\r\n" * 1000, b"250 ok\r\n" * 1000])
async def test_an_endless_answer_ends_soon_and_fills_no_memory(send: Send, word: str, piece: bytes) -> None:
    """A server that never stops talking is left at once, wherever it begins."""

    async def talk(writer: asyncio.StreamWriter) -> None:
        async for octets in _endless(piece):
            writer.write(octets)
            await writer.drain()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers = {
            "220": b"220 hi\r\n",
            "EHLO": b"250-fake\r\n250 AUTH PLAIN\r\n",
            "AUTH": b"235 ok\r\n",
            "DATA": b"354 go\r\n",
            "354": b"",
            ".": b"250 ok\r\n",
        }
        try:
            heard = "220"
            while True:
                if heard == word:
                    await talk(writer)
                writer.write(answers.get(heard, b"250 ok\r\n"))
                if heard == "DATA" and word == "354":
                    heard = "354"
                elif heard == "DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    heard = "."
                else:
                    heard = (await reader.readuntil(b"\r\n")).split()[0].decode()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening:
        tracemalloc.start()
        started = time.process_time()
        try:
            sent = await send(listening.sockets[0].getsockname()[1])
            held = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        spent = time.process_time() - started

    is_whole = word == "." and piece.startswith(b"250 ")  # its first line alone would be a yes
    assert is_whole or isinstance(sent.error, AnswerUnknown if word == "." else BotError)
    assert sent.dots == (1 if word == "." else 0)
    assert held < ENOUGH
    assert spent < 2


async def test_an_answer_of_many_lines_costs_no_more_than_it_is_worth() -> None:
    """Lines that come one by one are not read again and again without end: too many of them end the session."""
    protocol = WatchedProtocol()
    protocol.connection_made(asyncio.Transport())

    started = time.process_time()
    for _ in range(6500):
        protocol.data_received(b"250-\n")
    spent = time.process_time() - started

    with pytest.raises(SMTPResponseException, match="too many lines"):
        await protocol.read_response(1)
    assert spent < 1  # the library alone: about ten times as much
