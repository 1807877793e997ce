"""A whole listing of UIDs, half a million of them at most, in three flat arrays.

As many tuples and octet strings take 100 MB, and to let go of them alone takes 50 ms in which nothing else runs.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Sequence
from itertools import accumulate, islice
from operator import lt
from typing import TYPE_CHECKING, Final, overload

from bot.errors import RemoteProtocolError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_RUN: Final = 256  # rows sorted in one go
_DENSE: Final = 4  # numbers up to so many times the rows
_NOWHERE: Final = array("I", bytes(4 * 4096))
_TWICE: Final = "a message number twice in one listing"


class Uids(Sequence[tuple[int, bytes]]):
    """Numbers and UIDs as they were added; `in_order` makes the listing of them.

    Attributes:
        nameless: messages left out because they have no UID.
    """

    def __init__(self) -> None:
        self.nameless = 0
        self._numbers = array("I")
        self._ends = array("I")  # where each UID ends in the text, the next begins
        self._text = bytearray()
        self._is_sorted = True
        self._most = 0

    def add(self, numbers: Sequence[int], uids: Sequence[bytes]) -> None:
        """Append rows; those whose UID is empty are only counted."""
        if not all(uids):
            rows = [row for row in zip(numbers, uids, strict=True) if row[1]]
            self.nameless += len(uids) - len(rows)
            numbers, uids = [number for number, _ in rows], [uid for _, uid in rows]
        last = self._numbers[-1] if self._numbers else 0
        self._is_sorted = self._is_sorted and all(map(lt, (last, *numbers), numbers))
        self._most = max(self._most, *numbers) if numbers else self._most
        self._numbers.extend(numbers)
        ends = accumulate(map(len, uids), initial=len(self._text))
        self._ends.extend(islice(ends, 1, None))
        self._text += b"".join(uids)

    def in_order(self) -> Generator[None, None, Uids]:
        """The same by number, in short steps.

        Raises:
            RemoteProtocolError: a number stands there twice; one of the two lines lies.
        """
        if self._is_sorted:
            return self
        if self._most <= _DENSE * len(self):
            return (yield from self._merged((yield from self._placed())))
        runs, places = [], range(len(self))
        for at in range(0, len(self), _RUN):
            runs.append(sorted(places[at : at + _RUN], key=self._numbers.__getitem__))
            yield
        return (yield from self._merged(heapq.merge(*runs, key=self._numbers.__getitem__)))

    def _placed(self) -> Generator[None, None, Iterator[int]]:
        """The places by their numbers where those have few gaps, as they have on any honest server: no sorting."""
        places = array("I")
        while len(places) <= self._most:
            places.extend(_NOWHERE)
            yield
        for at in range(0, len(self), _RUN):
            for place, number in enumerate(self._numbers[at : at + _RUN], at + 1):
                if places[number]:
                    raise RemoteProtocolError(_TWICE)
                places[number] = place
            yield
        return (place - 1 for place in places if place)

    def _merged(self, places: Iterator[int]) -> Generator[None, None, Uids]:
        found = Uids()
        found.nameless = self.nameless
        while some := list(islice(places, _RUN)):
            rows = [self[place] for place in some]
            found.add([number for number, _ in rows], [uid for _, uid in rows])
            if not found._is_sorted:
                raise RemoteProtocolError(_TWICE)
            yield
        return found

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> tuple[int, bytes]: ...

    @overload
    def __getitem__(self, place: slice) -> list[tuple[int, bytes]]: ...

    def __getitem__(self, place: int | slice) -> tuple[int, bytes] | list[tuple[int, bytes]]:
        if isinstance(place, slice):
            return [self[at] for at in range(len(self))[place]]
        at = range(len(self))[place]
        start = self._ends[at - 1] if at else 0
        return self._numbers[at], bytes(self._text[start : self._ends[at]])

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        start = 0
        for number, end in zip(self._numbers, self._ends, strict=True):
            yield number, bytes(self._text[start:end])
            start = end
