"""Files of Slack's that go along with a mail: the sender's own alone, whole, from Slack alone, and not too large."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest
from aiohttp import web

from bot.sending_errors import FilesUnfit, FilesUnread
from bot.slack.attachments import MOST_OCTETS, attachments_of
from bot.slack.client import CallFailed, SlackClient, web_client
from bot.slack.outcomes import Refused, Unknown
from tests.integration.people.scripted import Scripted
from tests.integration.viewing.conftest import KENJI, MARTA

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.integration.sending.conftest import Bureau

ANNA = "U1"


def client(bureau: Bureau) -> SlackClient:
    """The bot's own."""
    return bureau.hall.people._slack


async def test_ones_own_files_are_read_in_their_order(bureau: Bureau) -> None:
    """Each once, with a name and a type that any mail may bear."""
    first, second = bureau.upload("a/../b.pdf", b"%PDF"), bureau.upload("mail.eml", b"From: x\r\n\r\n")

    read = await attachments_of(client(bureau), MARTA.user, (first, second, first))

    assert [(each.name, each.type, each.octets) for each in read] == [
        ("a_.._b.pdf", "application/pdf", b"%PDF"),
        ("mail.eml", "application/octet-stream", b"From: x\r\n\r\n"),
    ]


async def test_somebody_elses_file_is_not_read(bureau: Bureau) -> None:
    """Whatever a form says: not another person's, not the bot's, none that is gone."""
    theirs = bureau.upload("secret.pdf", b"x", KENJI.user)
    gone = bureau.upload("gone.pdf", b"x", is_gone=True)

    for file_id, words in ((theirs, "somebody else's"), (gone, "not in Slack any more"), ("F0X", "any more")):
        with pytest.raises(FilesUnfit) as refused:
            await attachments_of(client(bureau), MARTA.user, (file_id,))
        assert words in refused.value.sentence


async def test_too_much_is_not_even_fetched(bureau: Bureau) -> None:
    """More than ten files, or more than 18 MB together, by what Slack says of them."""
    large = tuple(bureau.upload(f"{n}.bin", b"\0" * (MOST_OCTETS // 2 + 1)) for n in range(2))
    many = tuple(bureau.upload(f"{n}.txt", b"x") for n in range(11))

    for ids, words in ((large, "18 MB"), (many, "10 attachments")):
        with pytest.raises(FilesUnfit) as refused:
            await attachments_of(client(bureau), MARTA.user, ids)
        assert words in refused.value.sentence


async def test_without_the_scope_the_mail_waits(bureau: Bureau) -> None:
    """Slack does not hand them over, and nothing is sent without them."""
    file_id = bureau.upload("a.txt", b"x")
    sandbox = bureau.hall.sandbox
    sandbox.manifest = replace(sandbox.manifest, scopes=sandbox.manifest.scopes - {"files:read"})

    with pytest.raises(FilesUnread):
        await attachments_of(client(bureau), MARTA.user, (file_id,))


# A Slack that answers oddly


class Odd:
    """Files at an address of their own choice."""

    def __init__(self, slack: SlackClient, scripted: Scripted, origin: str) -> None:
        self.slack = slack
        self.origin = origin
        self._scripted = scripted

    async def read(self, **record: Any) -> bytes:
        """The one file, whose record says this."""
        file = {
            "id": "F1", "name": "a.txt", "mimetype": "text/plain", "size": 5, "mode": "hosted", "user": ANNA,
            "is_external": False, "url_private_download": f"{self.origin}/whole",
        }  # fmt: skip
        self._scripted.says("files.info", {"file": {**file, **record}})
        (read,) = await attachments_of(self.slack, ANNA, ("F1",))
        return read.octets


@pytest.fixture
async def odd() -> AsyncIterator[Odd]:
    """Slack, and the place where its files are."""
    scripted, seen = Scripted(), list[str]()
    app = web.Application()

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization", ""))
        if request.path == "/elsewhere":
            raise web.HTTPFound("/whole")
        if request.path == "/gone":
            raise web.HTTPNotFound
        if request.path == "/broken":
            raise web.HTTPBadGateway
        return web.Response(body=b"<html>sign in</html>" if request.path == "/page" else b"hello")

    app.router.add_get("/{path}", answer)
    app.router.add_route("*", "/api/{method}", scripted.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    async with aiohttp.ClientSession() as session:
        yield Odd(SlackClient(web_client("xoxb-t", f"{origin}/api/", 10), session), scripted, origin)
    await runner.cleanup()
    assert set(seen) <= {"Bearer xoxb-t"}


async def test_a_whole_file_is_read(odd: Odd) -> None:
    """With the bot's token, from the origin of its API."""
    assert await odd.read() == b"hello"
    assert await odd.read(size=0) == b""


@pytest.mark.parametrize(
    ("path", "size", "error"),
    [
        ("/elsewhere", 5, FilesUnread),  # nobody is followed, the token goes nowhere else
        ("/page", 20, None),
        ("/page", 5, FilesUnread),  # a page in place of the file
        ("/whole", 6, FilesUnread),
        ("/whole", 4, FilesUnread),
        ("/gone", 5, FilesUnfit),
        ("/broken", 5, FilesUnread),
    ],
)
async def test_what_is_not_the_whole_file_is_none(
    odd: Odd, path: str, size: int, error: type[Exception] | None
) -> None:
    """A redirect, another size than was said, an error: the mail is not sent without its file."""
    if error is None:
        assert len(await odd.read(url_private_download=f"{odd.origin}{path}", size=size)) == size
        return
    with pytest.raises(error):
        await odd.read(url_private_download=f"{odd.origin}{path}", size=size)


@pytest.mark.parametrize(
    "record",
    [
        {"user": "U2"},
        {"is_external": True, "mode": "external"},
        {"is_external": None},
        {"mode": "tombstone"},
        {"mode": "hidden_by_limit"},
        {"mode": "space"},
        {"id": "F2"},
    ],
    ids=str,
)
async def test_what_is_no_file_of_the_senders_is_refused(odd: Odd, record: dict[str, Any]) -> None:
    """What a record leaves open counts against it."""
    with pytest.raises(FilesUnfit):
        await odd.read(**record)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x", "https://evil.example/x", "file:///etc/passwd", "", None]
)
async def test_the_token_goes_to_slack_alone(odd: Odd, url: str | None) -> None:
    """Whatever a file's record names as its address; nothing is asked."""
    with pytest.raises(FilesUnread):
        await odd.read(url_private_download=url)


async def test_a_download_has_a_bound_and_a_deadline(odd: Odd) -> None:
    """More octets than were announced are not read."""
    with pytest.raises(CallFailed) as large:
        await odd.slack.file_octets(f"{odd.origin}/whole", 4, timedelta(seconds=5))
    with pytest.raises(CallFailed) as late:
        await odd.slack.file_octets(f"{odd.origin}/whole", 5, timedelta(0))

    assert large.value.outcome == Refused("download_too_large")
    assert late.value.outcome == Unknown("TimeoutError")
