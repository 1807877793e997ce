"""Who is told when a mailbox is removed of which something was open to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sqlalchemy

from storage.copied import Telling, TellingKind
from storage.records import Person
from storage.shares import Shares
from storage.sharing import Act, Audience, AudienceKind, AuditEntry, Level
from storage.sharing_tables import TellingRow
from storage.statements import plain
from storage.tables import EntryRow
from storage.tellings import Tellings
from tests.integration.storage.stores import LATER, NEW, NOW, OWNER, Stores
from tests.integration.storage.test_storage_shares import BOB, TEAM, posted, share, yes

if TYPE_CHECKING:
    from storage.sharing import Share

CHANNEL = Audience(AudienceKind.CHANNEL, "C1")
MEMBERS = Audience(AudienceKind.ROLE, "member")
CAROL = Audience(AudienceKind.PERSON, "U3")


async def opened(stores: Stores, *wanted: Share) -> None:
    """Shares of one mailbox."""
    await Shares(stores.database).open(OWNER, list(wanted), NOW, yes)


async def farewells(stores: Stores) -> dict[str, Telling]:
    """What each person and channel is told of mailboxes that are gone; once each, and held by no mailbox."""
    row, entry = plain(TellingRow), plain(EntryRow)
    joined = row.join(entry, entry.c.id == row.c.entry_id)
    query: Any = sqlalchemy.select(row.c.entry_id, row.c.person, entry.c.mailbox_id).select_from(joined)
    async with stores.database.read() as session:
        found = (await session.exec(query.where(row.c.kind == TellingKind.MAILBOX_DELETED.value))).all()
    assert len({each.person for each in found}) == len(found)
    assert {each.mailbox_id for each in found} <= {None}
    return {each.person: (await Tellings(stores.database).get(each.entry_id))[1] for each in found}


async def test_people_and_channels_are_told_once_that_a_mailbox_was_removed(stores: Stores) -> None:
    """However many shares they had; groups, roles and those whose share was over hear nothing."""
    claim = await stores.claimed()
    mailbox_id, message_id = claim.mailbox.id, await posted(stores, claim, b"u1")
    over = share(mailbox_id, CAROL, until=NOW + timedelta(minutes=1))
    wanted = [BOB, CHANNEL, TEAM, MEMBERS]
    await opened(stores, over, *(share(mailbox_id, each) for each in wanted))
    await opened(stores, share(mailbox_id, BOB, Level.SEE, message_id=message_id))

    await stores.holdings.remove(OWNER, mailbox_id, LATER)

    telling = Telling(TellingKind.MAILBOX_DELETED, who=OWNER.user, count=1)
    assert await farewells(stores) == {"U2": telling, "C1": telling}


async def test_an_administrator_s_removal_is_said_to_be_one(stores: Stores) -> None:
    """Who had it is told by whose hand it went."""
    mailbox_id = (await stores.claimed()).mailbox.id
    await opened(stores, share(mailbox_id, BOB))

    audit = AuditEntry(NOW, "T1", "U9", Act.MAILBOX_DELETED, OWNER.user, mailbox_id)
    await stores.holdings.remove(OWNER, mailbox_id, LATER, audit)

    assert (await farewells(stores))["U2"].why == "administrator"


async def test_who_erases_everything_is_not_named_to_anybody(stores: Stores) -> None:
    """One telling for all their mailboxes, without a word of whose they were."""
    first = await stores.mailboxes.add(NEW, NOW)
    second = await stores.mailboxes.add(replace(NEW, form_id="form-2"), NOW)
    await opened(stores, share(first.id, BOB), share(first.id, CHANNEL))
    await opened(stores, share(second.id, BOB))

    await stores.holdings.erase(OWNER, LATER, LATER)

    assert await farewells(stores) == {
        "U2": Telling(TellingKind.MAILBOX_DELETED, count=2),
        "C1": Telling(TellingKind.MAILBOX_DELETED, count=1),
    }


async def test_nothing_is_said_of_what_was_shared_with_nobody(stores: Stores) -> None:
    """Nor once more to whom an ended share had told it, nor to those who were erased themselves."""
    mailbox_id = (await stores.claimed()).mailbox.id
    shares = Shares(stores.database)
    (gone, _) = await shares.open(OWNER, [share(mailbox_id, BOB), share(mailbox_id, CAROL)], NOW, yes)
    await shares.end(gone.id, OWNER, NOW, Act.SHARE_REVOKED, yes)
    await stores.holdings.erase(Person("T1", "U3"), LATER, LATER)

    await stores.holdings.remove(OWNER, mailbox_id, LATER)

    assert await farewells(stores) == {}
