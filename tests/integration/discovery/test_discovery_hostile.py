"""Name servers and web servers that mean harm, or are merely broken: the form gets a guess, in time, and no more."""

from __future__ import annotations

import asyncio
import gzip
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from bot.mail.suggestions import Source
from storage.records import Security, ServerAddress
from tests.fakes.autoconfig_documents import document, incoming, outgoing
from tests.fakes.https_server import HttpsServer, elsewhere, found
from tests.fakes.name_server import NameServer, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.mail.discovery import Discovery
    from tests.fakes.certificates import Certificates
    from tests.fakes.nsd import Nsd

PAGE = "autoconfig.auto.example.test/mail/config-v1.1.xml"
SOUND = document(incoming("pop.auto.example.test"), outgoing("smtp.auto.example.test"))
POP = ServerAddress("pop.auto.example.test", 995, Security.TLS)
BRIEF = timedelta(seconds=1)
"""Where nothing but the end of it is to be seen."""

IN_TIME = 25
"""Seconds; more than any machine needs for an answer, less than patience lasts."""


async def guessed(discovery: Discovery, address: str = "ada@auto.example.test") -> bool:
    """Whether only a guess is left, and that in time."""
    began = time.monotonic()
    suggestion = await discovery.ask(address)
    assert time.monotonic() - began < IN_TIME
    assert suggestion is not None
    return suggestion.source is Source.GUESS


def _bomb() -> bytes:
    entities = "".join(f'<!ENTITY x{level} "{f"&x{level - 1};" * 10}">' for level in range(1, 10))
    return f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x0 "ha">{entities}]><clientConfig>&x9;</clientConfig>'.encode()


def _reading(path: str) -> bytes:
    inside = document(incoming("&x;"), outgoing()).decode().partition("?>")[2]
    return f'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY x SYSTEM "{path}">]>{inside}'.encode()


BAD_DOCUMENTS = {
    "an entity bomb": _bomb(),
    "a file of ours": _reading("file:///etc/hostname"),
    "an address of ours": _reading("http://127.0.0.1/"),
    "a document type": SOUND.replace(b"?>", b"?><!DOCTYPE clientConfig>"),
    "too large": SOUND.replace(b"</clientConfig>", b" " * 65_536 + b"</clientConfig>"),
    "cut off": SOUND[:-40],
    "no XML": b"<html><body>Not found",
    "nothing": b"",
    "deep": b"<a>" * 16_000 + b"</a>" * 5,
    "another document": b"<autodiscover/>",
    "an odd encoding": b'<?xml version="1.0" encoding="utf-7"?><clientConfig/>',
    "an unknown encoding": b'<?xml version="1.0" encoding="nonsense"?><clientConfig/>',
    "broken characters": SOUND.replace(b"pop.auto", b"\xff\xfe"),
}


