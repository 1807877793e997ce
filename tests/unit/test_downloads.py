"""Which addresses the bot's token may go to."""

from __future__ import annotations

import pytest

from bot.slack.downloads import is_slacks

API = "https://slack.com/api/"
LOCAL = "http://127.0.0.1:8765/api/"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.slack.com/files-pri/T1-F1/download/a.pdf",
        "https://slack-files.com/T1-F1-abc",
        "https://acme.slack.com/files/U1/F1/a.pdf",
        "https://files.slack.com:443/x",
        "https://files.slack-gov.com/x",
        "https://FILES.slack.com/x",
    ],
)
def test_slacks_own_hosts_are_asked(url: str) -> None:
    """By https on its own port."""
    assert is_slacks(url, API)


@pytest.mark.parametrize(
    "url",
    [
        "http://files.slack.com/x",
        "https://files.slack.com:8443/x",
        "https://evilslack.com/x",
        "https://slack.com.evil.example/x",
        "https://slack.com@evil.example/x",
        "https://evil.example@slack.com/x",
        "https://evil.example/slack.com",
        "https://evil.example\\@slack.com/x",
        "https://slack.com /x",
        "https://slack.com\r\nX: y/x",
        "https://ſlack.com/x",
        "//slack.com/x",
        "file:///etc/passwd",
        "ftp://slack.com/x",
        "https://[slack.com/x",
        "https://slack.com:99999/x",
        "https://169.254.169.254/latest",
        "http://127.0.0.1/x",
        "",
    ],
)
def test_no_other_host_is_asked(url: str) -> None:
    """Whatever it is made to look like."""
    assert not is_slacks(url, API)


@pytest.mark.parametrize(
    ("url", "is_asked"),
    [
        ("http://127.0.0.1:8765/files-pri/x", True),
        ("http://127.0.0.1:8766/files-pri/x", False),
        ("https://127.0.0.1:8765/files-pri/x", False),
        ("http://u@127.0.0.1:8765/x", False),
    ],
)
def test_the_origin_of_the_configured_api_is_asked(url: str, *, is_asked: bool) -> None:
    """The token goes there anyway: the same scheme, host and port, and nothing beside."""
    assert is_slacks(url, LOCAL) is is_asked
