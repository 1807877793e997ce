"""What a person does, on its way to the app and back: commands, shortcuts, forms, messages, tabs.

Waits for the app's ack as long as Slack does and shows the person what Slack would show. Clicks and choices are in
`clicks.py`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack import form_files, modals, payloads, picks, validate
from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.inputs import entered, initial, input_faults, inputs_of
from bot.sandbox.slack.people import BOT_USER_ID
from bot.sandbox.slack.posts import Post, shown
from bot.sandbox.slack.socket_mode import Undelivered
from bot.sandbox.slack.views import Ephemeral
from bot.sandbox.slack.workspace import new_id

if TYPE_CHECKING:
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.posts import Channel
    from bot.sandbox.slack.views import View

TROUBLE: Final = "We had some trouble connecting. Try again?"
MAX_TYPED: Final = 12_000


class Refused(Exception):
    """The person cannot do this now; the text says why."""


class FormFaults(Exception):
    """A form went back with a sentence under some of its fields."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("form not accepted")
        self.errors = errors


def _command_failed(word: str, code: str) -> str:
    return f"{word} failed with the error “{code}”"


def room(sandbox: Sandbox, user: str, channel_id: str | None) -> Channel:
    """Where a person writes: the channel they name, or their DM with the app.

    Raises:
        Refused: they are not in it, it is archived, or they have no DM with the app.
    """
    workspace = sandbox.workspace
    channel = workspace.channels.get(channel_id) if channel_id else workspace.dm(user)
    if channel is None or not workspace.is_in(user, channel):
        raise Refused("you are not in this channel")
    if channel.is_archived:
        raise Refused("this channel is archived")
    return channel


async def command(sandbox: Sandbox, user: str, line: str, channel_id: str | None = None) -> None:
    """Send a slash command and show what comes back.

    Raises:
        Refused: no such command, or the app did not take it. Slack Connect shares no commands: people of another
            workspace have none of them.
    """
    word, _, text = line.strip().partition(" ")
    known = next((one for one in sandbox.manifest.commands if one.command == word), None)
    channel = room(sandbox, user, channel_id)
    if known is None or sandbox.workspace.people[user].is_external:
        raise _shown(sandbox, user, f"{word} is not a valid command.")
    people = sandbox.workspace.people
    sent = payloads.linked(text.strip(), people.values()) if known.should_escape else text.strip()
    keys = {
        "trigger_id": sandbox.new_trigger(user),
        "response_url": sandbox.new_response_url(user, channel.id),
    }
    payload = payloads.command(word, sent, people[user], channel, **keys)
    try:
        answer = await sandbox.hub.deliver(
            "slash_commands", payload, accepts=True, seconds=sandbox.timings.ack
        )
        if answer:
            respond(sandbox, user, channel, answer)
    except Undelivered as error:
        raise _shown(sandbox, user, _command_failed(word, error.code)) from None
    except ApiError:
        raise _shown(sandbox, user, _command_failed(word, "invalid_command_response")) from None


def _shown(sandbox: Sandbox, user: str, text: str) -> Refused:
    sandbox.workspace.add_error(user, text)
    return Refused(text)


def content(answer: Json) -> tuple[str, list[Json]]:
    """Text and blocks of an answer to a command or through a response URL.

    Raises:
        ApiError: there is neither, or the blocks are unsound.
    """
    blocks = validate.message_blocks(answer["blocks"]) if answer.get("blocks") else []
    text = answer.get("text") or ""
    if not isinstance(text, str) or not (text or blocks):
        raise ApiError("no_text")
    return text, blocks


def respond(
    sandbox: Sandbox, user: str, channel: Channel, answer: Json, thread_ts: str | None = None
) -> None:
    """Show an answer to the person alone, or to the channel when it says so, whether the app is in it or not.

    Raises:
        ApiError: the answer is unsound.
    """
    text, blocks = content(answer)
    ts = sandbox.workspace.new_ts()
    if answer.get("response_type") == "in_channel":
        say(sandbox, channel, Post(ts, BOT_USER_ID, text, blocks, thread_ts=thread_ts))
    else:
        ephemeral = Ephemeral(new_id("Eph"), ts, channel.id, text, blocks, thread_ts)
        sandbox.workspace.add_ephemeral(user, ephemeral)


async def shortcut(sandbox: Sandbox, user: str, callback_id: str) -> None:
    """Use a global shortcut.

    Raises:
        Refused: no such shortcut, or the app did not take it.
    """
    workspace = sandbox.workspace
    is_known = any(one.callback_id == callback_id for one in sandbox.manifest.shortcuts)
    if not is_known or workspace.people[user].is_external:
        raise Refused("no such shortcut")
    payload = payloads.shortcut(
        callback_id, workspace.people[user], sandbox.new_trigger(user), workspace.new_ts()
    )
    try:
        await sandbox.hub.deliver("interactive", payload, accepts=True, seconds=sandbox.timings.ack)
    except Undelivered:
        raise _shown(sandbox, user, TROUBLE) from None


def type_into(sandbox: Sandbox, view: View, values: Json) -> None:
    """Keep what the page says stands in the fields of a view.

    Raises:
        BadValue: a value no client could send.
    """
    for block, element in inputs_of(view.blocks):
        given = values.get(block["block_id"], {}).get(element["action_id"])
        if given is not None:
            place = (block["block_id"], element["action_id"])
            value = entered(element, given, view.offered.get(place, ()))
            value = form_files.resolved(sandbox.workspace, view.user, value)
            if value != view.typed.get(place) and value != initial(element):
                picks.check(sandbox.workspace, view.user, value)
            view.typed[place] = value


