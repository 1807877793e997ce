"""Slack Web API as Mailbox needs it: every call answers with what is known about its effect.

A post has one of four outcomes, see `bot.slack.outcomes`. Nothing here repeats a request. What importers need of the
outcomes, their judgement and the making of a client stands here as well.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.slack import downloads
from bot.slack.outcomes import (
    CLOSED_DM,
    NO_ANSWER,
    NO_RIGHTS,
    THREAD_GONE,
    UNKNOWN_ERRORS,
    CallFailed,
    Outcome,
    Posted,
    Refused,
    TryLater,
    Unknown,
    ask,
    code_of,
    judged,
)
from bot.slack.web import CallCounter, keep_alive, web_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
    from datetime import timedelta

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.mail.renderer import File

__all__ = [
    "CLOSED_DM",
    "NO_ANSWER",
    "NO_RIGHTS",
    "THREAD_GONE",
    "UNKNOWN_ERRORS",
    "CallCounter",
    "CallFailed",
    "Outcome",
    "Posted",
    "Refused",
    "SlackClient",
    "TryLater",
    "Unknown",
    "code_of",
    "judged",
    "keep_alive",
    "web_client",
]

EVENT_TYPE = "mailbox_entry"
"""Metadata of our posts: https://docs.slack.dev/messaging/message-metadata. The payload is one opaque id."""

GONE = frozenset({"message_not_found", "file_not_found", "file_deleted"})
"""What is to be taken back is not there."""

HISTORY_PAGE = 200
HISTORY_PAGES = 25
LIST_PAGE = 999
USER_PAGES = 200
MEMBER_PAGES = 10
"""A channel of more than some ten thousand people is no audience: nobody would know who reads there."""


