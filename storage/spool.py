"""A message on its way from the server into the database: sealed piece by piece as it comes.

At most 1 MiB of sealed pieces stays in memory, then they go on in an unnamed temporary file, which the system frees
whatever happens. Nothing unsealed is ever written. Each piece's place names its message, its number and whether it is
the last, so none can be dropped, swapped or cut off unnoticed.
"""

from __future__ import annotations

import asyncio
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Final, ParamSpec, TypeVar

from storage.errors import StorageBusy
from storage.pieces import CHUNK_OCTETS, MESSAGE_CHUNKS, chunk_place

if TYPE_CHECKING:
    import hmac
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from storage.vault import DataKey

_MEMORY_OCTETS: Final = 1024 * 1024
_BATCH: Final = 4
_LENGTH_OCTETS: Final = 4

P = ParamSpec("P")
T = TypeVar("T")


class Spool:
    """Takes a message's octets once, in order; `close` it whether it was kept or not.

    Attributes:
        message_id: the id the message is sealed for.
        octets: how many were written so far.
    """

    def __init__(
        self, message_id: str, workspace: str, folder: Path, data_key: Callable[[], Awaitable[DataKey]]
    ) -> None:
        self.message_id: Final = message_id
        self.octets = 0
        self._workspace: Final = workspace
        self._data_key: Final = data_key
        self._key: DataKey | None = None
        self._hash: hmac.HMAC | None = None
        self._tail = bytearray()
        self._chunks = 0
        self._is_finished = False
        self._file: Final = SpooledTemporaryFile(max_size=_MEMORY_OCTETS, dir=str(folder))  # noqa: SIM115 - closed by close()

    def __repr__(self) -> str:
        return f"Spool({self.message_id}, {self.octets} octets)"

    async def write(self, octets: bytes) -> None:
        """Take the next octets.

        Raises:
            LeaseLost: the claim no longer holds.
            StorageBusy: no room for the temporary file.
        """
        await self._unlock()
        self.octets += len(octets)
        await self._away(self._take, octets)

    async def finish(self) -> bytes:
        """Seal the last piece; the fingerprint of the whole. Harmless when repeated."""
        await self._unlock()
        if not self._is_finished:
            await self._away(self._seal, is_last=True)
            self._is_finished = True
        assert self._hash is not None
        return self._hash.digest()

    async def batches(self) -> AsyncIterator[list[tuple[int, bytes]]]:
        """The sealed pieces with their numbers, a few at a time, from the first on."""
        await self._away(self._file.seek, 0)
        for first in range(0, self._chunks, _BATCH):
            numbers = range(first, min(first + _BATCH, self._chunks))
            yield await self._away(self._read, numbers)

    async def close(self) -> None:
        """Forget everything that was not kept."""
        self._file.close()

    async def _unlock(self) -> None:
        if self._key is None:
            self._key = await self._data_key()
            self._hash = self._key.fingerprint()

    async def _away(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Large messages are sealed, written and read off the event loop."""
        try:
            if self.octets > _MEMORY_OCTETS:
                return await asyncio.to_thread(work, *args, **kwargs)
            return work(*args, **kwargs)
        except OSError as error:
            raise StorageBusy("The spool cannot be written or read.") from error

    def _take(self, octets: bytes) -> None:
        rest = memoryview(octets)
        while len(self._tail) + len(rest) > CHUNK_OCTETS:
            room = CHUNK_OCTETS - len(self._tail)
            self._tail += rest[:room]
            rest = rest[room:]
            self._seal(is_last=False)
        self._tail += rest

    def _seal(self, *, is_last: bool) -> None:
        assert self._key is not None
        assert self._hash is not None
        octets = bytes(self._tail)
        place = chunk_place(self._workspace, MESSAGE_CHUNKS, self.message_id, self._chunks, is_last=is_last)
        sealed = self._key.seal(octets, place)
        self._file.write(len(sealed).to_bytes(_LENGTH_OCTETS) + sealed)
        self._hash.update(octets)
        self._chunks += 1
        self._tail.clear()

    def _read(self, numbers: range) -> list[tuple[int, bytes]]:
        return [
            (number, self._file.read(int.from_bytes(self._file.read(_LENGTH_OCTETS)))) for number in numbers
        ]
