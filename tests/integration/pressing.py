"""A whole bot on the sandbox whose listeners are known by name, and whose every word to Slack is heard.

All that the owner has holds the same word, so that wherever it is heard while others press, something got out.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import itertools
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

import sqlalchemy
from aiohttp import web as server

from bot.app.desk import desk_of
from bot.app.ground import ground_of, now
from bot.app.sharing import rechecker_of
from bot.sandbox.server import start
from bot.sandbox.slack import payloads
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.people import TEAM_ID
from bot.settings import Settings
from bot.slack import connection, listeners
from bot.slack.client import SlackClient, keep_alive, web_client
from bot.slack.people import People
from bot.zones import ZoneKeeper
from storage.grants import Grants
from storage.records import EntryState, Person
from storage.shares import Shares
from storage.sharing import Act, Level, Share
from storage.tables import Table
from storage.vault import new_master_key
from tests.integration.sending.conftest import filled
from tests.integration.storage.stores import LEASE, NEW, Stores
from tests.integration.viewing.conftest import EVERYTHING, INES, KENJI, MARTA, PETRA, TO_KENJI

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import AsyncExitStack
    from pathlib import Path

    from bot.mail.renderer import Renderer
    from bot.sandbox.slack.core import Sandbox
    from bot.slack.listeners.desk import Desk
    from storage.database import Database

WORD: Final = "zebra"
"""In everything of the owner's that people can read."""

TOMASZ: Final = Person(TEAM_ID, "U0TOMASZ02")
NOOR: Final = Person(TEAM_ID, "U0NOOR0009")
SECONDS: Final = 20

UNWATCHED: Final = frozenset({"audit", "attempt", "key_check", "alembic_version"})
"""Tables that tell of whoever pressed, or of the database itself."""

_MAIL: Final = (
    b"From: Zebra Zed <zed%d@zebra.example>\r\nTo: anna@zebra.example\r\nCc: bob@zebra.example\r\n"
    b"Subject: Zebra plans\r\nMessage-ID: <%d@zebra.example>\r\n\r\nThe zebra has stripes.\r\n"
)


class Ledger:
    """Stands before Bolt as listeners are registered: knows their names, and how many of them are at work."""

    def __init__(self, bolt: Any = None) -> None:
        self._bolt = bolt
        self.names: dict[str, set[str]] = {}
        self._at_work = 0
        self._idle = asyncio.Event()

    def __getattr__(self, kind: str) -> Callable[[Any], Any]:
        return functools.partial(self._register, kind)

    def error(self, handler: Any) -> None:
        """What answers for listeners that raise."""
        if self._bolt is not None:
            self._bolt.error(self._counted(handler.__call__))

    def _register(self, kind: str, name: Any) -> Any:
        self.names.setdefault(kind, set()).add(getattr(name, "pattern", name))

        def registered(listener: Any) -> Any:
            if self._bolt is not None:
                getattr(self._bolt, kind)(name)(self._counted(listener))
            return listener

        return registered

    def _counted(self, listener: Any) -> Any:
        @functools.wraps(listener)
        async def counted(*args: Any, **kwargs: Any) -> Any:
            self._at_work += 1
            self._idle.clear()
            try:
                return await listener(*args, **kwargs)
            finally:
                self._at_work -= 1
                if not self._at_work:
                    self._idle.set()

        return counted

    async def idle(self) -> None:
        """Wait until every listener that began has ended, its failure told."""
        async with asyncio.timeout(SECONDS):
            while True:
                await asyncio.sleep(0)  # whoever raised just now is handed over
                if not self._at_work:
                    return
                await self._idle.wait()


