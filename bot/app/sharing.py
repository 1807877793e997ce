"""The use cases of what is shared with others, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.administration import Administration
from bot.administrators import Administrators
from bot.app.ground import Ground, now
from bot.copies import CopyPosts
from bot.door import Door
from bot.front import Front
from bot.inspection import Inspection
from bot.judging import Judge
from bot.kept import Kept
from bot.mail_posts import MailPosts
from bot.managing import Managing
from bot.rechecking import Rechecker
from bot.runner import Runner, Sweep
from bot.sharing import Sharing
from bot.slack.grant_drafts import GrantDrafts
from bot.slack.listeners.office import Office
from bot.slack.listeners.reception import Reception
from bot.spreading import Spreader
from bot.suspending import Suspending
from bot.viewing import Viewing
from bot.withdrawal import Withdrawing
from storage.audits import Audits
from storage.copies import Copies
from storage.grants import Grants
from storage.rules import Rules
from storage.shares import Shares
from storage.spreading import Spreading
from storage.surveys import Surveys
from storage.suspension import Suspensions
from storage.tellings import Tellings
from storage.withdrawals import Withdrawals

if TYPE_CHECKING:
    from bot.slack.client import SlackClient
    from bot.slack.people import People

WITHDRAW_SECONDS = 1
"""How often copies are looked for that are to be called back."""

AUDIT_SECONDS = 3_600
"""How often entries of the audit are forgotten that are older than a year."""

SHARE_SECONDS = 5
"""How often shares are looked for whose day is over, and what may have changed without an event."""

SPREAD_SECONDS = 5
"""How often channels are looked for that new mail is to come into."""


def copies_of(ground: Ground, people: People) -> CopyPosts:
    """What is posted for others than the owner."""
    database = ground.database
    return CopyPosts(
        Copies(database),
        Tellings(database),
        Shares(database),
        ground.mailboxes,
        mails=MailPosts(ground.messages, ground.renderer),
        judge=Judge(people, now),
        people=people,
        clock=now,
    )


def sharing_sweeps(ground: Ground, slack: SlackClient, people: People, rechecker: Rechecker) -> list[Sweep]:
    """What ends shares in time, calls copies back, brings mail into channels and forgets old audit entries."""
    database = ground.database
    withdrawing = Withdrawing(Withdrawals(database), slack, clock=now, stopping=ground.stopping)
    spreader = Spreader(
        Spreading(database),
        Copies(database),
        Grants(database),
        people,
        workspace=people.workspace,
        clock=now,
    )
    audits = Audits(database)

    async def forget() -> None:
        await audits.purge(now())

    return [
        Sweep("shares_ended", SHARE_SECONDS, rechecker.tick),
        Sweep("shares_checked", SHARE_SECONDS, rechecker.patrol),
        Sweep("withdrawals", WITHDRAW_SECONDS, withdrawing.work),
        Sweep("spreading", SPREAD_SECONDS, spreader.work),
        Sweep("audit", AUDIT_SECONDS, forget),
    ]


def reception_of(ground: Ground, runner: Runner, people: People) -> Reception:
    """What others may do with what was opened to them, and App Home."""
    shares, rules = Shares(ground.database), Rules(ground.database, ground.vault)
    door = Door(shares, Judge(people, now), Audits(ground.database), clock=now)
    return Reception(
        door,
        Viewing(
            door,
            shares,
            people,
            copies=Copies(ground.database),
            mailboxes=ground.mailboxes,
            kept=Kept(ground.messages, ground.renderer),
        ),
        Managing(door, ground.mailboxes, rules, ground.providers, bounds=ground.bounds, nudge=runner.nudge),
        Front(shares, Grants(ground.database), people, clock=now),
    )


def sharing_of(ground: Ground, people: People) -> Sharing:
    """What owners open to others."""
    database = ground.database
    return Sharing(
        shares=Shares(database),
        grants=Grants(database),
        copies=Copies(database),
        audits=Audits(database),
        mailboxes=ground.mailboxes,
        people=people,
        clock=now,
    )


def rechecker_of(ground: Ground, people: People) -> Rechecker:
    """What every change does to what is shared."""
    database = ground.database
    shares, grants = Shares(database), Grants(database)
    suspending = Suspending(
        workspace=people.workspace,
        shares=shares,
        grants=grants,
        surveys=Surveys(database, ground.vault),
        suspensions=Suspensions(database),
        people=people,
        clock=now,
    )
    return Rechecker(
        workspace=people.workspace,
        shares=shares,
        grants=grants,
        copies=Copies(database),
        suspending=suspending,
        posts=copies_of(ground, people),
        people=people,
        clock=now,
    )


def office_of(ground: Ground, people: People, rechecker: Rechecker) -> Office:
    """What administrators do."""
    database, audits = ground.database, Audits(ground.database)
    administrators = Administrators(people, audits, workspace=people.workspace, clock=now)
    surveys = Surveys(database, ground.vault)
    grants, shares = Grants(database), Shares(database)
    return Office(
        Administration(administrators, people, grants, shares, surveys, recheck=rechecker.recheck, clock=now),
        Inspection(
            administrators,
            surveys=surveys,
            suspensions=Suspensions(database),
            holdings=ground.holdings,
            audits=audits,
            providers=ground.providers,
            clock=now,
        ),
        GrantDrafts(now),
    )
