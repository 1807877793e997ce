"""What the unit tests share: comparing with stored JSON, which `--update-test-data` writes anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(__file__).parent.parent / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that accepts what the code now yields; read the diff before committing it."""
    parser.addoption(
        "--update-test-data", action="store_true", help="write tests/data anew from what the code yields"
    )


@pytest.fixture
def assert_stored(request: pytest.FixtureRequest) -> Callable[[str, Any], None]:
    """Compares a value with the JSON stored under a name below tests/data."""
    is_updating = request.config.getoption("--update-test-data", default=False)

    def compare(name: str, value: Any) -> None:
        path = DATA / f"{name}.json"
        if is_updating:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        assert json.loads(path.read_text(encoding="utf-8")) == value

    return compare
