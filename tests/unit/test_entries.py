"""What becomes of an outbox entry, from values alone."""

from __future__ import annotations

import pytest

from bot import entries
from storage.records import Entry, EntryState, Notice, Person


@pytest.mark.parametrize(
    ("notice", "parent", "gives_way", "is_shown"),
    [
        (None, None, False, False),
        (None, "e0", False, True),
        (None, "e0", True, False),
        (Notice.ORIGINAL, "e0", True, False),
        (Notice.OUTGOING, "e0", False, False),
        (Notice.OUTGOING, None, False, False),
        (Notice.OUTGOING_NEWS, "e0", False, True),
    ],
)
def test_an_answer_stands_in_the_dm_too(
    notice: Notice | None, parent: str | None, *, gives_way: bool, is_shown: bool
) -> None:
    """So that none is missed; old mail is no news, and whoever sends a mail looks at its thread anyway."""
    message_id = "m1" if notice is None else None
    entry = Entry(
        "e1", 1, "b1", Person("T1", "U1"), message_id, notice, parent, EntryState.WAITING,
        attempts=0, intended_at=None, lookup_after=None, channel=None, ts=None, file_ids=(), plain=False,
        gives_way=gives_way,
    )  # fmt: skip

    assert entries.is_shown_in_dm(entry) is is_shown
