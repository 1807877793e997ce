"""The file that `/mailbox export` gives: complete, without secrets, bounded."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from bot.exported import MOST_POSTS, exported
from storage.dossier import Dossier, Named, Post, Remembered
from storage.records import Mailbox, Person, Tail
from storage.sharing import (
    EVERYONE,
    Act,
    Audience,
    AudienceKind,
    AuditEntry,
    Grant,
    GrantKind,
    Level,
    Share,
)
from storage.wishes import Rule, RuleKind
from tests.unit.samples import HOME, MAILBOX, NOW

ANA = Person("T1", "U1")
POST = Post(b"\xff uid/1", "whole", 1_234, NOW, None, "settled", "1700000000.000100")
MAIL = Remembered({"kept": 3, "skipped": 70}, {"settled": 3}, 3, (POST,))
DOSSIER = Dossier({MAILBOX.id: MAIL}, "D0123456789", "1700000000.000100", 2)


def test_the_file_has_what_its_description_says() -> None:
    """Format and version first; settings, state, times and numbers of each mailbox."""
    mailbox = replace(MAILBOX, tail=Tail(3, b"\xff uid/3"))

    file = json.loads(exported(ANA, [mailbox, HOME], DOSSIER, NOW))

    first, second = file["mailboxes"]
    assert list(file)[:2] == ["format", "version"]
    assert (file["format"], file["version"], file["made_at"]) == (
        "mailbox-export",
        1,
        "2026-03-01T12:00:00+00:00",
    )
    assert file["person"] == {"workspace": "T1", "user": "U1"}
    assert first["settings"]["incoming"] == {"host": "pop.example.org", "port": 995, "security": "tls"}
    assert first["state"]["last_uid"] == "\xff uid/3"
    assert first["mail"]["uids_by_state"] == {"kept": 3, "skipped": 70}
    assert first["mail"]["newest_messages"][0]["uid"] == "\xff uid/1"
    assert second["mail"] is None
    assert file["connection_tests_counted"] == 2


def test_every_field_of_a_mailbox_is_in_it() -> None:
    """What is added to a mailbox's record comes to its owner too, or this test says it does not."""
    shown = json.loads(exported(ANA, [MAILBOX], DOSSIER, NOW))["mailboxes"][0]
    renamed = {
        "profile": "settings", "retention": "delete_setting", "created_at": "added", "due_at": "next_check",
        "polled_at": "last_check", "last_success_at": "last_success", "last_mail_at": "last_mail",
        "watched": "watched_seconds", "tail": "last_uid", "listed_at": "last_listing",
        "calm": "delivery", "zone": "time_zone",
    }  # fmt: skip
    names = {*shown, *shown["settings"], *shown["state"], *shown["times"]}

    missing = {name for name in Mailbox.__slots__ if renamed.get(name, name) not in names}

    assert missing == {"owner"}


def test_what_is_muted_is_in_it() -> None:
    """Each rule with its label, which the database holds sealed, and how much it kept out."""
    rule = Rule("r1", MAILBOX.id, RuleKind.SENDER, "ada@example.org", 3)

    file = json.loads(exported(ANA, [MAILBOX], replace(DOSSIER, rules=(rule,)), NOW))

    assert file["muted"] == [
        {"mailbox": MAILBOX.id, "kind": "sender", "label": "ada@example.org", "kept_out": 3}
    ]


def test_what_of_sharing_names_the_person_is_in_it() -> None:
    """Shares of theirs and to them, grants, and what the audit says; times as everywhere, levels as words."""
    audience = Audience(AudienceKind.PERSON, "U2")
    share = Share("s1", MAILBOX.id, audience, Level.OPEN, NOW, until=NOW)
    grant = Grant(
        EVERYONE, GrantKind.CHOICE, Level.SEE, excluded=frozenset({"b.example", "a.example"}), since=NOW
    )
    entry = AuditEntry(NOW, "T1", "U1", Act.SHARE_OPENED, "U1", MAILBOX.id, "share:s1", "", "open", "7")
    named = Named((share,), (), (grant,), (entry,))

    sharing = json.loads(exported(ANA, [], replace(DOSSIER, named=named), NOW))["sharing"]

    assert sharing["opened"][0]["audience"] == {"kind": "person", "id": "U2"}
    assert sharing["opened"][0]["level"] == "open"
    assert sharing["opened"][0]["until"] == sharing["audit"][0]["at"] == "2026-03-01T12:00:00+00:00"
    assert sharing["opened_to_you"] == []
    assert sharing["grants"][0]["excluded"] == ["a.example", "b.example"]
    assert (sharing["grants"][0]["level"], sharing["grants"][0]["reach"]) == ("see", "people")
    assert sharing["audit"][0]["act"] == "share_opened"


def test_the_file_is_bounded() -> None:
    """The most that is listed is a few megabytes, whatever UIDs a server gives."""
    posts = tuple(
        replace(POST, uid=b"u" * 70, received_at=NOW + timedelta(seconds=at)) for at in range(MOST_POSTS)
    )
    dossier = Dossier({MAILBOX.id: replace(MAIL, posts=posts)}, None, None, 0)

    assert len(exported(ANA, [MAILBOX], dossier, NOW)) < 8_000_000
