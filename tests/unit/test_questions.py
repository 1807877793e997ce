"""The question about changed UIDs and the button that deletes, within Slack's limits."""

from __future__ import annotations

import pytest

from bot.slack import names, questions
from tests.fakes.block_rules import problems, text_problems, visible


@pytest.mark.parametrize("name", ["Work", "<!channel> &" * 100, "日本語"])
def test_the_question_says_how_many_and_offers_three_answers(name: str) -> None:
    """Whatever the mailbox is called, nobody is mentioned and every button names its mailbox."""
    notice = questions.asked(name, "mailbox-id", 1234)

    assert problems(notice.blocks) == []
    assert text_problems(notice.text) == []
    assert "1,234 messages" in visible(notice.blocks)
    (row,) = (block for block in notice.blocks if block["type"] == "actions")
    assert [(button["text"]["text"], button["action_id"], button["value"]) for button in row["elements"]] == [
        ("These are new", names.ARE_NEW_BUTTON, "mailbox-id"),
        ("I have seen these", names.ARE_SEEN_BUTTON, "mailbox-id"),
        ("Stop", names.ASK_LATER_BUTTON, "mailbox-id"),
    ]
