"""The audit as a CSV file that no spreadsheet takes for formulas. Pure."""

from __future__ import annotations

import csv
import io
from datetime import UTC
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.sharing import AuditEntry

COLUMNS: Final = ("at", "actor", "act", "owner", "mailbox", "subject", "before", "after", "id")
MOST_ENTRIES: Final = 50_000

_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_BREAKS: Final = ("\t", "\r", "\n")
"""A cell that begins so is computed by Excel, LibreOffice and Google Sheets; of the signs the wide ones of Asia too."""


def audit_file(entries: Iterable[AuditEntry]) -> bytes:
    """One line an entry, UTF-8 with the mark that lets Excel know it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for entry in entries:
        at = entry.at.astimezone(UTC).isoformat(timespec="seconds")
        cells = (entry.actor or "Mailbox", entry.act, entry.owner, entry.mailbox_id, entry.subject)
        rest = (entry.before, entry.after, entry.id)
        writer.writerow([at, *(_harmless(cell or "") for cell in (*cells, *rest))])
    return text.getvalue().encode("utf-8-sig", "replace")


def _harmless(cell: str) -> str:
    """The cell with an apostrophe before what would be a formula; no kind of blank before it makes it one less."""
    return f"'{cell}" if cell.lstrip().startswith(_FORMULA) or cell.startswith(_BREAKS) else cell
