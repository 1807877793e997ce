"""Forms that wait for an answer: the newest state counts, and an older wait ends."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace

from bot.slack import names
from bot.slack.drafts import Draft
from bot.slack.waiting import MOST_REMEMBERED, MOST_STATES, WaitingForms


def draft(server: str) -> Draft:
    """A form with a server typed into it."""
    return Draft(texts={names.INCOMING_SERVER: server})


def test_what_is_typed_meanwhile_is_the_newest() -> None:
    """An answer meets the form as it is then, not as it was."""
    forms = WaitingForms()
    with forms.opened("V1", "h1", draft("")) as form:
        forms.saw("V1", draft("mail.ana.example"))
        forms.saw("V2", draft("other"))

        assert form.draft == draft("mail.ana.example")


def test_a_newer_address_ends_an_older_wait() -> None:
    """The answer for half an address is nobody's, and its end does not end the newer wait."""
    forms = WaitingForms()
    with ExitStack() as older_wait, ExitStack() as newer_wait:
        older = older_wait.enter_context(forms.opened("V1", "h1", draft("a")))
        newer = newer_wait.enter_context(forms.opened("V1", "h2", draft("b")))
        older_wait.close()
        forms.saw("V1", draft("c"))

        assert (older.is_current, newer.is_current) == (False, True)
        assert (older.draft, newer.draft) == (draft("a"), draft("c"))


def test_a_form_that_was_sent_waits_no_longer() -> None:
    """The form is not shown again over its test."""
    forms = WaitingForms()
    with forms.opened("V1", "h1", draft("a")) as form:
        forms.forget("V1")

        assert not form.is_current


def test_what_was_typed_while_the_form_was_shown_anew_is_kept() -> None:
    """An update of our own does not undo what arrived during it."""
    forms = WaitingForms()
    with forms.opened("V1", "h1", draft("a")) as form:
        seen = form.draft
        form.updated("h2", seen, draft("b"))
        assert (form.hash, form.draft) == ("h2", draft("b"))

        forms.saw("V1", draft("typed"))
        form.updated("h3", seen, draft("c"))

        assert (form.hash, form.draft) == ("h3", draft("typed"))


def test_an_address_typed_before_the_form_was_shown_anew_is_not_lost() -> None:
    """It arrives with the form's former state, and is put into the form as it is by then."""
    forms = WaitingForms()
    with forms.opened("V1", "h1", draft("")) as form:
        form.updated("h2", form.draft, draft("pop.gmail.com"))

    late = Draft(texts={names.ADDRESS: "ana@gmail.co"})
    with forms.opened("V1", "h1", late) as form:
        form.catch_up()
        assert form.hash == "h2"
        assert form.draft.text(names.ADDRESS) == "ana@gmail.co"
        assert form.draft.text(names.INCOMING_SERVER) == "pop.gmail.com"

    for view, view_hash in (("V1", "h2"), ("V1", "h9"), ("V2", "h1")):
        with forms.opened(view, view_hash, late) as form:
            form.catch_up()
            assert (form.hash, form.draft) == (view_hash, late)


def test_a_choice_made_before_the_form_was_shown_anew_comes_into_the_newest() -> None:
    """However often it was shown anew since; what was filled in stays, but for what was typed over it."""
    forms, kept = WaitingForms(), names.RETENTION
    first = Draft(texts={kept: "leave", names.USERNAME: ""})
    filled = replace(first, texts={**first.texts, names.USERNAME: "ana"}, filled=frozenset({names.USERNAME}))
    with forms.opened("V1", "h1", first) as form:
        form.updated("h2", first, filled)
        wider = replace(filled, texts={**filled.texts, names.OUTGOING_SERVER: "smtp.example"})
        forms.showed("V1", "h2", "h3", seen=filled, shown=wider)
        assert (form.hash, form.draft) == ("h3", wider)

    chosen = replace(first, texts={**first.texts, kept: "days"})
    assert forms.caught_up("V1", "h1", chosen) == (
        "h3",
        replace(wider, texts={**wider.texts, kept: "days"}),
    )

    typed = replace(first, texts={**first.texts, names.USERNAME: "anna"})
    view_hash, newest = forms.caught_up("V1", "h1", typed)
    assert (view_hash, newest.text(names.USERNAME), newest.filled) == ("h3", "anna", frozenset())
    assert forms.caught_up("V1", "h9", typed) == ("h9", typed)


def test_what_is_remembered_of_forms_is_bounded() -> None:
    """However many forms are opened, only the newest are remembered."""
    forms = WaitingForms()
    for number in range(MOST_REMEMBERED + 5):
        with forms.opened(f"V{number}", "h1", draft("")) as form:
            form.updated("h2", form.draft, draft("x"))

    for number in range(MOST_STATES + 5):
        forms.showed("V1", f"h{number}", f"h{number + 1}", seen=draft(""), shown=draft(""))

    assert len(forms._shown) == MOST_REMEMBERED
    assert len(forms._shown["V1"].former) == MOST_STATES
