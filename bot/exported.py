"""A person's data as the file that `/mailbox export` gives them; docs/data.md describes it. Pure.

Holds settings, times and numbers, and of each message what is remembered of it. No password, no key, nothing of what a
message says: that stands in Slack and on the mail server.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from storage.dossier import Brought, Dossier, Post, Remembered, Sent, Told
    from storage.records import Mailbox, Person
    from storage.sharing import AuditEntry, Grant, Share
    from storage.wishes import Rule

FORMAT: Final = "mailbox-export"
VERSION: Final = 1
"""Grows when a field changes its meaning or goes; new fields leave it as it is."""

MOST_POSTS: Final = 20_000
"""So many messages are listed, about 4 MB; all are counted."""


def exported(person: Person, mailboxes: Sequence[Mailbox], dossier: Dossier, now: datetime) -> bytes:
    """The file: JSON in UTF-8, its texts in ASCII, for people and programs."""
    file = {
        "format": FORMAT,
        "version": VERSION,
        "made_at": _time(now),
        "person": {"workspace": person.workspace, "user": person.user},
        "mailboxes": [_mailbox(mailbox, dossier.mailboxes.get(mailbox.id)) for mailbox in mailboxes],
        "direct_messages": {"channel": dossier.channel, "last_post": dossier.last_ts},
        "muted": [_rule(rule) for rule in dossier.rules],
        "connection_tests_counted": dossier.tests,
        "sharing": {
            "opened": [_share(share) for share in dossier.named.opened],
            "opened_to_you": [_share(share) for share in dossier.named.received],
            "grants": [_grant(grant) for grant in dossier.named.grants],
            "audit": [_entry(entry) for entry in dossier.named.audit],
            "copies": [_copy(copy) for copy in dossier.named.copies],
            "told": [_told(told) for told in dossier.named.told],
        },
        "sent": [_sent(sent) for sent in dossier.sent],
        "not_in_this_file": [
            "passwords and keys",
            "what your e-mail says: it stands in Slack and on your mail server; Mailbox keeps sealed copies for a while",
            "digests that tell nothing without a key: what is counted for an hour, conversations, domains written to",
            "how far old mail and posts that are being called back are",
        ],
    }
    return json.dumps(file, indent=1).encode()


def _mailbox(mailbox: Mailbox, remembered: Remembered | None) -> dict[str, Any]:
    settings = {
        **asdict(mailbox.profile),
        "delete_setting": mailbox.retention,
        "delete_days": mailbox.delete_days,
        **asdict(mailbox.calm),
        "time_zone": mailbox.zone,
        "is_active": mailbox.is_active,
        "is_paused": mailbox.is_paused,
    }
    state = {
        "health": mailbox.health,
        "has_alarm": mailbox.has_alarm,
        "suspension": mailbox.suspension,
        "failures": mailbox.failures,
        "watched_seconds": int(mailbox.watched.total_seconds()),
        "capabilities": sorted(mailbox.capabilities or ()),
        "one_by_one": mailbox.one_by_one,
        "listed": mailbox.listed,
        "last_number": mailbox.tail and mailbox.tail.number,
        "last_uid": mailbox.tail and _uid(mailbox.tail.uid),
    }
    times = {
        "added": mailbox.created_at,
        "next_check": mailbox.due_at,
        "last_check": mailbox.polled_at,
        "last_success": mailbox.last_success_at,
        "last_mail": mailbox.last_mail_at,
        "last_listing": mailbox.listed_at,
        "suspended_at": mailbox.suspended_at,
        "outgoing_refused_at": mailbox.outgoing_refused_at,
    }
    return {
        "id": mailbox.id,
        "settings": settings,
        "state": state,
        "times": {name: _time(time) for name, time in times.items()},
        "mail": None if remembered is None else _mail(remembered),
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {"mailbox": rule.mailbox_id, "kind": rule.kind, "label": rule.label, "kept_out": rule.count}


def _share(share: Share) -> dict[str, Any]:
    return {
        **asdict(share),
        "level": share.level.name.lower(),
        "created_at": _time(share.created_at),
        "until": _time(share.until),
        "ended_at": _time(share.ended_at),
    }


def _grant(grant: Grant) -> dict[str, Any]:
    words = {name: getattr(grant, name).name.lower() for name in ("level", "reach", "channels")}
    return {**asdict(grant), **words, "excluded": sorted(grant.excluded), "since": _time(grant.since)}


def _entry(entry: AuditEntry) -> dict[str, Any]:
    return {**asdict(entry), "at": _time(entry.at)}


def _copy(copy: Brought) -> dict[str, Any]:
    return {**asdict(copy), "level": copy.level.name.lower(), "withdrawn_at": _time(copy.withdrawn_at)}


def _told(told: Told) -> dict[str, Any]:
    return {**asdict(told), "level": told.level.name.lower(), "until": _time(told.until)}


def _mail(remembered: Remembered) -> dict[str, Any]:
    return {
        "uids_by_state": remembered.uids,
        "outbox_by_state": remembered.entries,
        "messages": remembered.messages,
        "newest_messages": [_post(post) for post in remembered.posts],
    }


def _post(post: Post) -> dict[str, Any]:
    return {
        "uid": _uid(post.uid),
        "received": _time(post.received_at),
        "octets": post.octets,
        "shape": post.shape,
        "has_copy": post.purged_at is None,
        "outbox": post.state,
        "post": post.ts,
        "done": _time(post.done_at),
        "original": post.original,
    }


def _sent(sent: Sent) -> dict[str, Any]:
    times = {"created_at": _time(sent.created_at), "finished_at": _time(sent.finished_at)}
    names = ("address", "field", "state")
    return {
        **asdict(sent),
        **times,
        "recipients": [dict(zip(names, each, strict=True)) for each in sent.recipients],
    }


def _uid(uid: bytes) -> str:
    """UIDs are octets: each becomes the character of its number."""
    return uid.decode("latin-1")


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat(timespec="seconds")
