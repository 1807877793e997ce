"""Views and answers about single messages: within Slack's limits, whatever a mail says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.mail.content import Rendered
from bot.sandbox.slack import validate
from bot.slack import blocks, names, views
from storage.wishes import Original, OriginalState, Rule, RuleKind
from tests.fakes.block_rules import text_problems, visible
from tests.unit.samples import HOME, MAILBOX

EVIL = "<!channel> & “quotes” \u202e" + "x" * 5000
READ = Rendered(EVIL, [blocks.sentence("Hello.")], pages=3)
MANY = [Rule(f"r{number}", MAILBOX.id, RuleKind.SENDER, EVIL, number) for number in range(500)]


@pytest.mark.parametrize(
    ("number", "buttons"),
    [
        (0, [("Next page", "1")]),
        (1, [("Previous page", "0"), ("Next page", "2")]),
        (2, [("Previous page", "1")]),
        (99, [("Previous page", "1")]),
    ],
)
def test_a_page_leads_to_its_neighbours(number: int, buttons: list[tuple[str, str]]) -> None:
    """The number of the page is said; the message is named in the metadata alone."""
    view = views.page(names.WHOLE_TEXT, "message-id", READ, number)

    validate.view(view, "modal")
    (row,) = (block for block in view["blocks"] if block["type"] == "actions")
    assert [(each["text"]["text"], each["value"]) for each in row["elements"]] == buttons
    assert f"Page {min(number, 2) + 1} of 3" in visible(view["blocks"])
    assert view["private_metadata"] == "message-id"


def test_a_single_page_has_no_buttons() -> None:
    """There is nowhere to go."""
    view = views.page(names.HEADERS_SHOWN, "message-id", replace(READ, pages=1), 0)

    assert not [block for block in view["blocks"] if block["type"] == "actions"]


def test_a_message_past_its_time_can_be_asked_for() -> None:
    """The sentence comes with the button that asks the mail server."""
    view = views.not_kept(names.WHOLE_TEXT, "message-id", "It is gone.")

    validate.view(view, "modal")
    assert view["blocks"][-1]["elements"][0]["action_id"] == names.GET_WHOLE_BUTTON


@pytest.mark.parametrize("rules", [[], MANY[:1], MANY])
@pytest.mark.parametrize("mailboxes", [{MAILBOX.id: "Work"}, {MAILBOX.id: EVIL, HOME.id: "Home"}])
def test_any_number_of_rules_fits_the_modal(rules: list[Rule], mailboxes: dict[str, str]) -> None:
    """Each shown rule has its Remove button; what does not fit is counted."""
    view = views.rules(rules, mailboxes)

    validate.view(view, "modal")
    removable = [block["accessory"]["value"] for block in view["blocks"] if "accessory" in block]
    assert removable == [rule.id for rule in rules[: views.MOST_RULES]]
    assert ("more" in visible(view["blocks"][-1:])) == (len(rules) > views.MOST_RULES)


@pytest.mark.parametrize("kind", RuleKind)
def test_muting_says_what_stays_out_and_offers_the_way_back(kind: RuleKind) -> None:
    """The label is a stranger's, so it mentions nobody."""
    said = views.muted(Rule("r1", MAILBOX.id, kind, EVIL, 0))

    validate.message_blocks(said["blocks"])
    assert text_problems(said["text"]) == []
    assert [each["value"] for each in said["blocks"][-1]["elements"] if "value" in each] == ["r1"]


@pytest.mark.parametrize("state", OriginalState)
def test_every_outcome_of_an_original_has_its_sentence(state: OriginalState) -> None:
    """On its way, there, looked for, lost: each says so; a resting mailbox is told of."""
    said = views.original_answer(MAILBOX, Original("m", state))
    there = views.original_answer(MAILBOX, Original("m", OriginalState.HERE, is_there=True))
    resting = views.original_answer(replace(MAILBOX, due_at=None), Original("m", OriginalState.ASKED))

    assert text_problems(said["text"]) == []
    assert "already" in there["text"]
    assert "not checked at the moment" in resting["text"]


@pytest.mark.parametrize("count", [0, 1, 20])
def test_what_is_not_done_is_listed_with_links(count: int) -> None:
    """A post without an address is named all the same."""
    mails = [(EVIL, "https://x.slack.example/archives/D1/p1" if at % 2 else None) for at in range(count)]

    view = views.not_done(MAILBOX, mails, 1234 if count == 20 else count)

    validate.view(view, "modal")
    if count == 20:
        assert "newest 20 of 1,234" in visible(view["blocks"])


def test_the_question_before_a_deletion_names_the_message() -> None:
    """Its button deletes; nothing else does."""
    said = views.ask_delete("message-id")

    validate.message_blocks(said["blocks"])
    (button,) = said["blocks"][-1]["elements"]
    assert (button["action_id"], button["value"], button["style"]) == (
        names.DELETE_BUTTON,
        "message-id",
        "danger",
    )
