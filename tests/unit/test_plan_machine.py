"""The plan against maildrops that behave as badly as real ones, over any number of sessions.

The machine plays the server and our store; what to do comes from `bot.plan` alone. A message is told apart by its
content, a number, so the checks do not believe the UIDs that the plan goes by. Two things are taken for granted,
because no plan over UIDs can do without: messages of one UID in one maildrop are equal (popa3d), and a UID is given
to another message only after a listing has shown it gone. A maildrop of fewer than ten messages may be renamed without
a question; what lies in it then comes again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot import brake, plan
from storage.deletion import watch_at
from storage.records import OldMail, Retention, Seen, SeenState, Tail
from tests.unit.planned import session_plan
from tests.unit.samples import MAILBOX
from tests.unit.weather import FAIR, Broken, Mail, Row, Weather, weathers

DELETE_DAYS = 3
START = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Maildrops(RuleBasedStateMachine):
    """One mailbox, its server, and every session between them."""

    def __init__(self) -> None:
        super().__init__()
        self.server: list[Mail] = []
        self.rows: dict[bytes, Row] = {}
        self.delivered: Counter[int] = Counter()
        self.entries: Counter[int] = Counter()  # what was put into the outbox, by content
        self.carded: set[int] = set()
        self.posted: set[int] = set()
        self.stored: set[int] = set()  # whole, by content
        self.skipped: set[int] = set()
        self.renamed: Counter[int] = Counter()
        self.renames = 0
        self.is_asked = False
        self.listed = 0
        self.watched = timedelta(0)
        self.polled_at: datetime | None = None
        self.tail: Tail | None = None
        self.listed_at: datetime | None = None
        self.now = START
        self.next = 0

    @initialize(
        old=st.integers(0, 4) | st.integers(10, 30),
        wanted=st.sampled_from([OldMail.NONE, OldMail.LAST_50, OldMail.ALL]),
        retention=st.sampled_from(Retention),
        is_honest=st.booleans(),
    )
    def add(self, old: int, wanted: OldMail, retention: Retention, *, is_honest: bool) -> None:
        """The mailbox is added; an honest server lists everything, in order of arrival."""
        self.retention, self.is_honest = retention, is_honest
        for _ in range(old):
            self.arrive()
        lines = plan.keyed([(number, mail.uid) for number, mail in enumerate(self.server, 1)])
        for key in plan.old_mail_to_skip(lines, wanted):
            number = next(line.number for line in lines if line.key == key)
            content = self.server[number - 1].content
            self.rows[key] = Row(SeenState.SKIPPED, content)
            self.skipped.add(content)

    # What happens at the server

    @rule()
    def arrive(self) -> None:
        """New mail is appended."""
        self._append(b"u%d" % self.next)

    @precondition(lambda self: self.server)
    @rule(place=st.integers(0, 9))
    def arrive_again(self, place: int) -> None:
        """Equal mail with an equal UID."""
        mail = self.server[place % len(self.server)]
        self.server.append(mail)
        self.delivered[mail.content] += 1

    @precondition(lambda self: self._free_uids())
    @rule(place=st.integers(0, 9))
    def reuse(self, place: int) -> None:
        """New mail under the UID of what is known to be deleted."""
        free = self._free_uids()
        self._append(free[place % len(free)])

    @precondition(lambda self: self.server)
    @rule(place=st.integers(0, 9))
    def vanish(self, place: int) -> None:
        """Another program deletes a message that we have, or that the owner does not want from us."""
        place %= len(self.server)
        if self.server[place].content in self.entries.keys() | self.skipped:
            del self.server[place]

    @rule()
    def rename(self) -> None:
        """The provider moves to another server: the same mail under other UIDs."""
        self.renames += 1
        self.server = [replace(mail, uid=b"r%d.%s" % (self.renames, mail.uid)) for mail in self.server]
        self.renamed.update(mail.content for mail in self.server)

    def _append(self, uid: bytes) -> None:
        self.next += 1
        self.server.append(Mail(self.next, uid))
        self.delivered[self.next] += 1

    def _free_uids(self) -> list[bytes]:
        there = {mail.uid for mail in self.server}
        return sorted(
            key
            for key, row in self.rows.items()
            if row.state is SeenState.DELETED and b"\n" not in key and key not in there
        )

    # What happens on our side

    @rule()
    def post(self) -> None:
        """Delivery settles everything that is owed."""
        for key, row in self.rows.items():
            if row.state is SeenState.KEPT and row.posted_at is None:
                self.rows[key] = replace(row, posted_at=self.now, settled_watch=self._watch())
                if row.is_whole and row.content is not None:
                    self.posted.add(row.content)

    @rule(retention=st.sampled_from(Retention))
    def change(self, retention: Retention) -> None:
        """The owner chooses another delete setting."""
        self.retention, self.tail, self.listed_at = retention, None, None
        if retention is Retention.LEAVE:
            self.rows = {
                key: replace(row, state=SeenState.KEPT) if row.state is SeenState.DELETING else row
                for key, row in self.rows.items()
            }

    @rule(place=st.integers(0, 9))
    def press(self, place: int) -> None:
        """The owner presses Delete below a message."""
        there = [key for key, row in self.rows.items() if row.state is SeenState.KEPT and row.is_settled]
        if there and self.retention is not Retention.LEAVE:
            key = there[place % len(there)]
            self.rows[key] = replace(self.rows[key], state=SeenState.DELETING)

    @rule(becomes=st.sampled_from([SeenState.DOUBTED, SeenState.SKIPPED]))
    def answer(self, becomes: SeenState) -> None:
        """The owner says what the messages are that look new, asked or not."""
        for mail in self.server:
            row = self.rows.get(mail.uid)
            if row is not None and row.state is SeenState.ASKED and becomes is SeenState.SKIPPED:
                self.skipped.add(mail.content)
        for key, row in self.rows.items():
            if row.state is SeenState.ASKED:
                self.rows[key] = replace(row, state=becomes)
        self.is_asked = False

    @rule(
        becomes=st.sampled_from([SeenState.DOUBTED, SeenState.SKIPPED]),
        posts=st.booleans(),
        dies_after=st.none() | st.integers(0, 40),
        arrives=st.integers(0, 3),
    )
    def move(self, becomes: SeenState, arrives: int, dies_after: int | None, *, posts: bool) -> None:
        """A maildrop that was seen as it is gets other UIDs: nothing happens before the owner has answered."""
        self.catch_up()
        if posts:
            self.post()
        before, stored, there = self.entries.copy(), self.stored.copy(), len(self.server)
        if self.listed != there or there < brake.ASK_FROM:
            return
        self.rename()
        self.renamed.subtract(mail.content for mail in self.server)
        for _ in range(arrives):
            self.arrive()
        self.now += timedelta(hours=1)
        if dies_after is not None:
            self._list(list(self.server), FAIR, dies_after=dies_after)
            assert not self.is_asked
        self.tail = None

        assert not self._session(FAIR)
        assert self.is_asked
        assert (self.entries, len(self.server)) == (before, there + arrives)
        self.answer(becomes)
        self.catch_up()
        fresh = {content for content in self.entries if self.entries[content] > before[content]}
        assert not fresh & stored, "known content came again"
        assert becomes is SeenState.DOUBTED or not fresh, "what the owner has seen came again"

    @rule(weather=weathers, hours=st.integers(0, 30))
    def poll(self, weather: Weather, hours: int) -> None:
        """One session, in any weather."""
        self.now += timedelta(hours=hours)
        if self.is_honest:
            weather = replace(weather, hidden=frozenset(), is_blank=False, order=None)
        try:
            self._session(weather)
        except Broken:
            self.tail = None

    @rule()
    def catch_up(self) -> None:
        """A day later, in fair weather: whatever hid a message until now, it comes."""
        self.now += plan.FULL_LISTING_EVERY
        while self._session(FAIR) or self.is_asked:
            self.answer(SeenState.DOUBTED)

        kept = self.entries.keys() | self.skipped
        assert {mail.content for mail in self.server} <= kept, "a message was lost"

    def teardown(self) -> None:
        """However it went, it ends well."""
        self.catch_up()

    # A session, as `bot.poll` makes it

    def _session(self, weather: Weather) -> bool:
        """Whether anything was to do."""
        if self.is_asked:
            return False
        numbered = list(self.server)
        if weather.order:
            weather.order.shuffle(numbered)
        found = self._probe(numbered)
        todo, tail = found or self._list(numbered, weather)
        self.is_asked = todo.asks
        self.watched, self.polled_at = watch_at(self.watched, self.polled_at, self.now), self.now
        assert list(todo.fetch) == sorted(todo.fetch, key=self._turn), "out of order"
        is_complete = self._fetch(numbered, todo.fetch, weather)
        self._delete(numbered, todo.delete, weather)
        self.tail, self.listed = tail if is_complete else None, todo.listed
        return bool(todo.fetch or todo.delete or todo.gone)

    def _probe(self, numbered: list[Mail]) -> tuple[plan.Plan, Tail | None] | None:
        due_until = self._due_until()
        due = any(
            row.is_settled and (row.settled_watch <= due_until or row.state is SeenState.DELETING)
            for row in self.rows.values()
            if row.state in {SeenState.KEPT, SeenState.DELETING}
        )
        tail = self.tail
        if tail is None or not plan.may_probe(tail, self.listed_at, self.now, has_deletions=due):
            return None
        uids = {number: self._uid(numbered, number) for number in plan.probe_numbers(tail)}
        fresh = plan.probed(tail, len(numbered), uids)
        if fresh is None:
            return None
        lines = plan.keyed([(number, numbered[number - 1].uid) for number in fresh])
        if any(line.is_ambiguous or line.key in self.rows for line in lines):
            return None
        self._check_probe(numbered, lines)
        todo = plan.Plan(lines, (), (), listed=len(numbered))
        return todo, (Tail(lines[-1].number, lines[-1].key) if lines else tail)

    def _check_probe(self, numbered: list[Mail], lines: tuple[plan.Listed, ...]) -> None:
        """Where every UID is one message's, the probe shows what the listing of a server that keeps to the rules would.

        Of twins, which bear one UID, it may miss one, or take it for the other: the daily listing counts them.
        """
        if len({mail.uid for mail in numbered}) < len(numbered):
            return
        everything = plan.keyed([(number, mail.uid) for number, mail in enumerate(numbered, 1)])
        whole = session_plan(everything, self._seen())
        if self.is_honest:
            assert lines == whole.fetch, "the probe hides a message"
            assert not whole.delete
            assert not whole.gone
        else:
            assert set(lines) <= set(whole.fetch), "the probe shows what is kept"

    def _list(
        self, numbered: list[Mail], weather: Weather, dies_after: int | None = None
    ) -> tuple[plan.Plan, Tail | None]:
        shown = [
            (number, mail.uid)
            for number, mail in enumerate(numbered, 1)
            if number - 1 not in weather.hidden and not weather.is_blank
        ]
        lines = plan.keyed(list(reversed(shown)))
        seen = self._seen()
        todo = session_plan(lines, seen, self.listed)
        for key in todo.gone:
            self.rows[key] = replace(self.rows[key], state=SeenState.DELETED)
        if todo.asks:
            keys = [key for some in plan.unknown_in_steps(lines, seen) for key in some]
            for key in keys[:dies_after]:
                self.rows[key] = Row(SeenState.ASKED)
        if dies_after is None:
            self.listed_at = self.now
        return todo, todo.tail

    def _turn(self, line: plan.Listed) -> tuple[bool, int]:
        """What failed time and again comes last."""
        row = self.rows.get(line.key)
        attempts = row.attempts if row is not None and row.state is SeenState.FAILED else 0
        return attempts >= plan.FAILURES_BEFORE_LAST, line.number

    def _fetch(self, numbered: list[Mail], lines: tuple[plan.Listed, ...], weather: Weather) -> bool:
        is_complete = True
        for place, line in enumerate(lines):
            content = numbered[line.number - 1].content
            if place == weather.breaks_at:
                self._fail(line.key, content, was_refused=False)
                raise Broken
            if place < weather.refused:
                is_complete &= self._fail(line.key, content, was_refused=True)
            else:
                self._keep(line.key, content, is_whole=True)
        return is_complete

    def _fail(self, key: bytes, content: int, *, was_refused: bool) -> bool:
        row = self.rows.setdefault(key, Row(SeenState.FAILED))
        self.rows[key] = replace(row, attempts=row.attempts + 1)
        if not plan.should_give_up(row.attempts + 1, was_refused=was_refused):
            return False
        self._keep(key, content, is_whole=False)
        self.carded.add(content)
        return True

    def _keep(self, key: bytes, content: int, *, is_whole: bool) -> None:
        row = self.rows.get(key, Row(SeenState.FAILED))
        assert row.state in {SeenState.FAILED, SeenState.DOUBTED, SeenState.DELETED}, (
            "fetched although it is kept"
        )
        if row.state is SeenState.DOUBTED and is_whole and content in self.stored:
            posted_at = self.now if content in self.posted else None
            self.rows[key] = Row(SeenState.KEPT, content, 0, is_whole, posted_at, self._watch())
            return
        if row.state is SeenState.DELETED and row.content == content and row.is_whole == is_whole:
            self.rows[key] = replace(row, state=SeenState.KEPT)  # the store knows it by its fingerprint
            return
        self.rows[key] = Row(SeenState.KEPT, content, row.attempts, is_whole)
        self.entries[content] += 1
        if is_whole:
            self.stored.add(content)

    def _delete(self, numbered: list[Mail], lines: tuple[plan.Listed, ...], weather: Weather) -> None:
        for line in lines:
            row = self.rows[line.key]
            assert row.is_settled, "DELE for what is not settled"
            assert self.retention is not Retention.LEAVE, "DELE where mail is left"
            if row.state is SeenState.KEPT and self.retention is Retention.DELETE_LATER:
                assert row.posted_at is not None
                assert self.now - row.posted_at >= timedelta(days=DELETE_DAYS), "DELE before its day"
            if self.retention is Retention.DELETE_ASKED:
                assert row.state is SeenState.DELETING, "DELE of what nobody asked for"
            assert numbered[line.number - 1].content in self.posted, "DELE for a message that is not in Slack"
            self.rows[line.key] = replace(row, state=SeenState.DELETING)
        if weather.quits:
            for line in lines:
                self.server.remove(numbered[line.number - 1])

    def _seen(self) -> dict[bytes, Seen]:
        return {key: row.seen(self._due_until()) for key, row in self.rows.items()}

    def _due_until(self) -> int:
        mailbox = replace(
            MAILBOX,
            retention=self.retention,
            delete_days=DELETE_DAYS,
            watched=self.watched,
            polled_at=self.polled_at,
        )
        return plan.due_until(mailbox, self.now)

    def _watch(self) -> int:
        return int(watch_at(self.watched, self.polled_at, self.now).total_seconds())

    @staticmethod
    def _uid(numbered: list[Mail], number: int) -> bytes | None:
        return numbered[number - 1].uid if number <= len(numbered) else None

    # Always

    @invariant()
    def nothing_comes_twice(self) -> None:
        """No more entries than messages: a card may stand beside the message that came after all."""
        for content, entries in self.entries.items():
            allowed = self.delivered[content] + self.renamed[content] + (content in self.carded)
            assert entries <= allowed, "a message came twice"

    @invariant()
    def nothing_is_gone_before_it_is_settled(self) -> None:
        """What is neither in Slack nor with us nor unwanted is still on the server."""
        there = {mail.content for mail in self.server}
        known = self.entries.keys() | self.skipped
        assert self.delivered.keys() <= there | known, "deleted and never seen"


TestMaildrops = Maildrops.TestCase
TestMaildrops.settings = settings(max_examples=200, stateful_step_count=25, deadline=None)
