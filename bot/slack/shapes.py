"""Which fields a form shows: some make sense only beside what is chosen in others. Pure.

A field that is hidden keeps nothing; shown again it starts as a new form, or the stored mailbox, has it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bot import retention
from bot.slack import names
from storage.delivery import Delivery
from storage.records import Retention

if TYPE_CHECKING:
    from bot.mail.providers import Provider
    from bot.retention import WhyNot
    from bot.slack.drafts import Draft

_OUTGOING_LOGIN: Final = frozenset({names.OUTGOING_USERNAME, names.OUTGOING_PASSWORD})
_OUTGOING: Final = _OUTGOING_LOGIN | {
    names.SAME_CREDENTIALS,
    names.OUTGOING_SERVER,
    names.OUTGOING_PORT,
    names.OUTGOING_SECURITY,
}


def hidden(draft: Draft) -> frozenset[str]:
    """The fields that are not shown."""
    found: set[str] = set()
    if is_ticked(draft, names.RECEIVING_ONLY):
        found |= _OUTGOING
    elif is_ticked(draft, names.SAME_CREDENTIALS):
        found |= _OUTGOING_LOGIN
    if draft.text(names.RETENTION) != Retention.DELETE_LATER:
        found.add(names.DELETE_DAYS)
    if draft.text(names.DELIVERY) != Delivery.DAILY:
        found.add(names.DAILY_HOUR)
    if not draft.text(names.QUIET_FROM).isdigit():
        found.add(names.QUIET_TO)
    if not offers_recent(draft):
        found.add(names.RECENT)
    if draft.is_edit:
        found.add(names.OLD_MAIL)
    return frozenset(found)


def is_ticked(draft: Draft, name: str) -> bool:
    """Whether a box is ticked."""
    return draft.text(name) == names.YES


def offers_recent(draft: Draft) -> bool:
    """Whether the incoming server knows `recent:`."""
    return retention.knows_recent(draft.text(names.INCOMING_SERVER))


def refusals(draft: Draft, provider: Provider | None) -> dict[Retention, WhyNot | None]:
    """Every delete setting, and why it cannot be had with the server and the user name in the form."""
    host = draft.text(names.INCOMING_SERVER).strip().lower()
    theirs = provider if provider and provider.incoming and provider.incoming.host == host else None
    return dict(retention.allowed_retentions(theirs, draft.text(names.USERNAME)))


def reshaped(draft: Draft, base: Draft, changed: str) -> Draft:
    """A form after a choice that shows or hides others.

    Args:
        base: what a field that was hidden starts with.
        changed: the field in which the choice was made.
    """
    missing = {name: text for name, text in base.texts.items() if name not in draft.texts}
    texts = {**draft.texts, **missing}
    kept = draft.kept_retention
    if changed == names.RECENT and texts.get(names.RECENT) == names.YES:
        kept = draft.text(names.RETENTION) or kept
        missing[names.USERNAME] = retention.with_recent(draft.text(names.USERNAME))
        missing[names.RETENTION] = Retention.LEAVE.value
    elif changed == names.RECENT:
        missing[names.USERNAME] = retention.without_recent(draft.text(names.USERNAME))
        missing[names.RETENTION] = kept or texts[names.RETENTION]
        kept = ""
    generation = draft.generation + 1
    return replace(
        draft,
        texts={**texts, **missing},
        generations={**draft.generations, **dict.fromkeys(missing, generation)},
        generation=generation,
        kept_retention=kept,
    )