async def submit(sandbox: Sandbox, user: str, view_id: str, values: Json) -> None:
    """Send the form on top of the person's stack.

    Raises:
        Refused: it is not open, is being sent already, or the app did not take it.
        FormFaults: the client or the app found faults in it.
    """
    view = _top(sandbox, user, view_id)
    if "submit" not in view.body or view.is_busy:
        raise Refused("this form cannot be sent now")
    type_into(sandbox, view, values)
    faults = input_faults(view.blocks, view.typed)
    if faults:
        raise FormFaults(faults)
    view.is_busy = True
    sandbox.workspace.changed(user)
    try:
        await _send_form(sandbox, user, view)
    except (Undelivered, ApiError):
        raise _shown(sandbox, user, TROUBLE) from None
    finally:
        view.is_busy = False
        sandbox.workspace.changed(user)


def _top(sandbox: Sandbox, user: str, view_id: str) -> View:
    stack = sandbox.workspace.desks[user].stack
    if not stack or stack[-1].id != view_id:
        raise Refused("this view is not on top")
    return stack[-1]


async def _send_form(sandbox: Sandbox, user: str, view: View) -> None:
    human = sandbox.workspace.people[user]
    payload = payloads.view_submission(human, view.shown(), sandbox.new_trigger(user))
    answer = await sandbox.hub.deliver("interactive", payload, accepts=True, seconds=sandbox.timings.ack)
    if answer and answer.get("response_action") in {"update", "push"} and sandbox.settings.view_lag:
        await asyncio.sleep(sandbox.settings.view_lag)
    _apply(sandbox, view, answer or {})


def _apply(sandbox: Sandbox, view: View, answer: Json) -> None:
    workspace = sandbox.workspace
    action = answer.get("response_action")
    if action == "errors":
        raise FormFaults(_field_errors(view, answer.get("errors")))
    if action in {"update", "push"}:
        form_files.check_scope(sandbox, validate.view(answer.get("view"), view.body["type"]))
    if view not in workspace.desks[view.user].stack:
        return  # closed by hand while the app was thinking
    if action == "clear":
        modals.clear(workspace, view.user)
    elif action == "update":
        modals.update(workspace, view, answer.get("view"))
    elif action == "push":
        modals.push(workspace, view.user, answer.get("view"), onto_open=True)
    elif action is None:
        modals.close(workspace, view)
    else:
        raise ApiError("invalid_response_action")


def _field_errors(view: View, errors: Any) -> dict[str, str]:
    inputs = {block["block_id"] for block in view.blocks if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise ApiError("invalid_errors")
    if not all(isinstance(text, str) and text for text in errors.values()):
        raise ApiError("invalid_errors")
    return errors


def close(sandbox: Sandbox, user: str, view_id: str, *, close_all: bool) -> None:
    """Close the modal on top (Cancel) or all of them (the cross), and tell the app if it asked for it.

    Raises:
        Refused: it is not open.
    """
    view = _top(sandbox, user, view_id)
    is_cleared = close_all or view.flag("clear_on_close")
    told = sandbox.workspace.desks[user].stack[0] if is_cleared else view
    payload = payloads.view_closed(sandbox.workspace.people[user], told.shown(), is_cleared=is_cleared)
    if is_cleared:
        modals.clear(sandbox.workspace, user)
    else:
        modals.close(sandbox.workspace, view)
    if told.flag("notify_on_close"):
        sandbox.spawn(_tell(sandbox, payload))


async def _tell(sandbox: Sandbox, payload: Json) -> None:
    try:
        await sandbox.hub.deliver("interactive", payload, accepts=False, seconds=sandbox.timings.ack)
    except Undelivered:
        return  # a person who closed a view is shown nothing


def message(
    sandbox: Sandbox, user: str, text: str, thread_ts: str | None = None, channel_id: str | None = None
) -> str:
    """Write to the bot, or into a channel; gives back the `ts`.

    Raises:
        Refused: the Messages tab is off, the text is empty or too long, there is no such thread, or the person is
            not in the channel.
    """
    manifest, channel = sandbox.manifest, room(sandbox, user, channel_id)
    is_off = not manifest.is_messages_enabled or manifest.is_messages_read_only
    if channel.user is not None and is_off:
        raise Refused("sending messages to this app has been turned off")
    if not text.strip() or len(text) > MAX_TYPED:
        raise Refused("a message has between 1 and 12,000 characters")
    if thread_ts is not None and thread_ts not in channel.posts:
        raise Refused("there is no such thread")
    post = Post(
        sandbox.workspace.new_ts(), user, payloads.escaped(text), _typed_blocks(text), thread_ts=thread_ts
    )
    say(sandbox, channel, post, client_msg_id=new_id("M"))
    return post.ts


def _typed_blocks(text: str) -> list[Json]:
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return validate.filled([{"type": "rich_text", "elements": [section]}])


def say(sandbox: Sandbox, channel: Channel, post: Post, **extra: str) -> Post:
    """Put a post into a DM or channel and send its event."""
    sandbox.workspace.add(channel, post)
    body = shown(post, sandbox.workspace.files, with_metadata=True)
    sandbox.emit(payloads.message_event(body, channel, **extra), channel)
    return post


def open_tab(sandbox: Sandbox, user: str, tab: str) -> None:
    """Look at the app's Home or Messages tab.

    Raises:
        Refused: there is no such tab.
    """
    if tab not in {"home", "messages"} or (tab == "home" and not sandbox.manifest.is_home_enabled):
        raise Refused("there is no such tab")
    workspace = sandbox.workspace
    if workspace.people[user].is_external:
        raise Refused("the app belongs to another workspace")
    home = workspace.desks[user].home
    view = home.shown() if home is not None and tab == "home" else None
    sandbox.emit(payloads.home_opened(user, workspace.dm(user).id, tab, view, workspace.new_ts()))
