"""Use case: the rules by which owners keep mail out of Slack.

A mail that a rule keeps out is fetched and stored like any other and not posted; nothing is deleted on the server for it.
Each call looks up afresh whose message or rule it is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from bot.errors import NoConversation, NoSender, NoSuchRule, TooManyRules
from storage.errors import NotFound, TooMany
from storage.wishes import RuleKind

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from bot.mail.content import Rendered
    from storage.conversations import Conversations
    from storage.records import Person
    from storage.rules import Rules
    from storage.wishes import Rule

log = structlog.get_logger(__name__)


class Muting:
    """What owners keep out of Slack."""

    def __init__(self, rules: Rules, conversations: Conversations, *, clock: Callable[[], datetime]) -> None:
        self._rules = rules
        self._conversations = conversations
        self._clock = clock

    async def mute_sender(self, owner: Person, mailbox_id: str, label: Rendered) -> Rule:
        """Keep mail of a message's sender out of Slack.

        Raises:
            NoSender: the message names none.
            NoSuchRule: the mailbox is gone.
        """
        if not label.sender:
            raise NoSender
        return await self._add(owner, mailbox_id, RuleKind.SENDER, label.sender, label.sender)

    async def mute_thread(self, owner: Person, mailbox_id: str, message_id: str, label: Rendered) -> Rule:
        """Keep what comes in a message's conversation out of Slack.

        Raises:
            NoConversation: the message belongs to none.
            NoSuchRule: the mailbox is gone.
        """
        conversation = await self._conversations.of(message_id)
        if conversation is None:
            raise NoConversation
        return await self._add(owner, mailbox_id, RuleKind.CONVERSATION, conversation, label.text)

    async def of(self, owner: Person) -> list[Rule]:
        """All rules of a person, the newest first."""
        return await self._rules.of(owner)

    async def remove(self, owner: Person, rule_id: str) -> None:
        """Let that mail come again from now on.

        Raises:
            NoSuchRule: it was removed before, or is somebody else's.
        """
        try:
            await self._rules.remove(owner, rule_id)
        except NotFound as error:
            raise NoSuchRule from error
        log.info("rule_removed")

    async def _add(self, owner: Person, mailbox_id: str, kind: RuleKind, key: str, label: str) -> Rule:
        try:
            rule = await self._rules.add(owner, mailbox_id, kind, key, label=label, now=self._clock())
        except NotFound as error:
            raise NoSuchRule from error
        except TooMany as error:
            raise TooManyRules from error
        log.info("rule_added", mailbox=mailbox_id, kind=kind)
        return rule
