"""The audit as a file that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.audit_file import COLUMNS, audit_file
from storage.sharing import Act, AuditEntry
from tests.unit.samples import NOW

ENTRY = AuditEntry(NOW, "T1", "U1", Act.GRANT_SET, "U2", "m1", "role:member", "private", "choice, open", "a1")


def rows(octets: bytes) -> list[list[str]]:
    """The cells of a file."""
    return list(csv.reader(io.StringIO(octets.decode("utf-8-sig"), newline="")))


def test_one_line_an_entry() -> None:
    """A head, then each entry with its time in UTC; Mailbox itself is named where nobody acted."""
    found = rows(audit_file([ENTRY, replace(ENTRY, actor=None, owner=None)]))

    assert found[0] == list(COLUMNS)
    assert found[1] == ["2026-03-01T12:00:00+00:00", "U1", "grant_set", "U2", "m1", "role:member", "private", "choice, open", "a1"]  # fmt: skip
    assert found[2][1:4] == ["Mailbox", "grant_set", ""]


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u3000 +1", "\uff1d1"]
)
def test_no_cell_is_a_formula(cell: str) -> None:
    """What a spreadsheet would compute begins with an apostrophe."""
    assert rows(audit_file([replace(ENTRY, subject=cell)]))[1][5] == f"'{cell}"


@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_every_text_keeps_its_cell(text: str) -> None:
    """Quotes, commas and line breaks stay within their cell."""
    found = rows(audit_file([replace(ENTRY, before=text)]))

    assert len(found) == 2
    assert found[1][6].removeprefix("'") == text.removeprefix("'")
