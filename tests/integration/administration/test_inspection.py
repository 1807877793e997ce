"""What administrators see and do of mailboxes and of the audit, on both databases."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from bot.errors import NoSuchMailbox
from bot.inspection import SetAbove
from bot.sandbox.slack.people import TEAM_ID
from bot.slack import names
from bot.slack.views.admin import MAILBOXES_A_PAGE, AuditFilter, mailboxes_view, switched
from storage.records import Health
from storage.sharing import Act, AuditEntry, Level, Suspension
from storage.suspension import Suspensions
from tests.integration.administration.conftest import person, to_person
from tests.integration.storage.stores import NEW, OK, PROFILE

if TYPE_CHECKING:
    from tests.integration.administration.conftest import Place

AISHA, MARTA, KENJI = person("U0AISHA003"), person("U0MARTA004"), person("U0KENJI005")
INES, TOMASZ = person("U0INES0001"), person("U0TOMASZ02")


async def fail(place: Place, health: Health, failures: int) -> None:
    """The mailbox that is due fails."""
    claim = await place.stores.claim(place.clock())
    result = replace(OK, health=health, failures=failures, last_success_at=None, due_at=None)
    await place.stores.mailboxes.finish(claim, result)


async def test_the_worst_comes_first(place: Place) -> None:
    """Failing mailboxes stand before those that are well, whoever has them."""
    await place.mailbox(MARTA.user)
    await fail(place, Health.LOGIN_REFUSED, 7)
    await place.mailbox(KENJI.user)

    found, page, total = await place.inspection.mailboxes(AISHA, 0)

    assert (page, total) == (0, 2)
    assert [(each.owner, each.health, each.failures) for each in found] == [
        (MARTA.user, Health.LOGIN_REFUSED, 7),
        (KENJI.user, Health.NEW, 0),
    ]
    overview = await place.administration.overview(AISHA)
    assert (overview.counts.mailboxes, overview.counts.failing) == (2, 1)


async def test_neither_address_nor_name_is_shown(place: Place) -> None:
    """A mailbox is its owner, its server and its state."""
    await place.mailbox(MARTA.user)

    (state,), _, _ = await place.inspection.mailboxes(AISHA, 0)

    assert state.server == PROFILE.incoming.host
    assert PROFILE.address not in repr(state)
    assert PROFILE.name not in repr(state)


async def test_pages_go_through_all(place: Place) -> None:
    """Each mailbox stands on one page; a page beyond the last is the last."""
    for number in range(MAILBOXES_A_PAGE + 3):
        await place.mailbox(MARTA.user, str(number))

    first, _, total = await place.inspection.mailboxes(AISHA, 0)
    last, page, _ = await place.inspection.mailboxes(AISHA, 99)

    assert (total, page, len(last)) == (MAILBOXES_A_PAGE + 3, 1, 3)
    assert len({each.id for each in (*first, *last)}) == total


async def test_waiting_posts_are_counted(place: Place) -> None:
    """What is on its way to Slack is counted for each mailbox."""
    await place.mailbox(MARTA.user)
    claim = await place.stores.claim(place.clock())
    await place.stores.keep(claim, b"1")

    (state,), _, _ = await place.inspection.mailboxes(AISHA, 0)

    assert state.waiting == 1


async def test_a_suspended_mailbox_is_lifted_again(place: Place) -> None:
    """Suspending and lifting are recorded with who did it and whose it is."""
    mailbox = await place.mailbox(MARTA.user)

    suspended = await place.inspection.suspend(AISHA, mailbox.id)
    counts = (await place.administration.overview(AISHA)).counts
    lifted = await place.inspection.lift(AISHA, mailbox.id)

    assert (suspended.suspension, lifted.suspension) == (Suspension.ADMINISTRATOR, None)
    assert (counts.mailboxes, counts.suspended) == (1, 1)
    entries = [(entry.act, entry.actor, entry.owner) for entry in await place.audit()]
    assert entries == [
        (Act.MAILBOX_SUSPENDED, AISHA.user, MARTA.user),
        (Act.MAILBOX_LIFTED, AISHA.user, MARTA.user),
    ]


async def test_lifting_leaves_what_comes_of_the_role(place: Place) -> None:
    """What an administrator set is theirs to lift; what the owner's role did stays until that changes."""
    mailbox = await place.mailbox(MARTA.user)
    suspensions = Suspensions(place.stores.database)
    await suspensions.suspend(TEAM_ID, mailbox.id, Suspension.ROLE, None, place.clock(), lambda _: True)

    both = await place.inspection.suspend(AISHA, mailbox.id)
    lifted = await place.inspection.lift(AISHA, mailbox.id)

    assert (both.suspension, lifted.suspension) == (Suspension.ADMINISTRATOR, Suspension.ROLE)
    assert "still is suspended: its owner may not have a mailbox" in switched(lifted)


