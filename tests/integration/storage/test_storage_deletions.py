"""Which messages are deleted from their server, and what is known of them afterwards."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from storage.errors import NotFound
from storage.records import Retention, Seen, SeenState
from tests.integration.storage.stores import NEW, OWNER, Stores

if TYPE_CHECKING:
    from storage.records import Claim
from tests.integration.storage.test_storage_messages import ALWAYS, KEPT, settled


async def test_only_settled_messages_are_deleted(stores: Stores) -> None:
    """One UID whose post is not in Slack keeps the whole intent from being written."""
    claim = await stores.claimed(replace(NEW, skip=(b"u3",)))
    await settled(stores, claim, b"u1")
    await stores.keep(claim, b"u2")

    for uids in ([b"u1", b"u2"], [b"u1", b"u3"], [b"u1", b"never"]):
        with pytest.raises(NotFound):
            await stores.messages.mark_deleting(claim, uids)

    seen = await stores.messages.seen(claim.mailbox.id)
    assert seen[b"u1"] == Seen(SeenState.KEPT, 0, is_settled=True)


async def test_deletion_passes_its_states(stores: Stores) -> None:
    """Settled, being deleted, still listed and asked again, gone."""
    claim = await stores.claimed()
    assert not await stores.messages.has_deletions(claim, ALWAYS)
    await settled(stores, claim, b"u1")
    states = []

    for step in (
        stores.messages.mark_deleting(claim, [b"u1"]),
        stores.messages.mark_deleting(claim, [b"u1", b"u1"]),
        stores.messages.confirm_deleted(claim, [b"u1", b"never"]),
    ):
        assert await stores.messages.has_deletions(claim, ALWAYS)
        await step
        states.append((await stores.messages.seen(claim.mailbox.id))[b"u1"].state)

    assert states == [SeenState.DELETING, SeenState.DELETING, SeenState.DELETED]
    assert not await stores.messages.has_deletions(claim, ALWAYS)


async def test_gone_without_our_asking_is_not_deleted(stores: Stores) -> None:
    """Only what was being deleted can be confirmed as deleted."""
    claim = await stores.claimed()
    await settled(stores, claim, b"u1")

    await stores.messages.confirm_deleted(claim, [b"u1"])

    assert (await stores.messages.seen(claim.mailbox.id))[b"u1"].state is SeenState.KEPT


async def test_leaving_mailbox_has_only_begun_deletions(stores: Stores) -> None:
    """Where mail is left on the server there is no deletion work, but what was begun is followed up."""
    claim = await stores.claimed(replace(NEW, retention=Retention.LEAVE))
    await settled(stores, claim, b"u1")
    assert not await stores.messages.has_deletions(claim)

    await stores.messages.mark_deleting(claim, [b"u1"])

    assert await stores.messages.has_deletions(claim)


async def deleted(stores: Stores) -> Claim:
    """A mailbox with one message that was posted and deleted on the server."""
    claim = await stores.claimed()
    await stores.keep(claim, b"u1", b"first")
    await settled(stores, claim)
    await stores.messages.mark_deleting(claim, [b"u1"])
    await stores.messages.confirm_deleted(claim, [b"u1"])
    return claim


async def test_deleted_message_that_returns_is_not_posted_again(stores: Stores) -> None:
    """A deleted message that the server lists again is recognised by its content."""
    claim = await deleted(stores)

    assert not await stores.keep(claim, b"u1", b"first")

    assert await stores.messages.seen(claim.mailbox.id) == {b"u1": Seen(SeenState.KEPT, 1, is_settled=True)}
    assert await stores.outbox.waiting(OWNER) == {}


async def test_reused_uid_is_another_message(stores: Stores) -> None:
    """A server that gives a deleted message's UID to a new one loses nobody's mail, and no deletion comes early."""
    claim = await deleted(stores)

    assert await stores.keep(claim, b"u1", b"second")

    assert await stores.messages.seen(claim.mailbox.id) == {b"u1": KEPT}
    entry = await stores.head(await stores.dm())
    assert entry.message_id is not None
    assert (await stores.messages.load(entry.message_id))[1] == b"second"
