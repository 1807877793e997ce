"""What the post of a mail says that somebody sends, and what can be done from it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from bot.slack import names, sent_posts
from storage.records import Person
from storage.sending import (
    Letter,
    Outgoing,
    OutgoingState,
    Recipient,
    RecipientField,
    RecipientState,
    Trouble,
)
from storage.sharing import Suspension
from tests.fakes.block_rules import problems, text_problems, visible
from tests.unit.samples import MAILBOX, named

if TYPE_CHECKING:
    from bot.mail.content import Rendered
    from storage.records import Mailbox

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
LIVE = "<!channel> <@U123> *b* <https://evil.example|x> &lt;!here&gt;"
OWNER = MAILBOX.owner
OTHER = Person("T1", "U2")
W, H, S, U, F = (
    OutgoingState.WAITING,
    OutgoingState.HELD,
    OutgoingState.SENT,
    OutgoingState.UNKNOWN,
    OutgoingState.FAILED,
)
ANA = Recipient("ana@partner.example", RecipientField.TO)
BO = Recipient("bo@partner.example", RecipientField.CC)
LETTER = Letter("<1@x>", "ana@example.org", (ANA, BO), "Offer", "Yes, gladly.", ("a.pdf",), draft="{}")


def mail(state: OutgoingState = W, trouble: Trouble | None = None, **more: Any) -> Outgoing:
    """A mail of the owner's in some state."""
    found = Outgoing(
        id="o1",
        mailbox_id=MAILBOX.id,
        owner=OWNER,
        actor=OWNER,
        answers="m1",
        state=state,
        letter=LETTER,
        attempts=0,
        created_at=NOW,
        due_at=NOW if state is W else None,
        finished_at=NOW if state in {S, U, F} else None,
        octets=100,
        trouble=trouble,
        begun_at=NOW,
    )
    return replace(found, **more)


def with_letter(found: Outgoing, **changes: Any) -> Outgoing:
    """The same with another letter."""
    assert found.letter is not None
    return replace(found, letter=replace(found.letter, **changes))


def said(found: Outgoing, reader: Person = OWNER, mailbox: Mailbox = MAILBOX) -> str:
    """The line of its state."""
    shown = [
        block for block in sent_posts.post(found, mailbox, reader).blocks if block["type"] == "rich_text"
    ]
    (section,) = shown[-1]["elements"]
    return "".join(each.get("text") or each["fallback"] for each in section["elements"])


def buttons(found: Outgoing, reader: Person = OWNER, mailbox: Mailbox = MAILBOX) -> list[str]:
    """The action ids of its row."""
    last = sent_posts.post(found, mailbox, reader).blocks[-1]
    return [each["action_id"] for each in last["elements"]] if last["type"] == "actions" else []


def held_to_rules(rendered: Rendered) -> list[str]:
    """What Slack would object to; our own confirm, seconds and line with a mention apart, which only this post has."""
    found = json.loads(json.dumps(rendered.blocks).replace("{time_secs}", "{time}"))
    for block in found:
        for each in block.get("elements", ()):
            each.pop("confirm", None)
    if found[0]["elements"][0]["type"] == "mrkdwn":
        found = found[1:]
    clock = "12:00:10 UTC"
    found = json.loads(json.dumps(found).replace(clock, "2026-03-01 12:00 UTC"))
    return problems(found) + text_problems(rendered.text)


TAKEN, REFUSED = RecipientState.TAKEN, RecipientState.REFUSED
PARTLY = (replace(ANA, state=TAKEN), replace(BO, state=REFUSED, code=550, words="5.1.1 <x> no such user"))
PUT_OFF = (replace(ANA, state=TAKEN), replace(BO, code=450, words="4.2.0 later"))
BUSY = "The outgoing server is busy and asks to come back later."

