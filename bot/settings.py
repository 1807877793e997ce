"""The environment as one frozen value; refuses what is missing, wrong, unsafe or unknown.

Every refusal is one `SettingsError` whose sentence names the variable and the next thing to do. No value of a
secret ever stands in it.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SLACK_API_URL = "https://slack.com/api/"
_HOST = re.compile(r"[\w.:-]+")
LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """All settings of the bot; the names are the environment's, in lower case."""

    model_config = SettingsConfigDict(
        frozen=True, env_file=".env", env_ignore_empty=True, extra="allow", hide_input_in_errors=True
    )

    slack_bot_token: SecretStr
    slack_app_token: SecretStr
    slack_signing_secret: SecretStr = SecretStr("")
    slack_api_url: str = SLACK_API_URL
    mailbox_database_url: SecretStr | None = None
    mailbox_master_keys: SecretStr | None = None
    mailbox_master_keys_file: Path | None = None
    mailbox_data_dir: Path = Path("mailbox-data")
    mailbox_allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    mailbox_authserv_ids: Annotated[tuple[str, ...], NoDecode] = ()
    mailbox_ca_file: Path | None = None
    mailbox_dns_server: Annotated[tuple[str, int] | None, NoDecode] = None
    mailbox_poll_seconds: int = Field(default=300, ge=1, le=86_400)
    mailbox_grace_seconds: float = Field(default=60, gt=0, le=3_600)
    mailbox_flood: int = Field(default=20, ge=1, le=1_000)
    mailbox_log: LogLevel = "info"
    mailbox_metrics: Annotated[tuple[str, int] | None, NoDecode] = None

    @field_validator("mailbox_allowed_hosts", "mailbox_authserv_ids", mode="before")
    @classmethod
    def _names(cls, value: str | tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value

    @field_validator("mailbox_log", mode="before")
    @classmethod
    def _lower(cls, value: str) -> str:
        return value.strip().lower()

    @field_validator("mailbox_metrics", "mailbox_dns_server", mode="before")
    @classmethod
    def _place(cls, value: object) -> object:
        return _host_and_port(value) if isinstance(value, str) else value

    @field_validator("mailbox_dns_server")
    @classmethod
    def _is_numeric(cls, value: tuple[str, int] | None) -> tuple[str, int] | None:
        if value is not None and not _is_numeric(value[0]):
            raise ValueError("must be a numeric address and a port, such as 127.0.0.1:53")
        return value

    @field_validator("slack_bot_token", "slack_app_token", mode="before")
    @classmethod
    def _on_one_line(cls, value: str) -> str:
        token = value.strip()
        if not token.isprintable() or " " in token:
            raise ValueError("holds a space or a line break; copy it anew")
        return token

    @field_validator("slack_bot_token")
    @classmethod
    def _is_bot_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith("xapp-"):
            raise ValueError("is an app token; the bot token starts with xoxb- (OAuth & Permissions)")
        return value

    @field_validator("slack_app_token")
    @classmethod
    def _is_app_token(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith("xoxb-"):
            raise ValueError("is a bot token; the app token starts with xapp- (Basic Information)")
        return value

    @field_validator("mailbox_ca_file", "mailbox_master_keys_file")
    @classmethod
    def _is_readable(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("names a file that is not there")
        if value is not None and not os.access(value, os.R_OK):
            raise ValueError("names a file that cannot be read")
        return value

    @field_validator("slack_api_url")
    @classmethod
    def _with_slash(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an http or https address such as " + SLACK_API_URL)
        return value.rstrip("/") + "/"

    @model_validator(mode="after")
    def _is_safe(self) -> Settings:
        host = urlsplit(self.slack_api_url).hostname or ""
        is_plain = self.slack_api_url.startswith("http:")
        if is_plain and not _is_loopback(host) and host not in self.mailbox_allowed_hosts:
            raise ValueError("SLACK_API_URL must be https: the token would travel in clear")
        if self.mailbox_master_keys is None and self.mailbox_master_keys_file is None:
            raise ValueError(
                "MAILBOX_MASTER_KEYS is missing; make a key with `python -m bot keys new` and keep it apart from the database"
            )
        if self.mailbox_master_keys is not None and self.mailbox_master_keys_file is not None:
            raise ValueError("set MAILBOX_MASTER_KEYS or MAILBOX_MASTER_KEYS_FILE, not both")
        return self

    @property
    def database_url(self) -> str:
        """Where the tables are; by default a SQLite file in the data folder."""
        if self.mailbox_database_url is not None:
            return self.mailbox_database_url.get_secret_value()
        return f"sqlite:///{(self.mailbox_data_dir / 'mailbox.db').absolute()}"

    @property
    def master_keys(self) -> str:
        """The master keys as text, from the variable or the file."""
        if self.mailbox_master_keys is not None:
            return self.mailbox_master_keys.get_secret_value()
        assert self.mailbox_master_keys_file is not None
        return self.mailbox_master_keys_file.read_text(encoding="ascii", errors="replace")

    @property
    def poll_interval(self) -> timedelta:
        """Default time between polls of one mailbox."""
        return timedelta(seconds=self.mailbox_poll_seconds)

    @property
    def grace(self) -> timedelta:
        """Wait before a post without answer is looked up."""
        return timedelta(seconds=self.mailbox_grace_seconds)


def load(environment: Mapping[str, str]) -> Settings:
    """The settings of this environment.

    Raises:
        SettingsError: with one sentence that says which variable is wrong and what to do.
    """
    _refuse_unknown(environment)
    try:
        settings = Settings()
    except ValidationError as error:
        raise SettingsError(
            sentence=_sentence(error.errors(include_input=False, include_url=False)[0])
        ) from None
    except (OSError, UnicodeDecodeError):
        raise SettingsError(sentence="The file .env in this folder cannot be read as UTF-8 text.") from None
    _refuse_unknown([name.upper() for name in settings.model_extra or ()])  # those of .env
    return settings


def _refuse_unknown(given: Iterable[str]) -> None:
    known = [name.upper() for name in Settings.model_fields]
    for name in given:
        if name.startswith("MAILBOX_") and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"; did you mean {near[0]}?" if near else "; see the settings table in README.md."
            raise SettingsError(sentence=f"There is no setting {name}{hint}")


def _sentence(error: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"]).upper()
    if error["type"] == "missing":
        return f"{name} is missing; README.md, section “In a real workspace”, says where to find it."
    reason = str(error["msg"]).removeprefix("Value error, ").removesuffix(".")
    reason = reason.replace("Input should be", "must be", 1)
    return f"{name} {reason}." if name else f"{reason}."


def _host_and_port(value: str) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{value.strip()}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or not port or not _HOST.fullmatch(host) or parts.netloc != value.strip() or "@" in value:
        raise ValueError("must be host:port, such as 127.0.0.1:9464")
    return host, port


def _is_loopback(host: str) -> bool:
    return host == "localhost" or (_is_numeric(host) and ipaddress.ip_address(host).is_loopback)


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
