"""What is done to the channels of the pretend workspace, with the events that follow.

The app hears of a channel's members and of what happens to it only while it is in it; of a public channel's name
archive and end also from without.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.interactions import say
from bot.sandbox.slack.people import BOT_USER_ID, PARTNER_ID, TEAM_ID
from bot.sandbox.slack.posts import Channel, Post
from bot.sandbox.slack.workspace import Forbidden, new_id

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.core import Sandbox

MAX_CHANNELS: Final = 500
_NAME: Final = re.compile(r"[a-z0-9_-]{1,80}")


def _emit(sandbox: Sandbox, channel: Channel, kind: str, **fields: object) -> None:
    body: Json = {"type": kind, "channel": channel.id, **fields, "event_ts": sandbox.workspace.new_ts()}
    sandbox.emit(body, channel)


def _told_by_kind(channel: Channel, what: str) -> str:
    return f"group_{what}" if channel.is_private else f"channel_{what}"


def _membership(sandbox: Sandbox, channel: Channel, user: str, kind: str) -> None:
    team = TEAM_ID if user == BOT_USER_ID else sandbox.workspace.people[user].team_id
    channel_type = "G" if channel.is_private else "C"
    _emit(sandbox, channel, kind, user=user, channel_type=channel_type, team=team)


def _name(sandbox: Sandbox, name: str) -> str:
    taken = {one.name for one in sandbox.workspace.channels.values() if one.user is None}
    if not _NAME.fullmatch(name) or name in taken:
        raise Forbidden("A channel's name has small letters, digits, “-” and “_”, and is not taken.")
    return name


def create(sandbox: Sandbox, name: str, *, is_private: bool) -> str:
    """A new channel with nobody in it. Gives back its id.

    Raises:
        Forbidden: the name is not sound or taken, or there are too many channels.
    """
    workspace = sandbox.workspace
    if sum(one.user is None for one in workspace.channels.values()) >= MAX_CHANNELS:
        raise Forbidden("This workspace has enough channels.")
    channel = Channel(new_id("C"), None, int(workspace.now()), _name(sandbox, name), is_private=is_private)
    workspace.channels[channel.id] = channel
    workspace.changed()
    return channel.id


def join(sandbox: Sandbox, channel: Channel, user: str) -> None:
    """Bring a person or the app into a channel.

    Raises:
        Forbidden: the channel is archived, the guest has their one channel, or the person's workspace shares it not.
    """
    workspace = sandbox.workspace
    if user in channel.members:
        return
    if channel.is_archived:
        raise Forbidden("This channel is archived.")
    if user != BOT_USER_ID:
        human = workspace.human(user)
        others = [one for one in workspace.channels.values() if one.user is None and user in one.members]
        if human.role == "single_channel_guest" and others:
            raise Forbidden(f"{human.real_name} is a single-channel guest and is in #{others[0].name}.")
        if human.is_external and human.team_id not in channel.shared_with:
            raise Forbidden(f"Share the channel with {human.real_name}'s workspace first.")
    channel.members.append(user)
    _membership(sandbox, channel, user, "member_joined_channel")
    workspace.changed()


def leave(sandbox: Sandbox, channel: Channel, user: str) -> None:
    """Take a person or the app out of a channel.

    Raises:
        Forbidden: nobody of the workspace leaves #general, guests apart.
    """
    workspace = sandbox.workspace
    if user not in channel.members:
        return
    if channel.is_general and user != BOT_USER_ID and "guest" not in workspace.people[user].role:
        raise Forbidden("Members cannot leave #general.")
    channel.members.remove(user)
    if user == BOT_USER_ID:
        sandbox.emit(
            {
                "type": _told_by_kind(channel, "left"),
                "channel": channel.id,
                "event_ts": workspace.new_ts(),
            }
        )
    else:
        _membership(sandbox, channel, user, "member_left_channel")
    workspace.changed()


def keep_one(sandbox: Sandbox, user: str) -> None:
    """Leave all channels of a person but the first that is not #general."""
    theirs = [one for one in sandbox.workspace.channels.values() if one.user is None and user in one.members]
    for channel in sorted(theirs, key=lambda one: one.is_general)[1:]:
        leave(sandbox, channel, user)


def convert(sandbox: Sandbox, channel: Channel, *, is_private: bool) -> None:
    """Make a channel private or public; no event but a post, which the app hears of only if it reads all posts.

    Raises:
        Forbidden: #general stays public.
    """
    if channel.is_general:
        raise Forbidden("#general is always public.")
    if channel.is_private == is_private:
        return
    channel.is_private = is_private
    word = "private" if is_private else "public"
    _note(sandbox, channel, f"channel_convert_to_{word}", f"made this channel {word}.")
    sandbox.workspace.changed()


def _note(sandbox: Sandbox, channel: Channel, subtype: str, words: str) -> None:
    author = sandbox.workspace.administrator()
    ts = sandbox.workspace.new_ts()
    say(sandbox, channel, Post(ts, author, f"<@{author}> {words}", subtype=subtype))


def share(sandbox: Sandbox, channel: Channel) -> None:
    """Share a channel with the other workspace, whose people come in.

    Raises:
        Forbidden: it is archived or #general.
    """
    if channel.is_archived or channel.is_general:
        raise Forbidden("#general and archived channels cannot be shared.")
    if channel.shared_with:
        return
    channel.shared_with.append(PARTNER_ID)
    _emit(sandbox, channel, "channel_shared", connected_team_id=PARTNER_ID)
    for human in list(sandbox.workspace.people.values()):
        if human.team_id == PARTNER_ID:
            join(sandbox, channel, human.id)
    sandbox.workspace.changed()


def unshare(sandbox: Sandbox, channel: Channel) -> None:
    """End the sharing; the other workspace's people are out."""
    if not channel.shared_with:
        return
    for human in sandbox.workspace.people.values():
        if human.is_external and human.id in channel.members:
            leave(sandbox, channel, human.id)
    team = channel.shared_with.pop()
    _emit(sandbox, channel, "channel_unshared", previously_connected_team_id=team, is_ext_shared=False)
    sandbox.workspace.changed()


def archive(sandbox: Sandbox, channel: Channel, *, is_archived: bool) -> None:
    """Archive a channel, or take it back.

    Raises:
        Forbidden: #general stays.
    """
    if channel.is_general:
        raise Forbidden("#general cannot be archived.")
    if channel.is_archived == is_archived:
        return
    channel.is_archived = is_archived
    what = _told_by_kind(channel, "archive" if is_archived else "unarchive")
    _emit(sandbox, channel, what, user=sandbox.workspace.administrator())
    sandbox.workspace.changed()


def delete(sandbox: Sandbox, channel: Channel) -> None:
    """Delete a channel with everything in it.

    Raises:
        Forbidden: #general stays.
    """
    if channel.is_general:
        raise Forbidden("#general cannot be deleted.")
    workspace = sandbox.workspace
    _emit(sandbox, channel, _told_by_kind(channel, "deleted"))
    del workspace.channels[channel.id]
    for desk in workspace.desks.values():
        desk.ephemerals = [one for one in desk.ephemerals if one.channel != channel.id]
    workspace.changed()


def rename(sandbox: Sandbox, channel: Channel, name: str) -> None:
    """Give a channel another name.

    Raises:
        Forbidden: it is not sound or taken.
    """
    channel.name = _name(sandbox, name)
    told = {"id": channel.id, "name": channel.name, "created": channel.created}
    ts = sandbox.workspace.new_ts()
    sandbox.emit({"type": _told_by_kind(channel, "rename"), "channel": told, "event_ts": ts}, channel)
    sandbox.workspace.changed()
