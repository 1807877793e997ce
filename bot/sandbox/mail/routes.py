"""The page API's part for mail: whose maildrops there are, put mail into one, change a password, switch faults."""

from __future__ import annotations

import asyncio
import email
import email.policy
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.sandbox.mail.bulk import bulk
from bot.sandbox.mail.compose import MailMalformed, compose
from bot.sandbox.mail.faults import MAILDROP_KINDS, OUTGOING_KINDS, SERVER_KINDS, FaultRefused, Switch
from bot.sandbox.mail.outside import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.sandbox.mail.faults import Faults, Kind, Words
    from bot.sandbox.mail.maildrops import Maildrop
    from bot.sandbox.mail.servers import MailServers


def mail_routes(app: web.Application, servers: MailServers) -> None:
    """Add the routes to an application of aiohttp."""
    routes = _Routes(servers)
    app.router.add_get("/sandbox/api/mailboxes", routes.mailboxes)
    app.router.add_get("/sandbox/api/mail/counters", routes.counters)
    app.router.add_post("/sandbox/api/mail", routes.mail)
    app.router.add_post("/sandbox/api/mail/raw", routes.raw)
    app.router.add_post("/sandbox/api/mail/many", routes.many)
    app.router.add_post("/sandbox/api/mail/password", routes.password)
    app.router.add_get("/sandbox/api/mail/outside", routes.outside)
    app.router.add_get("/sandbox/api/mail/outside/source", routes.source)
    app.router.add_post("/sandbox/api/mail/outside/answer", routes.answer)
    app.router.add_get("/sandbox/api/mail/faults", routes.faults)
    app.router.add_post("/sandbox/api/mail/faults", routes.switch)
    app.router.add_post("/sandbox/api/mail/heal", routes.heal)


