"""Every role, level and act of others, with everything that may change while a view is open: never more than is right."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aiohttp
import pytest
import pytest_asyncio

from bot.administration import Administration
from bot.administrators import Administrators
from bot.copies import CopyPosts
from bot.door import Door
from bot.errors import NotAllowed, NotKnown
from bot.inspection import Inspection
from bot.judging import Judge
from bot.kept import Kept
from bot.mail import providers
from bot.mail_posts import MailPosts
from bot.managing import Managing
from bot.pace import Pace
from bot.saving import Saving
from bot.sending import Sending
from bot.sending_errors import NoSuchOutgoing
from bot.sending_rights import SendingRights
from bot.sharing import Sharing
from bot.slack.client import SlackClient, web_client
from bot.slack.mentions import Names
from bot.slack.people import People
from bot.viewing import Viewing
from storage.audits import Audits
from storage.copies import Copies
from storage.database import Database
from storage.grants import Grants
from storage.outgoing import Outgoings
from storage.rules import Rules
from storage.shares import Shares
from storage.sharing import Level, Role
from storage.surveys import Surveys
from storage.suspension import Suspensions
from storage.tellings import Tellings
from storage.vault import MasterKeys, Vault, new_master_key
from tests.integration.people.scripted import Scripted
from tests.integration.storage.stores import Stores
from tests.integration.viewing.rights_acts import ACTS, Tried, Walk, may
from tests.integration.viewing.rights_stock import settled
from tests.integration.viewing.rights_world import (
    CHANGES,
    LEVELS,
    ONCE,
    TEAM,
    VIEWER,
    Change,
    Clock,
    Hands,
    Rows,
    Template,
    Town,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from bot.mail.renderer import Renderer
    from bot.rechecking import Cause
    from tests.integration.viewing.rights_world import Box

pytestmark = pytest.mark.asyncio(loop_scope="module")

PACE: Final = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))
WALKS: Final = (*((role, change) for role in Role for change in CHANGES), *ONCE)


@dataclass(frozen=True)
class Ground:
    """What all walks stand on."""

    template: Template
    town: Town
    slack: SlackClient
    renderer: Renderer
    vault: Vault


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """In memory where the system has such a place: every commit is synced, and there are thousands."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(sqlite_template: Path, folder: Path, lasting_renderer: Renderer) -> AsyncIterator[Ground]:
    """A database with everything in it, and a Slack whose answers can be switched."""
    path = folder / "mailbox.db"
    shutil.copy(sqlite_template, path)
    vault, town, scripted = Vault(MasterKeys.parse(new_master_key())), Town(), Scripted()
    town.script(scripted)
    database = await Database.open(f"sqlite:///{path}")
    try:
        template = await settled(
            database, vault, path, Shares(database), (Grants(database), Copies(database))
        )
    finally:
        await database.close()
    runner, url = await scripted.start()
    async with aiohttp.ClientSession() as session:
        yield Ground(
            template, town, SlackClient(web_client("xoxb-t", url, 10), session), lasting_renderer, vault
        )
    await runner.cleanup()


async def _unchecked(_: Cause) -> None:
    """Nothing is cut after a grant: the decisions must hold without it."""


def _walk(ground: Ground, database: Database, path: Path, clock: Clock) -> Walk:
    vault, stores = ground.vault, Stores.on(database, ground.vault, path.parent)
    shares, grants, copies, audits = Shares(database), Grants(database), Copies(database), Audits(database)
    suspensions, surveys = Suspensions(database), Surveys(database, vault)
    people = People(ground.slack, TEAM, clock)
    judge = Judge(people, clock)
    door = Door(shares, judge, audits, clock=clock)
    posts = CopyPosts(
        copies,
        Tellings(database),
        shares,
        stores.mailboxes,
        mails=MailPosts(stores.messages, ground.renderer),
        judge=judge,
        people=people,
        clock=clock,
    )
    administrators = Administrators(people, audits, workspace=TEAM, clock=clock)
    kept = Kept(stores.messages, ground.renderer)
    return Walk(
        clock=clock,
        people=people,
        viewing=Viewing(door, shares, people, copies=copies, mailboxes=stores.mailboxes, kept=kept),
        managing=Managing(
            door,
            stores.mailboxes,
            Rules(database, vault),
            providers.load(),
            bounds=lambda _: PACE,
            nudge=lambda: None,
        ),
        sharing=Sharing(
            shares=shares,
            grants=grants,
            copies=copies,
            audits=audits,
            mailboxes=stores.mailboxes,
            people=people,
            clock=clock,
        ),
        posts=posts,
        copies=copies,
        grants=grants,
        administration=Administration(
            administrators, people, grants, shares, surveys, recheck=_unchecked, clock=clock
        ),
        inspection=Inspection(
            administrators,
            surveys=surveys,
            suspensions=suspensions,
            holdings=stores.holdings,
            audits=audits,
            providers=providers.load(),
            clock=clock,
        ),
        sending=_sending(ground, door, shares, people, stores),
        template=ground.template,
    )


