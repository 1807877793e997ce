"""The form that shares a mailbox or one message: read, checked, drawn within Slack's limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import offers
from bot.offers import Offer, Refusal, Seers, Sheet
from bot.sandbox.slack import validate
from bot.slack import drafts, names, share_forms
from bot.slack.share_forms import ShareDraft
from bot.slack.views import mailbox_form
from bot.slack.views import sharing as pages
from storage.sharing import (
    Audience,
    AudienceKind,
    ChannelReach,
    GrantKind,
    Level,
    Mail,
    Role,
    Share,
    Suspension,
)
from tests.fakes.block_rules import visible

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
TODAY = NOW.date()
EVIL = "<!channel> & “quotes” \u202e" + "x" * 500
GROUPS = {"S1": "Team", "S2": EVIL}
LEVELS = dict.fromkeys(AudienceKind, Level.REPLY)
OFFER = Offer("m1", "Work", GrantKind.CHOICE, LEVELS, ChannelReach.ANY)
SHARE = Share("s1", "m1", Audience(AudienceKind.PERSON, "U2"), Level.OPEN, NOW)
DRAFT = ShareDraft("m1", people=("U2", "U3"), level=Level.OPEN, until=TODAY, history=True)


def state(view: dict[str, Any], **changes: dict[str, Any]) -> dict[str, Any]:
    """The view as Slack's payload has it: every field as it was sent, but for these, by block id."""
    values: dict[str, Any] = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        sent = {
            key.replace("initial", "selected", 1): value
            for key, value in element.items()
            if key.startswith("initial_")
        }
        field = changes.get(names.field_of(block["block_id"]), sent)
        values[block["block_id"]] = {element["action_id"]: {"type": element["type"], **field}}
    return {**view, "state": {"values": values}}


def fields(view: dict[str, Any]) -> list[str]:
    """Which fields a form shows."""
    return [names.field_of(block["block_id"]) for block in view["blocks"] if block["type"] == "input"]


@pytest.mark.parametrize(
    "draft",
    [
        DRAFT,
        ShareDraft("m1", kind=AudienceKind.GROUP, group="S1", level=Level.SEE),
        ShareDraft("m1", kind=AudienceKind.ROLE, role=Role.ADMIN, level=Level.REPLY),
        ShareDraft("m1", kind=AudienceKind.CHANNEL, channel="C1", level=Level.OPEN, until=date(2027, 1, 1)),
        ShareDraft("m1", message_id="x1", people=("U2",), level=Level.OPEN),
    ],
)
def test_a_form_that_is_sent_holds_what_it_showed(draft: ShareDraft) -> None:
    """What is drawn from a draft is read back as that draft, whomever it names: nothing is lost."""
    offer = replace(OFFER, message_id=draft.message_id)
    view = pages.share_form(Sheet(offer, Seers(("U2",)), GROUPS), draft, label="Anna: Hello")

    validate.view(view, "modal")
    assert share_forms.read(state(view)) == draft
    assert share_forms.PICKERS[draft.kind] in fields(view)
    assert len(set(share_forms.PICKERS.values()) & set(fields(view))) == 1
    assert (names.SHARE_HISTORY in fields(view)) == (not draft.message_id)


@pytest.mark.parametrize(
    ("draft", "field", "word"),
    [
        (replace(DRAFT, people=()), names.SHARE_PEOPLE, "Choose the people"),
        (replace(DRAFT, people=("U1", "U2")), names.SHARE_PEOPLE, "your own mail"),
        (
            replace(DRAFT, people=tuple(f"U{number}" for number in range(2, 40))),
            names.SHARE_PEOPLE,
            "at most 20",
        ),
        (replace(DRAFT, kind=AudienceKind.GROUP), names.SHARE_GROUP, "user group"),
        (replace(DRAFT, kind=AudienceKind.ROLE), names.SHARE_ROLE, "role"),
        (replace(DRAFT, kind=AudienceKind.CHANNEL), names.SHARE_CHANNEL, "channel"),
        (replace(DRAFT, until=TODAY - timedelta(days=1)), names.SHARE_UNTIL, "today or a later"),
        (replace(DRAFT, wrong=frozenset({names.SHARE_UNTIL})), names.SHARE_UNTIL, "today or a later"),
        (replace(DRAFT, level=Level.NONE), names.SHARE_LEVEL, "options"),
    ],
)
def test_each_fault_stands_under_its_field(draft: ShareDraft, field: str, word: str) -> None:
    """One sentence under the field that it is about."""
    found = share_forms.faults(draft, "U1", TODAY)

    assert [(names.field_of(block_id), word in sentence) for block_id, sentence in found.items()] == [
        (field, True)
    ]


