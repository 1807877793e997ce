"""Every table has its place in the file of `/mailbox export`, or the reason why not stands in docs/data.md."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import storage.sending_tables
import storage.sharing_tables  # noqa: F401 - its tables
from bot.exported import exported
from storage.dossier import Brought, Named, Sent, Told
from storage.sharing import Level
from storage.tables import Table
from tests.unit.samples import MAILBOX, NOW
from tests.unit.test_exported import ANA, DOSSIER

DOCS: Final = (Path(__file__).parents[2] / "docs" / "data.md").read_text(encoding="utf-8")

IN_THE_FILE: Final = {
    "mailbox": "mailboxes",
    "seen": "mailboxes.0.mail.uids_by_state",
    "message": "mailboxes.0.mail.newest_messages",
    "entry": "mailboxes.0.mail.outbox_by_state",
    "original": "mailboxes.0.mail.newest_messages.0.original",
    "rule": "muted",
    "dm": "direct_messages",
    "attempt": "connection_tests_counted",
    "share_grant": "sharing.grants",
    "share": "sharing.opened",
    "audit": "sharing.audit",
    "copy": "sharing.copies",
    "telling": "sharing.told",
    "outgoing": "sent",
}
"""By table, where in the file a person finds what it holds about them."""

NOT_IN_THE_FILE: Final = {
    "key_check": "which master keys the database has met",
    "message_chunk": "what an e-mail says",
    "outgoing_chunk": "what an e-mail says",
    "outgoing_post": "which post tells of which mail that was sent",
    "conversation": "digests",
    "conversation_key": "digests",
    "written_domain": "digests",
    "old_mail": "how far old mail is",
    "withdrawal": "posts that are being called back",
}
"""By table, the words of docs/data.md that say why."""

TOLD: Final = Told(MAILBOX.id, "", "shared_with_you", "U2", Level.OPEN, NOW, "s1", 0, "person:U1", "")
BROUGHT: Final = Brought(MAILBOX.id, "m1", "U2", Level.SEE, "s1", NOW)
SENT: Final = Sent("o1", MAILBOX.id, "U1", "U1", "sent", NOW, NOW, 9, (("ada@example.org", "to", "taken"),))


def test_a_new_table_has_to_be_decided_on() -> None:
    """Whoever adds one writes here where its rows come into the file, or why they do not."""
    assert IN_THE_FILE.keys() | NOT_IN_THE_FILE.keys() == set(Table.metadata.tables)
    assert not IN_THE_FILE.keys() & NOT_IN_THE_FILE.keys()


def test_every_place_is_in_the_file() -> None:
    """Also of somebody about whom little is stored."""
    file = json.loads(exported(ANA, [MAILBOX], DOSSIER, NOW))

    for place in IN_THE_FILE.values():
        found = file
        for name in place.split("."):
            found = found[int(name)] if name.isdecimal() else found[name]


def test_every_reason_is_in_the_docs() -> None:
    """In the section that describes the file."""
    section = DOCS.split("## The file of")[1].split("\n## ")[0]

    assert [reason for reason in NOT_IN_THE_FILE.values() if reason not in section] == []


def test_what_was_posted_for_others_and_told_is_in_it() -> None:
    """Levels as words, times as everywhere, and of a mail that was sent who got it."""
    dossier = replace(DOSSIER, named=Named(copies=(BROUGHT,), told=(TOLD,)), sent=(SENT,))

    file = json.loads(exported(ANA, [MAILBOX], dossier, NOW))

    (copy,), (told,), (sent,) = file["sharing"]["copies"], file["sharing"]["told"], file["sent"]
    assert (copy["to"], copy["level"], copy["withdrawn_at"]) == ("U2", "see", "2026-03-01T12:00:00+00:00")
    assert (told["kind"], told["who"], told["level"]) == ("shared_with_you", "U2", "open")
    assert sent["recipients"] == [{"address": "ada@example.org", "field": "to", "state": "taken"}]