class _Routes:
    def __init__(self, servers: MailServers) -> None:
        self._servers = servers

    async def mailboxes(self, _request: web.Request) -> web.Response:
        return web.json_response({"mailboxes": [self._mailbox(drop) for drop in self._servers.drops]})

    async def counters(self, _request: web.Request) -> web.Response:
        """What mail programs did, per address; UIDs but no content."""
        counters = {drop.account.address: drop.counters.as_json() for drop in self._servers.drops}
        return web.json_response({"counters": counters})

    async def mail(self, request: web.Request) -> web.Response:
        described = await _body(request)
        try:
            octets = compose(described, datetime.now(UTC))
        except MailMalformed as error:
            return _refused(str(error))
        return self._delivered(str(described["to"]), octets)

    async def raw(self, request: web.Request) -> web.Response:
        """The octets of a mail as they are (`message/rfc822`), for tests: `?to=ADDRESS`."""
        if request.content_type != "message/rfc822":
            raise web.HTTPBadRequest(text="message/rfc822 is expected")
        return self._delivered(request.query.get("to", ""), await request.read())

    async def many(self, request: web.Request) -> web.Response:
        """Mails dated over the past days."""
        described = await _body(request)
        address = str(described.get("to", ""))
        try:
            mails = list(bulk(described, datetime.now(UTC)))
        except MailMalformed as error:
            return _refused(str(error))
        delivered = [self._servers.deliver(address, octets, when) for when, octets in mails]
        if not delivered[0]:
            return _refused("nobody in the sandbox has this address")
        return web.json_response({"ok": True, "count": len(mails)})

    async def outside(self, _request: web.Request) -> web.Response:
        """What was sent to the outside, the newest last."""
        return web.json_response({"mails": await asyncio.to_thread(self._servers.outside.shown)})

    async def source(self, request: web.Request) -> web.Response:
        """The octets of one of them: `?id=ID`."""
        mail = self._servers.outside.get(request.query.get("id", ""))
        if mail is None:
            raise web.HTTPNotFound(text="no such mail")
        # For the eyes only: nothing in it may run in the sandbox's origin.
        headers = {
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(body=mail.octets, headers=headers)

    async def answer(self, request: web.Request) -> web.Response:
        """A correspondent answers one of them."""
        try:
            order = Answer.from_json(await _body(request))
            recipients, octets = self._servers.outside.answered(order, datetime.now(UTC))
        except MailMalformed as error:
            return _refused(str(error))
        mails = self._servers.deliver_to_all(recipients, octets)
        if not mails:
            return _refused("nobody in the sandbox has the address that the answer goes to")
        return web.json_response({"ok": True, "uids": [mail.uid for mail in mails], **_named(octets)})

    async def faults(self, _request: web.Request) -> web.Response:
        """Those that are on, and all there are, in words."""
        kinds = [*_kinds(SERVER_KINDS, "server"), *_kinds(MAILDROP_KINDS, "maildrop")]
        return web.json_response({"faults": self._on(), "kinds": kinds})

    async def switch(self, request: web.Request) -> web.Response:
        try:
            await self._servers.switch(Switch.from_json(await _body(request)))
        except FaultRefused as error:
            return _refused(str(error))
        return web.json_response({"ok": True, "faults": self._on()})

    async def heal(self, request: web.Request) -> web.Response:
        await _body(request)
        try:
            await self._servers.heal()
        except FaultRefused as error:
            return _refused(str(error))
        return web.json_response({"ok": True, "faults": []})

    async def password(self, request: web.Request) -> web.Response:
        body = await _body(request)
        drop = self._servers.drops.get(str(body.get("address", "")))
        if drop is None or not body.get("password"):
            return _refused("no such mailbox, or no password")
        drop.change_password(str(body["password"]))
        return web.json_response({"ok": True})

    def _delivered(self, address: str, octets: bytes) -> web.Response:
        mails = self._servers.deliver(address, octets)
        if not mails:
            return _refused("nobody in the sandbox has this address")
        return web.json_response({"ok": True, "uids": [mail.uid for mail in mails]})

    def _on(self) -> list[dict[str, Any]]:
        drops = self._servers.drops
        return [
            *_shown(self._servers.faults, ""),
            *(fault for drop in drops for fault in _shown(drop.faults, drop.account.address)),
        ]

    def _mailbox(self, drop: Maildrop) -> dict[str, Any]:
        ports = self._servers.ports
        return {
            "address": drop.account.address,
            "name": drop.account.name,
            "username": drop.account.address,
            "password": drop.account.password,
            "pop": {"host": "localhost", "port": ports.pop3s, "security": "tls"},
            "pop_starttls": {"host": "localhost", "port": ports.pop3, "security": "starttls"},
            "smtp": {"host": "localhost", "port": ports.smtps, "security": "tls"},
            "smtp_starttls": {"host": "localhost", "port": ports.smtp, "security": "starttls"},
            "messages": len(drop.mails),
        }


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        body = await request.json()
    except (json.JSONDecodeError, UnicodeDecodeError):
        body = None
    # Only a page of the sandbox itself can send this type: another site's form cannot.
    if not isinstance(body, dict) or request.content_type != "application/json":
        raise web.HTTPBadRequest(text="a JSON object is expected")
    return body


def _named(octets: bytes) -> dict[str, str]:
    header = email.message_from_bytes(octets, policy=email.policy.default)
    return {"message_id": str(header["Message-ID"]), "subject": str(header["Subject"])}


def _shown(faults: Faults, address: str) -> list[dict[str, Any]]:
    return [{"kind": fault.kind, "address": address, "seconds": fault.seconds or None} for fault in faults.on]


def _kinds(kinds: Mapping[Kind, Words], befalls: str) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "befalls": befalls,
            "is_outgoing": kind in OUTGOING_KINDS,
            "name": words.name,
            "effect": words.effect,
            "seconds": words.seconds,
        }
        for kind, words in kinds.items()
    ]


def _refused(reason: str) -> web.Response:
    return web.json_response({"ok": False, "error": reason})
