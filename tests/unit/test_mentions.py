"""What a text of Slack's mentions, whatever it is made of."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.mentions import MOST, channel_name, mentioned


def block(*elements: Any) -> dict[str, Any]:
    """Rich text of one section."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def test_people_groups_and_channels_are_found_wherever_they_stand() -> None:
    """In lists and quotes too; each once."""
    user = {"type": "user", "user_id": "U1"}
    group = {"type": "usergroup", "usergroup_id": "S1"}
    listed = {
        "type": "rich_text_list",
        "elements": [{"type": "rich_text_section", "elements": [group, user]}],
    }
    channel = {"type": "rich_text_quote", "elements": [{"type": "channel", "channel_id": "C1"}]}

    found = mentioned({"type": "rich_text", "elements": [*block(user)["elements"], listed, channel]})

    assert found == {"U1": "user", "S1": "usergroup", "C1": "channel"}


def test_what_is_no_mention_is_none() -> None:
    """Nothing that a payload may hold breaks it, however deep or wide."""
    odd = [None, 1, {"type": ["user"]}, {"type": "user"}, {"type": "user", "user_id": 7}, {"elements": "x"}]
    deep: dict[str, Any] = {"type": "user", "user_id": "U1"}
    for _ in range(5_000):
        deep = {"type": "rich_text_section", "elements": [deep]}
    wide = block(*({"type": "user", "user_id": f"U{number}"} for number in range(1_000)))

    assert mentioned(None) == mentioned(block(*odd)) == mentioned(deep) == {}
    assert len(mentioned(wide)) == MOST


@pytest.mark.parametrize(
    ("record", "name"),
    [
        ({"name": "general", "is_private": False}, "general"),
        ({"name": "layoffs", "is_private": True}, ""),
        ({"name": "unsaid"}, ""),
        ({"is_private": False}, ""),
    ],
)
def test_only_public_channels_are_named(record: dict[str, Any], name: str) -> None:
    """An id in a forged form must not bring the name of a channel that its sender is not in."""
    assert channel_name(record) == name
