"""The acts of others that the walk over all rights tries, and who may do each of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bot import policy
from bot.filled import Filled
from bot.mail.letters import LetterKind
from bot.mail.special import Answer
from bot.offers import Wish
from bot.pace import Pace
from bot.slack.views.admin import AuditFilter
from storage.errors import NotFound
from storage.records import Retention
from storage.sending import OutgoingState
from storage.sharing import GrantKind, Level, Role, Subject, SubjectKind
from tests.integration.viewing.rights_stock import MEETING
from tests.integration.viewing.rights_world import (
    AUDIENCES,
    BODY,
    CHANNEL_ID,
    HOST,
    LEVELS,
    SPARE,
    TEAM,
    VIEWER,
    Change,
    Clock,
    Template,
    rightful,
    role_now,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.administration import Administration
    from bot.copies import CopyPosts
    from bot.inspection import Inspection
    from bot.managing import Managing
    from bot.sending import Sending
    from bot.sharing import Sharing
    from bot.slack.people import People
    from bot.viewing import Viewing
    from storage.copies import Copies
    from storage.grants import Grants
    from storage.sharing import Grant
    from tests.integration.viewing.rights_world import Box


PACE: Final = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))
NOBODY: Final = "nobody"
ANYBODY: Final = "anybody"
ADMINISTRATOR: Final = "administrator"
HIGHER: Final = "higher"
OF_SPARE: Final = Subject(SubjectKind.PERSON, SPARE.user)
OF_OWNERS: Final = Subject(SubjectKind.ROLE, Role.OWNER)


@dataclass(frozen=True)
class Walk:
    """The use cases on one copy of that database."""

    clock: Clock
    people: People
    viewing: Viewing
    managing: Managing
    sharing: Sharing
    posts: CopyPosts
    copies: Copies
    grants: Grants
    administration: Administration
    inspection: Inspection
    sending: Sending
    template: Template
    listed: list[set[str]] = field(default_factory=list)

    # Acts; each says whether it gave anything

    async def is_listed(self, box: Box) -> bool:
        """It is among what is shared with the viewer, who looks once."""
        if not self.listed:
            found = await self.viewing.shared_with(VIEWER)
            self.listed.append({each.mailbox_id for each in found.mailboxes})
        return box.id in self.listed[0]

    async def lists(self, box: Box) -> bool:
        """Its list of messages shows one."""
        return bool((await self.viewing.listing(VIEWER, box.id)).lines)

    async def reads(self, box: Box) -> bool:
        """The text of a message is shown."""
        return (await self.viewing.page(VIEWER, box.read_id)).page is not None

    async def delivers(self, box: Box, *, body: bool) -> bool:
        """A copy that was owed before is posted, with its text or without."""
        try:
            said = await self.posts.rendered(replace(self.template.entry, id=box.copy_id))
        except NotFound:  # called back with its share
            return False
        return BODY in repr(said) or not body

    async def keeps(self, box: Box) -> bool:
        """A copy that was posted with its text may stay, once Slack told that something changed."""
        self.people.forget(VIEWER.user, group=True, channel=CHANNEL_ID)
        self.people.forget(HOST.user)
        found = [each for each in await self.copies.of_mailbox(box.id) if each.entry_id == box.copy_id]
        if not found:  # called back with its share
            return False
        return bool(await self.posts.allows(replace(found[0], level=Level.OPEN)))

    async def unmutes(self, box: Box) -> bool:
        """A muted sender comes again."""
        rule = await self.managing.mute(VIEWER, box.id, "bob@third.example")
        await self.managing.unmute(VIEWER, box.id, rule.id)
        return True

    async def writes(self, subject: Subject, level: Level) -> bool:
        """A grant is written."""
        before = policy.standing(subject, await self.grants.all(TEAM))
        grant: Grant = replace(policy.NO_LIMIT, subject=subject, kind=GrantKind.CHOICE, level=level)
        _, is_done = await self.administration.write(VIEWER, subject, grant, before)
        return is_done

    async def takes_back(self) -> bool:
        """A grant is removed."""
        before = policy.standing(OF_SPARE, await self.grants.all(TEAM))
        _, is_done = await self.administration.write(VIEWER, OF_SPARE, None, before)
        return is_done

    async def begins(self, box: Box, kind: LetterKind) -> bool:
        """The form of a mail opens, with what is quoted and as whom it is sent."""
        message_id = None if kind is LetterKind.NEW else box.read_id
        return bool((await self.sending.started(VIEWER, kind, message_id, box.id)).sender.address)

    async def saves(self, box: Box, kind: LetterKind) -> bool:
        """A mail is saved that was written in a form opened before."""
        message_id = None if kind is LetterKind.NEW else box.read_id
        form = Filled(box.id, kind, message_id, "ada@elsewhere.example", "", "", "x", None)
        return bool((await self.sending.save(VIEWER, form, f"form-{kind}")).id)

    async def sends_again(self, box: Box) -> bool:
        """A mail of before that failed is tried once more."""
        found = await self.sending.send_again(VIEWER, box.failed_id)
        return found.state is OutgoingState.WAITING

    async def responds(self, box: Box) -> bool:
        """An invitation is accepted."""
        return bool((await self.sending.respond(VIEWER, box.read_id, MEETING, Answer.ACCEPTED)).id)

    def spare(self, box: Box) -> str:
        """A mailbox that administrators do as they like with."""
        return self.template.spares[LEVELS.index(box.level)]


@dataclass(frozen=True)
class Tried:
    """An act, who has a right to it, and how its refusal shows.

    Attributes:
        needs: a level, or a word for those whom no level makes one of.
        of_mail: it is about a message, or about one that would be sent, so that domains count.
        is_noted: a refusal is a line in the audit; else less is shown, or the bot itself gives up.
        is_fresh: Slack is asked again though it answered some seconds ago.
    """

    name: str
    needs: Level | str
    do: Callable[[Walk, Box], Awaitable[Any]]
    of_mail: bool = False
    is_noted: bool = True
    is_fresh: bool = True

    @property
    def is_of_office(self) -> bool:
        """Whether it is about no shared mailbox, so that it is the same at every level."""
        return self.needs in {ADMINISTRATOR, HIGHER}


def _tried(name: str, needs: Level | str, do: Callable[[Walk, Box], Awaitable[Any]], **more: bool) -> Tried:
    return Tried(name, needs, do, **more)


def _wish(box: Box) -> Wish:
    return Wish(box.id, (AUDIENCES[box.kind],), Level.SEE)


def _share_id(walk: Walk, box: Box) -> str:
    """That of the mailbox, or any other where it has none."""
    return next(each.share.id for each in (box, *walk.template.boxes) if each.share is not None)


def _begins(kind: LetterKind, walk: Walk, box: Box) -> Awaitable[bool]:
    return walk.begins(box, kind)


ACTS: Final = (
    _tried("page", Level.SEE, lambda w, b: w.viewing.page(VIEWER, b.read_id), of_mail=True),
    _tried("text", Level.OPEN, lambda w, b: w.reads(b), of_mail=True, is_noted=False),
    _tried("fields", Level.OPEN, lambda w, b: w.viewing.fields(VIEWER, b.read_id), of_mail=True),
    _tried("sender", Level.MANAGE, lambda w, b: w.viewing.sender(VIEWER, b.read_id), of_mail=True),
    _tried("send_copy", Level.OPEN, lambda w, b: w.viewing.send_copy(VIEWER, b.read_id), of_mail=True),
    _tried("kept copy", Level.OPEN, lambda w, b: w.keeps(b), of_mail=True, is_noted=False),
    _tried("get", Level.MANAGE, lambda w, b: w.managing.get(VIEWER, b.id)),
    _tried("check", Level.MANAGE, lambda w, b: w.managing.check_now(VIEWER, b.id)),
    _tried("pause", Level.MANAGE, lambda w, b: w.managing.pause(VIEWER, b.id)),
    _tried("resume", Level.MANAGE, lambda w, b: w.managing.resume(VIEWER, b.id)),
    _tried(
        "retention",
        Level.MANAGE,
        lambda w, b: w.managing.set_retention(VIEWER, b.id, Retention.LEAVE, None),
    ),
    _tried("muted", Level.MANAGE, lambda w, b: w.managing.muted(VIEWER, b.id)),
    _tried("mute", Level.MANAGE, lambda w, b: w.managing.mute(VIEWER, b.id, "ada@third.example")),
    _tried("unmute", Level.MANAGE, lambda w, b: w.unmutes(b)),
    *(
        _tried(f"{kind} begun", Level.REPLY, partial(_begins, kind), of_mail=kind is not LetterKind.NEW)
        for kind in LetterKind
    ),
    _tried("new saved", Level.REPLY, lambda w, b: w.saves(b, LetterKind.NEW), of_mail=True),
    _tried("answer saved", Level.REPLY, lambda w, b: w.saves(b, LetterKind.REPLY), of_mail=True),
    _tried("sent again", Level.REPLY, lambda w, b: w.sends_again(b), of_mail=True),
    _tried("answer to an invitation", Level.REPLY, lambda w, b: w.responds(b), of_mail=True),
    _tried("their undo", NOBODY, lambda w, b: w.sending.undo(VIEWER, b.hosts_id)),
    _tried("own undo", ANYBODY, lambda w, b: w.sending.undo(VIEWER, b.failed_id)),
    _tried("open share", NOBODY, lambda w, b: w.sharing.open(VIEWER, _wish(b))),
    _tried("share sheet", NOBODY, lambda w, b: w.sharing.sheet(VIEWER, b.id)),
    _tried("revoke", NOBODY, lambda w, b: w.sharing.revoke(VIEWER, _share_id(w, b))),
    _tried("overview", ADMINISTRATOR, lambda w, _: w.administration.overview(VIEWER)),
    _tried("grant", ADMINISTRATOR, lambda w, b: w.writes(OF_SPARE, b.level)),
    _tried("grant removed", ADMINISTRATOR, lambda w, _: w.takes_back()),
    _tried("higher grant", HIGHER, lambda w, _: w.writes(OF_OWNERS, Level.MANAGE)),
    _tried("mailboxes", ADMINISTRATOR, lambda w, _: w.inspection.mailboxes(VIEWER, 0)),
    _tried("held", ADMINISTRATOR, lambda w, b: w.inspection.held(VIEWER, w.spare(b))),
    _tried("suspend", ADMINISTRATOR, lambda w, b: w.inspection.suspend(VIEWER, w.spare(b))),
    _tried("lift", ADMINISTRATOR, lambda w, b: w.inspection.lift(VIEWER, w.spare(b))),
    _tried("delete", ADMINISTRATOR, lambda w, b: w.inspection.delete(VIEWER, w.spare(b))),
    _tried("audit", ADMINISTRATOR, lambda w, _: w.inspection.audit(VIEWER, AuditFilter())),
    _tried("export", ADMINISTRATOR, lambda w, _: w.inspection.export(VIEWER, AuditFilter())),
    # Lists and deliveries go by answers of the last minutes, where no event said that something changed.
    _tried("shared", Level.SEE, lambda w, b: w.is_listed(b), is_noted=False, is_fresh=False),
    _tried("listing", Level.SEE, lambda w, b: w.lists(b), of_mail=True, is_noted=False, is_fresh=False),
    _tried(
        "card delivered",
        Level.SEE,
        lambda w, b: w.delivers(b, body=False),
        of_mail=True,
        is_noted=False,
        is_fresh=False,
    ),
    _tried(
        "text delivered",
        Level.OPEN,
        lambda w, b: w.delivers(b, body=True),
        of_mail=True,
        is_noted=False,
        is_fresh=False,
    ),
)


def may(tried: Tried, role: Role, level: Level, change: Change) -> bool:
    """Whether an act is rightful, as the specification says it."""
    if isinstance(tried.needs, Level):
        return rightful(role, level, change, of_mail=tried.of_mail) >= tried.needs
    if tried.needs == ANYBODY:
        return True
    now = role_now(role, change)
    highest = {Role.PRIMARY_OWNER, Role.OWNER}
    whom = {NOBODY: set[Role](), HIGHER: highest, ADMINISTRATOR: {*highest, Role.ADMIN}}
    return now in whom[tried.needs]
