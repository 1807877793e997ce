"""What is looked for every second of mail that is sent stays cheap however much lies in the tables."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from storage.database import Database
from tests.integration.storage.outgoing_scene import DUE, HELD, SENT, Scene, anybody
from tests.integration.storage.stores import LATER, NOW, OWNER, Stores
from tests.integration.storage.test_storage_plans import plan_of, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from storage.vault import Vault

SMALL = ("ix_outgoing_due", "ix_outgoing_leased", "ix_outgoing_under_way", "ix_outgoing_post_behind")
"""Partial indexes that hold what is under way alone: to walk one of them is to look at what is to be done."""


async def test_looks_for_mail_scan_no_table(sqlite_url: str, vault: Vault, tmp_path: Path) -> None:
    """Claiming, sending, telling and purging find their rows by an index."""
    database = await Database.open(sqlite_url)
    scene = await Scene.on(Stores.on(database, vault, tmp_path), vault)
    with recorded(database) as statements:
        await use_what_mail_needs(scene)

    async with database.read() as session:
        connection = await session.connection()
        plans = {statement: await plan_of(connection, statement, values) for statement, values in statements}
    await database.close()

    ours = {text: plan for text, plan in plans.items() if "outgoing" in text or "written_domain" in text}
    assert all(name in str(ours) for name in (*SMALL, "ix_outgoing_purgeable"))
    # What one look found is few; else it is what is under way that is walked.
    assert {
        step
        for plan in ours.values()
        for step in plan
        if step.startswith("SCAN") and "(subquery" not in step and not step.endswith(SMALL)
    } <= {"SCAN CONSTANT ROW", "SCAN first"}


async def use_what_mail_needs(scene: Scene) -> None:
    """One mail that is sent, one that is held and mended, one that is called back, and the posts of each."""
    await scene.save("f1")
    submission = await scene.claimed()
    await scene.submissions.renew(submission, LATER)
    await scene.submissions.octets(submission)
    await scene.submissions.intend(submission, DUE, anybody)
    await scene.submissions.settle(submission, SENT, DUE)
    held = await scene.save("f2")
    await scene.submissions.settle(await scene.claimed(), HELD, DUE)
    await scene.outgoings.mended(scene.mailbox.id, LATER)
    await scene.outgoings.undo(OWNER, held.id, LATER)
    await scene.submissions.release("w1", NOW)
    await scene.submissions.stock()
    await scene.posted()
    for post in (await scene.posts.behind(9))[0]:
        await scene.outgoings.of_entry(post.entry_id)
        await scene.posts.told(post.entry_id, post.changes)
    await scene.outgoings.new_domains(scene.mailbox.id, ["y.example"])
    await scene.outgoings.purge(LATER + timedelta(days=40), timedelta(days=30))