STATES = [
    (mail(), "Will be sent at 12:00:10 UTC.", [names.OUTGOING_UNDO]),
    (
        with_letter(mail(trouble=Trouble.UNREACHABLE), said=BUSY),
        f"Waiting. {BUSY} Next try 2026-03-01 12:00 UTC.",
        [names.OUTGOING_UNDO],
    ),
    (
        with_letter(mail(trouble=Trouble.RECIPIENTS_REFUSED), recipients=PUT_OFF),
        (
            "Sent to ana@partner.example. Waiting. bo@partner.example: its mailbox does not take mail (450 4.2.0). "
            "Next try 2026-03-01 12:00 UTC."
        ),
        [],
    ),
    (mail(OutgoingState.SENDING), "Sending…", []),
    (mail(S), "Sent 2026-03-01 12:00 UTC", []),
    (
        with_letter(mail(S, Trouble.RECIPIENTS_REFUSED), recipients=PARTLY),
        (
            "Sent, but not to bo@partner.example: there is no such address (550 5.1.1). The others have it since "
            "2026-03-01 12:00 UTC"
        ),
        [],
    ),
    (
        mail(H, Trouble.LOGIN_REFUSED),
        "Held: the outgoing server refused the password of this mailbox. It goes out once you have changed it.",
        [names.OUTGOING_PASSWORD_BUTTON, names.OUTGOING_UNDO],
    ),
    (
        mail(U, Trouble.NO_ANSWER),
        (
            "It is not known whether the server took it: the connection ended before its answer. Mailbox does not send it "
            "again by itself. Ask the recipients, or look into the sent mail at your provider."
        ),
        [names.OUTGOING_AGAIN, names.OUTGOING_LEAVE],
    ),
    (
        mail(U, Trouble.NO_ANSWER, is_left=True),
        "It is not known whether the server took it, and it is not sent again.",
        [],
    ),
    (
        with_letter(mail(F, Trouble.MESSAGE_REFUSED), said="The outgoing server refused this mail."),
        "Not sent. The outgoing server refused this mail.",
        [names.OUTGOING_WRITE_ON],
    ),
    (
        with_letter(mail(F, Trouble.TOO_LONG), said="It could not be sent for a day."),
        "Not sent. It could not be sent for a day.",
        [names.OUTGOING_AGAIN, names.OUTGOING_WRITE_ON],
    ),
    (mail(OutgoingState.UNDONE), "Not sent: it was undone.", [names.OUTGOING_WRITE_ON]),
    (with_letter(mail(OutgoingState.UNDONE), draft=""), "Not sent: it was undone.", []),
    (
        with_letter(mail(OutgoingState.UNDONE), draft="", is_written_on=True),
        "Not sent: it was undone. It was written on, and sent as another e-mail.",
        [],
    ),
    (
        with_letter(mail(F, Trouble.TOO_LONG), said="It took a day.", draft="", is_written_on=True),
        "Not sent. It took a day. It was written on, and sent as another e-mail.",
        [],
    ),
]


@pytest.mark.parametrize(("found", "words", "actions"), STATES, ids=[each[1][:30] for each in STATES])
def test_each_state_has_its_words_and_buttons(found: Outgoing, words: str, actions: list[str]) -> None:
    """How far it is, and what its sender can do about it."""
    assert said(found) == words
    assert buttons(found) == actions
    assert held_to_rules(sent_posts.post(found, MAILBOX, OWNER)) == []


def test_the_post_shows_what_was_written() -> None:
    """To whom, about what, the words and the names of the files."""
    shown = visible(sent_posts.post(mail(), MAILBOX, OWNER).blocks)

    for words in (
        "To ana@partner.example · Cc bo@partner.example",
        "Offer",
        "Yes, gladly.",
        "1 attachment: a.pdf",
    ):
        assert words in shown


def test_many_recipients_are_counted() -> None:
    """A line names five and says how many more."""
    many = tuple(Recipient(f"p{number}@x.example", RecipientField.BCC) for number in range(100))

    assert "Bcc p0@x.example, p1@x.example" in visible(
        sent_posts.post(with_letter(mail(), recipients=many), MAILBOX, OWNER).blocks
    )
    assert "p4@x.example and 95 more" in visible(
        sent_posts.post(with_letter(mail(), recipients=many), MAILBOX, OWNER).blocks
    )


