"""Buttons, menus and choices in views and posts, and the options of external selects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import form_files, payloads, picks
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.inputs import BadValue, current, entered, is_stateful, state_values
from bot.sandbox.slack.interactions import TROUBLE, Refused, type_into
from bot.sandbox.slack.kit_elements import OPTION_GROUP, PLAIN_OPTION, options_of
from bot.sandbox.slack.posts import Post, shown
from bot.sandbox.slack.schema import array, record
from bot.sandbox.slack.socket_mode import Undelivered
from bot.sandbox.slack.validate import elements_of
from bot.sandbox.slack.views import Ephemeral, View

if TYPE_CHECKING:
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.inputs import Typed
    from bot.sandbox.slack.posts import Channel

_OPTIONS = record({"options": array(PLAIN_OPTION, 0, 100)})
_GROUPS = record({"option_groups": array(OPTION_GROUP, 0, 100)})


_TYPED: Final = frozenset(
    {"plain_text_input", "rich_text_input", "email_text_input", "url_text_input", "number_input"}
)


@dataclass(slots=True)
class _Place:
    """Where an element stands: in a view, a stored post or an ephemeral one."""

    source: View | Post | Ephemeral
    channel: Channel | None
    block: Json
    element: Json

    @property
    def key(self) -> tuple[str, str]:
        return self.block["block_id"], self.element["action_id"]

    @property
    def typed(self) -> Typed:
        return {} if isinstance(self.source, Post) else self.source.typed

    @property
    def offered(self) -> list[Json]:
        return [] if isinstance(self.source, Post) else self.source.offered.get(self.key, [])


def _source(sandbox: Sandbox, user: str, container: Json) -> tuple[View | Post | Ephemeral, Channel | None]:
    desk, workspace = sandbox.workspace.desks[user], sandbox.workspace
    kind = container.get("type")
    if kind == "view":
        view = desk.view(str(container.get("view_id")))
        if view is not None:
            return view, None
    if kind == "ephemeral":
        for one in desk.ephemerals:
            place = workspace.channels[one.channel]
            if one.id == container.get("id") and workspace.is_in(user, place):
                return one, place
    channel = workspace.channels.get(str(container.get("channel")))
    if kind == "message" and channel is not None and workspace.is_in(user, channel):
        post = channel.find(str(container.get("ts")))
        if post is not None:
            return post, channel
    raise Refused("that is not there any more")


def _place(sandbox: Sandbox, user: str, container: Json, block_id: Any, action_id: Any) -> _Place:
    source, channel = _source(sandbox, user, container)
    for block in source.blocks:
        for _, element in elements_of(block):
            if block["block_id"] == block_id and element.get("action_id") == action_id:
                return _Place(source, channel, block, element)
    raise Refused("that element is not there any more")


def _chosen(place: _Place, given: Json) -> Json:
    element = place.element
    if given.get("type", element["type"]) != element["type"]:
        raise BadValue("the element is of another type")
    if is_stateful(element):
        return entered(element, given, place.offered)
    if element["type"] != "overflow":
        return {}
    wanted = given.get("selected_option")
    wanted = wanted.get("value") if isinstance(wanted, dict) else wanted
    for option in options_of(element):
        if option["value"] == wanted:
            return {"selected_option": option}
    raise BadValue("no such option")


async def act(sandbox: Sandbox, user: str, container: Json, given: Json, values: Json) -> None:
    """Press a button or change a value.

    A change in an input block without `dispatch_action` is kept and not sent, as in Slack.

    Raises:
        Refused: the element is gone or the app did not take it.
        BadValue: a value no client could send.
    """
    try:
        place = _place(sandbox, user, container, given.get("block_id"), given.get("action_id"))
    except Refused:
        if given.get("type") in _TYPED:
            return  # a letter on its way to a field that was drawn anew meanwhile
        raise
    if isinstance(place.source, View):
        type_into(sandbox, place.source, values)
    fields = _chosen(place, given)
    if place.element["type"] == "file_input":
        fields = form_files.resolved(sandbox.workspace, user, fields)
    picks.check(sandbox.workspace, user, fields)
    if is_stateful(place.element) and not isinstance(place.source, Post):
        place.source.typed[place.key] = fields
    if place.block["type"] == "input" and not place.block.get("dispatch_action"):
        return
    action = payloads.action(place.block, place.element, fields, sandbox.workspace.new_ts())
    try:
        payload = _payload(sandbox, user, place, action)
        await sandbox.hub.deliver("interactive", payload, accepts=False, seconds=sandbox.timings.ack)
    except Undelivered:
        sandbox.workspace.add_error(user, TROUBLE)
        raise Refused(TROUBLE) from None


def _payload(sandbox: Sandbox, user: str, place: _Place, action: Json) -> Json:
    human = sandbox.workspace.people[user]
    source, channel = place.source, place.channel
    if isinstance(source, View):
        return payloads.view_actions(human, source.shown(), [action], sandbox.new_trigger(user))
    if channel is None:
        raise Refused("that is not there any more")
    original = {"ephemeral_id": source.id} if isinstance(source, Ephemeral) else {"post_ts": source.ts}
    answer_to = sandbox.new_response_url(user, channel.id, thread_ts=source.thread_ts, **original)
    keys = {"trigger_id": sandbox.new_trigger(user), "response_url": answer_to}
    return payloads.message_actions(
        human, channel, _shown_source(sandbox, place, action, channel), [action], **keys
    )


def _shown_source(sandbox: Sandbox, place: _Place, action: Json, channel: Channel) -> Json:
    source = place.source
    if isinstance(source, View):
        return {}
    container: Json = {
        "type": "message",
        "message_ts": source.ts,
        "channel_id": channel.id,
        "is_ephemeral": isinstance(source, Ephemeral),
    }
    if source.thread_ts:
        container["thread_ts"] = source.thread_ts
    values = state_values(source.blocks, {**place.typed, **_own_value(place, action)})
    shown_source: Json = {"container": container, "state": {"values": values}}
    if isinstance(source, Post):
        shown_source["message"] = shown(source, sandbox.workspace.files, with_metadata=True)
    return shown_source


def _own_value(place: _Place, action: Json) -> Typed:
    if not is_stateful(place.element):
        return {}
    known = current(place.block, place.element, {}).keys()
    return {place.key: {name: value for name, value in action.items() if name in known}}


async def suggest(sandbox: Sandbox, user: str, container: Json, given: Json) -> Json:
    """Ask the app for the options of an external select.

    Raises:
        Refused: the element is gone, or the app gave no sound answer in time.
    """
    place = _place(sandbox, user, container, given.get("block_id"), given.get("action_id"))
    human = sandbox.workspace.people[user]
    where = {"block_id": place.key[0], "action_id": place.key[1]}
    extra: Json = {"view": place.source.shown()} if isinstance(place.source, View) else {}
    payload = payloads.suggestion(human, _named(container), where, str(given.get("value", "")), extra)
    try:
        answer = await sandbox.hub.deliver("interactive", payload, accepts=True, seconds=sandbox.timings.ack)
        sound = _sound_options(answer)
    except (Undelivered, ApiError):
        raise Refused("The options could not be loaded.") from None
    if not isinstance(place.source, Post):
        place.source.offered[place.key] = list(options_of(sound))
    return sound


def _named(container: Json) -> Json:
    if container.get("type") == "view":
        return {"type": "view", "view_id": container.get("view_id")}
    return {"type": "message", "message_ts": container.get("ts"), "channel_id": container.get("channel")}


def _sound_options(answer: Any) -> Json:
    problems: list[str] = []
    check = _GROUPS if isinstance(answer, dict) and "option_groups" in answer else _OPTIONS
    check(answer, "", problems)
    if problems:
        raise ApiError("invalid_options", problems)
    sound: Json = answer
    return sound
