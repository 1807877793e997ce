"""What becomes of an outbox entry, decided from values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.slack.client import UNKNOWN_ERRORS, Unknown
from storage.records import Entry, EntryState, Notice

PLAIN_AFTER = 5
"""So often Slack may fail on the content of a post before it is sent as plain text."""

LOOK_BACK = timedelta(days=1)
"""Without an acknowledged post to begin at, a look-up reads this much before the attempt: far more than clocks differ."""


def is_shown_in_dm(entry: Entry) -> bool:
    """Whether a post in a thread stands in the DM too: an answer must not be missed, and what gives way is no news.

    Slack tells nobody of a reply in a thread they do not follow, and no bot what a person has read.
    """
    is_outgoing = entry.notice is Notice.OUTGOING  # somebody just pressed a button there and looks
    return entry.parent is not None and not entry.gives_way and not is_outgoing


def place(entry: Entry) -> tuple[str, str]:
    """Where an entry's post stands: channel and `ts`."""
    assert entry.channel is not None
    assert entry.ts is not None
    return entry.channel, entry.ts


def look_back(entry: Entry) -> str:
    """Where a look-up begins in a DM without an acknowledged post of ours, as Slack writes times."""
    assert entry.intended_at is not None
    return f"{(entry.intended_at - LOOK_BACK).timestamp():.6f}"


def may_be_content(entry: Entry, outcome: Unknown) -> bool:
    """Slack itself failed on this post time and again: it may be what stands in it."""
    is_post = entry.state is EntryState.POSTING
    return is_post and outcome.reason in UNKNOWN_ERRORS and entry.attempts >= PLAIN_AFTER


def posted(entry: Entry, ts: str, *, owes_files: bool) -> Entry:
    """Slack has the post; whether more belongs to it, `owes_files` says."""
    state = EntryState.POSTED if owes_files else EntryState.SETTLED
    return replace(entry, state=state, ts=ts, lookup_after=None, attempts=0)


def simpler(entry: Entry) -> Entry:
    """Slack did not take the content: once more as plain text, then not at all."""
    if entry.plain:
        return replace(entry, state=EntryState.GIVEN_UP, lookup_after=None)
    return replace(entry, state=EntryState.WAITING, plain=True, lookup_after=None)


def stepped_back(entry: Entry) -> Entry:
    """The state before the intent, when the intended call is known to have done nothing."""
    before = {EntryState.POSTING: EntryState.WAITING, EntryState.FILING: EntryState.POSTED}
    if entry.state not in before:
        return entry
    return replace(entry, state=before[entry.state], lookup_after=None)
