"""A crash before and after every commit on a mail's path, and every act on somebody else's server, once each."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import replace
from typing import Final

import pytest

from bot.sandbox.slack.faults import Fault
from storage.mailboxes import Mailboxes
from storage.messages import Messages
from storage.outbox import Outbox
from storage.records import EntryState, Security
from tests.acceptance.exactly_once.crashing_bot import CRASHED, WATCHED, Orders
from tests.acceptance.exactly_once.stage import Stage, Unsettled
from tests.fakes.cutting_proxy import Fate

STORES: Final = (Mailboxes, Messages, Outbox)
MAILBOXES: Final = 4
"""In turn, so that a DM which waits for its look-up holds up no other crash."""

OWNERS: Final = frozenset(
    {
        "add",
        "change",
        "change_outgoing_password",
        "set_sending",
        "activate",
        "pause",
        "resume",
        "check_now",
        "remove",
        "change_retention",
    }
)
"""Writes at a person's word: they bring no mail, and who sees no answer gives the word again."""

RECORDED: Final = tuple(state for state in EntryState if state not in {EntryState.GIVEN_UP, EntryState.MUTED})
"""Given up is what Slack refuses for good: nothing of it is to come once. `test_muted_crashes` is about muted mail."""

IN_THREADS: Final = frozenset(
    {"Messages.note_missing", "Outbox.reopen", "Digests.end_hold", "Digests.dissolve"}
)
"""Old mail and digests pass them only; `test_old_mail_crashes` and `test_digest_crashes` crash there."""

WITHOUT_MAIL: Final = frozenset({"Messages.ask", "Messages.note_undeleted", "Mailboxes.put_off"})
"""They bring none and delete none: a question not recorded whole is found again by the next poll, a refusal that was not
counted is met once more, and a mailbox that was not put off is due again when its lease ends."""

WITH_FILE: Final = ("Outbox.record/posted", "Outbox.record/filing", "SlackClient.share_files")
ORDERS: Final = {
    "Mailboxes.renew": Orders(beat_seconds=0.005),
    "Outbox.renew": Orders(beat_seconds=0.005),
    "Messages.purge": Orders(purges=True),
}


def boundaries() -> list[str]:
    """By the names that `crashing_bot` gives them."""
    watched = [f"{owner.__name__}.{name}" for owner, name in WATCHED]
    names = [name for name in watched if name not in IN_THREADS]
    at = names.index("Outbox.record")
    return [*names[:at], *(f"Outbox.record/{state}" for state in RECORDED), *names[at + 1 :]]


def dealt(hands: int) -> list[list[str]]:
    """All boundaries in so many parts, which run beside each other."""
    return [boundaries()[hand::hands] for hand in range(hands)]


def provoke(stage: Stage, boundary: str, mailbox: int) -> None:
    """See to it that the bot comes to this boundary."""
    if boundary == "Outbox.record/waiting":
        stage.slack.sandbox.faults.add(Fault("chat.postMessage", "rate_limited", seconds=1))
    if boundary == "Messages.note_failure":
        mailbox = 0
        stage.proxies[Security.NONE].planned += [Fate.CUT_MESSAGE] * 50
    stage.send(mailbox, with_file=boundary in WITH_FILE)


async def crash_at(stage: Stage, when: str, boundary: str, mailbox: int) -> None:
    """One life that ends there."""
    provoke(stage, boundary, mailbox)
    orders = replace(ORDERS.get(boundary, Orders()), crash=(when, boundary, 1))
    life = await stage.begin(orders)
    try:
        async with asyncio.timeout(40):
            code = await life.wait()
    except TimeoutError:
        raise Unsettled(f"{when} {boundary} was never passed\n{stage.log_tail()}") from None
    assert code == CRASHED, stage.log_tail()
    stage.interruptions.crashes += 1
    stage.proxies[Security.NONE].planned.clear()


def test_every_write_of_the_stores_is_named() -> None:
    """A new write on the mail's path has to be crashed at, or to be named here as a person's word."""
    writes = {
        f"{store.__name__}.{name}"
        for store in STORES
        for part in store.__mro__
        for name, member in vars(part).items()
        if not name.startswith("_") and "_database.write()" in inspect.getsource(member)
    }
    named = {f"{owner.__name__}.{name}" for owner, name in WATCHED}

    assert {write for write in writes - named if write.partition(".")[2] not in OWNERS} == WITHOUT_MAIL


@pytest.mark.timeout(240)
@pytest.mark.parametrize("part", dealt(3), ids=lambda part: part[0])
async def test_a_crash_at_a_boundary_loses_and_repeats_nothing(part: list[str]) -> None:
    """The bot dies before and after each; the next life goes on, and every message comes once."""
    crashes = [(when, boundary) for boundary in part for when in ("before", "after")]

    async with Stage(MAILBOXES) as stage:
        for number, (when, boundary) in enumerate(crashes):
            await crash_at(stage, when, boundary, number % MAILBOXES)
        life = await stage.begin()
        await stage.settled()
        await life.stop()
        verdict = stage.verdict()

    # A crash for each message fetches more of them again than a storm does.
    assert verdict.broken <= {"retr"}, str(verdict)