@pytest.mark.parametrize("state", list(OutgoingState))
@pytest.mark.parametrize("reader", [OWNER, OTHER])
@pytest.mark.parametrize("size", [1, 200])
def test_nothing_that_was_written_is_live(state: OutgoingState, reader: Person, size: int) -> None:
    """Whatever stands in a mail, and whatever a server said, mentions nobody and breaks no limit of Slack's."""
    text = LIVE * size
    recipients = tuple(
        Recipient(text, field, RecipientState.REFUSED, 550, text)
        for field in RecipientField
        for _ in range(7)
    )
    found = with_letter(
        mail(state, Trouble.RECIPIENTS_REFUSED, actor=OTHER),
        recipients=recipients, subject=text, text=text, files=(text,) * 10, said=text,
    )  # fmt: skip

    rendered = sent_posts.post(found, named(MAILBOX, text), reader)

    assert held_to_rules(rendered) == []
    assert rendered.blocks[0]["elements"][0]["text"] in {
        "<@U2> answered as this mailbox:",
        "You answer as a mailbox of <@U1>:",
    }
    assert json.dumps(rendered.blocks).count('"mrkdwn"') == 1


def test_a_long_text_is_shortened_and_says_so() -> None:
    """The post stays readable; nothing of the mail itself is cut."""
    shown = visible(sent_posts.post(with_letter(mail(S), text="word " * 2000), MAILBOX, OWNER).blocks)

    assert sent_posts.CUT in shown
    assert len(shown) < 4000


def test_who_answers_for_another_is_named_to_both() -> None:
    """The owner sees who it was, the sender as whom."""
    found = mail(actor=OTHER)

    owners, senders = (
        sent_posts.post(found, MAILBOX, reader).blocks[0]["elements"] for reader in (OWNER, OTHER)
    )

    assert owners[0]["text"] == "<@U2> answered as this mailbox:"
    assert senders[0]["text"] == "You answer as a mailbox of <@U1>:"
    assert owners[1]["text"] == senders[1]["text"] == "ana@example.org"


def test_the_owner_may_undo_what_another_writes_and_nothing_else() -> None:
    """It is their mailbox; what to do about a mail that failed is its sender's to decide."""
    assert buttons(mail(actor=OTHER), OWNER) == [names.OUTGOING_UNDO]
    for state in (U, F, OutgoingState.UNDONE):
        assert buttons(mail(state, Trouble.TOO_LONG, actor=OTHER), OWNER) == []
        assert buttons(mail(state, Trouble.TOO_LONG, actor=OTHER), OTHER) != []


def test_only_the_owner_is_offered_to_change_the_password() -> None:
    """Whoever else sends learns that its owner was told."""
    held = mail(H, Trouble.LOGIN_REFUSED, actor=OTHER)

    assert buttons(held, OTHER) == [names.OUTGOING_UNDO]
    assert "Its owner was told" in said(held, OTHER)


@pytest.mark.parametrize("state", [W, H])
def test_a_suspended_mailbox_holds_its_mail_and_says_so(state: OutgoingState) -> None:
    """It can be undone, and the password is not asked for."""
    suspended = replace(MAILBOX, suspension=Suspension.ADMINISTRATOR)

    assert said(mail(state), OWNER, suspended).startswith("Held: this mailbox is suspended.")
    assert buttons(mail(state), OWNER, suspended) == [names.OUTGOING_UNDO]


def test_sending_again_asks_first() -> None:
    """It may arrive twice."""
    row = sent_posts.post(mail(U, Trouble.NO_ANSWER), MAILBOX, OWNER).blocks[-1]["elements"]

    assert "arrives twice" in row[0]["confirm"]["text"]["text"]


def test_what_is_past_its_time_still_says_what_became_of_it() -> None:
    """Without its text."""
    rendered = sent_posts.post(
        replace(mail(S, finished_at=NOW - timedelta(days=40)), letter=None), MAILBOX, OWNER
    )

    assert sent_posts.PURGED in visible(rendered.blocks)
    assert held_to_rules(rendered) == []


def test_a_telephone_and_a_voice_tell_who_writes_to_whom_and_how_far_it_is() -> None:
    """No time of another zone, a few of the words; owners hear that it was not themselves, and nobody is mentioned."""
    own = sent_posts.post(mail(), MAILBOX, OWNER)
    others = sent_posts.post(mail(S, actor=OTHER), MAILBOX, OWNER)

    assert own.text.startswith(
        "E-mail to ana@partner.example, bo@partner.example. Offer: Will be sent in a moment. "
    )
    assert others.text.startswith(f"Somebody wrote as {MAILBOX.profile.address} to ana@partner.example, ")
    assert "Sent 2026-03-01 12:00 UTC" in others.text
    assert "Sent" not in visible(own.blocks)


