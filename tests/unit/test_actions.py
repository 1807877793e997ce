"""The row of actions below a message: what it offers when, and how it is drawn anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.mail.content import Rendered
from bot.slack import actions, blocks, names
from storage.records import Retention, Shape, StoredMessage
from storage.wishes import OnServer, OriginalState, Standing

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
ID = "018f0c0ffee0" + "0123456789abcdef0123"
STORED = StoredMessage(ID, "mailbox", Shape.WHOLE, 100, 100, NOW)
BODY = [blocks.sentence("Hello."), blocks.context(blocks.plain("2 kB"))]
STANDING = Standing(
    message_id=ID,
    mailbox_id="mailbox",
    shape=Shape.WHOLE,
    retention=Retention.LEAVE,
    octets=100,
    listed_octets=100,
    received_at=NOW,
    is_kept=True,
    is_done=False,
    place=OnServer.STAYS,
    original=None,
)
ALL = ["Headers", "Original (.eml)", "Mute sender", "Mute thread"]
ANSWER = ["Reply", "Forward"]


def row(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The row of a post."""
    (one,) = (block for block in found if block.get("block_id") == names.MAIL_ACTIONS)
    return one


def labels(found: list[dict[str, Any]]) -> tuple[list[str], list[str]]:
    """The buttons of a post's row, and the lines of its menu."""
    elements = row(found)["elements"]
    menu = [option for each in elements for option in each.get("options", ())]
    buttons = [each["text"]["text"] for each in elements if each["type"] == "button"]
    return buttons, [option["text"]["text"] for option in menu]


@pytest.mark.parametrize(
    ("shape", "retention", "is_shortened", "buttons", "menu"),
    [
        (Shape.WHOLE, Retention.LEAVE, False, [*ANSWER, "Mark as done", "Share…"], ALL),
        (Shape.WHOLE, Retention.LEAVE, True, [*ANSWER, "Show all", "Mark as done", "Share…"], ALL),
        (
            Shape.WHOLE,
            Retention.DELETE_ASKED,
            False,
            [*ANSWER, "Mark as done", "Delete from server"],
            [*ALL, "Share…"],
        ),
        (
            Shape.WHOLE,
            Retention.DELETE_LATER,
            False,
            [*ANSWER, "Mark as done", "Share…"],
            [*ALL, "Delete from server…"],
        ),
        (
            Shape.WHOLE,
            Retention.DELETE_POSTED,
            False,
            [*ANSWER, "Mark as done", "Share…"],
            [*ALL, "Delete from server…"],
        ),
        (
            Shape.TOP,
            Retention.DELETE_ASKED,
            False,
            ["Reply", "Get the whole message", "Mark as done", "Share…"],
            ["Headers", "Mute sender", "Mute thread"],
        ),
        (Shape.REFUSED, Retention.DELETE_LATER, False, ["Mark as done"], []),
    ],
)
def test_a_post_offers_what_can_be_done_with_its_message(
    shape: Shape,
    retention: Retention,
    is_shortened: bool,  # noqa: FBT001 - a column of the table
    buttons: list[str],
    menu: list[str],
) -> None:
    """At most five lines in the menu, as Slack allows, and every value names the message."""
    stored = replace(STORED, shape=shape)

    post = actions.offered(Rendered("Hello.", BODY, is_shortened=is_shortened), stored, retention)

    assert post.blocks[:-1] == BODY
    assert labels(post.blocks) == (buttons, menu)
    assert len(menu) <= 5
    for element in row(post.blocks)["elements"]:
        values = [element.get("value"), *(option["value"] for option in element.get("options", ()))]
        assert all(ID in value and len(value) <= 75 for value in values if value)


def test_plain_text_has_no_row() -> None:
    """A post whose blocks Slack refused stays as simple as it is."""
    assert actions.offered(Rendered("Hello.", []), STORED, Retention.LEAVE).blocks == []


@pytest.mark.parametrize(
    ("changes", "line", "buttons"),
    [
        ({}, None, [*ANSWER, "Mark as done", "Share…"]),
        ({"is_done": True}, "✓ Done", [*ANSWER, "Not done", "Share…"]),
        ({"place": OnServer.GONE}, actions.IS_GONE, [*ANSWER, "Mark as done", "Share…"]),
        (
            {"is_done": True, "place": OnServer.WANTED_GONE},
            f"✓ Done · {actions.WILL_GO}",
            [*ANSWER, "Not done", "Share…"],
        ),
        (
            {"place": OnServer.MAY_GO, "retention": Retention.DELETE_ASKED},
            None,
            [*ANSWER, "Mark as done", "Delete from server"],
        ),
        (
            {"shape": Shape.TOP, "original": OriginalState.ASKED},
            actions.ORIGINALS[OriginalState.ASKED],
            ["Reply", "Mark as done", "Share…"],
        ),
    ],
)
def test_a_post_is_drawn_anew_as_things_stand(
    changes: dict[str, Any], line: str | None, buttons: list[str]
) -> None:
    """Whatever stood in its row and its line before, what a second press finds is the same."""
    post = actions.offered(Rendered("Hello.", BODY), STORED, Retention.LEAVE).blocks
    standing = replace(STANDING, **changes)

    once = actions.redrawn([*post, blocks.note("below")], standing)
    assert once is not None
    twice = actions.redrawn(once, standing)

    assert twice == once
    assert once[:2] == BODY
    assert once[-1] == blocks.note("below")
    said = [block["elements"][0]["text"] for block in once if block.get("block_id") == names.MAIL_STATE]
    assert said == ([line] if line else [])
    assert labels(once)[0] == buttons


