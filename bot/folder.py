"""The data folder: made, held by one process, and the name that process goes by."""

from __future__ import annotations

import asyncio
import fcntl
import secrets
from typing import IO, TYPE_CHECKING, Final

from bot.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

LOCK_SECONDS: Final = 10.0


def data_folder(folder: Path) -> Path:
    """The folder, made if need be, for nobody else to read.

    Raises:
        SettingsError: it cannot be used.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "lock").touch(mode=0o600)
    except OSError as error:
        raise SettingsError(
            sentence="MAILBOX_DATA_DIR cannot be used; name a folder that can be written to."
        ) from error
    return folder


async def sole_user(folder: Path) -> IO[bytes]:
    """The data folder's lock, held until the process ends: leases rely on one process per folder.

    Raises:
        SettingsError: another process holds it, also after ten seconds for a predecessor to leave.
    """
    lock = (folder / "lock").open("ab")
    deadline = asyncio.get_running_loop().time() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if asyncio.get_running_loop().time() > deadline:
                lock.close()
                raise SettingsError(
                    sentence="Another Mailbox runs with this data folder; stop it, or set MAILBOX_DATA_DIR to another one."
                ) from error
            await asyncio.sleep(0.1)
        else:
            return lock


def worker_name(folder: Path) -> str:
    """A name that lasts as long as the data folder, so that a restart takes over its predecessor's leases at once."""
    file = folder / "worker"
    name = file.read_text(encoding="ascii", errors="replace") if file.exists() else ""
    if not name:  # also when a predecessor died between making the file and filling it
        name = secrets.token_hex(8)
        file.write_text(name, encoding="ascii")
    return name
