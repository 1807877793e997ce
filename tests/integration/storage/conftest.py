"""The stores on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.storage.stores import Stores

if TYPE_CHECKING:
    from pathlib import Path

    from storage.database import Database
    from storage.vault import Vault


@pytest.fixture
def stores(database: Database, vault: Vault, tmp_path: Path) -> Stores:
    """All stores on an empty database."""
    return Stores.on(database, vault, tmp_path)
