"""Every role, level and act of others, with everything that may change while a view is open: never more than is right."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

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
from bot.mail.renderer import Renderer
from bot.mail_posts import MailPosts
from bot.managing import Managing
from bot.pace import Pace
from bot.rechecking import Rechecker
from bot.sharing import Sharing
from bot.slack.client import SlackClient, web_client
from bot.slack.people import People
from bot.suspending import Suspending
from bot.viewing import Viewing
from storage.audits import Audits
from storage.copies import Copies
from storage.database import Database
from storage.grants import Grants
from storage.rules import Rules
from storage.shares import Shares
from storage.sharing import Level, Role, Subject, SubjectKind
from storage.surveys import Surveys
from storage.suspension import Suspensions
from storage.tellings import Tellings
from storage.vault import MasterKeys, Vault, new_master_key
from tests.integration.people.scripted import Scripted
from tests.integration.storage.stores import Stores
from tests.integration.viewing.rights_acts import ACTS, Tried, Walk, may
from tests.integration.viewing.rights_world import (
    CHANGES,
    LEVELS,
    SPARE,
    TEAM,
    VIEWER,
    Change,
    Clock,
    Hands,
    Rows,
    Template,
    Town,
    settled,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.integration.viewing.rights_world import Box

pytestmark = pytest.mark.asyncio(loop_scope="module")

PACE: Final = Pace(timedelta(minutes=5), timedelta(minutes=30), timedelta(0))
NOBODY: Final = "nobody"
ADMINISTRATOR: Final = "administrator"
HIGHER: Final = "higher"
OF_SPARE: Final = Subject(SubjectKind.PERSON, SPARE.user)
OF_OWNERS: Final = Subject(SubjectKind.ROLE, Role.OWNER)


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
async def ground(sqlite_template: Path, folder: Path) -> AsyncIterator[Ground]:
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
    renderer = Renderer(children=1)
    async with aiohttp.ClientSession() as session:
        yield Ground(template, town, SlackClient(web_client("xoxb-t", url, 10), session), renderer, vault)
    await renderer.close()
    await runner.cleanup()


async def _unchecked(**_: Any) -> None:
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
    suspending = Suspending(
        workspace=TEAM,
        shares=shares,
        grants=grants,
        surveys=surveys,
        suspensions=suspensions,
        people=people,
        clock=clock,
    )
    rechecker = Rechecker(
        workspace=TEAM,
        shares=shares,
        grants=grants,
        copies=copies,
        suspending=suspending,
        posts=posts,
        people=people,
        clock=clock,
    )
    administrators = Administrators(people, audits, workspace=TEAM, clock=clock)
    kept = Kept(stores.messages, ground.renderer)
    return Walk(
        clock=clock,
        viewing=Viewing(door, shares, people, copies=copies, mailboxes=stores.mailboxes, kept=kept),
        managing=Managing(
            door, stores.mailboxes, Rules(database, vault), bounds=lambda _: PACE, nudge=lambda: None
        ),
        sharing=Sharing(
            shares=shares,
            grants=grants,
            copies=copies,
            audits=audits,
            mailboxes=stores.mailboxes,
            people=people,
            rechecker=rechecker,
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
        template=ground.template,
    )


async def _opened(walk: Walk, boxes: list[Box]) -> None:
    """The viewer opens what they may, so that Slack's answers of before are known as well."""
    for box in boxes:
        if box.level > Level.NONE:
            assert (await walk.viewing.page(VIEWER, box.read_id)).level > Level.NONE


async def _try(walk: Walk, tried: Tried, box: Box, rows: Rows, *, may: bool) -> str:
    """What is wrong with one act; "" where nothing is."""
    rows.forget_audit()
    before = None if may else rows.all()
    is_refused = False
    try:
        done = bool(await tried.do(walk, box))
    except (NotAllowed, NotKnown):
        done, is_refused = False, True
    if tried.name == "muted" and not is_refused:
        done = True
    if done and not may:
        return "wrong allow"
    if may and not done and tried.name != "lift":
        return "wrong refusal"
    if may:
        return ""
    if rows.all() != before:
        return "left an effect"
    if tried.is_noted and not (is_refused and rows.refusals() == 1):
        return "not in the audit"
    return ""


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
            for tried in (each for each in ACTS if each.is_fresh is is_fresh):
                trouble = await _try(walk, tried, box, rows, may=may(tried, role, box.level, change))
                wrong += [f"{tried.name} at {box.level.name}: {trouble}"] if trouble else []
                cells[box.level] += 1
    return wrong, cells


def _cleared(folder: Path) -> None:
    """Ready for the next walk."""
    for each in folder.glob("walk.db*"):
        each.unlink()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change.name}-{change.kind}")
@pytest.mark.parametrize("role", Role)
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
    assert cells == dict.fromkeys(LEVELS, len(ACTS))


async def test_the_walk_leaves_nothing_out() -> None:
    """Six roles, five levels, every act of others and at least eight changes."""
    cells = len(Role) * len(LEVELS) * len(ACTS) * len(CHANGES)

    assert len({change.name for change in CHANGES}) > 8
    assert cells >= 6 * 5 * len(ACTS) * 8, cells
