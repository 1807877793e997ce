"""The command line: `python -m bot`.

Exit codes: 0 done, 1 failed, 2 a setting or an argument is wrong. A person's mistake is one sentence on standard
error, never a traceback.
"""

from __future__ import annotations

import gc
import os
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from bot.errors import SettingsError
from storage.errors import KeyUnknown, StorageError
from storage.vault import new_master_key

WRONG_SETTING = 2

cli = typer.Typer(
    help="Mailbox brings POP3 mail into Slack's direct messages: readable, complete, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
keys = typer.Typer(help="Master keys, which seal everything that is stored.", no_args_is_help=True)
cli.add_typer(keys, name="keys")


def _version(is_asked: bool) -> None:  # noqa: FBT001 - typer's callback shape
    if is_asked:
        try:
            print(f"mailbox {version('mailbox')}")
        except PackageNotFoundError:
            print("mailbox, from a source checkout")
        raise typer.Exit


@cli.callback()
def _options(
    *,
    _show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Mailbox brings POP3 mail into Slack's direct messages: readable, complete, exactly once."""


@cli.command()
def serve() -> None:
    """Run the bot in this process: Slack by Socket Mode, mailboxes polled, posts delivered. Ctrl-C ends it calmly."""
    # Here, since the other commands need nothing of it: it takes a second to load.
    import uvloop  # noqa: PLC0415

    from bot import app, settings  # noqa: PLC0415

    gc.collect()
    gc.freeze()  # what was imported stays; each full search for garbage would look through it for 90 ms
    try:
        uvloop.run(app.serve(settings.load(os.environ)))
    except SettingsError as error:
        _leave(error.sentence)
    except KeyUnknown as error:
        _leave(str(error))
    except StorageError:
        _leave(
            "The database cannot be used: check MAILBOX_DATABASE_URL and that the data folder can be written to."
        )


@keys.command("new")
def new_key() -> None:
    """Print a new master key, alone on the last line."""
    typer.echo(
        "Keep this key apart from the database and its backups: without it, nothing stored can be read.",
        err=True,
    )
    print(new_master_key())


def _leave(sentence: str) -> None:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG_SETTING)


if __name__ == "__main__":
    cli(prog_name="python -m bot")
