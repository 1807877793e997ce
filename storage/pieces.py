"""Large octets sealed piece by piece; each piece's place names its row, its number and whether it is the last.

So none can be dropped, swapped or cut off unnoticed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from storage.errors import SealBroken
from storage.vault import Place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.vault import DataKey

CHUNK_OCTETS: Final = 256 * 1024
THREAD_OCTETS: Final = 256 * 1024
"""A mail that is sent leaves the event loop to be sealed or opened where it is larger."""

MESSAGE_CHUNKS: Final = "message_chunk"
OUTGOING_CHUNKS: Final = "outgoing_chunk"


def chunk_place(workspace: str, table: str, row: str, number: int, *, is_last: bool) -> Place:
    """Where a piece is sealed."""
    return Place(workspace, table, f"{row}/{number}/{'last' if is_last else 'more'}", "octets")


def sealed_pieces(key: DataKey, workspace: str, table: str, row: str, octets: bytes) -> list[bytes]:
    """Octets that are in memory as a whole, sealed in their order; at least one piece."""
    last = max(0, len(octets) - 1) // CHUNK_OCTETS
    return [
        key.seal(
            octets[number * CHUNK_OCTETS : (number + 1) * CHUNK_OCTETS],
            chunk_place(workspace, table, row, number, is_last=number == last),
        )
        for number in range(last + 1)
    ]


def opened_pieces(key: DataKey, workspace: str, table: str, row: str, sealed: Sequence[bytes]) -> bytes:
    """All pieces of a row, given in order, put together again.

    Raises:
        SealBroken: one was changed, moved, reordered or is missing.
    """
    if not sealed:
        raise SealBroken("There are no octets any more.")
    last = len(sealed) - 1
    places = (
        chunk_place(workspace, table, row, number, is_last=number == last) for number in range(len(sealed))
    )
    return b"".join(key.open(chunk, place) for chunk, place in zip(sealed, places, strict=True))
