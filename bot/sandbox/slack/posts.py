"""Posts, threads, DMs and channels in memory, and how the Web API shows posts.

A DM or channel keeps at most `MAX_POSTS` top-level posts; the oldest goes first, with its thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.people import APP_ID, BOT_ID, BOT_USER_ID, SLACKBOT_ID, TEAM_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.files import FileStore

MAX_POSTS: Final = 20_000
MAX_REPLIES: Final = 5_000


@dataclass(slots=True)
class Post:
    """One message. A root that was deleted while it had replies stays as a tombstone."""

    ts: str
    user: str
    text: str
    blocks: list[Json] = field(default_factory=list)
    file_ids: tuple[str, ...] = ()
    metadata: Json | None = None
    thread_ts: str | None = None
    is_broadcast: bool = False
    subtype: str | None = None
    edited_ts: str | None = None
    is_tombstone: bool = False
    replies: dict[str, Post] = field(default_factory=dict)

    @property
    def is_by_bot(self) -> bool:
        """Whether the app wrote it."""
        return self.user == BOT_USER_ID


@dataclass(slots=True)
class Channel:
    """A DM between one person and the bot, or (with no `user`) a channel.

    Attributes:
        members: the ids of those in the channel, the bot's user among them while it is in.
        shared_with: the other workspaces that share the channel.
    """

    id: str
    user: str | None
    created: int
    name: str = "directmessage"
    posts: dict[str, Post] = field(default_factory=dict)
    members: list[str] = field(default_factory=list)
    is_private: bool = False
    is_archived: bool = False
    is_general: bool = False
    shared_with: list[str] = field(default_factory=list)

    @property
    def has_bot(self) -> bool:
        """Whether the app reads and writes here."""
        return self.user is not None or BOT_USER_ID in self.members

    @property
    def kind(self) -> str:
        """What Slack calls its kind in scopes' words: `im`, `groups` or `channels`."""
        if self.user is not None:
            return "im"
        return "groups" if self.is_private else "channels"

    @property
    def told_name(self) -> str:
        """Its name as payloads carry it: those of DMs and private channels are not told."""
        return "privategroup" if self.is_private else self.name

    def find(self, ts: str) -> Post | None:
        """The post of that time, top-level or reply."""
        if ts in self.posts:
            return self.posts[ts]
        return next((post.replies[ts] for post in self.posts.values() if ts in post.replies), None)

    def root_of(self, ts: str) -> Post | None:
        """The root of the thread in which that post stands; a root is its own."""
        if ts in self.posts:
            return self.posts[ts]
        return next((post for post in self.posts.values() if ts in post.replies), None)

    def add(self, post: Post) -> None:
        """Append a post at its place; the oldest falls out past the bound."""
        if post.thread_ts is None:
            self.posts[post.ts] = post
            if len(self.posts) > MAX_POSTS:
                del self.posts[next(iter(self.posts))]
            return
        replies = self.posts[post.thread_ts].replies
        replies[post.ts] = post
        if len(replies) > MAX_REPLIES:
            del replies[next(iter(replies))]

    def remove(self, post: Post) -> None:
        """Take a post away; a root with replies leaves a tombstone."""
        if post.thread_ts is not None:
            root = self.posts[post.thread_ts]
            del root.replies[post.ts]
            if root.is_tombstone and not root.replies:
                del self.posts[root.ts]
        elif post.replies:
            _bury(post)
        else:
            del self.posts[post.ts]

    def top_level(self) -> Iterable[Post]:
        """What `conversations.history` lists, newest first: roots, and replies also sent to the channel."""
        broadcast = [
            reply for post in self.posts.values() for reply in post.replies.values() if reply.is_broadcast
        ]
        if not broadcast:
            return reversed(self.posts.values())
        return sorted([*self.posts.values(), *broadcast], key=lambda post: seconds(post.ts), reverse=True)


def _bury(post: Post) -> None:
    post.is_tombstone = True
    post.text, post.blocks, post.file_ids, post.metadata = "This message was deleted.", [], (), None
    post.user, post.subtype, post.edited_ts = SLACKBOT_ID, "tombstone", None


def seconds(ts: str) -> int:
    """A `ts` as whole microseconds; ValueError when it is none."""
    whole, _, part = ts.partition(".")
    if not whole.isdecimal() or (part and not part.isdecimal()):
        raise ValueError("not a ts")
    return int(whole) * 1_000_000 + int((part or "0").ljust(6, "0")[:6])


def _parts(post: Post, files: FileStore, *, with_metadata: bool) -> Iterator[tuple[str, object]]:
    if post.subtype:
        yield "subtype", post.subtype
    if post.is_by_bot:
        yield from {"bot_id": BOT_ID, "app_id": APP_ID}.items()
    if post.blocks:
        yield "blocks", post.blocks
    if post.file_ids:
        yield from {"files": files.shown(post.file_ids), "upload": False, "display_as_bot": False}.items()
    if post.edited_ts:
        yield "edited", {"user": post.user, "ts": post.edited_ts}
    if post.metadata:
        yield "metadata", post.metadata if with_metadata else {"event_type": post.metadata["event_type"]}
    if post.is_tombstone:
        yield "hidden", True


def _thread(post: Post) -> Json:
    if post.thread_ts:
        return {"thread_ts": post.thread_ts}
    if not post.replies:
        return {}
    people = list(dict.fromkeys(reply.user for reply in post.replies.values()))
    return {
        "thread_ts": post.ts,
        "reply_count": len(post.replies),
        "reply_users_count": len(people),
        "latest_reply": next(reversed(post.replies)),
        "reply_users": people[:5],
        "is_locked": False,
        "subscribed": True,
    }


def shown(post: Post, files: FileStore, *, with_metadata: bool) -> Json:
    """The post as `conversations.history` and the answers of `chat.*` give it."""
    common = {"type": "message", "user": post.user, "ts": post.ts, "text": post.text, "team": TEAM_ID}
    return {**common, **dict(_parts(post, files, with_metadata=with_metadata)), **_thread(post)}
