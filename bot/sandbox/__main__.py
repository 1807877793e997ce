"""`python -m bot.sandbox`: try the bot in the browser, or check that all of it works together."""

from __future__ import annotations

import asyncio
import signal
import sys
import webbrowser
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from bot.sandbox.check import run_check
from bot.sandbox.demo import MAIL_PORTS, Demo
from bot.sandbox.process import DemoFailed

if TYPE_CHECKING:
    from collections.abc import Coroutine

_INTERRUPTED = 130

cli = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@cli.command()
def sandbox(
    *,
    check: Annotated[
        bool,
        typer.Option(
            "--check", help="No browser: act as a person, kill the bot, count the mail; exit 0 or 1."
        ),
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of the page; the next free one when it is taken.")
    ] = 8765,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    data: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Keep mailboxes and mail in this folder between runs."),
    ] = None,
) -> None:
    """Try Mailbox without Slack: a pretend workspace in the browser, with mail servers and the real bot, all local."""
    work = run_check() if check else _show(port, data, open_page=open_page)
    try:
        code = asyncio.run(_until_signal(work, interrupted=_INTERRUPTED if check else 0))
    except DemoFailed as error:
        typer.echo(str(error), err=True)
        code = 1
    raise typer.Exit(code)


async def _show(port: int, data: Path | None, *, open_page: bool) -> int:
    demo = Demo(port=port, mail_ports=MAIL_PORTS, data=data)
    async with demo:
        try:
            await demo.wait_connected()
        except DemoFailed:
            print(demo.bot.tail(), file=sys.stderr)
            raise
        print(_instructions(demo), flush=True)
        if open_page:
            await asyncio.to_thread(webbrowser.open, demo.slack.url)
        code = await demo.bot.wait()
        print(_bot_ended(demo, code), flush=True)
        await asyncio.Event().wait()
    return 0


def _instructions(demo: Demo) -> str:
    ports = demo.mail.ports
    marta = next(account for account in demo.mail.accounts if account.address.startswith("marta@"))
    return f"""
Mailbox sandbox: {demo.slack.url}

  1. Open the page, be Marta, and type /mailbox add in the message field.
  2. Address and username {marta.address}, password {marta.password}; incoming server localhost, port {ports.pop3s}, TLS;
     outgoing server localhost, port {ports.smtps}, TLS. Her mail then arrives in the DM.
  3. Send more mail from the page. kill -9 {demo.bot.pid} ends the bot rudely; Ctrl-C here ends everything.

The bot's log: {demo.bot.log}"""


def _bot_ended(demo: Demo, code: int) -> str:
    return (
        f"\nThe bot has ended (exit code {code}). Slack and mail go on; to start it again:\n"
        f"  . {demo.env_file} && {sys.executable} -m bot serve"
    )


async def _until_signal(work: Coroutine[None, None, int], *, interrupted: int) -> int:
    """Do the work; Ctrl-C and its kin cancel it, which ends what it started."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, task.cancel)
    await asyncio.wait({task})
    if task.cancelled():
        print("\nEverything is stopped.")
        return interrupted
    return task.result()


if __name__ == "__main__":
    cli(prog_name="python -m bot.sandbox")
