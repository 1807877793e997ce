"""What Slack's records give: a role, groups, a channel; what is missing or odd in them gives nothing."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from bot.slack import members
from storage.sharing import Role

WORKSPACE = "T1"
FLAGS = ("is_primary_owner", "is_owner", "is_admin", "is_restricted", "is_ultra_restricted")
NONE = dict.fromkeys(FLAGS, False)
RANKED = (
    ("is_primary_owner", Role.PRIMARY_OWNER),
    ("is_owner", Role.OWNER),
    ("is_admin", Role.ADMIN),
)


def record(**fields: Any) -> dict[str, Any]:
    """A member's record, with some fields changed; None leaves a field out."""
    full = {"id": "U1", "team_id": WORKSPACE, "deleted": False, "is_bot": False, **NONE, **fields}
    return {name: value for name, value in full.items() if value is not None}


def role(**fields: Any) -> Role | None:
    """The role of such a record."""
    return members.role_of(record(**fields), "U1", WORKSPACE)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ((), Role.MEMBER),
        (("is_admin",), Role.ADMIN),
        (("is_admin", "is_owner"), Role.OWNER),
        (("is_admin", "is_owner", "is_primary_owner"), Role.PRIMARY_OWNER),
        (("is_restricted",), Role.MULTI_CHANNEL_GUEST),
        (("is_restricted", "is_ultra_restricted"), Role.SINGLE_CHANNEL_GUEST),
    ],
)
def test_each_role_has_its_flags(flags: tuple[str, ...], expected: Role) -> None:
    """The six roles as Slack writes them."""
    assert role(**dict.fromkeys(flags, True)) is expected


def test_no_flag_is_guessed() -> None:
    """A role above member takes its own `true`, the most privileged first; member takes an explicit "no guest"."""
    for values in product((True, False, None), repeat=5):
        flags = dict(zip(FLAGS, values, strict=True))
        assert role(**flags) is told_by(flags), flags


def told_by(flags: dict[str, bool | None]) -> Role | None:
    """What the flags say, in other words than the code's."""
    foremost = next((given for flag, given in RANKED if flags[flag]), None)
    if foremost is not None:
        return foremost
    if flags["is_ultra_restricted"]:
        return Role.SINGLE_CHANNEL_GUEST
    if flags["is_restricted"]:
        return Role.MULTI_CHANNEL_GUEST if flags["is_ultra_restricted"] is False else None
    return Role.MEMBER if flags["is_restricted"] is False else None


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize("value", [1, "true", "1", [True], {"is": True}])
def test_only_true_is_true(flag: str, value: Any) -> None:
    """A flag of another kind makes nobody an owner, and nobody a member either where it is about guests."""
    found = role(**{flag: value})

    assert found is (None if flag == "is_restricted" else Role.MEMBER)


@pytest.mark.parametrize("given", [{}, {"is_admin": True}, {"is_admin": True, "is_primary_owner": True}])
@pytest.mark.parametrize(
    "refused",
    [
        {"deleted": True},
        {"deleted": None},
        {"deleted": "false"},
        {"is_bot": True},
        {"is_bot": None},
        {"is_stranger": True},
        {"is_workflow_bot": True},
        {"is_connector_bot": True},
        {"team_id": "T2"},
        {"team_id": None},
        {"id": "U2"},
        {"id": None},
    ],
)
def test_some_have_no_role_whatever_else_they_are(refused: dict[str, Any], given: dict[str, Any]) -> None:
    """Deactivated accounts, bots, strangers, people of other workspaces, and records of somebody else."""
    assert role(**given, **refused) is None


def test_slackbot_has_no_role() -> None:
    """Its record calls it no bot."""
    assert members.role_of(record(id="USLACKBOT"), "USLACKBOT", WORKSPACE) is None


def test_an_empty_record_gives_nothing() -> None:
    """As of a person of another workspace that Slack hides."""
    assert members.role_of({}, "U1", WORKSPACE) is None


