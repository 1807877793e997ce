"""The question about changed UIDs and the button that deletes, within Slack's limits."""

from __future__ import annotations

import pytest

from bot.mail.content import Rendered
from bot.slack import blocks, names, questions
from tests.fakes.block_rules import problems, text_problems, visible

BODY = [blocks.sentence("Hello."), blocks.context(blocks.plain("2 kB"))]


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


def test_a_post_with_a_delete_button_asks_before_it_deletes() -> None:
    """The button is the last thing below the message; plain text, which has no blocks, has none."""
    post = questions.deletable(Rendered("Hello.", BODY), "message-id")

    assert problems(post.blocks) == []
    assert post.blocks[:-1] == BODY
    (button,) = post.blocks[-1]["elements"]
    assert (button["action_id"], button["value"]) == (names.DELETE_BUTTON, "message-id")
    assert "Its post and its files stay in Slack" in button["confirm"]["text"]["text"]
    assert questions.deletable(Rendered("Hello.", []), "message-id").blocks == []


def test_the_post_says_in_place_of_the_button_what_became_of_the_message() -> None:
    """Everything else in it stays as it was."""
    post = questions.deletable(Rendered("Hello.", BODY), "message-id")

    told = questions.told([*post.blocks, blocks.note("below")], questions.IS_GONE)

    assert told == [*BODY, blocks.note(questions.IS_GONE), blocks.note("below")]
    assert questions.told(BODY, questions.IS_GONE) is None