@pytest.mark.parametrize("is_first", [True, False])
async def test_what_a_higher_rank_suspended_an_admin_does_not_lift(place: Place, *, is_first: bool) -> None:
    """Whoever lifts needs the rank of the highest who suspended; the list says so, and the audit that it was tried."""
    mailbox = await place.mailbox(MARTA.user)
    for actor in (TOMASZ, AISHA) if is_first else (AISHA, TOMASZ):
        await place.inspection.suspend(actor, mailbox.id)

    (state,), _, _ = await place.inspection.mailboxes(AISHA, 0)
    with pytest.raises(SetAbove):
        await place.inspection.lift(AISHA, mailbox.id)

    shown = str(mailboxes_view([state], 0, 1))
    assert "somebody who ranks above you" in shown
    assert names.LIFT_MAILBOX not in shown
    assert (await place.shares.facts(mailbox.id)).suspension is Suspension.ADMINISTRATOR
    entry = (await place.audit())[-1]
    assert (entry.act, entry.actor, entry.subject) == (Act.REFUSED, AISHA.user, f"mailbox:{mailbox.id}")
    assert (await place.inspection.lift(INES, mailbox.id)).suspension is None


async def test_a_lifted_suspension_leaves_no_rank(place: Place) -> None:
    """What an admin suspends anew they lift themselves, whoever suspended it before."""
    mailbox = await place.mailbox(MARTA.user)
    await place.inspection.suspend(INES, mailbox.id)
    await place.inspection.lift(INES, mailbox.id)
    await place.inspection.suspend(AISHA, mailbox.id)

    assert (await place.inspection.lift(AISHA, mailbox.id)).suspension is None


async def test_a_deleted_mailbox_is_gone_with_its_shares(place: Place) -> None:
    """It is destroyed as by its owner's hand, and recorded without a name; a second press finds nothing."""
    mailbox = await place.mailbox(MARTA.user)
    await place.share(mailbox, to_person(KENJI.user), Level.OPEN)
    _, held = await place.inspection.held(AISHA, mailbox.id)

    owner, receipt = await place.inspection.delete(AISHA, mailbox.id)

    assert (owner, receipt.held) == (MARTA, held)
    assert await place.stores.mailboxes.of(MARTA) == []
    assert await place.shares.all_facts(TEAM_ID) == []
    entry = (await place.audit())[-1]
    assert (entry.act, entry.actor, entry.owner) == (Act.MAILBOX_DELETED, AISHA.user, MARTA.user)
    with pytest.raises(NoSuchMailbox):
        await place.inspection.delete(AISHA, mailbox.id)


async def test_mailboxes_of_other_workspaces_are_not_there(place: Place) -> None:
    """An id from elsewhere leads to nothing."""
    mailbox = await place.stores.mailboxes.add(replace(NEW, form_id="elsewhere"), place.clock())

    for act in (
        place.inspection.held,
        place.inspection.suspend,
        place.inspection.lift,
        place.inspection.delete,
    ):
        with pytest.raises(NoSuchMailbox):
            await act(AISHA, mailbox.id)
    assert (await place.inspection.mailboxes(AISHA, 0))[2] == 0


async def record(place: Place, count: int, subject: str = "role:member") -> None:
    """So many acts, one a minute."""
    for number in range(count):
        actor = (AISHA, MARTA)[number % 2].user
        await place.audits.add(
            AuditEntry(place.clock(), TEAM_ID, actor, Act.GRANT_SET, owner=KENJI.user, subject=subject)
        )


async def test_the_audit_is_paged_newest_first(place: Place) -> None:
    """Each entry stands on one page."""
    await record(place, 30)

    first, has_more = await place.inspection.audit(AISHA, AuditFilter())
    second, has_third = await place.inspection.audit(AISHA, AuditFilter(), first[-1].id)

    assert (len(first), has_more, len(second), has_third) == (25, True, 5, False)
    times = [entry.at for entry in (*first, *second)]
    assert times == sorted(times, reverse=True)


async def test_the_audit_is_narrowed(place: Place) -> None:
    """By who acted, whose mailbox, what was done and since when."""
    await record(place, 4)
    day = place.clock().date()

    for chosen, count in (
        (AuditFilter(actor=AISHA.user), 2),
        (AuditFilter(owner=KENJI.user), 4),
        (AuditFilter(owner=MARTA.user), 0),
        (AuditFilter(act=Act.GRANT_SET, since=day), 4),
        (AuditFilter(act=Act.REFUSED), 0),
        (AuditFilter(since=day + timedelta(days=1)), 0),
    ):
        found, _ = await place.inspection.audit(AISHA, chosen)
        assert len(found) == count, chosen


async def test_the_export_holds_what_the_filter_lets_through(place: Place) -> None:
    """All pages of it, and no cell is a formula."""
    await record(place, 40, subject="=1+1")

    octets, count, is_cut = await place.inspection.export(AISHA, AuditFilter(actor=MARTA.user))

    found = list(csv.reader(io.StringIO(octets.decode("utf-8-sig"), newline="")))
    assert (count, is_cut, len(found)) == (20, False, 21)
    assert {row[5] for row in found[1:]} == {"'=1+1"}