@dataclass
class Stage:
    """The owner's mailbox with all that can hang on one, and whoever presses."""

    sandbox: Sandbox
    desk: Desk
    ledger: Ledger
    stores: Stores
    heard: list[str]
    ids: dict[str, str] = field(default_factory=dict)

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        """Everything stored by table; what is owed to others than the owner stands apart, as "of others"."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        async with self.stores.database.read() as session:
            connection = await session.connection()
            for name, table in Table.metadata.tables.items():
                if name not in UNWATCHED:
                    rows = await connection.execute(sqlalchemy.select(table).order_by(*table.primary_key))
                    for row in rows:
                        whose = getattr(row, "owner", getattr(row, "person", MARTA.user))
                        place = name if whose == MARTA.user else f"{name} of others"
                        found.setdefault(place, []).append(tuple(row))
        return found

    async def press(
        self, user: str, action: Mapping[str, Any], view: Mapping[str, Any] | None = None
    ) -> None:
        """Press something in a post of one's own DM with the bot, or in a view; waits for the acknowledgement."""
        human, workspace = self.sandbox.workspace.people[user], self.sandbox.workspace
        full = {"type": "button", "block_id": "b", "action_ts": workspace.new_ts(), **action}
        trigger_id = self.sandbox.new_trigger(user)
        if view is not None:
            payload = payloads.view_actions(human, dict(view), [full], trigger_id)
        else:
            dm = workspace.dm(MARTA.user if human.is_external else user)
            container = {
                "type": "message",
                "message_ts": "1.000000",
                "channel_id": dm.id,
                "is_ephemeral": False,
            }
            message = {"ts": "1.000000", "text": "x", "user": "U0MAILBOT1", "blocks": []}
            source = {"container": container, "message": message, "state": {"values": {}}}
            keys = {"trigger_id": trigger_id, "response_url": self.sandbox.new_response_url(user, dm.id)}
            payload = payloads.message_actions(human, dm, source, [full], **keys)
        await self._deliver("interactive", payload, accepts=False)

    async def send(self, user: str, view: Mapping[str, Any]) -> None:
        """Send a form off."""
        human = self.sandbox.workspace.people[user]
        payload = payloads.view_submission(human, dict(view), self.sandbox.new_trigger(user))
        await self._deliver("interactive", payload, accepts=True)

    async def type(self, user: str, text: str) -> None:
        """Send the slash command off."""
        dm = self.sandbox.workspace.dm(user)
        human = self.sandbox.workspace.people[user]
        keys = {
            "trigger_id": self.sandbox.new_trigger(user),
            "response_url": self.sandbox.new_response_url(user, dm.id),
        }
        await self._deliver(
            "slash_commands", payloads.command("/mailbox", text, human, dm, **keys), accepts=True
        )

    async def _deliver(self, kind: str, payload: Any, *, accepts: bool) -> None:
        answer = await self.sandbox.hub.deliver(kind, payload, accepts=accepts, seconds=SECONDS)
        self.heard.append(json.dumps(answer))

    def front_view(self, user: str) -> dict[str, Any]:
        """The modal before somebody."""
        return copy.deepcopy(self.sandbox.workspace.desks[user].stack[-1].shown())

    def close_all(self, users: Iterable[str]) -> None:
        """Nobody has a modal open."""
        for user in users:
            self.sandbox.workspace.desks[user].stack.clear()

    def let_out(self, typed: str = "") -> list[str]:
        """Of what was said to Slack since the last look, all that holds the owner's word, but where it was typed."""
        found = [each for each in self.heard if WORD in (each.replace(typed, "") if typed else each).lower()]
        self.heard.clear()
        return found

    async def mail(self, number: int) -> str:
        """The id of one more message of the owner's, which is in Slack."""
        stores = self.stores
        await stores.mailboxes.check_now(MARTA, self.ids["mailbox"], now())
        (claim,) = await stores.mailboxes.claim_due(now(), lease=LEASE, worker="poller", limit=1)
        await stores.keep(claim, b"u%d" % number, _MAIL % (number, number), now=now())
        await stores.mailboxes.release("poller")
        for minutes in itertools.count(60 * number):
            then = now() + timedelta(minutes=minutes)  # Slack takes one post after the other
            dms = await stores.outbox.claim_due(then, lease=LEASE, worker="poster", limit=1)
            if dms:
                entry = await stores.head(dms[0])
                done = replace(entry, state=EntryState.SETTLED, channel="D1", ts=f"{number}.{minutes}")
                await stores.outbox.record(dms[0], done, now=then)
                if entry.message_id is not None:
                    return entry.message_id
        raise AssertionError("no message came")

    async def share(self, *people: Person) -> tuple[Share, ...]:
        """Open everything to people."""
        new = [
            Share("", self.ids["mailbox"], replace(TO_KENJI, id=each.user), Level.MANAGE, now(), history=True)
            for each in people
        ]
        return tuple(await Shares(self.stores.database).open(MARTA, new, now(), lambda _: True))

    async def end(self, share_id: str) -> None:
        """End a share."""
        await Shares(self.stores.database).end(share_id, MARTA, now(), Act.SHARE_REVOKED, lambda _: True)


