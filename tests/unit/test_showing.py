"""A form that is drawn anew while somebody types into it: the newest wins, and a late character finds its way."""

from __future__ import annotations

from bot.slack.showing import MOST_FORMS, MOST_STATES, Showing, Shown


def test_only_the_newest_is_shown() -> None:
    """What was begun before something else was typed is not shown over it."""
    form = Shown()
    first, second = form.begin(), form.begin()

    assert not form.is_newest(first)
    assert form.is_newest(second)


def test_parts_of_a_form_do_not_wait_for_each_other() -> None:
    """Typing on does not keep what hangs on another choice from being shown; sending the form ends all of it."""
    form = Shown()
    sender, typed = form.begin("sender"), form.begin("recipients")
    newer = form.begin("recipients")

    assert form.is_newest(sender)
    assert not form.is_newest(typed)
    form.end()
    assert not form.is_newest(sender)
    assert not form.is_newest(newer)


def test_what_was_typed_before_the_form_was_drawn_anew_counts_for_the_form_as_it_is() -> None:
    """However many drawings lie between; a state that nobody knows stays what it is."""
    form = Shown()
    form.showed("h1", {"hash": "h2", "blocks": ["second"]})
    form.showed("h2", {"hash": "h3", "blocks": ["third"]})

    late = {"id": "V1", "hash": "h1", "blocks": ["first"], "state": "typed"}
    assert form.caught_up(late) == {"id": "V1", "hash": "h3", "blocks": ["third"], "state": "typed"}
    assert form.caught_up({**late, "hash": "h3"})["blocks"] == ["first"]


def test_nothing_grows_for_ever() -> None:
    """Old states and old forms are forgotten."""
    showing = Showing()
    form = showing.of("V")
    for number in range(MOST_STATES + 10):
        form.showed(f"h{number}", {"hash": "new", "blocks": []})
    for number in range(MOST_FORMS):
        showing.of(f"V{number}")

    assert form.caught_up({"hash": "h0"}) == {"hash": "h0"}
    assert showing.of("V") is not form
