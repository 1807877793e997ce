"""Composition root: the only place that builds I/O, and the order in which it starts and stops."""

from __future__ import annotations

import asyncio
import signal
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import structlog

from bot import logs
from bot.app.desk import desk_of
from bot.app.ground import ground_of, hide_memory, now, secrets_of
from bot.app.running import deliverer_of, runner_of, watch_of
from bot.app.sending import sending_sweeps, sent_posts_of
from bot.app.sharing import rechecker_of, sharing_sweeps
from bot.app.slack import answering_client, posting_client, slack_client
from bot.slack import connection, listeners
from bot.slack.people import People
from bot.zones import ZoneKeeper
from storage.zones import Zones

if TYPE_CHECKING:
    from bot.settings import Settings

log = structlog.get_logger(__name__)


async def serve(settings: Settings) -> None:
    """Run the bot until SIGTERM or Ctrl-C.

    Raises:
        SettingsError: a setting turned out wrong; nothing was changed.
        StorageError: the database cannot be used.
    """
    logs.configure(settings.mailbox_log, secrets_of(settings))
    hide_memory()
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with AsyncExitStack() as stack:
        ground = await ground_of(settings, stopping, stack)
        watch = await watch_of(ground, stack)
        web = await posting_client(ground, stack)
        identity = await connection.identity(web, stopping)
        if identity is None:
            return
        slack = await slack_client(web, stack)
        zones = ZoneKeeper(Zones(ground.database), ground.mailboxes, slack, clock=now)
        people = People(slack, str(identity["team_id"]), now)
        rechecker, sent_posts = rechecker_of(ground, people), sent_posts_of(ground, slack)
        sweeps = [
            *sharing_sweeps(ground, slack, people, rechecker),
            *sending_sweeps(ground, people, sent_posts),
        ]
        runner = runner_of(ground, deliverer_of(ground, slack, people, sent_posts), zones, sweeps)
        bolt = connection.bolt(settings, identity, answering_client(ground))
        desk = desk_of(ground, runner, slack, zones, people=people, rechecker=rechecker)
        listeners.register(bolt, desk)
        stack.push_async_callback(desk.leave)
        app_token = settings.slack_app_token.get_secret_value()
        watch.is_connected = await connection.open_socket(bolt, app_token, stopping, stack)
        log.info("started", poll_seconds=settings.mailbox_poll_seconds)
        await runner.run()
        log.info("stopped")
