"""What owners read when a mailbox fails, and when it works again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.slack import names, notices
from storage.records import Notice
from tests.fakes.block_rules import problems, text_problems, visible
from tests.unit.samples import MAILBOX, named

LIVE = "<!channel> <@U123> *b* <https://evil.example|x> &lt;!here&gt;" * 5
ALARMS = [
    Notice.LOGIN_REFUSED,
    Notice.UNREACHABLE,
    Notice.CERTIFICATE_INVALID,
    Notice.MAILDROP_BUSY,
    Notice.SERVER_FAULT,
]


@pytest.mark.parametrize("notice", ALARMS)
@pytest.mark.parametrize("name", ["Work", LIVE])
def test_slack_takes_every_alarm(notice: Notice, name: str) -> None:
    """Whatever the mailbox is called, the post is valid and nothing in the name is live."""
    told = notices.alarm(notice, named(MAILBOX, name))

    assert problems(told.blocks) == []
    assert text_problems(told.text) == []


@pytest.mark.parametrize(
    ("notice", "buttons"),
    [
        (Notice.LOGIN_REFUSED, ["Fix password", "Edit"]),
        (Notice.UNREACHABLE, ["Check now", "Edit"]),
        (Notice.CERTIFICATE_INVALID, ["Edit", "Check now"]),
        (Notice.MAILDROP_BUSY, ["Check now"]),
        (Notice.SERVER_FAULT, ["Check now", "Edit"]),
    ],
)
def test_each_alarm_has_the_button_that_mends_it(notice: Notice, buttons: list[str]) -> None:
    """The button most people want comes first, and all of them mean this mailbox."""
    row = notices.alarm(notice, MAILBOX).blocks[-1]["elements"]

    assert [button["text"]["text"] for button in row] == buttons
    assert {button["value"] for button in row} == {MAILBOX.id}
    assert {button["action_id"] for button in row} <= set(names.BUTTONS.values())
    assert row[0]["style"] == "primary"


def test_each_alarm_has_words_of_its_own() -> None:
    """Each says which mailbox it is about, what is wrong, and that no mail is lost."""
    said = [visible(notices.alarm(notice, MAILBOX).blocks) for notice in ALARMS]

    assert len(set(said)) == len(ALARMS)
    assert all("“Work”" in text and "No mail is lost" in text for text in said)
    assert all("last check that worked" in text for text in said)
    never = replace(MAILBOX, last_success_at=None)
    assert "last check" not in visible(notices.alarm(Notice.UNREACHABLE, never).blocks)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "No mail came"),
        (1, "1 message came meanwhile; it is"),
        (1_200, "1,200 messages came meanwhile; they are"),
    ],
)
def test_the_all_clear_says_what_was_caught_up(count: int, said: str) -> None:
    """It counts the messages that came while the mailbox failed."""
    told = notices.all_clear(MAILBOX, count)

    assert said in told.text
    assert "“Work” works again" in told.text
    assert problems(told.blocks) == []
