"""Files that people choose in forms, and how the app reads them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.form_files import MAX_FILE_OCTETS
from tests.integration.sandbox.kit import APP_TOKEN, BOT_TOKEN, MARTA, WIDE, modal, refusal, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    import aiohttp
    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sandbox.server import RunningSandbox
    from bot.sandbox.slack.manifest import Manifest
    from tests.integration.sandbox.kit import Page

    Connect = Callable[[], AbstractAsyncContextManager[Any]]

KENJI = "U0KENJI005"


@pytest.fixture
def manifest() -> Manifest:
    """With `files:read`."""
    return WIDE


@dataclass
class Form:
    """Marta, a form of an app, and what the app was sent."""

    sandbox: RunningSandbox
    session: aiohttp.ClientSession
    app: AsyncApp
    page: Page
    heard: list[Any] = field(default_factory=list)

    async def upload(self, name: str, octets: bytes, user: str = MARTA) -> Any:
        """What the page does when somebody chooses a file."""
        headers = {"Content-Type": "application/octet-stream"}
        query = {"user": user, "name": name}
        async with self.session.post(
            f"{self.sandbox.url}/sandbox/api/upload", params=query, data=io.BytesIO(octets), headers=headers
        ) as answer:
            return await answer.json()

    async def read(self, url: str, token: str | None) -> tuple[int, str, bytes]:
        """Status, content type and content of a download."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.session.get(url, headers=headers) as answer:
            return answer.status, answer.content_type, await answer.read()

    async def open(self, **more: Any) -> Any:
        """A form with a file input; what is sent of it is heard."""

        @self.app.command("/mailbox")
        async def _(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
            await ack()
            try:
                await client.views_open(trigger_id=body["trigger_id"], view=modal(file_input(**more)))
            except SlackApiError as error:
                self.heard.append(error.response["error"])

        @self.app.view("form")
        async def _(ack: AsyncAck, view: dict[str, Any]) -> None:
            await ack()
            self.heard.append(view["state"]["values"]["files"]["files"])

        await self.page.post("command", text="/mailbox")

        async def view() -> Any:
            return self.heard or (await self.page.state())["views"]

        return (await until(view))[-1]

    async def submit(self, view: Any, *files: Any) -> Any:
        """Send it with these files."""
        values = {"files": {"files": {"type": "file_input", "files": list(files)}}}
        return await self.page.post("submit", view_id=view["id"], values=values)


@pytest.fixture
def form(sandbox: RunningSandbox, session: aiohttp.ClientSession, app: AsyncApp, page: Page) -> Form:
    """Nothing opened yet."""
    return Form(sandbox, session, app, page)


def file_input(**more: Any) -> dict[str, Any]:
    """A field for files."""
    return {
        "type": "input",
        "block_id": "files",
        "optional": True,
        "label": {"type": "plain_text", "text": "Attachments"},
        "element": {"type": "file_input", "action_id": "files", **more},
    }


async def test_a_file_chosen_in_a_form_reaches_the_app(
    form: Form, client: AsyncWebClient, connected: Connect
) -> None:
    """The form holds its whole record, files.info knows it, and the bot's token reads it."""
    async with connected():
        view = await form.open()
        file = (await form.upload("Angebot für Ana.pdf", b"%PDF-1.7"))["file"]
        told = await form.submit(view, {"id": file["id"]})

    assert told == {"ok": True}
    [sent] = form.heard[0]["files"]
    expected = {"name": "Angebot für Ana.pdf", "mimetype": "application/pdf", "filetype": "pdf", "size": 8}
    assert {**sent, **expected, "user": MARTA, "is_external": False} == sent
    info = (await client.files_info(file=sent["id"]))["file"]
    assert info["url_private_download"] == sent["url_private_download"]
    for url in (sent["url_private"], sent["url_private_download"]):
        assert await form.read(url, BOT_TOKEN) == (200, "application/pdf", b"%PDF-1.7")


@pytest.mark.parametrize("token", [None, "xoxb-other", APP_TOKEN])
async def test_without_the_bots_token_a_download_ends_at_a_sign_in_page(
    form: Form, token: str | None
) -> None:
    """A redirect first, then HTML with 200, as Slack does."""
    file = (await form.upload("a.txt", b"secret"))["file"]

    async with form.session.get(file["url_private_download"], allow_redirects=False) as first:
        assert first.status == 302
    status, content_type, content = await form.read(file["url_private_download"], token)

    assert (status, content_type) == (200, "text/html")
    assert b"secret" not in content


async def test_without_files_read_nothing_is_read(
    form: Form, client: AsyncWebClient, connected: Connect
) -> None:
    """No form with a file input, no record, no content."""
    form.sandbox.sandbox.manifest = replace(WIDE, scopes=WIDE.scopes - {"files:read"})
    file = (await form.upload("a.txt", b"secret"))["file"]

    async with connected():
        await form.open()

    assert form.heard == ["missing_scope"]
    assert await refusal(client, "files.info", file=file["id"]) == "missing_scope"
    assert (await form.read(file["url_private"], BOT_TOKEN))[1] == "text/html"


async def test_the_app_deletes_its_own_files_alone(form: Form, client: AsyncWebClient) -> None:
    """A person's file is not the app's to delete."""
    file = (await form.upload("a.txt", b"mine"))["file"]

    assert await refusal(client, "files.delete", file=file["id"]) == "cant_delete_file"


@pytest.mark.parametrize(
    ("limits", "names", "fault"),
    [
        ({"max_files": 1}, ["a.pdf", "b.pdf"], "Choose at most 1 file."),
        (
            {"filetypes": ["pdf", "png"]},
            ["a.PDF", "b.exe"],
            "Only these kinds of files are accepted: pdf, png.",
        ),
        ({}, [f"{number}.txt" for number in range(11)], "Choose at most 10 files."),
    ],
)
async def test_a_form_takes_the_files_it_asks_for(
    form: Form, connected: Connect, limits: dict[str, Any], names: list[str], fault: str
) -> None:
    """Not more, and no other kinds; the app is not asked."""
    async with connected():
        view = await form.open(**limits)
        ids = [(await form.upload(name, b"x"))["file"]["id"] for name in names]
        told = await form.submit(view, *ids)

    assert told == {"ok": False, "errors": {"files": fault}}
    assert form.heard == []


async def test_what_is_no_file_of_theirs_cannot_be_chosen(form: Form, connected: Connect) -> None:
    """Neither an id that is none nor somebody else's file."""
    async with connected():
        view = await form.open()
        foreign = (await form.upload("a.txt", b"x", user=KENJI))["file"]["id"]
        told = [await form.submit(view, one) for one in (foreign, "F0NOWHERE0", {"id": 7})]

    assert {one["error"] for one in told} == {"no such file of this person"}


@pytest.mark.parametrize(
    ("name", "octets"),
    [("empty.txt", b""), ("", b"x"), ("two\nlines.txt", b"x"), ("big", bytes(MAX_FILE_OCTETS + 1))],
)
async def test_a_file_that_slack_refuses_is_refused(form: Form, name: str, octets: bytes) -> None:
    """In words: empty ones, nameless ones, and those of more than 10 MB."""
    told = await form.upload(name, octets)

    assert told["ok"] is False
    assert told["error"]
