"""The buttons with which an owner decides about mail on the server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.server_mail import Said
from bot.slack import actions, names, questions
from bot.slack.listeners.mail_actions import redraw
from bot.slack.listeners.payloads import value_of
from storage.wishes import OnServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp

    from bot.slack.listeners.desk import Desk

SHOWN_WITHIN = 20.0
"""A deletion that is carried out within so many seconds is shown in the post; any other is said to come."""

SAID = {
    names.ARE_NEW_BUTTON: (Said.NEW, questions.GOES_ON_NEW),
    names.ARE_SEEN_BUTTON: (Said.SEEN, questions.GOES_ON_SEEN),
    names.ASK_LATER_BUTTON: (Said.STOP, questions.STOPPED),
}


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The three answers to the question about changed UIDs, and "Delete from server"."""
    for action_id, (said, words) in SAID.items():
        bolt.action(action_id)(_answered(desk, said, words))

    @bolt.action(names.DELETE_BUTTON)
    async def delete(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        person, message_id = desk.actor(body), value_of(action)
        mailbox, place = await desk.server_mail.delete(person, message_id)
        if place is OnServer.STAYS:
            await _say(respond, questions.STAYS)
        elif place is OnServer.GONE:
            await _show(desk, respond, body, message_id, actions.IS_GONE)
        elif mailbox.due_at is None:
            await _say(respond, questions.NOT_CHECKED)
        else:
            await _show(desk, respond, body, message_id, actions.WILL_GO)
            if await desk.server_mail.is_gone(person, message_id, within=SHOWN_WITHIN):
                await _show(desk, respond, body, message_id, actions.IS_GONE)


def _answered(desk: Desk, said: Said, words: str) -> Any:
    async def answered(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        _, was_open = await desk.server_mail.answer(desk.actor(body), value_of(action), said)
        await _say(respond, words if was_open else questions.ANSWERED)

    return answered


async def _show(desk: Desk, respond: Any, body: Mapping[str, Any], message_id: str, words: str) -> None:
    """Say in the post itself how the message stands on the server; beside it where the post cannot be changed."""
    if not await redraw(desk, respond, body, message_id):
        await _say(respond, words)


async def _say(respond: Any, words: str) -> None:
    await respond(text=words, response_type="ephemeral", replace_original=False)
