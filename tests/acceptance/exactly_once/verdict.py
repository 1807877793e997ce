"""Counts what the fakes saw, promise by promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack.posts import seconds
from tests.acceptance.exactly_once.mails import has_file, marks_in, talk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.sandbox.slack.files import FileStore
    from bot.sandbox.slack.posts import Channel
    from tests.acceptance.exactly_once.stage import Sent

MOST_RETRS: Final = 1.2
_LOOKS: Final = frozenset({"conversations.history", "conversations.replies"})
_JOURNAL_STEP: Final = 0.001
"""The maildrops' journals round their times to milliseconds."""


@dataclass
class Interruptions:
    """What entitles the bot to look into Slack: `crashes` once in each DM, `unanswered` posts and shares once each."""

    crashes: int = 0
    unanswered: int = 0


NOTICES: Final = ("The mail server of “", "✓ “")
"""How the posts begin that tell an owner of a server that did not answer for a while, and of its end: both are true in a
storm that lasts long enough."""


@dataclass(frozen=True)
class Seen:
    """What stands in Slack.

    Attributes:
        posts: in each DM, marks and time of each post in order, those in threads too.
        files: how often the file of each mark was shared in the thread where its message stands.
        odd: posts that tell of no message, or of several, and files elsewhere.
        tops: for each mark, that of the post in whose thread it stands; its own without one.
        words: how those posts begin that tell of no message, or of several.
    """

    posts: tuple[tuple[tuple[str, float], ...], ...]
    files: Counter[str]
    odd: int
    tops: Mapping[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()

    @classmethod
    def of(cls, dms: Sequence[Channel], store: FileStore) -> Seen:
        """Read the DMs."""
        posts, files, tops, odd, words = [], Counter[str](), dict[str, str](), 0, []
        for dm in dms:
            found = []
            for root in dm.posts.values():
                top = next(iter(marks_in(root)), "")
                for post in (root, *root.replies.values()):
                    marks = marks_in(post)
                    if len(marks) == 1:
                        (mark,) = marks
                        found.append((mark, seconds(post.ts) / 1_000_000))
                        tops.setdefault(mark, top)
                    named = [str(file["name"]).removesuffix(".csv") for file in store.shown(post.file_ids)]
                    files.update(name for name in named if tops.get(name) == top)
                    astray = [name for name in named if tops.get(name) != top]
                    is_notice = not marks and post.text.startswith(NOTICES)
                    is_odd = len(marks) != 1 and not named and not is_notice
                    odd += is_odd + len(astray)
                    words += [post.text[:80]] * is_odd + [f"file {name}" for name in astray]
            posts.append(tuple(sorted(found, key=lambda one: one[1])))
        return cls(tuple(posts), files, odd, tops, tuple(words))

    def marks(self) -> set[str]:
        """Every message that is there at least once."""
        return {mark for dm in self.posts for mark, _ in dm}

    def has_files(self) -> bool:
        """Whether every attachment is there at least once."""
        return all(self.files[mark] for mark in self.marks() if has_file(int(mark.partition("-")[2])))


@dataclass(frozen=True)
class Promise:
    """One line of a verdict: what was counted and how many are allowed."""

    words: str
    count: float
    most: float
    note: str = ""

    @property
    def is_kept(self) -> bool:
        """Whether it is within what is allowed."""
        return self.count <= self.most

    def __str__(self) -> str:
        state = "kept  " if self.is_kept else "BROKEN"
        return f"{state} {self.words:<44} {self.count:g} of at most {self.most:g}{self.note}"


@dataclass(frozen=True)
class Verdict:
    """What a run shows, one promise each; the names are those of the promises."""

    promises: Mapping[str, Promise] = field(default_factory=dict)

    @property
    def broken(self) -> set[str]:
        """Names of the promises that were not kept."""
        return {name for name, promise in self.promises.items() if not promise.is_kept}

    def count(self, name: str) -> float:
        """What was counted for a promise."""
        return self.promises[name].count

    def __str__(self) -> str:
        return "\n".join(str(promise) for promise in self.promises.values())


def judged(
    sent: Sequence[Sequence[Sent]],
    seen: Seen,
    *,
    deleted: Mapping[str, float],
    left: int,
    retrs: int,
    calls: Sequence[Mapping[str, Any]],
    interruptions: Interruptions,
) -> Verdict:
    """The verdict on a run.

    Args:
        sent: the messages of each mailbox, in order; `seen.posts` has the DMs in the same order.
        deleted: when a UID went from the server, in seconds since the epoch.
        retrs: over all messages.
        calls: the log of Slack's calls.
    """
    total = sum(len(mailbox) for mailbox in sent)
    histories = Counter(call.get("channel") for call in calls if call["method"] in _LOOKS and call["ok"])
    entitled = interruptions.crashes + interruptions.unanswered
    reads = histories.total()
    pairs = list(zip(sent, seen.posts, strict=True))
    promises = {
        "lost": Promise(
            "messages lost", sum(_lost(mine, dm, seen) for mine, dm in pairs), 0, f", {total} sent"
        ),
        "twice": Promise("posts or files too many", sum(_twice(mine, dm, seen) for mine, dm in pairs), 0),
        "odd": Promise("posts that tell of no message, or of several", seen.odd, 0, _quoted(seen.words)),
        "threads": Promise("posts in a wrong thread", sum(_astray(mine, seen) for mine, _ in pairs), 0),
        "early": Promise("deleted before posted", sum(_early(mine, dm, deleted) for mine, dm in pairs), 0),
        "order": Promise("posts out of order in a mailbox", sum(_disorder(dm) for _, dm in pairs), 0),
        "left": Promise("messages left on the servers", left, 0),
        "retr": Promise("RETR per message", round(retrs / max(total, 1), 3), MOST_RETRS),
        "history": Promise(
            "look-ups in histories and threads",
            reads,
            len(sent) * interruptions.crashes + interruptions.unanswered,
            f" ({interruptions.crashes} crashes in {len(sent)} DMs, {interruptions.unanswered} posts or shares unanswered)",
        ),
        "histories": Promise("look-ups in one DM", max(histories.values(), default=0), entitled),
    }
    return Verdict(promises)


_Dm = tuple[tuple[str, float], ...]


def _lost(mine: Sequence[Sent], dm: _Dm, seen: Seen) -> int:
    there = {mark for mark, _ in dm}
    lost_files = sum(has_file(sent.number) and not seen.files[sent.mark] for sent in mine)
    return len({sent.mark for sent in mine} - there) + lost_files


def _twice(mine: Sequence[Sent], dm: _Dm, seen: Seen) -> int:
    posts_too_many = len(dm) - len({mark for mark, _ in dm})
    # Also what is in the wrong DM.
    strange = len({mark for mark, _ in dm} - {sent.mark for sent in mine})
    return posts_too_many + strange + sum(max(seen.files[sent.mark] - 1, 0) for sent in mine)


def _astray(mine: Sequence[Sent], seen: Seen) -> int:
    """Posts that do not stand with the first of those they belong to."""
    first: dict[tuple[int, int], str] = {}
    for sent in mine:
        first.setdefault(talk(sent.number), sent.mark)
    return sum(
        seen.tops.get(sent.mark, first[talk(sent.number)]) != first[talk(sent.number)] for sent in mine
    )


def _early(mine: Sequence[Sent], dm: _Dm, deleted: Mapping[str, float]) -> int:
    posted: dict[str, float] = {}
    for mark, at in dm:
        posted.setdefault(mark, at)
    return sum(
        sent.uid in deleted and posted.get(sent.mark, float("inf")) > deleted[sent.uid] + _JOURNAL_STEP
        for sent in mine
    )


def _disorder(dm: _Dm) -> int:
    """Posts that stand behind one of a later message, each message counted where it stands first."""
    first = list(dict.fromkeys(mark for mark, _ in dm))
    return sum(later < earlier for earlier, later in pairwise(first))


def _quoted(words: Sequence[str]) -> str:
    return f": {', '.join(map(repr, words[:5]))}" if words else ""
