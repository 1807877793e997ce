"""The form of one grant: what its owners may do about sharing, and what they may have."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bot.slack import names
from bot.slack.admin_forms import DOMAINS_LIMIT, LEVELS, MOST_HELD, PICKERS, Shape, shape
from bot.slack.views.admin.wording import LEVEL_WORDS, ROLES, role_and_above, subject_words
from bot.slack.views.fields import Choices, checkbox, number_input, radio, select
from bot.slack.views.words import (
    HINT_LIMIT,
    Block,
    View,
    actions,
    button,
    context,
    escaped,
    modal,
    mrkdwn,
    option,
    plain,
    section,
)
from storage.sharing import EVERYONE, AudienceKind, ChannelReach, GrantKind, Level, Reach, Role, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from storage.sharing import Grant, Subject

MOST_GROUPS: Final = 100

_KINDS: Final = {
    GrantKind.PRIVATE: "Private: nothing is shared",
    GrantKind.FIXED: "Fixed: shared as set here, owners cannot change it",
    GrantKind.CHOICE: "Choice: owners share up to what is set here",
}
_AUDIENCES: Final = {
    AudienceKind.PERSON: "One person",
    AudienceKind.GROUP: "A user group",
    AudienceKind.ROLE: "A role and those above it",
    AudienceKind.CHANNEL: "A channel",
}
_REACHES: Final = {
    Reach.PEOPLE: "People they name",
    Reach.GROUPS: "People and user groups",
    Reach.ROLES: "People, user groups, “role and above”",
}
_CHANNELS: Final = {
    ChannelReach.NONE: "No channels",
    ChannelReach.PRIVATE: "Private channels",
    ChannelReach.ANY: "Any channel, public ones too",
}
_FIXED_WORDS: Final = (
    "A fixed grant opens mail that comes from now on, to this audience at this level. Owners see it and cannot change it; "
    "what they shared themselves with others ends."
)
_LIMITED: Final = "{who} rank above you, so you can narrow this grant and not widen it: only what they have now, or less, is offered."


@dataclass(frozen=True, slots=True)
class GrantSheet:
    """What the form of a grant is drawn from.

    Attributes:
        shown: the values in place.
        is_written: somebody wrote this grant, so it can be taken back.
        limit: the grant that must not be widened, for whoever ranks below those it is for; None for no such bound.
        groups: names of user groups by id.
        trouble: what kept the form from being taken, in our own words, not escaped.
    """

    subject: Subject
    shown: Grant
    is_written: bool = False
    limit: Grant | None = None
    groups: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


def grant_form(sheet: GrantSheet, chosen: Shape | None = None) -> View:
    """The form; `chosen` is what its choices say now, where that is not what stands in the sheet."""
    now = chosen or shape(sheet.shown)
    blocks = [*_top(sheet), _kind(sheet, now.kind)]
    if now.kind is not GrantKind.PRIVATE:
        blocks.append(_level(sheet))
    if now.kind is GrantKind.FIXED:
        blocks += [context(plain(_FIXED_WORDS)), *_audience(sheet, now.audience)]
    if now.kind is GrantKind.CHOICE:
        blocks += _reaches(sheet)
    blocks += [*_holding(sheet), *_rest(sheet)]
    if sheet.is_written:
        blocks.append(_removing(sheet.subject))
    metadata = sheet.subject.key
    return modal("Grant", names.ADMIN_GRANT_FORM, blocks, submit="Preview", close="Back", metadata=metadata)


def _top(sheet: GrantSheet) -> list[Block]:
    """Whom it is for, and what kept it from being taken."""
    said = {
        SubjectKind.EVERYONE: "Binds everyone's mailboxes, beside the grants below it.",
        SubjectKind.ROLE: "Binds the mailboxes of everybody in this role.",
        SubjectKind.GROUP: "Narrows what the members of this group may do; it never widens what their roles allow.",
        SubjectKind.PERSON: "Narrows what this person may do; it never widens what their role and groups allow.",
    }[sheet.subject.kind]
    who = subject_words(sheet.subject, sheet.groups)
    blocks = [section(mrkdwn(f"*{who}*\n{said}"))]
    if sheet.trouble:
        blocks.insert(0, section(mrkdwn(f"✗ {escaped(sheet.trouble)}")))
    if sheet.limit is not None:
        plural = (
            "Some of them" if sheet.subject.kind is not SubjectKind.ROLE else ROLES[Role(sheet.subject.id)]
        )
        blocks.append(context(mrkdwn(_LIMITED.format(who=plural))))
    return blocks


def _field(
    name: str,
    label: str,
    element: dict[str, Any],
    *,
    hint: str = "",
    optional: bool = True,
    shapes: bool = False,
) -> Block:
    block: Block = {
        "type": "input",
        "block_id": name,
        "label": plain(label),
        "element": {"action_id": names.GRANT_SHAPE if shapes else names.VALUE, **element},
        "optional": optional,
    }
    if hint:
        block["hint"] = plain(hint, HINT_LIMIT)
    if shapes:
        block["dispatch_action"] = True
    return block


def _kind(sheet: GrantSheet, now: GrantKind) -> Block:
    limit = sheet.limit
    offered = list(_KINDS)
    if limit is not None and limit.kind is GrantKind.PRIVATE:
        offered = [GrantKind.PRIVATE]
    elif limit is not None and limit.kind is GrantKind.FIXED:
        offered = [GrantKind.PRIVATE, GrantKind.FIXED]
    elif limit is not None:  # a fixed grant would open what they may keep to themselves
        offered = [GrantKind.PRIVATE, GrantKind.CHOICE]
    choices: Choices = tuple((_KINDS[kind], kind.value) for kind in offered)
    return _field(names.GRANT_KIND, "Sharing", radio(choices, now), optional=False, shapes=True)


def _level(sheet: GrantSheet) -> Block:
    limit = sheet.limit
    offered = [level for level in LEVELS if limit is None or level <= max(limit.level, Level.SEE)]
    choices: Choices = tuple((LEVEL_WORDS[level], str(int(level))) for level in offered)
    chosen = str(int(sheet.shown.level or Level.OPEN))
    return _field(names.GRANT_LEVEL, "Level", select(choices, chosen), optional=False)


def _reaches(sheet: GrantSheet) -> list[Block]:
    limit = sheet.limit
    reaches: Choices = tuple(
        (words, str(int(reach))) for reach, words in _REACHES.items() if limit is None or reach <= limit.reach
    )
    channels: Choices = tuple(
        (words, str(int(reach)))
        for reach, words in _CHANNELS.items()
        if limit is None or reach <= limit.channels
    )
    return [
        _field(
            names.GRANT_REACH,
            "Widest audience",
            radio(reaches, str(int(sheet.shown.reach))),
            optional=False,
        ),
        _field(
            names.GRANT_CHANNELS,
            "Channels as audience",
            radio(channels, str(int(sheet.shown.channels))),
            hint="Mailbox must be a member of a channel. One that is shared with other companies is never an audience.",
            optional=False,
        ),
    ]


def _audience(sheet: GrantSheet, now: AudienceKind) -> list[Block]:
    """The audience of a fixed grant: its kind, and which one."""
    shown = sheet.shown.audience
    if sheet.limit is not None and sheet.limit.kind is GrantKind.FIXED and sheet.limit.audience is not None:
        shown = sheet.limit.audience
        now = shown.kind
    kinds = [(words, kind.value) for kind, words in _AUDIENCES.items()]
    if not sheet.groups and now is not AudienceKind.GROUP:
        kinds = [each for each in kinds if each[1] != AudienceKind.GROUP]
    chosen = select(tuple(kinds), now)
    blocks = [_field(names.AUDIENCE_KIND, "Who gets it", chosen, optional=False, shapes=True)]
    found = shown.id if shown is not None and shown.kind is now else ""
    picker = _picker(now, found, sheet.groups)
    if picker is None:
        return [*blocks, context(plain("Slack tells of no user groups right now. Choose another audience."))]
    label = {
        AudienceKind.PERSON: "Person",
        AudienceKind.GROUP: "User group",
        AudienceKind.ROLE: "From which role on",
        AudienceKind.CHANNEL: "Channel",
    }[now]
    hint = (
        "Mailbox must be a member of it. External people never see shared mail."
        if now is AudienceKind.CHANNEL
        else ""
    )
    return [*blocks, _field(PICKERS[now], label, picker, hint=hint, optional=False)]


def _picker(kind: AudienceKind, found: str, groups: Mapping[str, str]) -> dict[str, Any] | None:
    """The element that names an audience; None where there is nothing to choose from."""
    if kind is AudienceKind.PERSON:
        return {"type": "users_select", **({"initial_user": found} if found else {})}
    if kind is AudienceKind.CHANNEL:
        element: dict[str, Any] = {
            "type": "conversations_select",
            "filter": {
                "include": ["public", "private"],
                "exclude_external_shared_channels": True,
                "exclude_bot_users": True,
            },
        }
        return element | ({"initial_conversation": found} if found else {})
    if kind is AudienceKind.ROLE:
        roles: Choices = tuple((role_and_above(role), role.value) for role in Role)
        return select(roles, found or Role.ADMIN)
    named = sorted(groups.items(), key=lambda each: (each[0] != found, each[1].casefold(), each[0]))[
        :MOST_GROUPS
    ]
    if not named:
        return None
    options = [option(name, group) for group, name in named]
    element = {"type": "static_select", "options": options}
    return element | ({"initial_option": options[0]} if found in groups else {})


def _holding(sheet: GrantSheet) -> list[Block]:
    """Whether they may have a mailbox, and how many."""
    shown, limit = sheet.shown, sheet.limit
    blocks = []
    if limit is None or limit.may_hold:
        box = checkbox("They may have a mailbox", ticked=shown.may_hold)
        blocks.append(_field(names.MAY_HOLD, "Having a mailbox", box))
    else:
        blocks.append(_kept("They may not have a mailbox."))
        blocks.append(_hidden_box(names.MAY_HOLD))
    most = [limit.mailboxes if limit else None, limit.active if limit else None]
    numbers = (
        (names.MOST_MAILBOXES, "Most mailboxes", shown.mailboxes, most[0]),
        (names.MOST_ACTIVE, "Most active mailboxes", shown.active, most[1]),
    )
    for name, label, number, bound in numbers:
        element = number_input("" if number is None else str(number), bound or MOST_HELD)
        hint = "Leave empty for no limit." if bound is None else f"At most {bound}."
        blocks.append(_field(name, label, element, hint=hint, optional=bound is None))
    return blocks


def _rest(sheet: GrantSheet) -> list[Block]:
    """What others share, domains, servers without encryption."""
    shown, limit = sheet.shown, sheet.limit
    blocks = []
    if limit is None or limit.may_view:
        box = checkbox("They may see what others share with them", ticked=shown.may_view)
        blocks.append(_field(names.MAY_VIEW, "Seeing others' mail", box))
    else:
        blocks += [_kept("They may not see what others share."), _hidden_box(names.MAY_VIEW)]
    blocks.append(_domains(sheet))
    if limit is None or limit.allows_plain:
        box = checkbox("Mail servers without encryption are allowed", ticked=shown.allows_plain)
        hint = "Without encryption, anyone on the way could read passwords and mail."
        blocks.append(_field(names.ALLOWS_PLAIN, "Encryption", box, hint=hint))
    return blocks


def _domains(sheet: GrantSheet) -> Block:
    element: dict[str, Any] = {
        "type": "plain_text_input",
        "multiline": True,
        "max_length": DOMAINS_LIMIT,
        "placeholder": plain("bank.example\nlawyers.example", 150),
    }
    text = "\n".join(sorted(sheet.shown.excluded))[:DOMAINS_LIMIT]
    if text:
        element["initial_value"] = text
    hint = "One a line. Mail from or to one of them, or a domain below it, is never shared."
    if sheet.limit is not None and sheet.limit.excluded:
        hint += " You can add to them and take none away."
    return _field(names.EXCLUDED, "Domains never shared", element, hint=hint)


def _kept(words: str) -> Block:
    return context(plain(f"{words} Only somebody of their rank can change that."))


def _hidden_box(name: str) -> Block:
    """A box that stands for "no" where it may not be ticked: a missing one would mean "yes"."""
    label = {names.MAY_HOLD: "Having a mailbox", names.MAY_VIEW: "Seeing others' mail"}[name]
    box = {
        "type": "radio_buttons",
        "options": [option("No", names.NO)],
        "initial_option": option("No", names.NO),
    }
    return _field(name, label, box)


def _removing(subject: Subject) -> Block:
    """Back to the start, by the same preview."""
    is_own = subject.kind in {SubjectKind.GROUP, SubjectKind.PERSON}
    if is_own:
        text = "Remove this grant …"
    else:
        text = "Back to no limit …" if subject == EVERYONE else "Back to the start …"
    return actions(button(text, names.REMOVE_GRANT, subject.key))
