"""Ids come from payloads, and whoever sends one could write anything into it: no store finds it, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage.answers import Answers
from storage.audits import Audits
from storage.errors import NotFound
from storage.managing import Manager
from storage.marks import Marks
from storage.old_mail import OldMails
from storage.rules import Rules
from storage.shares import Shares
from storage.sharing import Act
from storage.surveys import Surveys
from storage.suspension import Suspensions
from tests.integration.storage.stores import NEW, NOW, OWNER, Stores

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from storage.vault import Vault

FORGED = pytest.mark.parametrize(
    "found", ["", "\0", "a\ud800", "x" * 3000, "é\u202e"], ids=["none", "nul", "half", "long", "marks"]
)


def _yes(_: object) -> bool:
    return True


MANAGER = Manager(OWNER, NOW, _yes)

USES: dict[str, Callable[[Stores, Vault, str], Awaitable[object]]] = {
    "mailbox": lambda stores, _, found: stores.mailboxes.get(OWNER, found),
    "pause": lambda stores, _, found: stores.mailboxes.pause(OWNER, found, NOW, None),
    "count": lambda stores, _, found: stores.holdings.count(OWNER, found),
    "remove": lambda stores, _, found: stores.holdings.remove(OWNER, found, NOW),
    "standing": lambda stores, _, found: Marks(stores.database).standing(OWNER, found),
    "mark": lambda stores, _, found: Marks(stores.database).mark(OWNER, found, NOW),
    "delete": lambda stores, _, found: Answers(stores.database).delete(OWNER, found, NOW),
    "stop": lambda stores, _, found: OldMails(stores.database).stop(OWNER, found, NOW),
    "rule": lambda stores, vault, found: Rules(stores.database, vault).remove(OWNER, found),
    "facts": lambda stores, _, found: Shares(stores.database).facts(found),
    "message": lambda stores, _, found: Shares(stores.database).facts_of_message(found),
    "revoke": lambda stores, _, found: Shares(stores.database).end(
        found, OWNER, NOW, Act.SHARE_REVOKED, _yes
    ),
    "lift": lambda stores, _, found: Suspensions(stores.database).lift("T1", found, OWNER, NOW, _yes),
}


@FORGED
@pytest.mark.parametrize("use", USES)
async def test_what_is_no_id_is_not_found(stores: Stores, vault: Vault, use: str, found: str) -> None:
    """A database would refuse some of it as no text at all, which would be our fault and not theirs."""
    await stores.mailboxes.add(NEW, NOW)

    with pytest.raises(NotFound):
        await USES[use](stores, vault, found)


@FORGED
async def test_a_rule_that_is_none_is_not_found_by_a_manager(
    stores: Stores, vault: Vault, found: str
) -> None:
    """The same within a mailbox that they manage."""
    mailbox = await stores.mailboxes.add(NEW, NOW)

    with pytest.raises(NotFound):
        await Rules(stores.database, vault).remove_from(OWNER, mailbox.id, found, MANAGER)


@FORGED
async def test_nothing_follows_what_is_no_id(stores: Stores, vault: Vault, found: str) -> None:
    """Lists go on behind an entry, a message, a page: there is none behind what never was."""
    mailbox = await stores.mailboxes.add(NEW, NOW)

    assert await Shares(stores.database).messages(mailbox.id, 10, before=found) == []
    assert list(await Audits(stores.database).list("T1", before=found, limit=10)) == []
    assert list(await Audits(stores.database).list("T1", actor=found, limit=10)) == []
    assert await Surveys(stores.database, vault).one("T1", found) is None


async def test_a_number_beyond_all_entries_is_none(stores: Stores) -> None:
    """One with more digits than a database counts."""
    assert list(await Audits(stores.database).list("T1", before="9" * 40, limit=10)) == []
