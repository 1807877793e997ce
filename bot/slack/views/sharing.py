"""What owners see of sharing: what they may open, what is open, the form, and who will see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot import offers
from bot.slack import names
from bot.slack.share_forms import choosable
from bot.slack.views.admin.wording import LEVEL_WORDS, LEVELS, audience_words, person
from bot.slack.views.share_fields import fields, input_block, level_radio, people_select
from bot.slack.views.words import (
    Block,
    View,
    button,
    context,
    last_day,
    listed,
    literal,
    modal,
    mrkdwn,
    plain,
    quoted,
    section,
    when,
)
from storage.sharing import AudienceKind, ChannelReach, GrantKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.offers import Offer, Refusal, Seers, Sheet
    from bot.slack.share_forms import ShareDraft
    from storage.sharing import Level, Share

MOST_SHARES: Final = 40
MOST_NAMED: Final = 10

_ALLOWED: Final = {
    AudienceKind.PERSON: "people you name",
    AudienceKind.GROUP: "user groups",
    AudienceKind.ROLE: "a role and those above it",
    AudienceKind.CHANNEL: "channels",
}
_UNKNOWN: Final = (
    "Mailbox could not ask Slack who you are right now, so nothing new can be shared. Please try again in a minute. What "
    "is shared already can be ended."
)
_SUSPENDED: Final = "This mailbox is suspended, so nobody else sees anything of it and nothing can be shared. Please ask an administrator."
_NOT_SAID: Final = (
    "Slack does not say right now who that is. Whoever it is, they get in only once Slack has said so."
)
_WITHDRAWN: Final = (
    "They cannot open this mail any more, and what Mailbox posted for them is deleted within a minute. What they have read, "
    "copied or answered cannot be called back."
)


def share_form(
    sheet: Sheet, draft: ShareDraft, *, label: str = "", said: str = "", is_done: bool = False
) -> View:
    """What may be shared of a mailbox or of one message, what is shared now, and the form for more.

    Args:
        draft: fits the offer, as `share_forms.fitting` makes it.
        label: sender and subject, where it is about one message.
        said: what came of the last press; mrkdwn.
        is_done: what was asked for is shared. Slack keeps what stands in fields, so none are shown that would share it
            once more with somebody else.
    """
    offer, seers, groups = sheet.offer, sheet.seers, sheet.groups
    blocks = [section(mrkdwn(said))] if said else []
    blocks.append(_about(offer, label))
    blocks.append(section(mrkdwn(_allowed(offer, groups)), block_id=names.SHARE_WORDS))
    if offer.kind is GrantKind.FIXED and offer.suspension is None:
        blocks.append(seers_block(seers, is_chosen=True))
    blocks += _in_force(offer, groups, sheet.idle)
    is_form = offer.is_choice and not is_done
    if is_form:
        blocks += [{"type": "divider"}, *fields(offer, draft, groups)]
        blocks.append(seers_block(seers, is_chosen=bool(draft.audiences)))
        blocks += _already(sheet.already)
    title = "Share a message" if offer.message_id else "Share a mailbox"
    submit = "Share" if is_form else ""
    return modal(title, names.SHARE_FORM, blocks, submit=submit, metadata=draft.metadata())


def _about(offer: Offer, label: str) -> Block:
    if not offer.message_id:
        return section(mrkdwn(f"*{quoted(offer.name)}*"))
    return section(plain(label or f"One message of “{offer.name}”", 300))


def _allowed(offer: Offer, groups: Mapping[str, str]) -> str:
    """What the administrators' grants come to."""
    if offer.kind is None:
        return _UNKNOWN
    if offer.suspension is not None:
        return _SUSPENDED
    if offer.kind is GrantKind.PRIVATE:
        return f"Your administrators keep this mail private: only you see it. To share it, ask {_decider(offer)}."
    if offer.fixed is not None:
        return fixed_words(offer, groups)
    kinds = listed([_ceiling(kind, level) for kind, level in offer.levels.items()], 4)
    words = f"Only you see this mail, and those you share it with. Your administrators let you share with {kinds}."
    if AudienceKind.CHANNEL in offer.levels and offer.channels is ChannelReach.PRIVATE:
        words += " Of channels, private ones only."
    return f"{words}{_excluded(offer)}"


def _ceiling(kind: AudienceKind, level: Level) -> str:
    return f"{_ALLOWED[kind]} (up to {LEVELS[level]})"


def fixed_words(offer: Offer, groups: Mapping[str, str]) -> str:
    """What is shared without the owner's doing."""
    assert offer.fixed is not None
    audience = audience_words(offer.fixed.audience, groups)
    words = (
        f"Your administrators decide this: new mail is shared with {audience}: {_level(offer.fixed.level)}."
    )
    return f"{words} It cannot be changed here; ask {_decider(offer)}.{_excluded(offer)}"


def _level(level: Level) -> str:
    return LEVEL_WORDS.get(level, LEVELS[level])


def _decider(offer: Offer) -> str:
    return person(offer.decider) if offer.decider else "a workspace administrator"


def _excluded(offer: Offer) -> str:
    if not offer.excluded:
        return ""
    domains = listed([literal(each, 80) for each in sorted(offer.excluded)], MOST_NAMED)
    return f" Mail from or to {domains} is never shared."


