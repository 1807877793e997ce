"""What viewers, managers and the front page show: within Slack's limits, in words, and nothing typed is live."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import policy
from bot.mail.content import Rendered
from bot.retention import allowed_retentions
from bot.sandbox.slack import validate
from bot.slack import digest, names, views
from bot.slack.views import admin, managed, shared
from bot.slack.views.home import HomePage, SeenBy, no_right, seers_words
from bot.slack.views.opened import Line, Listing, Opened, OpenedToMe, Viewed
from storage.headcount import Counts
from storage.records import Health
from storage.sharing import EVERYONE, Audience, AudienceKind, Level, Role, Share
from storage.wishes import Rule, RuleKind
from tests.unit import kit
from tests.unit.samples import HOME, MAILBOX, NOW, PROVIDERS, many, named
from tests.unit.test_views import NASTY

OWNER = "U0MARTA004"
OURS = re.compile(r"<(?:@U0MARTA004|@U1|#C1)>")
"""People and channels that we name ourselves."""

LEVELS = [Level.SEE, Level.OPEN, Level.REPLY, Level.MANAGE, Level.OWN]


def line(text: str = "Ada: Plans") -> Rendered:
    """What the render child reads of a message for a list."""
    return replace(digest.nameless("x", NOW), text=text)


def opened(number: int = 0, *, name: str = "Work", level: Level = Level.OPEN) -> Opened:
    """A mailbox that is open."""
    return Opened(f"{number:032}", OWNER, name, level, until=NOW, since=NOW)


def viewed(level: Level, *, text: str = "Ada: Plans", pages: int = 3) -> Viewed:
    """A message at a level."""
    page = Rendered(
        text, [{"type": "section", "text": {"type": "plain_text", "text": "Body words"}}], pages=pages
    )
    page = replace(page, attached=tuple((text or "a", 1234) for _ in range(25)))
    return Viewed(
        "f" * 32, OWNER, text or "Work", level, NOW, 2048, line(text),
        page if level >= Level.OPEN else None, number=1,
    )  # fmt: skip


def every_view(text: str = "Work") -> dict[str, dict[str, Any]]:
    """Each view with a text wherever one of somebody's may stand."""
    mailbox = named(MAILBOX, text)
    lines = [Line(f"{n:032}", Level.OPEN, NOW, 100, line(text) if n else None) for n in range(12)]
    rules = [Rule("r", mailbox.id, RuleKind.SENDER, text, n) for n in range(60)]
    trail = tuple(f"{n:032}" for n in range(60))
    return {
        **{
            f"message_{level.name}": shared.shared_message(viewed(level, text=text), said=text)
            for level in LEVELS
        },
        **{
            f"list_{level.name}": shared.shared_listing(
                Listing(opened(name=text, level=level), lines, trail, "1" * 32)
            )
            for level in LEVELS
        },
        "list_empty": shared.shared_listing(Listing(opened(name=text), [])),
        "list_end": shared.shared_listing(Listing(opened(name=text), [], ("1" * 32,))),
        "message_gone": shared.shared_message(replace(viewed(Level.OPEN, text=text), line=None, page=None)),
        "fields": shared.shared_fields("f" * 32, Rendered("", [{"type": "divider"}], pages=3), 1),
        "managed": managed.managed(mailbox, NOW, said=text),
        "managed_paused": managed.managed(replace(mailbox, is_paused=True), NOW),
        "retention": managed.retention_form(mailbox, allowed_retentions(None, "")),
        "retention_gmail": managed.retention_form(
            mailbox, allowed_retentions(PROVIDERS.by_address("a@gmail.com"), "a")
        ),
        "rules": managed.shared_rules(mailbox, rules),
        "rules_empty": managed.shared_rules(mailbox, []),
    }


VIEWS = every_view()


@pytest.mark.parametrize("name", VIEWS)
def test_slack_takes_every_view_of_shared_mail(name: str) -> None:
    """However full, each keeps to Slack's limits, and its metadata is an id."""
    view = VIEWS[name]

    validate.view(view, "modal")
    assert kit.sdk_accepts(view)
    assert len(view["private_metadata"]) <= 36


@settings(max_examples=30, deadline=None)
@given(NASTY)
def test_nothing_of_a_mail_or_a_name_is_live(text: str) -> None:
    """Names of mailboxes, senders and files interpret nothing, whatever they are."""
    for name, view in every_view(text or "x").items():
        assert kit.faults(_without_ours(view)) == [], name


