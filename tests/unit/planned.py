"""The plan of a session, with nothing else to do in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot import plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.plan import Listed, Plan
    from storage.records import Seen


def session_plan(lines: Sequence[Listed], seen: Mapping[bytes, Seen], listed: int = 0) -> Plan:
    """What `session_plan_in_steps` comes to."""
    return plan._at_once(plan.session_plan_in_steps(lines, seen, listed))