def test_a_list_gives_those_with_a_role() -> None:
    """By id; a record without one is passed over."""
    listed = [record(id="U1"), record(id="U2", is_admin=True), record(id="U3", deleted=True), record(id=None)]

    assert members.roles_in(listed, WORKSPACE) == {"U1": Role.MEMBER, "U2": Role.ADMIN}


def test_groups_are_those_in_use() -> None:
    """Disabled groups and those of other workspaces give nobody anything."""
    groups = members.groups_in(
        [
            {"id": "S1", "name": "Support", "handle": "support", "users": ["U1", "U2"], "date_delete": 0},
            {"id": "S2", "name": "Sales", "handle": "sales", "users": ["U1"]},
            {"id": "S3", "name": "Old", "handle": "old", "users": ["U1"], "date_delete": 1_700_000_000},
            {"id": "S4", "name": "Theirs", "handle": "theirs", "users": ["U1"], "is_external": True},
            {"name": "Nameless", "users": ["U1"]},
        ]
    )

    assert list(groups.by_id) == ["S1", "S2"]
    assert groups.by_id["S1"].users == {"U1", "U2"}
    assert groups.by_id["S1"].name == "Support"
    assert groups.of("U1") == {"S1", "S2"}
    assert groups.of("U2") == {"S1"}
    assert groups.of("U3") == frozenset()


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        ({"users": ["U1"], "user_count": 1}, False),
        ({"users": ["U1"], "user_count": "1"}, False),
        ({"users": ["U1"]}, False),
        ({"users": ["U1", "U2"], "user_count": 1}, False),
        ({"users": ["U1"], "user_count": 2}, True),
        ({"users": ["U1"], "user_count": "2"}, True),
        ({"user_count": 2}, True),
        ({"users": None}, True),
    ],
)
def test_a_group_without_all_its_users_is_known_as_such(group: dict[str, Any], expected: bool) -> None:  # noqa: FBT001 - a table
    """By its count, which Slack gives as a number or as a text."""
    assert members.is_cut(group) is expected


CHANNEL = {
    "id": "C1",
    "name": "hiring",
    "is_private": True,
    "is_member": True,
    "is_archived": False,
    "is_ext_shared": False,
    "is_org_shared": False,
    "is_shared": False,
}


def test_a_channel_is_read() -> None:
    """One that the bot is in, and nobody from outside."""
    channel = members.channel_of(CHANNEL, "C1")

    assert (channel.id, channel.name) == ("C1", "hiring")
    assert channel.is_private
    assert channel.is_open
    assert not channel.is_external
    assert channel.members == frozenset()


@pytest.mark.parametrize(
    "change",
    [
        {"is_member": False},
        {"is_member": None},
        {"is_member": 1},
        {"is_archived": True},
        {"is_archived": None},
        {"is_im": True},
        {"is_mpim": True},
        {"id": "C2"},
    ],
)
def test_a_channel_is_open_only_where_it_says_so(change: dict[str, Any]) -> None:
    """The bot is in it, it is not archived, and it is a channel."""
    assert not members.channel_of({**CHANNEL, **change}, "C1").is_open


@pytest.mark.parametrize(
    "change",
    [
        {"is_ext_shared": True},
        {"is_ext_shared": None},
        {"is_org_shared": True},
        {"is_shared": True},
        {"is_pending_ext_shared": True},
        {"pending_shared": ["T2"]},
        {"pending_connected_team_ids": ["T2"]},
    ],
)
def test_a_channel_is_external_unless_it_says_it_is_not(change: dict[str, Any]) -> None:
    """Shared in any way, about to be, or silent about it."""
    assert members.channel_of({**CHANNEL, **change}, "C1").is_external


@pytest.mark.parametrize("value", [False, None, "true", 1])
def test_private_is_what_says_so(value: Any) -> None:
    """Anything else counts as public, which takes the wider grant."""
    assert not members.channel_of({**CHANNEL, "is_private": value}, "C1").is_private


def test_a_channel_nobody_knows_is_closed() -> None:
    """It is an audience of nobody."""
    assert not members.closed("C1").is_open
    assert members.closed("C1").members == frozenset()
