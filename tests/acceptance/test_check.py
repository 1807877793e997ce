"""`make demo CHECK=1`, as a newcomer or a gate runs it."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.timeout(150)
def test_the_check_walks_the_whole_path_and_passes() -> None:
    """Form, test, mail, kill -9, restart, mail again, each exactly once, a reply and its answer: 0, each step printed."""
    result = subprocess.run(
        [sys.executable, "-m", "bot.sandbox", "--check"],
        capture_output=True,
        text=True,
        timeout=130,
        check=False,
    )

    assert result.returncode == 0, result.stdout[-4000:]
    assert "exactly once and in order" in result.stdout
    assert "is in the same thread" in result.stdout
