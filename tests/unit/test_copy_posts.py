"""What is posted for others than the owner says enough, and nothing that is not theirs."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.mail.content import Rendered
from bot.sandbox.slack import validate
from bot.slack import blocks, copies, names
from bot.slack.copies import Source
from storage.copied import Telling, TellingKind
from storage.records import Health
from storage.sharing import Audience, AudienceKind, Level, Suspension

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EVIL = "<!channel> <@U9> *bold*"
SOURCE = Source("U1", EVIL)
BODY = Rendered(
    "Ada: plans: words",
    [
        blocks.header("plans"),
        blocks.sentence("words"),
        blocks.button("Mark as done", names.DONE_BUTTON, "x1"),
    ],
)
LINE = Rendered(
    "Ada: plans <!here>", [{"type": "rich_text_section", "elements": [{"type": "text", "text": "Ada"}]}]
)


def mrkdwn(found: Any) -> list[str]:
    """Every text that Slack interprets."""
    if isinstance(found, list):
        return [text for each in found for text in mrkdwn(each)]
    if not isinstance(found, dict):
        return []
    own = [found["text"]] if found.get("type") == "mrkdwn" else []
    return own + [text for value in found.values() for text in mrkdwn(value)]


def test_a_copy_has_no_button_of_the_owners() -> None:
    """What can be done to the message is the owner's; a viewer opens it."""
    post = copies.opened(BODY, SOURCE, "x1")

    actions = [
        each["action_id"]
        for block in post.blocks
        for each in block.get("elements", ())
        if "action_id" in each
    ]
    assert actions == [names.SHARED_OPEN]
    assert mrkdwn(post.blocks) == ["Shared by <@U1>"]


def test_a_card_says_sender_subject_date_and_size() -> None:
    """And interprets nothing of them."""
    post = copies.card(LINE, SOURCE, 2048)

    assert post.text == "Ada: plans &lt;!here&gt;"
    assert "2.0 KB" in json.dumps(post.blocks)
    assert mrkdwn(post.blocks) == ["Shared by <@U1>"]


def test_a_post_whose_blocks_slack_refused_is_text() -> None:
    """It still says whose it is."""
    assert copies.opened(Rendered("From: Ada", []), SOURCE, "x1").text == "Shared by <@U1>\nFrom: Ada"
    assert copies.card(LINE, SOURCE, 1, plain=True).blocks == []
    assert "cannot be shown" in copies.card(None, SOURCE, 1).text


@pytest.mark.parametrize("kind", TellingKind)
@pytest.mark.parametrize("source", [SOURCE, None])
@pytest.mark.parametrize("is_channel", [True, False])
def test_every_telling_is_said_safely(kind: TellingKind, source: Source | None, is_channel: bool) -> None:  # noqa: FBT001 - one of a table
    """With and without its mailbox: words, no mention but of people, nothing a person typed is interpreted."""
    telling = Telling(
        kind,
        "U1",
        Level.OPEN,
        NOW + timedelta(days=3),
        "s1",
        2,
        Audience(AudienceKind.CHANNEL, "C1"),
        why=Suspension.ROLE,
    )

    post = copies.told(telling, "m1", source, is_channel=is_channel)

    assert validate.message_blocks(post.blocks)
    assert post.text[0] != "<" or post.text.startswith("<@U1>")
    assert "<!channel>" not in json.dumps(post.blocks)
    assert "<@U9>" not in post.text
    assert len(post.text) < 500


def test_who_something_is_shared_with_learns_what_and_how_long() -> None:
    """Owner, mailbox, level, last day, and the button that opens it."""
    telling = Telling(TellingKind.SHARED_WITH_YOU, "U1", Level.OPEN, NOW + timedelta(days=3), "s1")

    post = copies.told(telling, "m1", Source("U1", "Work"), is_channel=False)

    assert post.text.startswith(
        "<@U1> shares the mailbox “Work” with you. Open to you: whole messages with their attachments, until <!date^"
    )
    assert post.blocks[0]["accessory"]["action_id"] == names.SHARED_LIST
    assert post.blocks[0]["accessory"]["value"] == "m1"


@pytest.mark.parametrize(
    ("audience", "words"),
    [
        (Audience(AudienceKind.PERSON, "U2"), "<@U2>"),
        (Audience(AudienceKind.CHANNEL, "C1"), "<#C1>"),
        (Audience(AudienceKind.GROUP, "S1"), "a user group"),
        (Audience(AudienceKind.ROLE, "multi_channel_guest"), "multi channel guests"),
    ],
)
def test_an_owner_learns_which_share_was_cut(audience: Audience, words: str) -> None:
    """Whom it reaches, and what is left of it."""
    cut = Telling(TellingKind.SHARE_CUT, level=Level.SEE, share_id="s1", audience=audience)
    ended = Telling(TellingKind.SHARE_CUT, share_id="s1", audience=audience)

    assert f"with {words} is now “See”" in copies.told(cut, "m1", SOURCE).text
    assert f"with {words} has ended" in copies.told(ended, "m1", SOURCE).text


@pytest.mark.parametrize(
    ("telling", "is_channel", "words"),
    [
        (Telling(TellingKind.MAILBOX_DELETED, "U1", count=1), False, "<@U1> has removed a mailbox that was open to you."),
        (
            Telling(TellingKind.MAILBOX_DELETED, "U1", count=1, why="administrator"),
            True,
            "An administrator has removed a mailbox of <@U1> that was open to this channel.",
        ),
        (Telling(TellingKind.MAILBOX_DELETED, count=2), False, "2 mailboxes that were open to you are gone from Mailbox."),
    ],
)  # fmt: skip
def test_who_had_a_removed_mailbox_learns_by_whom(telling: Telling, is_channel: bool, words: str) -> None:  # noqa: FBT001 - one of a table
    """Never its name, nor its owner where that person had everything erased."""
    said = copies.told(telling, "m1", SOURCE, is_channel=is_channel).text

    assert said.startswith(words)
    assert "Mailbox posted of" in said
    assert EVIL not in said


def test_who_comes_back_to_an_erased_password_is_led_to_the_form() -> None:
    """Mail is not said to come again before the password is entered."""
    erased = Telling(TellingKind.MAILBOX_LIFTED, why=Health.PASSWORD_ERASED)

    post = copies.told(erased, "m1", Source("U1", "Work"))

    assert (
        "“Work” is no longer suspended, but nothing is fetched from it yet: its password was erased"
        in post.text
    )
    assert (post.blocks[1]["elements"][0]["action_id"], post.blocks[1]["elements"][0]["value"]) == (
        names.PASSWORD_BUTTON,
        "m1",
    )
    assert (
        "fetched again, as you have set it"
        in copies.told(Telling(TellingKind.MAILBOX_LIFTED), "m1", SOURCE).text
    )
