"""The page can see the mail accounts, put mail into them and change their passwords."""

from __future__ import annotations

import base64
import email
import email.policy
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import aiohttp

    from bot.sandbox.mail.servers import MailServers


async def test_accounts_are_listed_with_all_a_form_needs(
    page: aiohttp.ClientSession, servers: MailServers
) -> None:
    """Servers, ports, security, user name and password are there to be typed."""
    ada = (await _json(page, "mailboxes"))["mailboxes"][0]

    assert (ada["address"], ada["username"], ada["password"]) == (
        "ada@local.test",
        "ada@local.test",
        "ada pass",
    )
    assert ada["pop"] == {"host": "localhost", "port": servers.ports.pop3s, "security": "tls"}
    assert ada["smtp"] == {"host": "localhost", "port": servers.ports.smtps, "security": "tls"}
    assert ada["messages"] == 0


async def test_a_described_mail_lies_in_the_maildrop(
    page: aiohttp.ClientSession, servers: MailServers
) -> None:
    """Text, HTML and attachments of the description are the mail's."""
    file = {"name": "nöte.txt", "type": "text/plain", "content_base64": base64.b64encode(b"hello").decode()}
    described = {
        "to": "ada@local.test",
        "from_name": "Zoë",
        "from_address": "zoe@x.example",
        "subject": "Tea ☕",
    }

    answer = await _sent(page, {**described, "text": "plain", "html": "<p>rich</p>", "attachments": [file]})
    mail = email.message_from_bytes(
        servers.drops.get("ada@local.test").mails[0].octets,  # type: ignore[union-attr]
        policy=email.policy.default,
    )

    assert answer["ok"]
    assert (mail["from"], mail["subject"]) == ("Zoë <zoe@x.example>", "Tea ☕")
    assert [part.get_content_type() for part in mail.walk() if not part.is_multipart()] == [
        "text/plain",
        "text/html",
        "text/plain",
    ]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["nöte.txt"]


@pytest.mark.parametrize(
    "change",
    [
        {"to": "nobody@local.test"},
        {"to": None},
        {"subject": "two\nlines"},
        {"from_address": "no address"},
        {"attachments": [{"content_base64": "!!"}]},
        {"attachments": "x"},
    ],
)
async def test_what_is_no_mail_is_refused_in_words(
    page: aiohttp.ClientSession, servers: MailServers, change: dict[str, Any]
) -> None:
    """A description that cannot be sent comes back with a reason, and nothing is delivered."""
    answer = await _sent(page, {"to": "ada@local.test", "subject": "x", "text": "y", **change})

    assert answer["ok"] is False
    assert answer["error"]
    assert all(not drop.mails for drop in servers.drops)


async def test_octets_are_delivered_as_they_are(page: aiohttp.ClientSession, servers: MailServers) -> None:
    """A test may hand in a mail that no library would make."""
    octets = b"Subject: \xff\xfe broken\r\nContent-Type: nonsense\r\n\r\n\x00"
    headers = {"Content-Type": "message/rfc822"}

    async with page.post(
        "mail/raw", params={"to": "bo@local.test"}, data=octets, headers=headers
    ) as response:
        uid = (await response.json())["uids"][0]

    assert [(mail.uid, mail.octets) for mail in servers.drops.get("bo@local.test").mails] == [(uid, octets)]  # type: ignore[union-attr]


async def test_passwords_change_and_counters_tell(page: aiohttp.ClientSession) -> None:
    """A new password is shown, and what mail programs did is counted per account."""
    async with page.post(
        "mail/password", json={"address": "ada@local.test", "password": "fresh"}
    ) as response:
        changed = (await response.json())["ok"]
    async with page.post("mail/password", json={"address": "x@local.test", "password": "fresh"}) as response:
        unknown = (await response.json())["ok"]

    assert (changed, unknown) == (True, False)
    assert (await _json(page, "mailboxes"))["mailboxes"][0]["password"] == "fresh"
    assert (await _json(page, "mail/counters"))["counters"]["ada@local.test"]["logins"] == 0


@pytest.mark.parametrize(
    "call", ["mail", "mail/password", "mail/raw", "mail/many", "mail/faults", "mail/heal"]
)
async def test_a_form_on_another_site_can_send_nothing(page: aiohttp.ClientSession, call: str) -> None:
    """Only the types that a foreign page cannot send without asking are taken."""
    async with page.post(
        call, data=b'{"to": "ada@local.test"}', headers={"Content-Type": "text/plain"}
    ) as response:
        assert response.status == 400


async def _json(page: aiohttp.ClientSession, call: str) -> dict[str, Any]:
    async with page.get(call) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def _sent(page: aiohttp.ClientSession, described: dict[str, Any]) -> dict[str, Any]:
    async with page.post("mail", json=described) as response:
        answer: dict[str, Any] = await response.json()
        return answer