def test_a_form_without_faults_has_none() -> None:
    """Today is a day to share until."""
    assert share_forms.faults(DRAFT, "U1", TODAY) == {}


@pytest.mark.parametrize("reason", Refusal)
@pytest.mark.parametrize("kind", AudienceKind)
def test_a_refusal_stands_under_a_field_that_is_there(reason: Refusal, kind: AudienceKind) -> None:
    """What is about whom, how much or until when stands there; the rest is said on top."""
    draft = replace(DRAFT, kind=kind)
    view = pages.share_form(Sheet(OFFER, None, GROUPS), draft)

    assert share_forms.refused(reason, draft).keys() <= {block.get("block_id") for block in view["blocks"]}
    assert offers.SENTENCES[reason] in pages.refused(reason)


def test_a_draft_is_made_to_fit_what_is_offered_now() -> None:
    """A kind or a level that is not offered any more becomes the first, or the lowest, that is."""
    less = replace(OFFER, levels={AudienceKind.GROUP: Level.SEE})

    found = share_forms.fitting(DRAFT, less)

    assert (found.kind, found.level) == (AudienceKind.GROUP, Level.SEE)
    assert share_forms.fitting(DRAFT, OFFER) == DRAFT


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=16), inner, max_size=3),
        max_leaves=12,
    )
)
def test_whatever_a_payload_holds_is_read_without_harm(found: Any) -> None:
    """Odd payloads give an empty draft, never a crash and never an id that is none."""
    odd = {
        field: {"x": found} for field in (*share_forms.PICKERS.values(), names.SHARE_UNTIL, names.SHARE_LEVEL)
    }

    draft = share_forms.read({"state": {"values": odd}, "private_metadata": found})

    assert all(audience.id.isalnum() for audience in draft.audiences)


@pytest.mark.parametrize(
    ("offer", "words", "has_form"),
    [
        (OFFER, "up to Reply", True),
        (replace(OFFER, kind=None, levels={}), "could not ask Slack", False),
        (replace(OFFER, suspension=Suspension.ADMINISTRATOR), "suspended", False),
        (replace(OFFER, kind=GrantKind.PRIVATE, levels={}), "ask a workspace administrator", False),
        (replace(OFFER, kind=GrantKind.PRIVATE, levels={}, decider="U9"), "ask <@U9>", False),
        (
            replace(OFFER, kind=GrantKind.FIXED, levels={}, fixed=replace(SHARE, is_fixed=True)),
            "cannot be changed here",
            False,
        ),
        (replace(OFFER, excluded=frozenset({"example.org", "<x>.test"})), "&lt;x&gt;.test", True),
        (replace(OFFER, channels=ChannelReach.PRIVATE), "private ones only", True),
    ],
)
def test_what_administrators_allow_stands_in_words(offer: Offer, words: str, *, has_form: bool) -> None:
    """Private says whom to ask, Fixed what is shared, Choice how far one may go; only Choice has fields."""
    view = pages.share_form(Sheet(offer, None, GROUPS), share_forms.fitting(DRAFT, offer))

    validate.view(view, "modal")
    assert words in visible(view["blocks"])
    assert ("submit" in view) == has_form == bool(fields(view))


def test_any_number_of_shares_fits_and_each_can_be_ended() -> None:
    """Each shown share has its Revoke with a question; what does not fit is counted; nobody's subject is named."""
    many = tuple(
        replace(SHARE, id=f"s{number}", message_id="x1", until=NOW, history=True) for number in range(250)
    )
    sheet = Sheet(replace(OFFER, shares=many, name=EVIL), Seers(()), GROUPS, frozenset({"s0"}))

    view = pages.share_form(sheet, DRAFT, said=pages.opened(many, GROUPS))

    validate.view(view, "modal")
    ended = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    assert [each["value"] for each in ended] == [share.id for share in many[: pages.MOST_SHARES]]
    assert all("cannot be called back" in each["confirm"]["text"]["text"] for each in ended)
    assert "And 210 more" in visible(view["blocks"])
    assert "the account is deactivated" in visible(view["blocks"])
    assert "one message" in visible(view["blocks"])


@pytest.mark.parametrize(
    ("seers", "is_chosen", "words"),
    [
        (None, False, "only you"),
        (None, True, "Slack does not say"),
        (Seers(()), True, "nobody at the moment"),
        (Seers(("U2", "U3")), True, "<@U2> and <@U3>."),
        (Seers(tuple(f"U{number}" for number in range(10, 30))), True, "<@U19> and 10 others"),
        (Seers(("U2",), see_guests=1), True, "sender and subject only"),
        (Seers(("U2",), open_guests=1), True, "Open at most"),
    ],
)
def test_who_will_see_it_is_said_by_name(seers: Seers | None, words: str, *, is_chosen: bool) -> None:
    """Ten by name and the number of the others; what guests get less is said."""
    assert words in visible([pages.seers_block(seers, is_chosen=is_chosen)])


