"""The button that stops old mail from being brought."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.slack import names, old_mail
from bot.slack.listeners.payloads import value_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slack_bolt.app.async_app import AsyncApp

    from bot.slack.listeners.desk import Desk


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The button stands in the post that tells how far the old mail is, which then says that it was stopped."""

    @bolt.action(names.STOP_OLD_MAIL)
    async def stop(ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], respond: Any) -> None:
        await ack()
        person = desk.actor(body)
        stopped = await desk.registrar.stop_old_mail(person, value_of(action))
        mailbox = await desk.registrar.get(person, stopped.mailbox_id)
        said = old_mail.progress(mailbox, stopped, timedelta(0))
        await respond(text=said.text, blocks=said.blocks, replace_original=True)
