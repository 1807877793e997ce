"""A wrong or missing setting is one sentence that says what to do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot import settings
from bot.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-canary-1",
    "SLACK_APP_TOKEN": "xapp-canary-2",
    "MAILBOX_MASTER_KEYS": "id:canary-3",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """An environment with nothing but what a test puts in, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name.upper() for name in settings.Settings.model_fields]:
        monkeypatch.delenv(name, raising=False)
    return dict(GOOD)


def load(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> settings.Settings:
    """What `serve` makes of an environment."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load(environment)


def test_three_values_are_enough(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Two tokens and a master key; all else has a safe default."""
    found = load(monkeypatch, environment)

    assert found.slack_api_url == settings.SLACK_API_URL
    assert found.database_url.endswith("/mailbox-data/mailbox.db")
    assert found.poll_interval == timedelta(minutes=5)
    assert found.grace == timedelta(seconds=60)
    assert found.mailbox_flood == 20


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SLACK_BOT_TOKEN", "", "SLACK_BOT_TOKEN is missing"),
        ("SLACK_BOT_TOKEN", "xapp-canary-9", "is an app token"),
        ("SLACK_APP_TOKEN", "xoxb-canary-9", "is a bot token"),
        ("SLACK_BOT_TOKEN", "xoxb-canary\nSLACK_APP_TOKEN=xapp-1", "a space or a line break"),
        ("SLACK_APP_TOKEN", "xapp-canary canary", "a space or a line break"),
        ("SLACK_API_URL", "http://slack.example/api/", "must be https"),
        ("SLACK_API_URL", "slack", "must be an http or https address"),
        ("MAILBOX_MASTER_KEYS", "", "keys new"),
        ("MAILBOX_MASTER_KEYS_FILE", "/nowhere", "not there"),
        ("MAILBOX_POLL_SECONDS", "0", "MAILBOX_POLL_SECONDS"),
        ("MAILBOX_POLL_SECONDS", "soon", "MAILBOX_POLL_SECONDS"),
        ("MAILBOX_GRACE_SECONDS", "-1", "MAILBOX_GRACE_SECONDS"),
        ("MAILBOX_LOG", "loud", "MAILBOX_LOG"),
        ("MAILBOX_METRICS", "on", "MAILBOX_METRICS must be host:port"),
        ("MAILBOX_METRICS", "9464", "must be host:port"),
        ("MAILBOX_METRICS", ":9464", "must be host:port"),
        ("MAILBOX_METRICS", "127.0.0.1:", "must be host:port"),
        ("MAILBOX_METRICS", "127.0.0.1:0", "must be host:port"),
        ("MAILBOX_METRICS", "127.0.0.1:70000", "must be host:port"),
        ("MAILBOX_METRICS", "127.0.0.1:http", "must be host:port"),
        ("MAILBOX_METRICS", "http://127.0.0.1:9464/", "must be host:port"),
        ("MAILBOX_METRICS", "canary@127.0.0.1:9464", "must be host:port"),
        ("MAILBOX_METRICS", "::1:9464", "must be host:port"),
        ("MAILBOX_METRICS", "two words:9464", "must be host:port"),
        ("MAILBOX_DNS_SERVER", "127.0.0.1", "must be host:port"),
        ("MAILBOX_DNS_SERVER", "dns.example:53", "must be a numeric address"),
        ("MAILBOX_POL_SECONDS", "5", "did you mean MAILBOX_POLL_SECONDS?"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], name: str, value: str, says: str
) -> None:
    """It names the variable, says what to do, and shows no value."""
    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, {**environment, name: value})

    assert says in caught.value.sentence
    assert "canary" not in caught.value.sentence + str(caught.value)
    assert "\n" not in caught.value.sentence


def test_a_wrong_name_in_the_env_file_is_refused_too(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path
) -> None:
    """The file counts like the environment; what others keep in it is not ours to judge."""
    (tmp_path / ".env").write_text("OTHER=1\n")
    assert load(monkeypatch, environment).mailbox_poll_seconds == 300

    (tmp_path / ".env").write_text("MAILBOX_POLL_SECOND=1\n")

    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, environment)
    assert "did you mean MAILBOX_POLL_SECONDS?" in caught.value.sentence


def test_white_space_around_a_token_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """A token copied with its line break is the token."""
    found = load(monkeypatch, {**environment, "SLACK_BOT_TOKEN": " xoxb-canary-1\n"})

    assert found.slack_bot_token.get_secret_value() == "xoxb-canary-1"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("", None),
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        (" localhost:1 ", ("localhost", 1)),
        ("[::1]:9464", ("::1", 9464)),
        ("0.0.0.0:65535", ("0.0.0.0", 65535)),
    ],
)
def test_metrics_are_served_where_asked(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], value: str, place: tuple[str, int] | None
) -> None:
    """An address with a port, IPv6 in brackets; nothing listens by default."""
    assert load(monkeypatch, {**environment, "MAILBOX_METRICS": value}).mailbox_metrics == place


def test_loopback_and_named_hosts_may_be_plain(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    """A stand-in for Slack on this machine, or on a host the operator named, needs no TLS."""
    near = load(monkeypatch, {**environment, "SLACK_API_URL": "http://127.0.0.1:8765/api"})
    named = {"SLACK_API_URL": "http://slack.test/api/", "MAILBOX_ALLOWED_HOSTS": "slack.test, 10.0.0.0/8"}

    assert near.slack_api_url == "http://127.0.0.1:8765/api/"
    assert load(monkeypatch, {**environment, **named}).mailbox_allowed_hosts == ("slack.test", "10.0.0.0/8")


def test_servers_to_believe(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Names of servers that check senders come as a list, by commas or spaces."""
    named = {"MAILBOX_AUTHSERV_IDS": "mx.one.example, mx.two.example"}

    found = load(monkeypatch, {**environment, **named})
    assert found.mailbox_authserv_ids == ("mx.one.example", "mx.two.example")


def test_no_secret_stands_in_the_repr(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> None:
    """Settings may be printed without giving anything away."""
    assert "canary" not in repr(load(monkeypatch, environment))


def test_keys_may_stand_in_a_file(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path
) -> None:
    """A secret file serves in place of a variable."""
    file = tmp_path / "keys"
    file.write_text("id:from-file\n")
    del environment["MAILBOX_MASTER_KEYS"]

    found = load(monkeypatch, {**environment, "MAILBOX_MASTER_KEYS_FILE": str(file)})

    assert found.master_keys.strip() == "id:from-file"


def test_two_sources_of_keys_are_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path
) -> None:
    """Which of two sources counts is never guessed."""
    file = tmp_path / "keys"
    file.write_text("id:from-file")

    with pytest.raises(SettingsError) as caught:
        load(monkeypatch, {**environment, "MAILBOX_MASTER_KEYS_FILE": str(file)})

    assert "not both" in caught.value.sentence