@pytest.mark.parametrize("count", [1, 100, 101, 250])
def test_any_number_of_user_groups_fits(count: int) -> None:
    """Slack takes a hundred options, or a hundred heaps of them."""
    groups = {f"S{number}": f"Group {number}" for number in range(count)}
    draft = ShareDraft("m1", kind=AudienceKind.GROUP, group="S0", level=Level.SEE)

    view = pages.share_form(Sheet(OFFER, None, groups), draft)

    validate.view(view, "modal")
    assert share_forms.read(state(view)).group == "S0"


def test_the_add_form_keeps_what_was_chosen_about_sharing() -> None:
    """The part about sharing comes back with its choices when the form is drawn anew, and shares with nobody at first."""
    sheet = Sheet(OFFER, Seers(("U2",)), GROUPS)
    fresh = replace(drafts.new_draft(), sharing=tuple(pages.adding_blocks(sheet, (), Level.SEE)))
    chosen = replace(drafts.new_draft(), sharing=tuple(pages.adding_blocks(sheet, ("U2", "U3"), Level.OPEN)))

    first, second = mailbox_form(fresh), mailbox_form(chosen)
    again = mailbox_form(drafts.read(state(second)))

    for view in (first, second, again):
        validate.view(view, "modal")
    assert "only you" in visible(first["blocks"])
    assert names.SHARE_LEVEL not in fields(first)
    assert drafts.read(state(again)).text(names.SHARE_PEOPLE) == "U2,U3"
    assert drafts.read(state(again)).text(names.SHARE_LEVEL) == str(Level.OPEN.value)


@pytest.mark.parametrize(
    ("offer", "words"),
    [
        (Offer("", "", None), "Only you will see this mailbox."),
        (Offer("", "", GrantKind.PRIVATE), "keep this mail private"),
        (Offer("", "", GrantKind.CHOICE, {AudienceKind.GROUP: Level.SEE}), "once it is added"),
        (
            Offer("", "", GrantKind.FIXED, fixed=replace(SHARE, is_fixed=True)),
            "Your administrators decide this",
        ),
    ],
)
def test_the_add_form_says_what_is_decided_already(offer: Offer, words: str) -> None:
    """Without a choice it is one line; a fixed share comes with the names of those who will see it."""
    blocks = pages.adding_blocks(Sheet(offer, Seers(("U2",)), GROUPS), (), Level.SEE)

    validate.view(mailbox_form(replace(drafts.new_draft(), sharing=tuple(blocks))), "modal")
    assert words in visible(blocks)
    assert ("<@U2>" in visible(blocks)) == (offer.fixed is not None)


@pytest.mark.parametrize(
    ("already", "words"),
    [
        (Seers(()), ""),
        (Seers(("U4",)), "*Who sees it already:* <@U4>."),
        (Seers(tuple(f"U{number}" for number in range(25))), "<@U9> and 15 others."),
        (None, "*Who sees it already:* Slack does not say right now who that is."),
    ],
)
def test_the_form_says_who_sees_it_already(already: Seers | None, words: str) -> None:
    """Below those who are chosen, by name and bounded; nothing where nobody does, nor where there is no form."""
    sheet = Sheet(OFFER, Seers(("U2",)), GROUPS, already=already)
    view = pages.share_form(sheet, DRAFT)

    last = view["blocks"][-1]
    assert (
        (last["type"] == "context" and words in last["elements"][0]["text"])
        if words
        else last["type"] == "section"
    )
    validate.view(view, "modal")
    assert "sees it already" not in str(pages.share_form(sheet, DRAFT, is_done=True))


def test_who_sees_a_message_already_has_a_share_of_it_or_of_its_mailbox() -> None:
    """Those of other messages, of mail that came later, and those that are over do not count."""
    mail, late = Mail("x1", NOW, None), NOW + timedelta(minutes=1)
    people = [Audience(AudienceKind.PERSON, f"U{number}") for number in range(6)]
    shares = [
        replace(SHARE, audience=people[0]),
        replace(SHARE, audience=people[1], created_at=late),
        replace(SHARE, audience=people[2], created_at=late, history=True),
        replace(SHARE, audience=people[3], message_id="x1"),
        replace(SHARE, audience=people[4], message_id="x2"),
        replace(SHARE, audience=people[5], until=NOW),
        replace(SHARE, audience=people[0], message_id="x1"),
    ]

    assert offers.seeing(shares, mail, NOW) == (people[0], people[2], people[3])
    assert offers.seeing(shares, None, NOW) == tuple(people[:3])
