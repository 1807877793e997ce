"""For use cases: the stores are proven on both databases, and what is asked of them here is the same on either."""

from __future__ import annotations

import pytest


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """An empty, migrated SQLite database in place of one of each kind."""
    return sqlite_url