def _without_ours(view: dict[str, Any]) -> dict[str, Any]:
    """The view without the people whom we name on purpose; of questions before an act, all words are ours."""
    found: dict[str, Any] = json.loads(OURS.sub("somebody", json.dumps(view)))
    for _, _, part in list(kit.walk(found)):
        part.pop("confirm", None)
    return found


@pytest.mark.parametrize("level", LEVELS)
def test_a_message_offers_what_its_level_allows(level: Level) -> None:
    """Up to See no button at all; from Reply on it can be answered, and answered to all where there are others."""
    ids = _buttons(VIEWS[f"message_{level.name}"])

    opens = {names.SHARED_SEND, names.SHARED_HEADERS, names.SHARED_NEXT, names.SHARED_PREVIOUS}
    wanted = opens if level >= Level.OPEN else set()
    wanted |= {names.REPLY_BUTTON, names.FORWARD_BUTTON} if level >= Level.REPLY else set()
    assert ids == wanted | ({names.SHARED_MUTE} if level >= Level.MANAGE else set())
    assert ("Body words" in json.dumps(VIEWS[f"message_{level.name}"])) == (level >= Level.OPEN)


@pytest.mark.parametrize("level", LEVELS)
def test_only_who_manages_is_led_to_it(level: Level) -> None:
    """The button is in the list of the mailbox's messages, for Manage and its owner."""
    assert (names.SHARED_MANAGE in _buttons(VIEWS[f"list_{level.name}"])) == (level >= Level.MANAGE)


def _buttons(view: dict[str, Any]) -> set[str]:
    return {part["action_id"] for _, _, part in kit.walk(view) if part.get("type") == "button"}


def test_a_manager_sees_no_server_no_address_and_no_way_to_remove() -> None:
    """State and delete setting are there; what is the owner's alone is not."""
    said = json.dumps(VIEWS["managed"])

    for hidden in (
        "ana@example.org",
        "pop.example.org",
        names.REMOVE_BUTTON,
        names.PASSWORD_BUTTON,
        names.EDIT_BUTTON,
    ):
        assert hidden not in said
    assert "All is well." in said
    assert "Leave on the server" in said


@pytest.mark.parametrize(
    ("mailbox", "has_check", "switch"),
    [
        (MAILBOX, True, names.SHARED_PAUSE),
        (replace(MAILBOX, is_paused=True), False, names.SHARED_RESUME),
        (HOME, False, names.SHARED_PAUSE),
        (replace(MAILBOX, health=Health.LOGIN_REFUSED), False, names.SHARED_PAUSE),
    ],
)
def test_no_button_of_a_manager_does_nothing(mailbox: Any, *, has_check: bool, switch: str) -> None:
    """What cannot be done to a mailbox as it is now is not offered."""
    found = _buttons(managed.managed(mailbox, NOW))

    assert (names.SHARED_CHECK in found) == has_check
    assert switch in found
    assert len(found & {names.SHARED_PAUSE, names.SHARED_RESUME}) == 1


def test_a_trail_never_outgrows_a_button() -> None:
    """Who goes on and on through a large mailbox comes back in fewer steps, to the newest."""
    trail: tuple[str, ...] = ()
    for number in range(200):
        view = shared.shared_listing(Listing(opened(), [], trail, f"{number:032}"))
        validate.view(view, "modal")
        older = next(
            part["value"] for _, _, part in kit.walk(view) if part.get("action_id") == names.SHARED_OLDER
        )
        mailbox_id, trail = shared.turned_to(older)

    assert mailbox_id == opened().mailbox_id
    assert trail[-1] == f"{199:032}"


@given(st.text(max_size=20))
def test_a_page_in_a_button_is_a_number_or_the_first(value: str) -> None:
    """Whatever a payload holds."""
    message_id, number = shared.at_page(value)

    assert value.startswith(message_id)
    assert 0 <= number < 1_000_000


# The front page


def share(kind: AudienceKind, identity: str, **more: Any) -> Share:
    """A share of the sample mailbox."""
    return Share("s", MAILBOX.id, Audience(kind, identity), Level.OPEN, NOW, **more)


