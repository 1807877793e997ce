"""The fields of the forms that share: whom, what they may, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.offers import MOST_PEOPLE
from bot.slack import names
from bot.slack.share_forms import PICKERS, choosable
from bot.slack.views.admin.wording import LEVEL_WORDS, role_and_above
from bot.slack.views.words import Block, option, plain
from storage.sharing import AudienceKind, ChannelReach, Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.offers import Offer
    from bot.slack.share_forms import ShareDraft
    from storage.sharing import Level

MOST_GROUPS: Final = 5000
_OPTIONS: Final = 100

KINDS: Final = {
    AudienceKind.PERSON: "People",
    AudienceKind.GROUP: "A user group",
    AudienceKind.ROLE: "A role and those above it",
    AudienceKind.CHANNEL: "A channel",
}
_ROLES: Final = (Role.MEMBER, Role.ADMIN, Role.OWNER, Role.PRIMARY_OWNER, *list(Role)[-2:])
_UNTIL: Final = "The end of that day in your time zone. Leave it empty to share until you end it."
_HISTORY: Final = "Without a tick, they see what comes from now on."
_CHANNEL: Final = (
    "What is shared is posted there. Mailbox must be in it: type /invite @mailbox there. A channel with people of other "
    "companies gets nothing."
)


def fields(offer: Offer, draft: ShareDraft, groups: Mapping[str, str]) -> list[Block]:
    """The fields of the form, those of the chosen kind of audience only."""
    kinds = [option(KINDS[kind], kind.value) for kind in offer.levels]
    chosen = next(each for each in kinds if each["value"] == draft.kind)
    kind = {"type": "static_select", "options": kinds, "initial_option": chosen}
    found = [
        input_block(names.SHARE_KIND, "Share with", kind, dispatches=True),
        _picker(offer, draft, groups),
        input_block(draft.level_block, "They may", level_radio(choosable(offer, draft.kind), draft.level)),
        input_block(names.SHARE_UNTIL, "Until", _until(draft), hint=_UNTIL, optional=True),
    ]
    if not offer.message_id:
        found.append(
            input_block(names.SHARE_HISTORY, "Older mail", _history(draft), hint=_HISTORY, optional=True)
        )
    return found


def _picker(offer: Offer, draft: ShareDraft, groups: Mapping[str, str]) -> Block:
    """The field that names the audience."""
    field = PICKERS[draft.kind]
    if draft.kind is AudienceKind.PERSON:
        return input_block(field, "People", people_select(draft.people), dispatches=True)
    if draft.kind is AudienceKind.GROUP:
        return input_block(field, "User group", _group_select(draft, groups), dispatches=True)
    if draft.kind is AudienceKind.ROLE:
        return input_block(field, "From which role on", _role_select(draft), dispatches=True)
    return input_block(field, "Channel", _channel_select(offer, draft), hint=_CHANNEL, dispatches=True)


def people_select(users: Sequence[str]) -> dict[str, Any]:
    """Several people."""
    element: dict[str, Any] = {
        "type": "multi_users_select",
        "placeholder": plain("Choose people", 150),
        "max_selected_items": MOST_PEOPLE,
    }
    return {**element, "initial_users": list(users)[:MOST_PEOPLE]} if users else element


def level_radio(levels: Sequence[Level], chosen: Level) -> dict[str, Any]:
    """What those it is shared with may do; the lowest where what was chosen is not among them."""
    options = [option(LEVEL_WORDS[level], str(level.value)) for level in levels]
    initial = next((each for each in options if each["value"] == str(chosen.value)), options[0])
    return {"type": "radio_buttons", "options": options, "initial_option": initial}


def _group_select(draft: ShareDraft, groups: Mapping[str, str]) -> dict[str, Any]:
    """One of the workspace's user groups; Slack takes a hundred in a heap and a hundred heaps."""
    found = sorted(groups.items(), key=lambda each: (each[1].casefold(), each[0]))[:MOST_GROUPS]
    options = [option(name, group) for group, name in found]
    element: dict[str, Any] = {"type": "static_select", "placeholder": plain("Choose a user group", 150)}
    if len(options) <= _OPTIONS:
        element["options"] = options
    else:
        heaps = [options[at : at + _OPTIONS] for at in range(0, len(options), _OPTIONS)]
        element["option_groups"] = [{"label": heap[0]["text"], "options": heap} for heap in heaps]
    initial = next((each for each in options if each["value"] == draft.group), None)
    return {**element, "initial_option": initial} if initial else element


def _role_select(draft: ShareDraft) -> dict[str, Any]:
    options = [option(role_and_above(role), role.value) for role in _ROLES]
    element = {"type": "static_select", "options": options, "placeholder": plain("Choose a role", 150)}
    initial = next((each for each in options if each["value"] == draft.role), None)
    return {**element, "initial_option": initial} if initial else element


def _channel_select(offer: Offer, draft: ShareDraft) -> dict[str, Any]:
    include = ["private", "public"] if offer.channels is ChannelReach.ANY else ["private"]
    element = {
        "type": "conversations_select",
        "placeholder": plain("Choose a channel", 150),
        "filter": {"include": include, "exclude_external_shared_channels": True, "exclude_bot_users": True},
    }
    return {**element, "initial_conversation": draft.channel} if draft.channel else element


def _until(draft: ShareDraft) -> dict[str, Any]:
    element = {"type": "datepicker", "placeholder": plain("No end", 150)}
    return {**element, "initial_date": draft.until.isoformat()} if draft.until else element


def _history(draft: ShareDraft) -> dict[str, Any]:
    box = option("Also what came before", names.YES)
    element: dict[str, Any] = {"type": "checkboxes", "options": [box]}
    return {**element, "initial_options": [box]} if draft.history else element


def input_block(
    block_id: str,
    label: str,
    element: dict[str, Any],
    *,
    hint: str = "",
    optional: bool = False,
    dispatches: bool = False,
    sends: str = names.SHARE_CHOSEN,
) -> Block:
    """An input block; one that dispatches sends every choice at once, under the action id `sends`."""
    action_id = sends if dispatches else names.VALUE
    block: Block = {
        "type": "input",
        "block_id": block_id,
        "label": plain(label, 2000),
        "element": {**element, "action_id": action_id},
        "optional": optional,
    }
    if hint:
        block["hint"] = plain(hint, 2000)
    return {**block, "dispatch_action": True} if dispatches else block
