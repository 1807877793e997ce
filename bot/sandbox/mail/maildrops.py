"""Accounts and what lies in their maildrops, with a journal of what mail programs did.

The maildrops live in memory. With a folder they are mirrored there, one folder per account, so that another process
may look, and a later start finds the mail again: `NUMBER-….eml` per message, `journal.jsonl`, `password`.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.mail.faults import Faults, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_RECENT: Final = timedelta(days=30)


class MaildropDown(Exception):
    """The maildrop cannot be had now, so nothing is known about the password."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in."""

    address: str
    password: str = field(repr=False)
    name: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message in a maildrop; `uid` is what UIDL shows, unless a fault changes it."""

    uid: str
    octets: bytes
    received: datetime


@dataclass
class Counters:
    """What mail programs did with one maildrop since the start.

    Attributes:
        retr, dele: per UID. A DELE counts when it is accepted, `deleted` when QUIT has carried it out.
        quits: sessions that ended by QUIT after a login; `dropped`: those that did not.
    """

    logins: int = 0
    refused_logins: int = 0
    busy_logins: int = 0
    temporary_logins: int = 0
    quits: int = 0
    dropped: int = 0
    delivered: int = 0
    submitted: int = 0
    retr: Counter[str] = field(default_factory=Counter)
    top: Counter[str] = field(default_factory=Counter)
    dele: Counter[str] = field(default_factory=Counter)
    deleted: list[str] = field(default_factory=list)
    commands: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The figures as the page API shows them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Maildrop:
    """One account's mail, its lock and its journal.

    Args:
        folder: where to mirror it; None keeps it in memory only.
    """

    def __init__(self, account: Account, folder: Path | None = None) -> None:
        self.account = account
        self.is_locked = False
        self.faults = Faults()
        self.counters = Counters()
        self._mails: dict[str, Mail] = {}
        self._fetched: set[str] = set()
        self._number = 0
        self._folder = folder
        if folder:
            self._load(folder)

    @property
    def mails(self) -> list[Mail]:
        """What lies there now, oldest first."""
        return list(self._mails.values())

    def listed(self, *, recent: bool = False) -> list[Mail]:
        """What a new session sees.

        Args:
            recent: what came in the last 30 days, fetched before or not.
        """
        if recent:
            since = datetime.now(UTC) - _RECENT
            return [mail for mail in self.mails if mail.received >= since]
        hidden = self._fetched if self.faults.has(Kind.HIDES_FETCHED) else frozenset()
        return [mail for mail in self.mails if mail.uid not in hidden]

    def remember_fetched(self, uids: Iterable[str]) -> None:
        """A session that fetched these has ended in order."""
        self._fetched.update(uids)

    def deliver(self, octets: bytes, received: datetime | None = None) -> Mail:
        """Put a message in; line ends become CRLF, as they travel.

        Args:
            received: when it came; now, unless something else is said.
        """
        self._number += 1
        uid = f"{self._number:08d}-{uuid.uuid4().hex[:8]}"
        mail = Mail(uid, _LINE_END.sub(b"\r\n", octets), received or datetime.now(UTC))
        if self._folder:
            _write(self._folder / f"{mail.uid}.eml", mail.octets, mail.received)
        self._mails[mail.uid] = mail
        self.counters.delivered += 1
        self.note("DELIVERED", mail.uid)
        return mail

    def expunge(self, uids: Collection[str]) -> None:
        """Take messages out for good."""
        for uid in uids:
            if self._mails.pop(uid, None) and self._folder:
                (self._folder / f"{uid}.eml").unlink(missing_ok=True)
            self.counters.deleted.append(uid)
            self.note("DELETED", uid)

    def change_password(self, password: str) -> None:
        """From now on only this one signs in; sessions under way go on."""
        self.account = Account(self.account.address, password, self.account.name)
        if self._folder:
            _write(self._folder / "password", password.encode())

    def note(self, event: str, uid: str = "") -> None:
        """A line in the journal, for whoever watches the folder."""
        if self._folder:
            line = json.dumps({"time": round(time.time(), 3), "event": event, "uid": uid})
            with (self._folder / "journal.jsonl").open("a", encoding="utf-8") as journal:
                journal.write(line + "\n")

    def _load(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.eml")):
            received = datetime.fromtimestamp(path.stat().st_mtime, UTC)
            self._mails[path.stem] = Mail(path.stem, path.read_bytes(), received)
            self._number = max(self._number, int(path.stem.partition("-")[0]))
        if (folder / "password").is_file():
            password = (folder / "password").read_text(encoding="utf-8")
            self.account = Account(self.account.address, password, self.account.name)


class Maildrops:
    """Every account's maildrop, found by address in any case.

    Args:
        everyone: an address that reaches all accounts, such as `team@local.test`.
    """

    def __init__(self, accounts: Iterable[Account], folder: Path | None = None, everyone: str = "") -> None:
        self._everyone = everyone.casefold()
        self._drops = {
            account.address.casefold(): Maildrop(account, folder and folder / account.address)
            for account in accounts
        }

    def __iter__(self) -> Iterator[Maildrop]:
        return iter(self._drops.values())

    def get(self, address: str) -> Maildrop | None:
        """The maildrop of exactly this address."""
        return self._drops.get(address.strip().casefold())

    def reached_by(self, address: str) -> list[Maildrop]:
        """Where mail to this address goes; empty when nowhere."""
        if self._everyone and address.strip().casefold() == self._everyone:
            return list(self._drops.values())
        drop = self.get(address)
        return [drop] if drop else []

    def signed_in(
        self, username: str, password: str, *, refusing: Kind = Kind.WRONG_PASSWORD
    ) -> Maildrop | None:
        """The maildrop these credentials open, with the attempt counted; a wrong name reads like a wrong password.

        Args:
            refusing: one more fault that refuses the password here.

        Raises:
            MaildropDown: it has a temporary fault.
        """
        drop = self.get(username)
        if drop is None:
            return None
        is_refused = drop.faults.has(Kind.WRONG_PASSWORD) or drop.faults.has(refusing)
        if is_refused or drop.account.password != password:
            drop.counters.refused_logins += 1
            drop.note("LOGIN REFUSED")
            return None
        if drop.faults.has(Kind.TEMPORARY):
            drop.counters.temporary_logins += 1
            raise MaildropDown
        return drop


def _write(path: Path, octets: bytes, dated: datetime | None = None) -> None:
    """Whole or not at all, for readers in other processes."""
    unfinished = path.with_suffix(".part")
    unfinished.write_bytes(octets)
    if dated:
        os.utime(unfinished, (dated.timestamp(), dated.timestamp()))
    unfinished.replace(path)
