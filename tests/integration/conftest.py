"""What tests of several folders share for as long as their worker lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.compiled_once import compiled_once
from tests.fakes.lasting_renderer import LastingRenderer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session", autouse=True)
def _statements() -> Iterator[None]:
    with compiled_once():
        yield


@pytest.fixture(scope="session")
def lasting_renderer() -> Iterator[LastingRenderer]:
    """For tests that want mails rendered, not children that die: nobody closes it."""
    renderer = LastingRenderer()
    yield renderer
    renderer.end()
