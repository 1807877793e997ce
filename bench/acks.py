"""How soon Slack has its answer while mailboxes poll: slash commands and forms, p50 and p99.

    python bench/acks.py [--mailboxes 200] [--seconds 30] [--poll-seconds 5]

Everything is real and on loopback: the sandbox's Slack and mail servers run in this process, the bot in one of its
own; each poll is a TLS session. A command counts from its envelope to our acknowledgement; so does a form, which here
comes back with errors under its fields, so that no test is started. The limit is 500 ms at p99.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import whole_bot
from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.servers import MailServers
from bot.sandbox.slack.people import TEAM_ID
from storage.mailboxes import Mailboxes
from storage.records import NewMailbox, Passwords, Person, Profile, Retention, Secret, Security, ServerAddress
from storage.vault import new_master_key

if TYPE_CHECKING:
    from bot.sandbox.server import RunningSandbox

MARTA = "U0MARTA004"
LIMIT_SECONDS = 0.5


async def seed(store: Mailboxes, port: int, accounts: list[Account]) -> None:
    """Register a mailbox for each account, every one of another person."""
    for number, account in enumerate(accounts):
        address = ServerAddress("localhost", port, Security.TLS)
        await store.add(
            NewMailbox(
                owner=Person(TEAM_ID, f"UBENCH{number:05d}"),
                profile=Profile("Bench", account.address, address, account.address, None, None),
                passwords=Passwords(Secret(account.password), None),
                retention=Retention.LEAVE,
                delete_days=None,
                skip=(),
                old=(),
                make_active=True,
                form_id=f"bench-{number}",
            ),
            datetime.now(UTC),
        )


async def post(http: aiohttp.ClientSession, url: str, path: str, **body: Any) -> tuple[float, Any]:
    """One act at the page; the seconds until the bot had acknowledged it, and the answer."""
    began = time.perf_counter()
    async with http.post(f"{url}/sandbox/api/{path}", json={"user": MARTA, **body}) as answer:
        result = await answer.json()
    return time.perf_counter() - began, result


async def measure(http: aiohttp.ClientSession, url: str, seconds: float) -> tuple[list[float], list[float]]:
    """Commands and forms in turn until the time is over."""
    commands, forms = [], []
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        took, _ = await post(http, url, "command", text="/mailbox list")
        commands.append(took)
        took, _ = await post(http, url, "command", text="/mailbox add")
        commands.append(took)
        view = await opened(http, url)
        took, answer = await post(http, url, "submit", view_id=view["id"], values=filled(view))
        assert answer.get("errors"), answer
        forms.append(took)
        await post(http, url, "close", view_id=view["id"], all=True)
        await asyncio.sleep(0.05)
    return commands, forms


async def opened(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    """The form, once it is open."""
    while True:
        async with http.get(f"{url}/sandbox/api/state?user={MARTA}&limit=1") as answer:
            views = (await answer.json())["views"]
        if views:
            return dict(views[-1])
        await asyncio.sleep(0.01)


def filled(view: dict[str, Any]) -> dict[str, Any]:
    """Something in every text field that the page demands; the address is none, so the form comes back."""
    values = view["state"]["values"]
    for block in view["blocks"]:
        if block["type"] == "input" and block["element"]["type"] == "plain_text_input":
            action_id = block["element"]["action_id"]
            values[block["block_id"]][action_id] = {"type": "plain_text_input", "value": "no address"}
    return dict(values)


async def first_round(slack: RunningSandbox, mail: MailServers, mailboxes: int) -> int:
    """Wait until the bot is connected and every mailbox was polled once; logins so far."""
    while True:
        logins = sum(drop.counters.logins for drop in mail.drops)
        if slack.sandbox.hub.is_connected and logins >= mailboxes:
            return logins
        await asyncio.sleep(0.1)


async def run(mailboxes: int, seconds: float, poll_seconds: int) -> int:
    """The whole bench; 0 when both p99 are within the limit."""
    accounts = [Account(f"bench{number}@local.test", "bench") for number in range(mailboxes)]
    with tempfile.TemporaryDirectory(prefix="mailbox-bench-") as name:
        folder = Path(name)
        mail = MailServers(accounts, folder=folder / "mail")
        await mail.start()
        slack, key = await whole_bot.start_slack(), new_master_key()
        async with whole_bot.opened(folder, key) as (database, vault):
            await seed(Mailboxes(database, vault), mail.ports.pop3s, accounts)
        bot = whole_bot.bot(
            folder, key, slack,
            MAILBOX_ALLOWED_HOSTS="localhost",
            MAILBOX_CA_FILE=str(mail.ca_pem),
            MAILBOX_POLL_SECONDS=str(poll_seconds),
            MAILBOX_FLOOD="1000",
        )  # fmt: skip
        await bot.start()
        async with aiohttp.ClientSession() as http:
            await post(http, slack.url, "settings", rate_limits=False)
            before = await first_round(slack, mail, mailboxes)
            commands, forms = await measure(http, slack.url, seconds)
            polls = sum(drop.counters.logins for drop in mail.drops) - before
        await bot.stop()
        await slack.stop()
        await mail.stop()
    print(f"{mailboxes} mailboxes, {polls / seconds:.1f} polls a second over TLS, {os.cpu_count()} cores")
    worst = max(
        whole_bot.report("commands", commands, LIMIT_SECONDS), whole_bot.report("forms", forms, LIMIT_SECONDS)
    )
    return int(worst > LIMIT_SECONDS)


def main() -> None:
    """Read the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mailboxes", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--poll-seconds", type=int, default=5)
    arguments = parser.parse_args()
    sys.exit(asyncio.run(run(arguments.mailboxes, arguments.seconds, arguments.poll_seconds)))


if __name__ == "__main__":
    main()
