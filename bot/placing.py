"""Use case part: with which conversation an e-mail is posted, and whether a rule keeps it out of Slack."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from storage.records import EntryState

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.mail.content import Rendered
    from storage.conversations import Conversations, Place
    from storage.records import Entry
    from storage.rules import Rules


class Placing:
    """Finds the place of an e-mail."""

    def __init__(self, conversations: Conversations, rules: Rules, clock: Callable[[], datetime]) -> None:
        self._conversations = conversations
        self._rules = rules
        self._clock = clock

    async def placed(self, entry: Entry, rendered: Rendered) -> tuple[Entry, Place | None]:
        """A mail with its conversation, and what is to be noted of that; MUTED where a rule keeps it out of Slack.

        What stands in the thread of old mail or of a digest stays there: an answer to it begins a thread of its own.
        """
        if entry.message_id is None or entry.mailbox_id is None:
            return entry, None
        sieve, place = await self._rules.sieve(entry.mailbox_id), None
        if rendered.clues is not None and entry.conversation is None:
            place = await self._conversations.place(entry, rendered.clues, self._clock(), sieve.key)
            entry = replace(entry, parent=entry.parent or place.root, conversation=place.conversation)
        rule = sieve.match(rendered.sender, entry.conversation)
        return entry if rule is None else replace(entry, state=EntryState.MUTED, muted_by=rule), place