def _sending(ground: Ground, door: Door, shares: Shares, people: People, stores: Stores) -> Sending:
    kept, outgoings = Kept(stores.messages, ground.renderer), Outgoings(stores.database, ground.vault)
    rights = SendingRights(door, shares, people, mailboxes=stores.mailboxes, kept=kept)
    saving = Saving(outgoings, stores.attempts, rights, Names(ground.slack, people))
    return Sending(rights, saving, outgoings, stores.mailboxes, kept=kept, slack=ground.slack)


async def _opened(walk: Walk, boxes: list[Box]) -> None:
    """The viewer opens what is theirs to manage, so that Slack's answers of before are known as well."""
    (box,) = [each for each in boxes if each.level is Level.MANAGE]
    assert (await walk.viewing.page(VIEWER, box.read_id)).level > Level.NONE


async def _try(walk: Walk, tried: Tried, box: Box, rows: Rows, *, may: bool) -> str:
    """What is wrong with one act; "" where nothing is."""
    rows.forget_audit()
    is_refused = False
    try:
        done = bool(await tried.do(walk, box))
    except (NotAllowed, NotKnown, NoSuchOutgoing):
        done, is_refused = False, True
    if tried.name == "muted" and not is_refused:
        done = True
    if done and not may:
        return "wrong allow"
    if may and not done and tried.name != "lift":
        return "wrong refusal"
    if not may and tried.is_noted and not (is_refused and rows.refusals() == 1):
        return "not in the audit"
    return ""


async def _tried_at(walk: Walk, rows: Rows, box: Box, acts: Mapping[Tried, bool]) -> list[str]:
    """What is wrong with acts on one mailbox; those that may not be come first, and together leave no effect."""
    wrong, before = list[str](), rows.all()
    for tried in sorted(acts, key=acts.__getitem__):
        if acts[tried] and before:
            wrong += ["refusals left an effect"] if rows.all() != before else []
            before = []
        trouble = await _try(walk, tried, box, rows, may=acts[tried])
        wrong += [f"{tried.name}: {trouble}"] if trouble else []
    if before and rows.all() != before:
        wrong.append("refusals left an effect")
    return [f"{each} at {box.level.name}" for each in wrong]


async def _walked(  # noqa: PLR0917 - one walk needs all of them
    walk: Walk, rows: Rows, database: Database, role: Role, change: Change, town: Town
) -> tuple[list[str], Counter[Level]]:
    """What is wrong after a change, and how many acts were tried at each level."""
    boxes = [box for box in walk.template.boxes if box.kind is change.kind]
    hands = Hands(town, Shares(database), walk.grants, Suspensions(database), walk.clock)
    await _opened(walk, boxes)
    await hands.make(change, boxes)
    wrong, cells = list[str](), Counter[Level]()
    for is_fresh in (True, False):
        walk.clock.now += timedelta(seconds=6) if is_fresh else timedelta(minutes=6)
        for box in boxes:
            hour = box.level is _office_hour(role, change)
            acts = {
                tried: may(tried, role, box.level, change)
                for tried in ACTS
                if tried.is_fresh is is_fresh and (hour or not tried.is_of_office)
            }
            wrong += await _tried_at(walk, rows, box, acts)
            cells[box.level] += len(acts)
    return wrong, cells


def _office_hour(role: Role, change: Change) -> Level:
    """At which level the acts of administrators are tried, once in each walk and every time with another mailbox."""
    return LEVELS[(list(Role).index(role) + [walk for _, walk in WALKS].index(change)) % len(LEVELS)]


def _cleared(folder: Path) -> None:
    """Ready for the next walk."""
    for each in folder.glob("walk.db*"):
        each.unlink()


@pytest.mark.parametrize(
    ("role", "change"), WALKS, ids=[f"{role}-{change.name}-{change.kind}" for role, change in WALKS]
)
async def test_nobody_ever_gets_more_than_is_theirs(
    ground: Ground, folder: Path, role: Role, change: Change
) -> None:
    """At every level every act does exactly what is right after the change; a refusal leaves a line and no effect."""
    path, clock = folder / "walk.db", Clock(ground.template.now + timedelta(minutes=1))
    shutil.copy(ground.template.path, path)
    vars(ground.town).update(vars(Town(role=role)))
    database = await Database.open(f"sqlite:///{path}")
    rows = Rows(path)
    try:
        walk = _walk(ground, database, path, clock)
        wrong, cells = await _walked(walk, rows, database, role, change, ground.town)
    finally:
        rows.connection.close()
        await database.close()
        _cleared(folder)

    assert not wrong
    of_office = sum(tried.is_of_office for tried in ACTS)
    expected = dict.fromkeys(LEVELS, len(ACTS) - of_office)
    assert cells == expected | {_office_hour(role, change): len(ACTS)}


async def test_the_walk_leaves_nothing_out() -> None:
    """Six roles, five levels, every act of others and at least eight changes; administrators' acts at every level too."""
    names = {change.name for change in CHANGES}
    hours = {role: {_office_hour(role, change) for change in CHANGES} for role in Role}

    assert len(names) > 8
    assert len(names | {change.name for _, change in ONCE}) == 15
    assert len(WALKS) == len(Role) * len(CHANGES) + len(ONCE)
    assert all(levels == set(LEVELS) for levels in hours.values())
