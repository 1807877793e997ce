"""Who is an administrator, asked of Slack afresh; whoever is not is refused, which the audit records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from bot.errors import NotAllowed
from bot.slack.views.admin.overview import ADMINISTRATORS_ONLY
from storage.audits import fitted
from storage.sharing import Act, AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.slack.people import People
    from storage.audits import Audits
    from storage.records import Person
    from storage.sharing import Member

log = structlog.get_logger(__name__)

UNKNOWN_WORDS: Final = "Mailbox could not ask Slack who may do this right now, so nothing was done. Please try again in a minute."


class NotAdministrator(NotAllowed):
    """The person is no administrator; `ask` are users whom they can turn to."""

    words = f"{ADMINISTRATORS_ONLY} Please ask one of them."

    def __init__(self, detail: str, ask: Sequence[str]) -> None:
        super().__init__(detail)
        self.ask = tuple(ask)


class Administrators:
    """The door to administration.

    Attributes:
        workspace: whose primary owner, owners and admins they are.
    """

    def __init__(
        self, people: People, audits: Audits, *, workspace: str, clock: Callable[[], datetime]
    ) -> None:
        self._people: Final = people
        self._audits: Final = audits
        self._clock: Final = clock
        self.workspace: Final = workspace

    async def require(self, actor: Person, what: str) -> Member:
        """The person who acts, asked for afresh.

        Raises:
            NotAllowed: they are no administrator, or Slack could not be asked.
        """
        member = await self._people.member(actor, fresh=True)
        if member is not None and member.role is not None and member.role.is_administrator:
            return member
        await self.refuse(actor, f"admin:{what}", "" if member is None else str(member.role or "no role"))
        if member is None:
            raise NotAllowed("slack not asked", sentence=UNKNOWN_WORDS)
        raise NotAdministrator("no administrator", await self.whom_to_ask())

    async def whom_to_ask(self) -> list[str]:
        """Users to turn to, admins first: there are more of them, and they rank lowest."""
        roster = await self._people.roster() or {}
        found = [member for member in roster.values() if member.role and member.role.is_administrator]
        found.sort(key=lambda member: (member.role.rank if member.role else 0, member.person.user))
        return [member.person.user for member in found]

    async def refuse(self, actor: Person, subject: str, before: str, after: str = "") -> None:
        """Record that somebody tried what they may not."""
        entry = AuditEntry(
            at=self._clock(),
            workspace=self.workspace,
            actor=actor.user,
            act=Act.REFUSED,
            subject=subject,
            before=before,
            after=after,
        )
        await self._audits.add(entry)
        log.info("administration_refused", subject=fitted(subject))