class SlackClient:
    """Posts, files and look-ups in DMs of one workspace.

    Args:
        web: made by `web_client`.
        session: for uploads of file octets to the addresses that Slack hands out.
    """

    def __init__(self, web: AsyncWebClient, session: aiohttp.ClientSession) -> None:
        self._web = web
        self._session = session

    async def open_dm(self, user: str) -> str:
        """The id of the DM with this user.

        Raises:
            CallFailed: nothing is known of the DM.
        """
        answer = await ask(self._web.conversations_open(users=user))
        return str(answer["channel"]["id"])

    async def person(self, user: str) -> Mapping[str, Any]:
        """What Slack tells of a user.

        Raises:
            CallFailed: it tells nothing.
        """
        found: Mapping[str, Any] = (await ask(self._web.users_info(user=user)))["user"]
        return found

    async def user_list(self) -> list[Mapping[str, Any]]:
        """What Slack tells of every user of the workspace, those who left and bots among them.

        Raises:
            CallFailed: it could not be read in full.
        """
        return [record async for record in self._each("users.list", "members", LIST_PAGE, USER_PAGES)]

    async def group_list(self) -> Sequence[Mapping[str, Any]]:
        """The user groups that are in use, each with its users.

        Raises:
            CallFailed: Slack does not tell, or the plan has no groups.
        """
        call = self._web.usergroups_list(include_users=True, include_count=True)
        found: Sequence[Mapping[str, Any]] = (await ask(call)).get("usergroups") or ()
        return found

    async def group_users(self, group: str) -> Sequence[str]:
        """The users of one group, for a list that came without all of them.

        Raises:
            CallFailed: Slack does not tell.
        """
        found: Sequence[str] = (await ask(self._web.usergroups_users_list(usergroup=group))).get(
            "users"
        ) or ()
        return found

    async def channel_info(self, channel: str) -> Mapping[str, Any]:
        """What Slack tells of a channel.

        Raises:
            CallFailed: it tells nothing; a private channel that the bot is not in is `channel_not_found`.
        """
        found: Mapping[str, Any] = (await ask(self._web.conversations_info(channel=channel))).get(
            "channel"
        ) or {}
        return found

    async def channel_members(self, channel: str) -> list[str]:
        """Who is in a channel, bots among them.

        Raises:
            CallFailed: it could not be read in full, or more are in it than are ever read.
        """
        members = self._each("conversations.members", "members", LIST_PAGE, MEMBER_PAGES, channel=channel)
        return [str(user) async for user in members]

    async def post(
        self,
        channel: str,
        text: str,
        blocks: Sequence[dict[str, Any]],
        entry_id: str,
        thread_ts: str | None = None,
        *,
        is_shown_in_dm: bool = False,
    ) -> Outcome:
        """Post once; `entry_id` goes into the metadata, where `find_posts` reads it back.

        Args:
            is_shown_in_dm: what goes into a thread stands in the DM as well, and counts as unread there.
        """
        call = self._web.chat_postMessage(
            channel=channel,
            text=text,
            blocks=list(blocks) or None,
            thread_ts=thread_ts,
            reply_broadcast=True if is_shown_in_dm and thread_ts else None,
            parse="none",
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": EVENT_TYPE, "event_payload": {"entry": entry_id}},
        )
        try:
            answer = await ask(call)
        except CallFailed as failed:
            return failed.outcome
        return Posted(str(answer["ts"]))

    async def update(self, channel: str, ts: str, text: str, blocks: Sequence[dict[str, Any]]) -> Outcome:
        """Say something else in a post of ours; repeating it does no harm."""
        # `chat.update` takes no word on previews, and goes back to its own idea of `parse` unless told again.
        call = self._web.chat_update(channel=channel, ts=ts, text=text, blocks=list(blocks), parse="none")
        try:
            await ask(call)
        except CallFailed as failed:
            return failed.outcome
        return Posted(ts)

    async def delete_post(self, channel: str, ts: str) -> Outcome:
        """Take a post of ours back; `Posted` says that it is gone, and so does one that was gone before."""
        return await _done(self._web.chat_delete(channel=channel, ts=ts), ts)

    async def blank_post(self, channel: str, ts: str, text: str) -> Outcome:
        """Leave one sentence of our own words of a post: no blocks, no files; one that is gone is done with."""
        # Not the SDK's `chat_update`, which makes an empty word of an empty list of files.
        blank = {"blocks": [], "attachments": [], "file_ids": [], "parse": "none"}
        call = self._web.api_call("chat.update", json={"channel": channel, "ts": ts, "text": text, **blank})
        return await _done(call, ts)

    async def delete_file(self, file_id: str) -> Outcome:
        """Delete a file of ours wherever it was shared; `Posted` says that it is gone, whoever deleted it."""
        return await _done(self._web.files_delete(file=file_id), "")

    async def permalink(self, channel: str, ts: str) -> str | None:
        """The address of a post; None where Slack gives none now."""
        try:
            answer = await ask(self._web.chat_getPermalink(channel=channel, message_ts=ts))
        except CallFailed:
            return None
        return str(answer["permalink"])

    async def find_posts(
        self, channel: str, oldest: str | None, thread_ts: str | None = None
    ) -> dict[str, str]:
        """Entry id to `ts` of our posts in a DM, or in one of its threads, that are newer than `oldest`.

        Slack's history of a DM lists no replies, so what went into a thread is found there only.

        Raises:
            CallFailed: it could not be read in full; nothing may be concluded.
        """
        if thread_ts is None:
            pages = self._pages("conversations.history", channel=channel, oldest=oldest or "0")
        else:
            pages = self._replies(channel, thread_ts, oldest or thread_ts)
        return {entry_id: str(post["ts"]) async for post in pages if (entry_id := _entry_id(post))}

    async def find_files(self, channel: str, thread_ts: str, oldest: str) -> frozenset[str]:
        """Ids of the files shared in a thread since `oldest`.

        Raises:
            CallFailed: the thread could not be read in full.
        """
        pages = self._replies(channel, thread_ts, oldest)
        return frozenset([str(file["id"]) async for post in pages for file in post.get("files") or ()])

    async def _replies(self, channel: str, thread_ts: str, oldest: str) -> AsyncIterator[Mapping[str, Any]]:
        """A thread's posts; none where it was deleted with all that stood in it."""
        try:
            async for post in self._pages(
                "conversations.replies", channel=channel, ts=thread_ts, oldest=oldest
            ):
                yield post
        except CallFailed as failed:
            if failed.outcome != Refused("thread_not_found"):
                raise

    async def upload(self, file: File) -> str:
        """Bring a file's octets to Slack, not yet visible to anyone; repeating it does no harm.

        Returns:
            The file's id, to be shared by `share_files`.

        Raises:
            CallFailed: Slack has no such file now.
        """
        reserve = self._web.api_call(
            "files.getUploadURLExternal", data={"filename": file.name, "length": str(len(file.octets))}
        )
        place = await ask(reserve)
        try:
            async with self._session.post(place["upload_url"], data=file.octets) as answer:
                if answer.status >= 500:
                    raise CallFailed(Unknown(f"upload answered {answer.status}"))
                if answer.status != 200:
                    raise CallFailed(Refused(f"upload_http_{answer.status}"))
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallFailed(Unknown(type(error).__name__)) from error
        return str(place["file_id"])

    async def file_info(self, file_id: str) -> Mapping[str, Any]:
        """What Slack tells of a file.

        Raises:
            CallFailed: it tells nothing; `missing_scope` without the scope files:read.
        """
        found: Mapping[str, Any] = (await ask(self._web.files_info(file=file_id))).get("file") or {}
        return found

    async def file_octets(self, url: str, most: int, time: timedelta) -> bytes:
        """What a file holds, from an address of Slack's. Raises as `downloads.octets_of` does."""
        token = str(self._web.token or "")
        return await downloads.octets_of(self._session, url, token, self._web.base_url, most, time)

    async def share_files(
        self, channel: str, thread_ts: str | None, files: Sequence[tuple[str, str]]
    ) -> Outcome:
        """Share uploaded files, as (id, title), in a thread or without one: one call, one post for all of them."""
        call = self._web.api_call(
            "files.completeUploadExternal",
            data={
                "files": json.dumps([{"id": file_id, "title": title} for file_id, title in files]),
                "channel_id": channel,
                **({"thread_ts": thread_ts} if thread_ts else {}),
            },
        )
        try:
            await ask(call)
        except CallFailed as failed:
            return failed.outcome
        return Posted("")

    async def _pages(self, method: str, **arguments: str) -> AsyncIterator[Mapping[str, Any]]:
        """Posts of a DM or a thread, with their metadata."""
        arguments = {"include_all_metadata": "true", **arguments}
        async for post in self._each(method, "messages", HISTORY_PAGE, HISTORY_PAGES, **arguments):
            yield post

    async def _each(
        self, method: str, key: str, page: int, most_pages: int, **arguments: str
    ) -> AsyncIterator[Any]:
        """What stands under a key of all pages of a list.

        Raises:
            CallFailed: it could not be read in full, or has more pages than that.
        """
        cursor = ""
        for _ in range(most_pages):
            params = {"limit": page, **arguments} | ({"cursor": cursor} if cursor else {})
            answer = await ask(self._web.api_call(method, http_verb="GET", params=params))
            for item in answer.get(key) or ():
                yield item
            cursor = (answer.get("response_metadata") or {}).get("next_cursor") or ""
            if not cursor or not answer.get("has_more", True):
                return
        raise CallFailed(Unknown("list has no end"))


def _entry_id(post: Mapping[str, Any]) -> str | None:
    metadata = post.get("metadata") or {}
    if metadata.get("event_type") != EVENT_TYPE:
        return None
    return (metadata.get("event_payload") or {}).get("entry")


async def _done(call: Awaitable[Any], ts: str) -> Outcome:
    """The outcome of taking something back, which is done as well where it is not there any more."""
    try:
        await ask(call)
    except CallFailed as failed:
        is_gone = isinstance(failed.outcome, Refused) and failed.outcome.code in GONE
        return Posted(ts) if is_gone else failed.outcome
    return Posted(ts)