async def stage(folder: Path, renderer: Renderer, stack: AsyncExitStack) -> Stage:
    """All of it; Kenji's share is in force, and so are one for Petra, who left, and one for Noor from elsewhere."""
    heard: list[str] = []

    def hear(app: server.Application) -> None:
        @server.middleware
        async def heard_by(request: server.Request, handler: Any) -> Any:
            if request.method == "POST" and "multipart" not in request.content_type:
                heard.append(f"{request.path} {(await request.read()).decode('utf-8', 'replace')}")
            return await handler(request)

        app.middlewares.append(heard_by)

    running = await start(
        bot_token="xoxb-t",
        app_token="xapp-t",
        static=None,
        timings=Timings(ack=30.0, trigger=30.0, share=0.01),
        mail_routes=hear,
    )
    stack.push_async_callback(running.stop)
    sandbox = running.sandbox
    sandbox.limits.enabled = False
    sandbox.manifest = replace(sandbox.manifest, scopes=sandbox.manifest.scopes | {"files:read"})
    sandbox.workspace.set_role(TOMASZ.user, "member")
    return await _stage(sandbox, running.api_url, folder, renderer, heard, stack)


class _Idle:
    """A runner that runs nothing."""

    def nudge(self) -> None:
        """Nothing is fetched or posted."""


async def _stage(  # noqa: PLR0917 - what it is made of
    sandbox: Sandbox, api_url: str, folder: Path, renderer: Renderer, heard: list[str], stack: AsyncExitStack
) -> Stage:
    settings = cast("Any", Settings)(
        _env_file=None,
        slack_bot_token="xoxb-t",
        slack_app_token="xapp-t",
        slack_signing_secret="s",
        slack_api_url=api_url,
        mailbox_master_keys=new_master_key(),
        mailbox_data_dir=folder,
        mailbox_dns_server="127.0.0.1:9",
    )
    ground = replace(await ground_of(settings, asyncio.Event(), stack), renderer=renderer)
    session = await stack.enter_async_context(keep_alive(30))
    web = web_client("xoxb-t", api_url, 30, None, session)
    slack = SlackClient(web, session)
    people, stores = People(slack, TEAM_ID, now), Stores.on(ground.database, ground.vault, folder)
    zones = ZoneKeeper(stores.zones, ground.mailboxes, slack, clock=now)
    desk = desk_of(
        ground, cast("Any", _Idle()), slack, zones, people=people, rechecker=rechecker_of(ground, people)
    )
    bolt = connection.bolt(settings, cast("Any", (await web.auth_test()).data), web)
    made = Stage(sandbox, desk, Ledger(bolt), stores, heard)
    listeners.register(cast("Any", made.ledger), desk)
    is_connected = await connection.open_socket(bolt, "xapp-t", asyncio.Event(), stack)
    async with asyncio.timeout(SECONDS):
        while not await is_connected():  # noqa: ASYNC110 - the SDK tells nobody
            await asyncio.sleep(0.02)
    await _furnish(made, ground.database)
    return made


async def _furnish(made: Stage, database: Database) -> None:
    """All that can hang on a mailbox."""
    await Grants(database).set(TEAM_ID, EVERYTHING, INES, now(), lambda _: True)
    profile = replace(
        NEW.profile,
        name="Zebra desk",
        address="anna@zebra.example",
        username="anna-zebra",
        incoming=replace(NEW.profile.incoming, host="pop.zebra.example"),
        outgoing=replace(NEW.profile.outgoing, host="smtp.zebra.example") if NEW.profile.outgoing else None,
    )
    mailbox = await made.stores.mailboxes.add(
        replace(NEW, owner=MARTA, profile=profile, old=(b"old",)), now()
    )
    ids = made.ids
    ids["mailbox"] = mailbox.id
    for number, rule in enumerate(("rule", "second_rule", "third_rule"), 1):
        ids["message"] = await made.mail(number)
        _, label = await made.desk.reading.label(MARTA, ids["message"])
        ids[rule] = (await made.desk.muting.mute_sender(MARTA, mailbox.id, label)).id
    ids["message"] = await made.mail(4)
    ids["old"] = (await made.rows())["old_mail"][0][0]
    await made.stores.mailboxes.set_sending(MARTA, mailbox.id, "Zebra", "The zebra team", 30)
    mail = filled(mailbox.id, to="zed@zebra.example", subject="Zebra answer", draft='{"zebra":1}')
    ids["outgoing"] = (await made.desk.sending.save(MARTA, mail, "form")).id
    ids["share"], *_ = (each.id for each in await made.share(KENJI, PETRA, NOOR))
