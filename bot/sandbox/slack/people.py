"""The people of the sandbox, one of each role and one of another workspace, and their `users.info` records.

Invented persons with fixed ids, so that a test or a page can name them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json

TEAM_ID: Final = "T0SANDBOX1"
TEAM_DOMAIN: Final = "local-sandbox"
TEAM_NAME: Final = "Local sandbox (not Slack)"
PARTNER_ID: Final = "T0PARTNER1"
PARTNER_DOMAIN: Final = "paper-partner"
PARTNER_NAME: Final = "Paper & Partner"
APP_ID: Final = "A0MAILBOX1"
BOT_USER_ID: Final = "U0MAILBOT1"
BOT_ID: Final = "B0MAILBOT1"
SLACKBOT_ID: Final = "USLACKBOT"

_FLAGS: Final[dict[str, tuple[str, ...]]] = {
    "primary_owner": ("is_admin", "is_owner", "is_primary_owner"),
    "owner": ("is_admin", "is_owner"),
    "admin": ("is_admin",),
    "member": (),
    "multi_channel_guest": ("is_restricted",),
    "single_channel_guest": ("is_restricted", "is_ultra_restricted"),
}
_ALL_FLAGS: Final = ("is_admin", "is_owner", "is_primary_owner", "is_restricted", "is_ultra_restricted")


@dataclass(frozen=True, slots=True)
class Human:
    """One person; `role` is one of the six, `deactivated`, or `external` for somebody of another workspace."""

    id: str
    name: str
    real_name: str
    role: str
    title: str
    color: str
    tz: str
    email: str = field(repr=False)
    team_id: str = TEAM_ID

    @property
    def is_active(self) -> bool:
        """Whether the account can still sign in."""
        return self.role != "deactivated"

    @property
    def is_external(self) -> bool:
        """Whether the account belongs to another workspace."""
        return self.team_id != TEAM_ID


def roster() -> list[Human]:
    """The people a fresh sandbox starts with."""
    return [
        Human("U0INES0001", "ines", "Inês Caldeira", "primary_owner", "Founder", "9f69e7", "Europe/Lisbon", "ines@local.test"),
        Human("U0TOMASZ02", "tomasz", "Tomasz Wolski", "owner", "Head of operations", "4bbe2e", "Europe/Warsaw", "tomasz@local.test"),
        Human("U0AISHA003", "aisha", "Aisha Rahman", "admin", "IT administrator", "e7392d", "Europe/London", "aisha@local.test"),
        Human("U0MARTA004", "marta", "Marta Lindqvist", "member", "Recruiter", "3c989f", "Europe/Stockholm", "marta@local.test"),
        Human("U0KENJI005", "kenji", "Kenji Morita", "member", "Support engineer", "674b1b", "Asia/Tokyo", "kenji@local.test"),
        Human("U0LUCIA006", "lucia", "Lucía Ferrer", "multi_channel_guest", "Agency partner", "e96699", "America/Bogota", "lucia@local.test"),
        Human("U0OWEN0007", "owen", "Owen Pryce", "single_channel_guest", "Contractor", "43761b", "America/Los_Angeles", "owen@local.test"),
        Human("U0PETRA008", "petra", "Petra Novotná", "deactivated", "Former colleague", "bb86b7", "Europe/Prague", "petra@local.test"),
    ]  # fmt: skip


def outsiders() -> list[Human]:
    """People of another workspace, who meet this one in channels shared with theirs."""
    return [
        Human("U0NOOR0009", "noor", "Noor Haddad", "external", "Printer's account manager", "2b6cb0", "Europe/Amsterdam", "noor@partner.test", PARTNER_ID),
    ]  # fmt: skip


def with_role(human: Human, role: str) -> Human:
    """The same person in another role."""
    if human.is_external:
        raise ValueError("people of another workspace have no role here")
    if role != "deactivated" and role not in _FLAGS:
        raise ValueError("no such role")
    return replace(human, role=role)


def _profile(human: Human, *, with_email: bool) -> Json:
    first, _, last = human.real_name.partition(" ")
    profile: Json = {
        "title": human.title,
        "phone": "",
        "real_name": human.real_name,
        "real_name_normalized": human.real_name,
        "display_name": human.name,
        "display_name_normalized": human.name,
        "first_name": first,
        "last_name": last,
        "status_text": "",
        "status_emoji": "",
        "team": human.team_id,
    }
    if with_email:
        profile["email"] = human.email
    return profile


def _zone(human: Human, now: float) -> Json:
    try:
        local = datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(human.tz))
    except ZoneInfoNotFoundError:  # slim containers have no time zone database
        local = datetime.fromtimestamp(now, UTC)
    offset = local.utcoffset()
    return {
        "tz": human.tz,
        "tz_label": local.tzname() or human.tz,
        "tz_offset": int(offset.total_seconds()) if offset else 0,
    }


def user_record(human: Human, now: float, *, with_email: bool, is_stranger: bool = False) -> Json:
    """The person as `users.info` gives them.

    A deactivated account lacks the role flags, as Slack's does; so does somebody of another workspace, who has
    `is_stranger` instead: whether no channel that the app is in is shared with them.
    """
    common: Json = {
        "id": human.id,
        "team_id": human.team_id,
        "name": human.name,
        "deleted": not human.is_active,
        "profile": _profile(human, with_email=with_email and not human.is_external),
        "is_bot": False,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }
    if not human.is_active:
        return common
    if human.is_external:
        return {**common, **_zone(human, now), "real_name": human.real_name, "is_stranger": is_stranger}
    flags = {flag: flag in _FLAGS[human.role] for flag in _ALL_FLAGS}
    return {
        **common,
        **flags,
        **_zone(human, now),
        "color": human.color,
        "real_name": human.real_name,
        "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }


def _machine(user_id: str, name: str, *, is_bot: bool, profile: Json) -> Json:
    return {
        "id": user_id,
        "team_id": TEAM_ID,
        "name": name,
        "deleted": False,
        "color": "757575",
        "real_name": name,
        "tz": "America/Los_Angeles",
        "tz_label": "PST",
        "tz_offset": -28800,
        "profile": {"real_name": name, "display_name": name, "team": TEAM_ID, **profile},
        **dict.fromkeys(_ALL_FLAGS, False),
        "is_bot": is_bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
    }


def bot_record(name: str) -> Json:
    """The app's own bot user."""
    return _machine(BOT_USER_ID, name, is_bot=True, profile={"api_app_id": APP_ID, "bot_id": BOT_ID})


def slackbot_record() -> Json:
    """The built-in helper, whose `is_bot` is false in Slack as well."""
    return _machine(SLACKBOT_ID, "slackbot", is_bot=False, profile={"always_active": True})
