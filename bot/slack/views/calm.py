"""When the messages of a mailbox come: the fields of the form, and the same in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.views.fields import Choices, field, select
from bot.slack.views.words import literal
from storage.delivery import Delivery

if TYPE_CHECKING:
    from bot.slack.drafts import Draft
    from bot.slack.views.words import Block
    from storage.records import Mailbox

DELIVERIES: Final[Choices] = (
    ("Each message at once", Delivery.EACH.value),
    ("One digest an hour", Delivery.HOURLY.value),
    ("One digest a day", Delivery.DAILY.value),
)
HOURS: Final[Choices] = tuple((f"{hour}:00", str(hour)) for hour in range(24))
NO_QUIET: Final[Choices] = (("No quiet hours", names.NO),)

_DIGEST: Final = (
    "A digest is one post that lists who wrote and about what; each message is in its thread. Many messages at once come "
    "as a digest in any case."
)
_DAILY: Final = "In your own time zone, as your Slack profile has it."
_QUIET: Final = (
    "In your own time zone. Nothing is posted meanwhile, not even a warning; all of it comes when they end."
)
_UNTIL: Final = "The same hour again means no quiet hours."


def calm_fields(draft: Draft) -> list[Block]:
    """The fields; the hours of what is not chosen are hidden, see `bot.slack.shapes`."""
    return [
        field(
            draft,
            names.DELIVERY,
            "How messages come",
            select(DELIVERIES, draft.text(names.DELIVERY)),
            hint=_DIGEST,
        ),
        field(
            draft,
            names.DAILY_HOUR,
            "Daily digest at",
            select(HOURS, draft.text(names.DAILY_HOUR)),
            hint=_DAILY,
        ),
        field(
            draft,
            names.QUIET_FROM,
            "Quiet hours from",
            select(NO_QUIET + HOURS, draft.text(names.QUIET_FROM)),
            hint=_QUIET,
        ),
        field(
            draft, names.QUIET_TO, "Quiet hours until", select(HOURS, draft.text(names.QUIET_TO)), hint=_UNTIL
        ),
    ]


def calm_words(mailbox: Mailbox) -> str:
    """When the messages of a mailbox come, as mrkdwn; "" where each comes at once."""
    calm, said = mailbox.calm, []
    if calm.delivery is Delivery.HOURLY:
        said.append("One digest an hour.")
    elif calm.delivery is Delivery.DAILY:
        said.append(f"One digest a day, at {calm.daily_hour}:00.")
    if calm.has_quiet:
        said.append(f"Quiet hours from {calm.quiet_from}:00 to {calm.quiet_to}:00.")
    if said and calm.needs_zone:
        zone = mailbox.zone or "UTC, until Slack tells yours"
        said.append(f"Your time zone: {literal(zone, 80)}.")
    return " ".join(said)
