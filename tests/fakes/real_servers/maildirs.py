"""The maildirs in which a real server puts what it took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 20


class Maildirs:
    """One maildir for all recipients, each mail with the envelope that the server noted in it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, message_id: str, count: int) -> list[bytes]:
        """The copies of one mail with LF line ends, by their recipients, once `count` of them are there."""
        deadline = time.monotonic() + SECONDS
        while len(found := self._all(message_id)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} copies arrived")
            time.sleep(0.01)
        return sorted(found)

    def _all(self, message_id: str) -> list[bytes]:
        new = self._folder / "new"
        octets = [path.read_bytes() for path in new.iterdir()] if new.is_dir() else []
        return [each for each in octets if message_id.encode() in each]
