"""Whom and what the lists that Slack fills itself show: no client can send anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.inputs import BadValue

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.workspace import Workspace

_PEOPLE = frozenset({"selected_user", "selected_users"})
_PLACES = frozenset(
    {"selected_channel", "selected_channels", "selected_conversation", "selected_conversations"}
)


def check(workspace: Workspace, user: str, value: Json) -> None:
    """See that people and channels in a value are such as the person's lists show.

    Raises:
        BadValue: somebody deactivated or never met, or a channel that is archived or hidden from the person.
    """
    for field, given in value.items():
        if field in _PEOPLE and not all(_is_listed(workspace, one) for one in _several(given)):
            raise BadValue("no such person in the list")
        if field in _PLACES and not all(_is_open(workspace, user, one) for one in _several(given)):
            raise BadValue("no such channel in the list")


def _several(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _is_listed(workspace: Workspace, user: Any) -> bool:
    human = workspace.people.get(user)
    return human is not None and human.is_active and workspace.is_visible(human.id)


def _is_open(workspace: Workspace, user: str, channel_id: Any) -> bool:
    channel = workspace.channels.get(channel_id)
    if channel is None or channel.is_archived:
        return False
    return workspace.is_in(user, channel) or channel.kind == "channels"
