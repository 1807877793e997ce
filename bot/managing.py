"""Use case: what somebody does with another's mailbox who may manage it: check, pause, resume, delete setting, mutes.

The store judges each act in the transaction of its effect and notes who did it. Password, servers, sharing and removal
are the owner's alone: nothing here leads to them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn, TypeVar

import structlog

from bot import calm, pace, policy
from bot.door import NOT_SHARED
from bot.errors import BotError, NoSender, NoSuchRule, TooManyRules
from bot.retention import WORDS, allowed_retentions
from storage.errors import NotFound, NotPermitted, TooMany
from storage.managing import Manager
from storage.sharing import Level
from storage.wishes import RuleKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.door import Door, Visit
    from bot.mail.providers import Providers
    from bot.pace import Pace
    from storage.mailboxes import Mailboxes
    from storage.records import Mailbox, Person, Retention
    from storage.rules import Rules
    from storage.wishes import Rule

log = structlog.get_logger(__name__)

Done = TypeVar("Done")


class RetentionUnfit(BotError):
    """The mail server cannot carry out this delete setting; the sentence says why."""


@dataclass(frozen=True, slots=True)
class _Act:
    """One act: who came, and as whom the store takes it; an owner acts for themselves."""

    visit: Visit
    manager: Manager | None

    @property
    def owner(self) -> Person:
        return self.visit.facts.owner

    @property
    def mailbox_id(self) -> str:
        return self.visit.facts.mailbox_id


class Managing:
    """What managers do.

    Args:
        bounds: how often a mailbox may be polled.
        nudge: called when something became due.
    """

    def __init__(
        self,
        door: Door,
        mailboxes: Mailboxes,
        rules: Rules,
        providers: Providers,
        *,
        bounds: Callable[[Mailbox], Pace],
        nudge: Callable[[], None],
    ) -> None:
        self._door = door
        self._mailboxes = mailboxes
        self._rules = rules
        self._providers = providers
        self._bounds = bounds
        self._nudge = nudge

    async def get(self, viewer: Person, mailbox_id: str) -> Mailbox:
        """The mailbox, to show its state.

        Raises:
            NotAllowed: they may not manage it.
        """
        act = await self._act(viewer, mailbox_id)
        return await self._done(act, self._mailboxes.get(act.owner, mailbox_id))

    async def check_now(self, viewer: Person, mailbox_id: str) -> Mailbox:
        """Fetch now, or as soon as the provider's minimum between two polls has passed. Raises as `get`."""
        act = await self._act(viewer, mailbox_id)
        mailbox = await self._done(act, self._mailboxes.get(act.owner, mailbox_id))
        due_at = pace.earliest(mailbox, self._bounds(mailbox), self._door.clock())
        call = self._mailboxes.check_now(act.owner, mailbox_id, due_at, manager=act.manager)
        return await self._changed("check_asked", act, call)

    async def pause(self, viewer: Person, mailbox_id: str) -> Mailbox:
        """Stop fetching; the owner is told. Raises as `get`."""
        act = await self._act(viewer, mailbox_id)
        now = self._door.clock()
        mailbox = await self._done(act, self._mailboxes.get(act.owner, mailbox_id))
        held = calm.still_held(replace(mailbox, is_paused=True), now)
        call = self._mailboxes.pause(act.owner, mailbox_id, now, held, manager=act.manager)
        return await self._changed("paused", act, call)

    async def resume(self, viewer: Person, mailbox_id: str) -> Mailbox:
        """Fetch again. Raises as `get`."""
        act = await self._act(viewer, mailbox_id)
        call = self._mailboxes.resume(act.owner, mailbox_id, self._door.clock(), manager=act.manager)
        return await self._changed("resumed", act, call)

    async def set_retention(
        self, viewer: Person, mailbox_id: str, retention: Retention, delete_days: int | None
    ) -> Mailbox:
        """Change the delete setting.

        Raises:
            NotAllowed: they may not manage it.
            RetentionUnfit: the server, as it is set now, cannot carry it out.
        """
        act = await self._act(viewer, mailbox_id)
        profile = (await self._done(act, self._mailboxes.get(act.owner, mailbox_id))).profile
        provider = self._providers.by_host(profile.incoming.host)
        why_not = dict(allowed_retentions(provider, profile.username))[retention]
        if why_not is not None:
            raise RetentionUnfit(why_not.value, sentence=WORDS[why_not])
        call = self._mailboxes.change_retention(
            act.owner, mailbox_id, retention, delete_days, self._door.clock(), manager=act.manager
        )
        return await self._changed("retention_changed", act, call)

    # What is muted

    async def muted(self, viewer: Person, mailbox_id: str) -> tuple[Mailbox, list[Rule]]:
        """The senders that are muted in a mailbox, the newest first; none of a domain that is nobody else's affair.

        Raises as `get`.
        """
        act = await self._act(viewer, mailbox_id)
        found = await self._done(act, self._rules.of(act.owner))
        act = await self._act(viewer, mailbox_id)
        mailbox = await self._done(act, self._mailboxes.get(act.owner, mailbox_id))
        excluded = _excluded(act.visit)
        return mailbox, [
            rule
            for rule in found
            if rule.mailbox_id == mailbox_id
            and rule.kind is RuleKind.SENDER
            and not any(policy.is_within(rule.label.rpartition("@")[2], wide) for wide in excluded)
        ]

    async def mute(self, viewer: Person, mailbox_id: str, sender: str) -> Rule:
        """Keep a sender's mail out of the owner's Slack.

        Raises:
            NotAllowed: they may not manage it.
            NoSender: the message names none.
            TooManyRules: there is no room for more.
        """
        if not sender:
            raise NoSender
        act = await self._act(viewer, mailbox_id)
        try:
            call = self._rules.add(
                act.owner,
                mailbox_id,
                RuleKind.SENDER,
                sender,
                label=sender,
                now=self._door.clock(),
                manager=act.manager,
            )
            rule = await self._done(act, call)
        except TooMany as error:
            raise TooManyRules from error
        log.info("managed", what="muted", mailbox=mailbox_id)
        return rule

    async def unmute(self, viewer: Person, mailbox_id: str, rule_id: str) -> None:
        """Let that mail come again from now on.

        Raises:
            NotAllowed: they may not manage it.
            NoSuchRule: it was removed before, or is another mailbox's.
        """
        act = await self._act(viewer, mailbox_id)
        try:
            if act.manager is None:
                await self._rules.remove(act.owner, rule_id)
            else:
                await self._rules.remove_from(act.owner, mailbox_id, rule_id, act.manager)
        except NotFound as error:
            raise NoSuchRule from error
        except NotPermitted:
            await self._refuse(act)
        log.info("managed", what="unmuted", mailbox=mailbox_id)

    # Deciding

    async def _act(self, viewer: Person, mailbox_id: str) -> _Act:
        visit = await self._door.to_mailbox(viewer, mailbox_id, fresh=True)
        now = self._door.clock()
        decision = visit.decision(now)
        if not decision.allows(Level.MANAGE):
            await self._door.refuse(viewer, visit.facts, decision, f"mailbox:{mailbox_id}")
        if viewer == visit.facts.owner:
            return _Act(visit, None)
        return _Act(visit, Manager(viewer, now, visit.permits(Level.MANAGE, self._door.clock)))

    async def _changed(self, what: str, act: _Act, call: Awaitable[Mailbox]) -> Mailbox:
        mailbox = await self._done(act, call)
        log.info("managed", what=what, mailbox=mailbox.id)
        self._nudge()
        return mailbox

    async def _done(self, act: _Act, call: Awaitable[Done]) -> Done:
        try:
            return await call
        except NotPermitted:
            await self._refuse(act)
        except NotFound:
            await self._door.refuse(act.visit.viewer, None, NOT_SHARED, f"mailbox:{act.mailbox_id}")

    async def _refuse(self, act: _Act) -> NoReturn:
        visit = await self._door.again(act.visit)
        decision = visit.decision(self._door.clock())
        await self._door.refuse(visit.viewer, visit.facts, decision, f"mailbox:{act.mailbox_id}")


def _excluded(visit: Visit) -> frozenset[str]:
    """The domains whose mail is nobody else's; none for the owner."""
    if visit.viewer == visit.facts.owner or visit.circle.owner is None:
        return frozenset()
    return policy.allowance(policy.chain(visit.circle.owner, visit.facts.grants)).excluded