SHARES = [
    share(AudienceKind.PERSON, "U1", until=NOW + timedelta(days=1)),
    share(AudienceKind.GROUP, "S1"),
    share(AudienceKind.ROLE, Role.MEMBER),
    share(AudienceKind.CHANNEL, "C1"),
    share(AudienceKind.PERSON, "U1"),
]
GROUPS = {"S1": "Support"}
ADMIN = admin.admin_blocks(admin.Overview([replace(policy.NO_LIMIT, subject=EVERYONE)], Counts(5, 1, 1)))


def home_page(count: int, **more: Any) -> HomePage:
    """A front page with so many mailboxes of one's own."""
    mailboxes = many(MAILBOX, count)
    seen_by = {mailbox.id: SeenBy(SHARES, 3) for mailbox in mailboxes}
    return HomePage(mailboxes, seen_by=seen_by, groups=GROUPS, **more)


@pytest.mark.parametrize("count", [0, 1, 15, 16, 50, 200])
@pytest.mark.parametrize("shares", [0, 1, 60])
@pytest.mark.parametrize("number", [0, 2, 99])
def test_the_front_page_keeps_to_slacks_limits(count: int, shares: int, number: int) -> None:
    """However much there is of everything, for an administrator too; each mailbox is on one of the pages."""
    found = OpenedToMe([opened(n) for n in range(shares)], why="Slack did not answer about some of them.")
    view = views.home(home_page(count, shared=found, admin=ADMIN, number=number, may_send=True), NOW)

    validate.view(view, "home")
    assert len(json.dumps(view)) < 250_000
    assert len(view["blocks"]) <= 100


def test_every_mailbox_is_on_one_page() -> None:
    """The buttons lead on until the last."""
    seen: list[str] = []
    number: int | None = 0
    while number is not None:
        view = views.home(home_page(50, number=number), NOW)
        buttons = [part for _, _, part in kit.walk(view) if part.get("type") == "button"]
        seen += [each["value"] for each in buttons if each["action_id"] == names.EDIT_BUTTON]
        number = next((int(each["value"]) for each in buttons if each["action_id"] == names.HOME_PAGE), None)

    assert seen == [mailbox.id for mailbox in many(MAILBOX, 50)]


def test_a_newcomer_is_welcomed_and_finds_nothing_to_erase() -> None:
    """First steps and one button that stands out; the red one comes with the first mailbox."""
    said, ids = _home(HomePage([]))

    assert "Welcome to Mailbox" in said
    assert "Nobody has opened a mailbox" in said
    assert names.ERASE_BUTTON not in ids
    assert names.OPEN_ADD in ids
    assert names.ERASE_BUTTON in _home(home_page(1))[1]


def test_who_may_have_no_mailbox_reads_why_and_whom_to_ask() -> None:
    """No button to add one; what others share with them is there."""
    page = HomePage([], no_right=no_right(["U1"]), shared=OpenedToMe([opened()]))
    said, ids = _home(page)

    assert "allow no mailbox for your account" in said
    assert "<@U1>" in said
    assert names.OPEN_ADD not in ids
    assert names.SHARED_LIST in ids


def test_an_owner_reads_who_can_see_each_mailbox() -> None:
    """People and channels as Slack names them, groups by name, with level and end; else that it is only them."""
    words = seers_words(SeenBy(SHARES[:4], 1), GROUPS)

    assert words.startswith("Who can see it: you; <@U1> (Open, until the end of <!date^")
    for part in ("the group “Support” (Open)", "Members and above (Open)", "<#C1> (Open)", "1 more"):
        assert part in words
    assert seers_words(SeenBy(), {}) == "Who can see it: only you."


def test_a_silent_slack_hides_nothing_of_ones_own() -> None:
    """The mailboxes are there with their buttons, and it is said what is not."""
    said, ids = _home(
        replace(home_page(2), seen_by=None, shared=OpenedToMe(why=policy.SENTENCES[policy.Reason.UNKNOWN]))
    )

    assert "Slack did not answer just now" in said
    assert "could not ask Slack" in said
    assert "Who can see it" not in said
    assert names.EDIT_BUTTON in ids


def test_only_administrators_are_given_their_part() -> None:
    """It stands between what others share and one's own data."""
    assert "Administration" in _home(home_page(1, admin=ADMIN))[0]
    assert "Administration" not in _home(home_page(1))[0]


def _home(page: HomePage) -> tuple[str, set[str]]:
    view = views.home(page, NOW)
    validate.view(view, "home")
    return "\n".join(kit.texts(view)), _buttons(view)
