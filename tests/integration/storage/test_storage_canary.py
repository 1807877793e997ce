"""Nothing secret is ever in clear: not in the database's files, not in the logs, not in a traceback."""

from __future__ import annotations

import base64
import logging
import traceback
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import pytest

from storage.database import Database
from storage.errors import StorageError
from storage.records import EntryState, NewMailbox, Passwords, Profile, Secret, Security, ServerAddress
from storage.tables import KeyCheckRow, MailboxRow
from storage.vault import MasterKeys, Vault, new_master_key, unlock
from tests.integration.storage.stores import NEW, NOW, OK, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CANARIES: Final = [f"canary{number:02}zwitschert" for number in range(10)]
NAME, ADDRESS, POP, USERNAME, SMTP, OUTGOING, PASSWORD, PASSWORD_OUT, SUBJECT, BODY = CANARIES
SECRET: Final[NewMailbox] = replace(
    NEW,
    profile=Profile(
        name=NAME,
        address=f"{ADDRESS}@example.org",
        incoming=ServerAddress(f"{POP}.example.org", 995, Security.TLS),
        username=USERNAME,
        outgoing=ServerAddress(f"{SMTP}.example.org", 465, Security.TLS),
        outgoing_username=OUTGOING,
    ),
    passwords=Passwords(Secret(PASSWORD), Secret(PASSWORD_OUT)),
)
MESSAGE: Final = f"Subject: {SUBJECT}\r\n\r\n{BODY}\r\n".encode()


def spellings(word: str) -> set[bytes]:
    """How a word may look in a file or a log: plain, UTF-16, base64 at any offset, hexadecimal, escaped."""
    plain = word.encode()
    shifted = (base64.b64encode(b"\0" * offset + plain)[4:-4] for offset in range(3))
    return {plain, word.encode("utf-16-le"), plain.hex().encode(), *shifted}


def found_in(octets: bytes, words: list[str]) -> list[str]:
    """The words that octets hold in any spelling."""
    folded = octets.lower()
    return [word for word in words if any(look.lower() in folded for look in spellings(word))]


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Everything that is logged, by anyone, at any level."""
    names = (
        "",
        "sqlalchemy",
        "sqlalchemy.engine",
        "sqlalchemy.pool",
        "sqlalchemy.orm",
        "aiosqlite",
        "asyncpg",
        "alembic",
    )
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        caplog.set_level(logging.DEBUG, name)
    yield caplog
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def use_everything(stores: Stores) -> None:
    """Walk the secrets through all stores."""
    claim = await stores.claimed(SECRET)
    assert (await stores.mailboxes.claimed_passwords(claim)).incoming.reveal() == PASSWORD
    await stores.keep(claim, b"u1", MESSAGE)
    await stores.keep(claim, b"u2", MESSAGE * 30_000)
    dm = await stores.dm()
    entry = await stores.head(dm)
    await stores.messages.load(entry.message_id or "")
    dm = await stores.outbox.record(dm, replace(entry, state=EntryState.SETTLED), now=NOW)
    await stores.mailboxes.finish(claim, OK)
    await stores.mailboxes.of(OWNER)


async def test_canaries_are_found_where_they_are() -> None:
    """The search itself works: it finds every spelling it should."""
    for look in (
        PASSWORD.encode(),
        PASSWORD.upper().encode("utf-16-le"),
        base64.b64encode(b"x" + PASSWORD.encode()),
        repr(PASSWORD.encode()).encode(),
    ):
        assert found_in(b"before" + look + b"after", CANARIES) == [PASSWORD]


async def test_no_canary_in_the_files(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """The database file, its log and its index hold no secret, before and after a checkpoint."""
    database = await Database.open(sqlite_url)
    await unlock(database, vault)
    await use_everything(Stores.on(database, vault, tmp_path))

    early = everything_below(tmp_path)
    await database.checkpoint()
    late = everything_below(tmp_path)
    await database.close()

    assert len(early) > 800_000
    assert found_in(early + late, CANARIES) == []


def everything_below(folder: Path) -> bytes:
    """All octets of all files."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


async def test_erased_octets_are_gone_from_the_files(stores: Stores, tmp_path: Path) -> None:
    """After a removal not even the sealed octets or the wrapped key are left in SQLite's files."""
    claim = await stores.claimed(SECRET)
    async with stores.database.read() as session:
        row = await session.get_one(MailboxRow, claim.mailbox.id)
    sealed = (row.wrapped_key or b"", row.profile, row.password_incoming)

    await stores.holdings.remove(OWNER, claim.mailbox.id, NOW)

    assert not any(octets in everything_below(tmp_path) for octets in sealed)


async def test_no_canary_in_the_logs(
    stores: Stores, logged: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing logs a secret, however talkative the libraries are told to be."""
    await stores.database.migrate()
    await use_everything(stores)
    await stores.holdings.remove(OWNER, (await stores.mailboxes.of(OWNER))[0].id, NOW)

    assert len(logged.records) > 20
    assert found_in((logged.text + "".join(capfd.readouterr())).encode(), CANARIES) == []


async def test_no_canary_in_a_refused_statement(stores: Stores, logged: pytest.LogCaptureFixture) -> None:
    """The error of a broken rule names no secret, neither itself nor its causes nor their text."""
    claim = await stores.claimed(SECRET)
    async with stores.database.read() as session:
        row = await session.get_one(MailboxRow, claim.mailbox.id)

    async def add_again() -> None:
        async with stores.database.write() as session:
            session.add(MailboxRow(**{**row.model_dump(), "fence": 7}))

    with pytest.raises(StorageError) as caught:
        await add_again()

    shown = "".join(traceback.format_exception(caught.value)) + repr(row) + str(row) + logged.text
    assert "IntegrityError" in shown
    assert found_in(shown.encode(), CANARIES) == []


async def test_no_key_in_texts_or_files(
    sqlite_url: str, tmp_path: Path, logged: pytest.LogCaptureFixture
) -> None:
    """The master key is nowhere: not in the database, not in the logs, not in what a person is told."""
    key = new_master_key()
    secret = key.partition(":")[2]
    database = await Database.open(sqlite_url)
    await unlock(database, Vault(MasterKeys.parse(key)))
    await use_everything(Stores.on(database, Vault(MasterKeys.parse(key)), tmp_path))

    octets = everything_below(tmp_path) + logged.text.encode()
    await database.close()

    assert secret.encode() not in octets
    assert base64.urlsafe_b64decode(secret) not in octets


def test_records_and_rows_show_no_secret() -> None:
    """A password in memory is not printed by anything that holds it, nor sealed octets by their row."""
    row = KeyCheckRow(key_id=NAME, sealed=BODY.encode())

    shown = f"{SECRET!r} {SECRET.passwords} {row} {row!r}"

    assert found_in(shown.encode(), [PASSWORD, PASSWORD_OUT, BODY]) == []
