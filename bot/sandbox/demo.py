"""The whole stage on loopback: pretend Slack, mail servers, and the unmodified bot between them."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
import shlex
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from bot.sandbox import server
from bot.sandbox.mail.maildrops import Account
from bot.sandbox.mail.names import NameServer
from bot.sandbox.mail.routes import mail_routes
from bot.sandbox.mail.servers import MailServers, Ports
from bot.sandbox.mail.welcome import deliver_welcome
from bot.sandbox.process import BotProcess, DemoFailed, executed, new_master_key
from bot.sandbox.slack.people import roster

if TYPE_CHECKING:
    from bot.sandbox.process import Launch
    from bot.sandbox.server import RunningSandbox

EVERYONE: Final = "team@local.test"
MAIL_PORTS: Final = Ports(pop3s=1995, pop3=1110, smtps=1465, smtp=1587)
ANY_PORTS: Final = Ports()
_NEXT_PORTS: Final = 50
_READY_SECONDS: Final = 45.0
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Tokens:
    """What the bot and the pretend Slack know each other by; good for this run only."""

    bot: str
    app: str
    signing: str

    @classmethod
    def new(cls) -> Self:
        """Fresh ones."""
        return cls(f"xoxb-{secrets.token_hex(12)}", f"xapp-{secrets.token_hex(12)}", secrets.token_hex(16))


class Demo:
    """Everything that runs; use it as a context, which ends all of it.

    Args:
        port: of the page; the next free one when it is taken, any free one for 0.
        mail_ports: the same for the mail servers.
        data: keeps the bot's data and the maildrops there; None takes a temporary folder that goes with the demo.
        launch: starts the bot.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        mail_ports: Ports = ANY_PORTS,
        data: Path | None = None,
        launch: Launch = executed,
    ) -> None:
        self._port = port
        self._mail_ports = mail_ports
        self._data = data
        self._launch = launch
        self._stack = AsyncExitStack()
        self.folder = Path()
        self.mail = MailServers(())
        self.slack: RunningSandbox
        self.bot: BotProcess

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @property
    def env_file(self) -> Path:
        """The bot's variables for a shell, to start it again by hand."""
        return self.folder / "bot.env"

    async def wait_connected(self) -> None:
        """Until the bot is on Socket Mode.

        Raises:
            DemoFailed: it ended, or took too long.
        """
        ending = asyncio.ensure_future(self.bot.wait())
        try:
            async with asyncio.timeout(_READY_SECONDS):
                while not self.slack.sandbox.hub.is_connected:
                    await asyncio.wait({ending}, timeout=_LOOK_SECONDS)
                    self._check_alive(ending)
        except TimeoutError:
            raise DemoFailed(f"The bot has not connected within {_READY_SECONDS:.0f} s.") from None
        finally:
            ending.cancel()

    @staticmethod
    def _check_alive(ending: asyncio.Future[int]) -> None:
        if ending.done():
            raise DemoFailed(f"The bot ended at its start with exit code {ending.result()}.")

    async def _start(self) -> None:
        self.folder = self._make_folder()
        self.mail = MailServers(accounts(), folder=self.folder, keep=True, everyone=EVERYONE)
        self._stack.push_async_callback(self.mail.stop)
        await self.mail.start(self._mail_ports)
        if not any(drop.mails for drop in self.mail.drops):
            deliver_welcome(self.mail)
        tokens = Tokens.new()
        self.slack = await self._start_slack(tokens)
        self._stack.push_async_callback(self.slack.stop)
        names = await NameServer.start(self.mail.ports)
        self._stack.callback(names.stop)
        settings = self._settings(tokens, await self._master_key(), names.place)
        _write_private(
            self.env_file,
            "".join(f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()),
        )
        self.bot = BotProcess(settings, self.folder, self.folder / "bot.log", self._launch)
        self._stack.push_async_callback(self.bot.stop)
        await self.bot.start()

    def _make_folder(self) -> Path:
        if self._data is None:
            return Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="mailbox-sandbox-")))
        try:
            self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise DemoFailed(f"The folder {self._data} cannot be used: {error.strerror}.") from error
        return self._data.absolute()

    async def _start_slack(self, tokens: Tokens) -> RunningSandbox:
        last = self._port + (_NEXT_PORTS if self._port else 1)
        for port in range(self._port, last):
            try:
                return await server.start(
                    port,
                    bot_token=tokens.bot,
                    app_token=tokens.app,
                    mail_routes=partial(mail_routes, servers=self.mail),
                )
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise DemoFailed(f"Port {port} cannot be used: {error.strerror}.") from error
        raise DemoFailed(f"No port between {self._port} and {last - 1} is free; name another with --port.")

    async def _master_key(self) -> str:
        """Kept beside the data it seals: this is a stage, and a second start must be able to open it."""
        file = self.folder / "master-key"
        if not file.exists():
            _write_private(file, await new_master_key())
        return file.read_text(encoding="ascii")

    def _settings(self, tokens: Tokens, master_key: str, name_server: str) -> dict[str, str]:
        return {
            "SLACK_BOT_TOKEN": tokens.bot,
            "SLACK_APP_TOKEN": tokens.app,
            "SLACK_SIGNING_SECRET": tokens.signing,
            "SLACK_API_URL": self.slack.api_url,
            "MAILBOX_DATA_DIR": str(self.folder / "data"),
            "MAILBOX_MASTER_KEYS": master_key,
            "MAILBOX_ALLOWED_HOSTS": "localhost,127.0.0.1",
            "MAILBOX_CA_FILE": str(self.mail.ca_pem),
            "MAILBOX_DNS_SERVER": name_server,
            "MAILBOX_POLL_SECONDS": "2",
            "MAILBOX_GRACE_SECONDS": "5",
            "MAILBOX_LOG": os.environ.get("MAILBOX_LOG", "info"),
            "MAILBOX_METRICS": os.environ.get("MAILBOX_METRICS", ""),
        }


def accounts() -> list[Account]:
    """A mail account for each person who can sign in, with a password one can type."""
    return [
        Account(human.email, f"{human.name}-mail-password", human.real_name)
        for human in roster()
        if human.is_active
    ]


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
