"""A long listing in flat arrays: nothing lost, in order, in short steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import RemoteProtocolError
from bot.mail.uids import Uids

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

T = TypeVar("T")

rows_in_any_order = st.lists(
    st.tuples(st.integers(1, 2**31 - 1), st.binary(min_size=1, max_size=5)),
    unique_by=lambda row: row[0],
    max_size=600,
)


def added(*pieces: Iterable[tuple[int, bytes]]) -> Uids:
    """Rows, piece by piece."""
    uids = Uids()
    for piece in pieces:
        rows = list(piece)
        uids.add([number for number, _ in rows], [uid for _, uid in rows])
    return uids


def finished(steps: Generator[None, None, T]) -> tuple[T, int]:
    """The result, and after how many steps it was there."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: T = end.value
            return result, count
        count += 1


@given(rows_in_any_order, st.integers(1, 300))
def test_rows_come_in_order_however_they_were_listed(rows: list[tuple[int, bytes]], piece: int) -> None:
    """Any order, in pieces of any size: sorted by number, none lost."""
    uids, _ = finished(added(*(rows[at : at + piece] for at in range(0, len(rows), piece))).in_order())

    assert list(uids) == sorted(rows)
    assert [uids[at] for at in range(len(rows))] == sorted(rows)
    assert uids[-2:] == sorted(rows)[-2:]


def test_a_message_without_uid_is_left_out() -> None:
    """It cannot be told from others; it is counted, also where the order was wrong."""
    uids, _ = finished(added([(2, b"b"), (3, b"")], [(1, b"a")]).in_order())

    assert (list(uids), uids.nameless) == ([(1, b"a"), (2, b"b")], 1)


@pytest.mark.parametrize(
    "pieces",
    [
        [[(1, b"a"), (2, b"b"), (1, b"c")]],
        [[(1, b"a"), (2, b"b")], [(2, b"b")]],
        [[(7, b"a")], [(1, b"b"), (7, b"a")]],
    ],
)
def test_a_number_named_twice_spoils_the_listing(pieces: list[list[tuple[int, bytes]]]) -> None:
    """One of the two lines lies, however far apart they stand."""
    with pytest.raises(RemoteProtocolError):
        finished(added(*pieces).in_order())


def test_sorting_a_long_listing_stops_often() -> None:
    """However it came, what is done between two steps is a few hundred rows."""
    _, steps = finished(added((number, b"u") for number in range(20_000, 0, -1)).in_order())

    assert steps >= 2 * 20_000 // 256