def test_show_all_stays_in_a_row_that_is_drawn_anew() -> None:
    """Whether a post was shortened stands in the post alone."""
    post = actions.offered(Rendered("Hello.", BODY, is_shortened=True), STORED, Retention.LEAVE).blocks

    after = actions.redrawn(post, replace(STANDING, is_done=True))

    assert after is not None
    assert labels(after)[0] == [*ANSWER, "Show all", "Not done", "Share…"]


def test_the_delete_button_asks_before_it_deletes() -> None:
    """Somebody who presses it by mistake loses nothing."""
    post = actions.offered(Rendered("Hello.", BODY), STORED, Retention.DELETE_ASKED)

    (button,) = (
        each for each in row(post.blocks)["elements"] if each.get("action_id") == names.DELETE_BUTTON
    )

    assert "Its post and its files stay in Slack" in button["confirm"]["text"]["text"]


def test_a_post_of_a_former_release_gets_the_row() -> None:
    """Its only button was the one that deletes."""
    older = {"type": "actions", "elements": [{"type": "button", "action_id": names.DELETE_BUTTON}]}

    after = actions.redrawn([*BODY, older], replace(STANDING, place=OnServer.GONE))

    assert after is not None
    assert labels(after)[0] == [*ANSWER, "Mark as done", "Share…"]
    assert actions.redrawn(BODY, STANDING) is None


@pytest.mark.parametrize("value", ["", ":", "headers", "headers:", ":x", "a:b:c"])
def test_a_choice_that_was_never_offered_is_no_fault(value: str) -> None:
    """Whatever a forged request says, there is a word and an id in it."""
    word, message_id = actions.chosen(value)

    assert isinstance(word, str)
    assert isinstance(message_id, str)


def test_leaving_a_list() -> None:
    """The button to leave a list stands in the row of the others and stays there when the row is made anew."""
    leave = {"type": "button", "action_id": names.UNSUBSCRIBE_LINK, "url": "https://lists.example/leave"}
    rendered = Rendered("x", [*BODY, {"type": "actions", "elements": [leave]}])
    found = actions.offered(rendered, STORED, Retention.LEAVE).blocks
    done = actions.redrawn(found, replace(STANDING, is_done=True))

    assert done is not None
    for drawn in (found, done):
        [one] = [block for block in drawn if block["type"] == "actions"]
        assert leave in one["elements"]
        assert one["elements"][-1]["type"] == "overflow"


def test_a_post_that_offers_to_answer_all_still_does_when_it_is_drawn_anew() -> None:
    """Whether there is anybody else to answer is known when a message is posted, and stays so."""
    rendered = Rendered("Hello.", BODY, is_shortened=True, may_reply_all=True)

    found = actions.offered(rendered, STORED, Retention.LEAVE).blocks
    done = actions.redrawn(found, replace(STANDING, is_done=True))

    assert done is not None
    assert labels(found)[0][:3] == labels(done)[0][:3] == ["Reply", "Reply all", "Forward"]
    assert all(each["value"] == ID for each in row(done)["elements"][:3])


@pytest.mark.parametrize("retention", Retention)
@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("may_reply_all", [True, False])
def test_a_row_is_never_too_long(retention: Retention, shape: Shape, *, may_reply_all: bool) -> None:
    """At most seven beside each other, whatever there is to do; what leads out of a list then has a row of its own."""
    leave = {"type": "button", "action_id": names.UNSUBSCRIBE_LINK, "url": "https://lists.example/leave"}
    list_row = {"type": "actions", "elements": [leave]}
    rendered = Rendered("x", [*BODY, list_row], is_shortened=True, may_reply_all=may_reply_all)

    found = actions.offered(rendered, replace(STORED, shape=shape), retention).blocks
    anew = actions.redrawn(found, replace(STANDING, shape=shape, retention=retention))

    assert anew is not None
    for drawn in (found, anew):
        rows = [block["elements"] for block in drawn if block["type"] == "actions"]
        assert all(len(elements) <= actions.MOST_IN_ROW for elements in rows)
        assert sum(leave in elements for elements in rows) == 1
    assert actions.redrawn(anew, replace(STANDING, shape=shape, retention=retention)) == anew


def test_a_row_of_a_former_release_that_gets_too_long_is_parted() -> None:
    """The button that leads out of a list stood in it; with those that answer it has a row of its own."""
    leave = {"type": "button", "action_id": names.UNSUBSCRIBE_LINK, "url": "https://lists.example/leave"}
    show = {"type": "button", "action_id": names.SHOW_ALL_BUTTON, "value": ID}
    everybody = {"type": "button", "action_id": names.REPLY_ALL_BUTTON, "value": ID}
    older = {"type": "actions", "block_id": names.MAIL_ACTIONS, "elements": [show, everybody, leave]}

    after = actions.redrawn([*BODY, older], STANDING)

    assert after is not None
    assert after[-2]["elements"] == [leave]
    assert len(row(after)["elements"]) == actions.MOST_IN_ROW


def test_the_answers_to_an_invitation_name_its_message() -> None:
    """The card knows the event alone; a post knows the message as well."""
    accept = {"type": "button", "action_id": names.INVITATION_ACCEPT, "value": "event:1@example"}
    card = {"type": "actions", "block_id": names.INVITATION, "elements": [accept]}

    found = actions.offered(Rendered("x", [card, *BODY]), STORED, Retention.LEAVE).blocks

    assert found[0]["elements"] == [{**accept, "value": f"{ID}:event:1@example"}]
    assert card["elements"] == [accept]
