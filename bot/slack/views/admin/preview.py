"""Who is affected by a grant, shown before it is saved, and what happened after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.effects import Effects
from bot.slack import names
from bot.slack.views.admin.wording import LEVELS, audience_words, grant_words, person, subject_words
from bot.slack.views.words import (
    Block,
    View,
    actions,
    button,
    context,
    counted,
    header,
    listed,
    modal,
    mrkdwn,
    section,
)
from storage.sharing import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.effects import Cut, Excess
    from storage.sharing import Grant, Subject

MOST_NAMED: Final = 10

_STALE: Final = "⚠ Somebody changed this grant since you opened it, so nothing was saved. Below is what yours would change now."
_ONE_WAY: Final = "You can save this, but not widen it again: that takes somebody who ranks at least as high as everybody it is for."


@dataclass(frozen=True, slots=True)
class Preview:
    """What saving a grant would do.

    Attributes:
        before: what holds now; `after` what would hold, which for a removal is the start.
        is_removal: the grant is taken back.
        is_stale: what is stored changed since the form was shown.
        is_one_way: whoever saves it may not undo it.
        closed: channels of the grant that Mailbox is not in, or that are external: nothing is shared there.
    """

    subject: Subject
    before: Grant
    after: Grant
    effects: Effects = field(default_factory=Effects)
    groups: Mapping[str, str] = field(default_factory=dict)
    is_removal: bool = False
    is_stale: bool = False
    is_one_way: bool = False
    closed: tuple[str, ...] = ()


def preview_view(preview: Preview, draft_id: str) -> View:
    """“Who is affected”; the metadata is the id under which the draft is kept."""
    who = subject_words(preview.subject, preview.groups)
    blocks = [section(mrkdwn(_STALE))] if preview.is_stale else []
    blocks.append(section(mrkdwn(f"*{who}*\n{_change(preview)}")))
    blocks += [header("Who is affected"), *map(_line, _effect_lines(preview))]
    blocks += [context(mrkdwn(warning)) for warning in _warnings(preview)]
    blocks.append(actions(button("Back to the form", names.BACK_TO_GRANT, draft_id)))
    submit = "Remove" if preview.is_removal else "Save"
    return modal("Preview", names.ADMIN_PREVIEW, blocks, submit=submit, close="Cancel", metadata=draft_id)


def written_view(preview: Preview) -> View:
    """It is saved: what holds now, and what follows from it."""
    who = subject_words(preview.subject, preview.groups)
    done = "The grant is taken back" if preview.is_removal else "The grant is saved"
    blocks = [section(mrkdwn(f"✓ {done}. *{who}* now: {grant_words(preview.after, preview.groups)}"))]
    lines = _effect_lines(preview)[1:]
    if lines:
        blocks += [*map(_line, lines), context(mrkdwn(
            "Mailbox does this now: shares are cut, copies in Slack are withdrawn within a minute, and everybody concerned "
            "is told once. The audit has each of it."
        ))]  # fmt: skip
    else:
        blocks.append(section(mrkdwn("No share that there is had to be cut.")))
    blocks += [context(mrkdwn(warning)) for warning in _binding(preview)]
    return modal("Grant", names.RESULT, blocks, close="Back")


def _change(preview: Preview) -> str:
    before, after = (grant_words(each, preview.groups) for each in (preview.before, preview.after))
    if before == after:
        return (
            f"{before}\n_Nothing in this differs from what holds now._"
            if not _domains(preview)
            else _domains(preview)
        )
    return f"*Now:* {before}\n*Then:* {after}{_domains(preview)}"


def _domains(preview: Preview) -> str:
    """Domains that come and go, by number; they are shown in the form."""
    came = len(preview.after.excluded - preview.before.excluded)
    went = len(preview.before.excluded - preview.after.excluded)
    said = [f"{counted(number, 'domain', 'domains')} {done}" for number, done in ((came, "added"), (went, "taken away")) if number]  # fmt: skip
    return f"\nDomains never shared: {' and '.join(said)}." if said else ""


def _line(words: str) -> Block:
    return section(mrkdwn(words))


def _effect_lines(preview: Preview) -> list[str]:
    """One line an effect; the first counts people and mailboxes."""
    found = preview.effects
    lines = [_reach(found)]
    if found.cuts:
        lines.append(_cuts(found.cuts, preview.groups))
    if found.opened and preview.after.audience is not None:
        whom = audience_words(preview.after.audience, preview.groups)
        lines.append(
            f"*New mail of {_people(found.opened)} is opened* to {whom}, at {LEVELS[preview.after.level]}, from the moment you save."
        )
    if found.loses_hold:
        lines.append(
            f"*May not have a mailbox any more:* {_people(found.loses_hold)}. Their mail is not fetched any more; it stays on "
            "their mail servers."
        )
    if found.loses_view:
        lines.append(f"*See nothing that others share any more:* {_people(found.loses_view)}.")
    if found.over_active:
        lines.append(_excess("*More active mailboxes than allowed:*", found.over_active, "active"))
    if found.over_mailboxes:
        lines.append(
            _excess("*More mailboxes than allowed:*", found.over_mailboxes, "mailboxes")
            + " They keep them and can add none."
        )
    return lines


def _reach(found: Effects) -> str:
    """How many people and mailboxes, the people by name."""
    if not found.people:
        return "Nobody right now."
    people = counted(len(found.people), "person", "people")
    if not found.holders:
        return f"{people}, none with a mailbox: {_people(found.people)}."
    return f"{people}, {counted(found.mailboxes, 'mailbox', 'mailboxes')} of {_people(found.holders)}."


def _people(users: Sequence[str]) -> str:
    return listed([person(user) for user in users], MOST_NAMED)


def _cuts(cuts: Sequence[Cut], groups: Mapping[str, str]) -> str:
    """The shares that end or are lowered, those that end first."""
    order = sorted(cuts, key=lambda cut: (cut.after, cut.owner, cut.audience.id))
    ended = sum(cut.after is Level.NONE for cut in cuts)
    fates = [counted(ended, "share ends", "shares end")] if ended else []
    lowered = len(cuts) - ended
    fates += [counted(lowered, "share is lowered", "shares are lowered")] if lowered else []
    said = [f"*{' and '.join(fates)}:*"]
    for cut in order[:MOST_NAMED]:
        what = " (one message)" if cut.is_message else ""
        after = "ends" if cut.after is Level.NONE else LEVELS[cut.after]
        said.append(
            f"• {person(cut.owner)} → {audience_words(cut.audience, groups)}{what}: {LEVELS[cut.before]} → {after}"
        )
    if len(cuts) > MOST_NAMED:
        said.append(f"• and {len(cuts) - MOST_NAMED:,} more")
    return "\n".join(said)


def _excess(title: str, found: Sequence[Excess], what: str) -> str:
    each = [f"{person(one.owner)} has {one.count:,} of {one.limit:,}" for one in found]
    return f"{title} {listed(each, MOST_NAMED)} {what}."


def _warnings(preview: Preview) -> list[str]:
    said = _binding(preview)
    if preview.is_one_way:
        said.append(_ONE_WAY)
    return said


def _binding(preview: Preview) -> list[str]:
    """Where the grant binds only in part, or not at all."""
    said = []
    if preview.effects.narrower:
        tighter = listed(
            [subject_words(each, preview.groups) for each in preview.effects.narrower], MOST_NAMED
        )
        said.append(f"Wider than the ceiling of {tighter}: it will bind only as far as they allow.")
    said += [
        f"Nothing is shared in <#{channel}> as it is now: Mailbox must be a member of it, and it must not be shared with "
        "other companies."
        for channel in preview.closed
    ]
    return said