def test_slack_may_be_given_text_alone() -> None:
    """Where it takes no blocks, the subject and the state remain."""
    rendered = sent_posts.post(mail(), MAILBOX, OWNER, plain=True)

    assert (rendered.blocks, rendered.text) == ([], "Offer: Will be sent at 12:00:10 UTC.")


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (
            with_letter(mail(F, Trouble.MESSAGE_REFUSED), said="The outgoing server refused this mail (554)."),
            ("Your e-mail “Offer” was not sent. The outgoing server refused this mail (554). Its post in this thread has what "
            "can be done."),
        ),
        (
            mail(U, Trouble.NO_ANSWER),
            ("It is not known whether the server took your e-mail “Offer”, so it is not sent again by itself. Its post in this "
            "thread has the buttons to decide."),
        ),
        (
            with_letter(mail(S, Trouble.RECIPIENTS_REFUSED), recipients=PARTLY),
            "Your e-mail “Offer” was sent, but not to bo@partner.example: there is no such address (550 5.1.1).",
        ),
        (
            mail(OutgoingState.UNDONE, actor=OTHER),
            ("Your e-mail “Offer” is not sent: the owner of the mailbox called it back. You can write on from its post in this "
            "thread."),
        ),
    ],
)  # fmt: skip
def test_a_bad_end_is_news(found: Outgoing, words: str) -> None:
    """With the reason, and where to go on."""
    rendered = sent_posts.news(found)

    assert sent_posts.is_news(found)
    assert (visible(rendered.blocks), rendered.text) == (words, words)
    assert problems(rendered.blocks) + text_problems(rendered.text) == []


@pytest.mark.parametrize(
    "found",
    [
        mail(),
        mail(S),
        mail(H),
        mail(OutgoingState.UNDONE),
        mail(U, is_left=True),
        replace(mail(F), letter=None),
        with_letter(mail(F), is_written_on=True),
    ],
)
def test_what_is_well_or_decided_is_no_news(found: Outgoing) -> None:
    """Nobody is called for it."""
    assert not sent_posts.is_news(found)


def test_nothing_in_news_is_live() -> None:
    """Whatever stands in the subject or was said by a server."""
    found = with_letter(mail(F), subject=LIVE * 50, said=LIVE * 50)

    rendered = sent_posts.news(found)

    assert problems(rendered.blocks) + text_problems(rendered.text) == []


@pytest.mark.parametrize("name", ["Work", LIVE])
def test_a_mended_password_needs_nothing_more(name: str) -> None:
    """The post that asked for it says so, without a button; a mailbox that only receives by now sends nothing at all."""
    rendered = sent_posts.mended(named(MAILBOX, name), 3)
    without = replace(MAILBOX, profile=replace(MAILBOX.profile, outgoing=None))

    assert "works again. 3 e-mails that waited are on their way" in visible(rendered.blocks)
    assert problems(rendered.blocks) + text_problems(rendered.text) == []
    assert "actions" not in [block["type"] for block in rendered.blocks]
    assert "only receives" in sent_posts.mended(without, 3).text
    assert sent_posts.mended(MAILBOX, 1).text.endswith("works again. 1 e-mail that waited is on its way.")
    assert sent_posts.mended(MAILBOX, 0).text.endswith("works again.")


@pytest.mark.parametrize("name", ["Work", LIVE])
def test_the_owner_is_told_of_a_refused_password_with_the_way_to_mend_it(name: str) -> None:
    """One post, whatever the mailbox is called."""
    rendered = sent_posts.refused(named(MAILBOX, name))

    assert problems(rendered.blocks) + text_problems(rendered.text) == []
    assert [each["action_id"] for each in rendered.blocks[-1]["elements"]] == [
        names.OUTGOING_PASSWORD_BUTTON,
        names.EDIT_BUTTON,
    ]
