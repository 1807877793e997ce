"""Who may add a mailbox, how many, and to which servers: refused before the test and inside the transaction alike."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from bot import holding, pace
from bot.errors import NotAllowed
from bot.guard import Guard
from bot.holders import Holders
from bot.holding import Obstacle
from bot.mailboxes import Checked, Order, Registrar
from bot.slack.views.values import Report, outcome
from storage.old_mail import OldMails
from storage.records import OldMail, Retention, Security, ServerAddress
from storage.sharing import Act, Grant, GrantKind, Role, Subject, SubjectKind
from tests.integration.sharing.conftest import LUCIA, MARTA, WIDE
from tests.integration.storage.stores import NEW

if TYPE_CHECKING:
    from storage.records import Person, Profile
    from storage.sharing import AuditEntry
    from tests.integration.sharing.conftest import Office

CHECKED: Final = Checked(Report(outcome(()), messages=0), ())
PLAIN: Final = replace(NEW.profile, incoming=ServerAddress("pop.example.org", 110, Security.NONE))
GUESTS: Final = Subject(SubjectKind.ROLE, Role.MULTI_CHANNEL_GUEST)


@dataclass(frozen=True)
class Case:
    """Who wants what under which grant, and why that is refused."""

    who: Person
    profile: Profile
    grant: Grant
    why: Obstacle


CASES: Final = [
    Case(LUCIA, NEW.profile, Grant(GUESTS, GrantKind.PRIVATE, may_hold=False), Obstacle.GUEST),
    Case(MARTA, NEW.profile, replace(WIDE, may_hold=False), Obstacle.MAY_NOT_HOLD),
    Case(MARTA, NEW.profile, replace(WIDE, mailboxes=1), Obstacle.LIMIT),
    Case(MARTA, PLAIN, WIDE, Obstacle.PLAIN),
]
cases = pytest.mark.parametrize("case", CASES, ids=[case.why.value for case in CASES])


def unreached(*_: object) -> Any:
    """No server takes part in these tests."""
    raise AssertionError


def registrar_of(office: Office) -> Registrar:
    """As the bot builds it, under the grants of the office."""
    holders = Holders(
        office.people, office.grants, office.audits, is_exempt=lambda _: False, clock=office.clock
    )
    return Registrar(
        office.stores.mailboxes,
        office.stores.outbox,
        OldMails(office.stores.database),
        Guard(office.stores.attempts, is_exempt=lambda _: True, clock=office.clock),
        connect=unreached,
        submit=unreached,
        bounds=lambda _: pace.bounds(timedelta(minutes=5), None, is_exact=False),
        clock=office.clock,
        nudge=lambda: None,
        holders=holders,
    )


def order(profile: Profile) -> Order:
    """What a form asks for."""
    return Order(profile, NEW.passwords, Retention.LEAVE, None, OldMail.NONE, make_active=True)


async def refusals(office: Office) -> list[AuditEntry]:
    """What was refused."""
    return list(await office.audits.list(MARTA.workspace, act=Act.REFUSED, limit=9))


async def is_refused_once(office: Office, case: Case, before: int) -> None:
    """Nothing more is stored, and one line says who was refused what."""
    assert len(await office.stores.mailboxes.of(case.who)) == before
    (entry,) = await refusals(office)
    assert (entry.actor, entry.owner, entry.subject, entry.after) == (
        case.who.user,
        case.who.user,
        "mailbox",
        case.why,
    )


@cases
async def test_what_grants_forbid_is_refused_before_a_server_is_asked(office: Office, case: Case) -> None:
    """A guest, somebody without the right, one too many, a server without encryption: a sentence and one audit line."""
    before = len(await office.stores.mailboxes.of(case.who))
    await office.grant(case.grant)

    with pytest.raises(NotAllowed) as refused:
        await registrar_of(office).allow(case.who, case.profile)

    assert refused.value.sentence == holding.sentence(case.why, case.grant.mailboxes)
    await is_refused_once(office, case, before)


@cases
async def test_what_is_forbidden_meanwhile_is_refused_where_it_is_stored(office: Office, case: Case) -> None:
    """The grant was written while the servers were tested: nothing is stored, and it is noted just as well."""
    before = len(await office.stores.mailboxes.of(case.who))
    await office.grant(case.grant)

    with pytest.raises(NotAllowed) as refused:
        await registrar_of(office).add(case.who, order(case.profile), CHECKED, "form")

    assert refused.value.sentence == holding.sentence(case.why, case.grant.mailboxes)
    await is_refused_once(office, case, before)


async def test_a_server_without_encryption_is_used_where_a_grant_allows_it(office: Office) -> None:
    """Allowed before the test and where it is stored, without a line of refusal."""
    await office.grant(replace(WIDE, allows_plain=True))
    registrar = registrar_of(office)

    await registrar.allow(MARTA, PLAIN)
    added = await registrar.add(MARTA, order(PLAIN), CHECKED, "form")

    assert (await office.stores.mailbox(added.id, MARTA)).profile.incoming.security is Security.NONE
    assert await refusals(office) == []


async def test_a_mailbox_is_changed_to_no_server_without_encryption(office: Office) -> None:
    """It keeps the servers it has, and the try is noted."""
    with pytest.raises(NotAllowed):
        await registrar_of(office).allow(MARTA, PLAIN, office.mailbox_id)

    assert (await office.stores.mailbox(office.mailbox_id, MARTA)).profile.incoming == NEW.profile.incoming
    assert [entry.after for entry in await refusals(office)] == [Obstacle.PLAIN]


async def test_one_more_active_mailbox_than_none_is_refused(office: Office) -> None:
    """Where administrators allow no active mailbox; it stays as it is, and the line names it."""
    second = replace(NEW, owner=MARTA, form_id="form-2", make_active=False)
    other = await office.stores.mailboxes.add(second, office.clock())
    await office.grant(replace(WIDE, active=0))

    with pytest.raises(NotAllowed) as refused:
        await registrar_of(office).activate(MARTA, other.id)

    assert refused.value.sentence == holding.sentence(Obstacle.NONE_ACTIVE)
    assert not (await office.stores.mailbox(other.id, MARTA)).is_active
    assert [(entry.mailbox_id, entry.after) for entry in await refusals(office)] == [
        (other.id, Obstacle.NONE_ACTIVE)
    ]


@pytest.mark.parametrize("most", [1, 3, None])
async def test_a_form_is_told_how_many_may_be_active(office: Office, most: int | None) -> None:
    """By the grants of the person who opens it; while Slack does not say who that is, one."""
    await office.grant(replace(WIDE, active=most))
    registrar = registrar_of(office)

    assert await registrar.most_active(MARTA) == most
    office.people.forget(MARTA.user)
    office.silence()
    assert await registrar.most_active(MARTA) == 1
