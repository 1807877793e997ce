"""Which grants somebody may write, whether one is wider than another, whose mail it would open; which suspensions they lift. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.policy import NEEDED, fixed_reach
from storage.sharing import AudienceKind, ChannelReach, GrantKind, Level

if TYPE_CHECKING:
    from collections.abc import Iterable

    from storage.sharing import Grant, Member, Role


def is_wider(after: Grant, before: Grant) -> bool:
    """Whether a grant allows anything that the one before it did not."""
    return any((
        _shares_more(after, before),
        after.may_hold and not before.may_hold,
        after.may_view and not before.may_view,
        after.allows_plain and not before.allows_plain,
        _is_more(after.mailboxes, before.mailboxes),
        _is_more(after.active, before.active),
        not before.excluded <= after.excluded,
    ))  # fmt: skip


def _shares_more(after: Grant, before: Grant) -> bool:
    if after.kind is GrantKind.PRIVATE or (after.kind is GrantKind.FIXED and after.audience is None):
        return False
    if before.kind is GrantKind.PRIVATE or after.level > before.level:
        return True
    if before.kind is GrantKind.FIXED:
        is_other = after.kind is GrantKind.CHOICE or after.audience != before.audience
        return is_other or fixed_reach(after) > fixed_reach(before)
    if after.kind is GrantKind.CHOICE:
        return after.reach > before.reach or after.channels > before.channels
    assert after.audience is not None
    if after.audience.kind is AudienceKind.CHANNEL:
        return before.channels < ChannelReach.ANY
    return before.reach < NEEDED[after.audience.kind]


def imposes(after: Grant, before: Grant) -> bool:
    """Whether a grant opens mail that the one before left to its owner: a new FIXED one, though it stays below the ceiling."""
    if after.kind is not GrantKind.FIXED or after.audience is None or after.level is Level.NONE:
        return False
    was_fixed = before.kind is GrantKind.FIXED and before.audience == after.audience
    return not was_fixed or after.level > before.level


def _is_more(after: int | None, before: int | None) -> bool:
    return before is not None and (after is None or after > before)


def may_write(actor: Member | None, after: Grant, before: Grant, affected: Iterable[Role]) -> bool:
    """Whether somebody may write a grant: an administrator, and none raises or opens what is of a role above their own.

    Args:
        affected: the roles of those the grant is for; all six for EVERYONE.
    """
    if actor is None or actor.role is None or not actor.role.is_administrator:
        return False
    rank = actor.role.rank
    is_lower = not is_wider(after, before) and not imposes(after, before)
    return is_lower or all(role.rank <= rank for role in affected)


def may_lift(actor: Member, suspended_rank: int | None) -> bool:
    """Whether an administrator may lift a suspension: one that a higher rank set stays, one of an unknown rank is anyone's."""
    return actor.role is not None and (suspended_rank is None or actor.role.rank >= suspended_rank)