@pytest.mark.parametrize("body", BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
async def test_a_bad_document_is_passed_over(discovery: Discovery, web: HttpsServer, body: bytes) -> None:
    """Neither entities nor sizes nor nonsense bring more than a guess."""
    web.pages[PAGE] = found(body)

    assert await guessed(discovery)
    assert any(line.startswith("autoconfig.auto") for line in web.asked)


@pytest.mark.parametrize(
    "server",
    [
        incoming("127.0.0.1"),
        incoming("[::1]"),
        incoming("10.0.0.1"),
        incoming("2130706433"),
        incoming("0x7f000001"),
        incoming("pop.auto.example.test&#10;USER x"),
        incoming("pop.auto.example.test/x"),
        incoming("user@pop.auto.example.test"),
        incoming("%EMAILADDRESS%.auto.example.test"),
        incoming("x" * 400),
        incoming("trap.example.test"),
        incoming(port=0),
        incoming(port=65536),
        incoming(port=-995),
        incoming(port="９９５"),
        incoming(port="9" * 5000),
        incoming(port=22),
        incoming(port=""),
        incoming(security="rot13"),
        incoming(security="plain", port=110),
        incoming(kind="imap"),
        incoming(ways=("OAuth2",)),
    ],
)
async def test_a_server_that_could_not_be_one_is_passed_over(
    discovery: Discovery, web: HttpsServer, server: str
) -> None:
    """Numbers, control characters, private addresses, odd ports and clear text never reach the form."""
    web.pages[PAGE] = found(document(server))

    assert await guessed(discovery)


@pytest.mark.parametrize("username", ["admin", "%EMAILADDRESS%\x7f", "%EMAILADDRESS%" + "x" * 400])
async def test_a_user_name_that_is_no_pattern_is_the_address(
    discovery: Discovery, web: HttpsServer, username: str
) -> None:
    """No stranger's user name is put into the form."""
    web.pages[PAGE] = found(document(incoming(username=username), outgoing()))

    suggestion = await discovery.ask("ada@auto.example.test")

    assert suggestion is not None
    assert suggestion.username_of("ada@auto.example.test") == "ada@auto.example.test"


async def _endless_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n")
    while True:
        writer.write(b"<a>" * 10_000)
        await writer.drain()


async def _endless_head(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"y" * 1000 + b"\r\n")
        await writer.drain()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("speak", [_endless_body, _endless_head, _drip, _silence])
async def test_no_server_holds_a_form_up(
    make: Callable[..., Discovery],
    nsd: Nsd,
    web: HttpsServer,
    speak: Callable[[asyncio.StreamWriter], object],
) -> None:
    """Endless, slow or silent: when the time is up the form has what there is."""
    web.pages[PAGE] = speak  # type: ignore[assignment] # each is one of the functions above

    assert await guessed(make(nsd.port, budget=BRIEF))


async def test_a_packed_answer_is_not_unpacked(discovery: Discovery, web: HttpsServer) -> None:
    """A small answer that would become a large one stays small."""
    web.pages[PAGE] = found(gzip.compress(SOUND), "Content-Encoding: gzip\r\n")

    assert await guessed(discovery)


async def test_two_redirects_are_followed(discovery: Discovery, web: HttpsServer) -> None:
    """To another judged host and within it, over HTTPS."""
    web.pages[PAGE] = elsewhere(f"https://known.example.test:{web.port}/a", 301)
    web.pages["known.example.test/a"] = elsewhere("/b?c=d", 308)
    web.pages["known.example.test/b?c=d"] = found(SOUND)

    suggestion = await discovery.ask("ada@auto.example.test")

    assert suggestion is not None
    assert (suggestion.source, suggestion.incoming) == (Source.AUTOCONFIG, POP)


@pytest.mark.parametrize(
    "location",
    [
        "http://known.example.test:{port}/trap",
        "https://127.0.0.1:{port}/trap",
        "https://[::1]:{port}/trap",
        "https://[::ffff:127.0.0.1]:{port}/trap",
        "https://2130706433:{port}/trap",
        "https://0x7f.1:{port}/trap",
        "https://localhost:{port}/trap",
        "https://trap.example.test:{port}/trap",
        "https://known.example.test:1/trap",
        "https://a:b@known.example.test:{port}/trap",
        "https://known.example.test:{port}\\@127.0.0.1/trap",
        "//127.0.0.1:{port}/trap",
        "file:///etc/passwd",
        "",
        "https://[",
        "https://known.example.test:99999/trap",
        "https://kn\x00own.example.test/trap",
    ],
)
async def test_a_redirect_leads_nowhere_else(
    discovery: Discovery, web: HttpsServer, certificates: Certificates, location: str
) -> None:
    """Not out of HTTPS, not to a number, not to a private name, not to another port."""
    web.pages[PAGE] = elsewhere(location.format(port=web.port))
    for host in ("known.example.test", "127.0.0.1", "localhost", "trap.example.test"):
        web.pages[f"{host}/trap"] = found(SOUND)
    # What leads to 127.0.0.2 would be heard there.
    async with HttpsServer(certificates.server("trap.example.test"), "127.0.0.2", web.port) as trap:
        assert await guessed(discovery)

    assert not any("/trap" in line for line in web.asked)
    assert trap.asked == []


async def test_a_third_redirect_is_not_followed(discovery: Discovery, web: HttpsServer) -> None:
    """A ring of redirects ends."""
    web.pages[PAGE] = elsewhere("/mail/config-v1.1.xml")

    assert await guessed(discovery)
    assert sum(line.startswith("autoconfig.auto") for line in web.asked) == 3


async def test_a_certificate_must_prove_the_host(
    make: Callable[..., Discovery], nsd: Nsd, certificates: Certificates
) -> None:
    """An answer from whoever cannot prove the name is none."""
    async with HttpsServer(certificates.server("somebody.else.test")) as web:
        web.pages[PAGE] = found(SOUND)

        assert await guessed(make(nsd.port, port=web.port))

    assert web.asked == []


async def test_a_name_that_changes_its_address_is_judged_anew(
    make: Callable[..., Discovery], web: HttpsServer, certificates: Certificates
) -> None:
    """A name that first answers with an allowed address and then with a forbidden one is asked there once only."""
    table = {("auto.example.test", "TXT"): ['"here"'], ("autoconfig.auto.example.test", "A"): ["127.0.0.1"]}
    web.pages[PAGE] = elsewhere("/again")
    async with (
        NameServer(records(table)) as names,
        HttpsServer(certificates.server("autoconfig.auto.example.test"), "127.0.0.2", web.port) as inside,
    ):
        first = names.answer

        def rebinding(question: dns.message.Message) -> bytes | None:
            if web.asked:
                table["autoconfig.auto.example.test", "A"] = ["127.0.0.2"]
            return first(question)

        names.answer = rebinding

        assert await guessed(make(names.port, ("127.0.0.1",)))

    assert len(web.asked) == 1
    assert inside.asked == []
    assert names.asked.count(("autoconfig.auto.example.test", "A")) == 2


async def test_a_name_with_one_forbidden_address_is_not_asked(
    make: Callable[..., Discovery], web: HttpsServer
) -> None:
    """Every answer is judged: one private address among public ones, and nobody is asked."""
    table = {
        ("auto.example.test", "TXT"): ['"here"'],
        ("autoconfig.auto.example.test", "A"): ["9.9.9.9", "127.0.0.1"],
    }
    async with NameServer(records(table)) as names:
        assert await guessed(make(names.port, ()))

    assert web.asked == []


def _garbage(question: dns.message.Message) -> bytes:
    return b"\xff" * 400


def _another_id(question: dns.message.Message) -> bytes:
    made = dns.message.make_response(question)
    made.id ^= 1
    return made.to_wire()


def _another_question(question: dns.message.Message) -> bytes:
    made = dns.message.make_response(dns.message.make_query("other.test", "MX"))
    made.id = question.id
    return made.to_wire()


def _loop(question: dns.message.Message) -> bytes:
    made = dns.message.make_response(question)
    name = question.question[0].name
    made.answer.append(dns.rrset.from_text(name, 60, "IN", "CNAME", name.to_text()))
    return made.to_wire()


def _truncated(question: dns.message.Message) -> bytes:
    made = dns.message.make_response(question)
    made.flags |= dns.flags.TC
    return made.to_wire()


def _refused(question: dns.message.Message) -> bytes:
    made = dns.message.make_response(question)
    made.set_rcode(dns.rcode.REFUSED)
    return made.to_wire()


@pytest.mark.parametrize(
    "answer",
    [lambda _: None, _garbage, _another_id, _another_question, _loop, _truncated, _refused],
    ids=["silent", "garbage", "another id", "another question", "loop", "truncated", "refused"],
)
async def test_no_name_server_holds_a_form_up(
    make: Callable[..., Discovery], answer: Callable[[dns.message.Message], bytes | None]
) -> None:
    """Silent, mad or refusing: when the time is up there is a guess."""
    async with NameServer(answer) as names:
        assert await guessed(make(names.port, budget=BRIEF), "ada@auto.example.test")


async def test_nobody_at_all_answers(make: Callable[..., Discovery]) -> None:
    """Without any name server the form still gets its guess, in time."""
    async with NameServer(lambda _: None) as names:
        port = names.port

    assert await guessed(make(port, budget=BRIEF))