def seers_block(seers: Seers | None, *, is_chosen: bool) -> Block:
    """Who will see it, by name."""
    return section(
        mrkdwn(f"*Who will see this:* {_seers(seers, is_chosen=is_chosen)}"), block_id=names.SHARE_SEERS
    )


def _seers(seers: Seers | None, *, is_chosen: bool) -> str:
    if not is_chosen:
        return "only you."
    if seers is None:
        return _NOT_SAID
    if not seers.users:
        return "nobody at the moment, besides you."
    words = f"{_named(seers)}."
    if seers.see_guests:
        words += " Single-channel guests among them see sender and subject only."
    if seers.open_guests:
        words += " Multi-channel guests among them get Open at most."
    return words


def _already(seers: Seers | None) -> list[Block]:
    """Who sees it by what is shared now, whatever is chosen."""
    if seers is not None and not seers.users:
        return []
    words = _NOT_SAID if seers is None else f"{_named(seers)}."
    return [context(mrkdwn(f"*Who sees it already:* {words}"))]


def _named(seers: Seers) -> str:
    return listed([person(user) for user in seers.users], MOST_NAMED, "others")


def _in_force(offer: Offer, groups: Mapping[str, str], idle: frozenset[str]) -> list[Block]:
    if not offer.shares:
        return []
    lines = [
        section(
            mrkdwn(share_words(share, groups, is_idle=share.id in idle, names_it=not offer.message_id)),
            accessory=_revoke(share),
        )
        for share in offer.shares[:MOST_SHARES]
    ]
    if len(offer.shares) > MOST_SHARES:
        lines.append(context(plain(f"And {len(offer.shares) - MOST_SHARES:,} more: end some to see them.")))
    return [section(mrkdwn("*Shared now*")), *lines]


def share_words(
    share: Share, groups: Mapping[str, str], *, is_idle: bool = False, names_it: bool = True
) -> str:
    """One share on two lines; of a message it says no more than that it is one."""
    whom = audience_words(share.audience, groups)
    what = f"{whom} · {LEVELS[share.level]}"
    if share.message_id is not None and names_it:
        what += " · one message"
    said = [f"Since {when(share.created_at)}"]
    if share.history:
        said.append("with what came before")
    if share.until is not None:
        said.append(f"until the end of {last_day(share.until)}")
    if is_idle:
        said.append("reaches nobody: the account is deactivated")
    return f"{what}\n{', '.join(said)}."


def _revoke(share: Share) -> dict[str, Any]:
    confirm = {
        "title": plain("End this share?", 100),
        "text": plain(_WITHDRAWN, 300),
        "confirm": plain("Revoke", 30),
        "deny": plain("Keep", 30),
        "style": "danger",
    }
    return {**button("Revoke", names.REVOKE_SHARE, share.id, style="danger"), "confirm": confirm}


# What came of it


def opened(shares: Sequence[Share], groups: Mapping[str, str]) -> str:
    """What was shared with whom; mrkdwn."""
    if not shares:
        return "✓ That was shared already, so nothing changed."
    whom = listed([audience_words(share.audience, groups) for share in shares], MOST_NAMED, "others")
    are_told = all(share.audience.kind in {AudienceKind.PERSON, AudienceKind.CHANNEL} for share in shares)
    return f"✓ Shared with {whom}: {_level(shares[0].level)}.{' They are told.' if are_told else ''}"


def revoked(*, was_open: bool) -> str:
    """A share was ended; mrkdwn."""
    if not was_open:
        return "That share had ended already, so nothing changed."
    return f"✓ The share has ended. {_WITHDRAWN}"


def not_shared(sentence: str) -> str:
    """A mailbox is there, and nobody else sees it; `sentence` says why."""
    return f"✗ It is *not shared*: {literal(sentence, 500)} `/mailbox share` shares it."


def refused(reason: Refusal) -> str:
    """Why nothing was shared; mrkdwn."""
    return f"✗ {offers.SENTENCES[reason]}"


# The section of the add form


def adding_blocks(sheet: Sheet, users: Sequence[str], level: Level) -> list[Block]:
    """What a new mailbox is shared with: in words where administrators decide, else the choice, with nobody to begin with."""
    offer, seers, groups = sheet.offer, sheet.seers, sheet.groups
    title = "*Sharing*\n"
    if not offer.is_choice or AudienceKind.PERSON not in offer.levels:
        words = section(mrkdwn(title + _adding_words(offer, groups)), block_id=names.SHARE_WORDS)
        return [words, seers_block(seers, is_chosen=True)] if offer.fixed is not None else [words]
    levels = choosable(offer, AudienceKind.PERSON)
    hint = "Leave it empty to keep this mailbox to yourself. Groups and channels: /mailbox share, once it is added."
    found = [
        input_block(
            names.SHARE_PEOPLE, "Share with", people_select(users), hint=hint, optional=True, dispatches=True
        )
    ]
    if users:
        found.append(input_block(names.SHARE_LEVEL, "They may", level_radio(levels, level)))
    return [*found, seers_block(seers, is_chosen=bool(users))]


def _adding_words(offer: Offer, groups: Mapping[str, str]) -> str:
    if offer.kind is None:
        return "Only you will see this mailbox. `/mailbox share` can open it to others later."
    if offer.kind is GrantKind.CHOICE:
        return "Only you will see this mailbox. `/mailbox share` can open it to others once it is added."
    return _allowed(offer, groups)
