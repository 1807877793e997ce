"""All Bolt listeners: parse, ask, act, answer.

A listener acknowledges first wherever nothing in the acknowledgement depends on what follows, so Slack's three
seconds never wait for a mail server or a database.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot.slack import views
from bot.slack.listeners import (
    addresses,
    admin,
    admin_lists,
    buttons,
    commands,
    forms_added,
    forms_erasing,
    forms_password,
    forms_shaped,
    mail_actions,
    messages,
    muted,
    old_mail,
    people,
    sending,
    server_mail,
    shared,
    sharing,
    writing,
)
from bot.slack.listeners.desk import Desk
from bot.slack.listeners.failures import FailureHandler

if TYPE_CHECKING:
    from slack_bolt.app.async_app import AsyncApp

__all__ = ["Desk", "register"]


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Attach every listener and the one error handler."""
    commands.register(bolt, desk)
    buttons.register(bolt, desk)
    addresses.register(bolt, desk)
    forms_added.register(bolt, desk)
    forms_password.register(bolt, desk)
    forms_shaped.register(bolt, desk)
    messages.register(bolt, desk)
    old_mail.register(bolt, desk)
    forms_erasing.register(bolt, desk)
    server_mail.register(bolt, desk)
    mail_actions.register(bolt, desk)
    muted.register(bolt, desk)
    people.register(bolt, desk)
    sharing.register(bolt, desk)
    shared.register(bolt, desk)
    writing.register(bolt, desk)
    sending.register(bolt, desk)
    admin.register(bolt, desk)
    admin_lists.register(bolt, desk)
    _acknowledge_the_rest(bolt)
    bolt.error(FailureHandler(desk))


def _acknowledge_the_rest(bolt: AsyncApp) -> None:
    """Take what no listener is for, such as a form of an older release: unanswered, Slack would show an error."""
    anything = re.compile(".*")

    @bolt.action(anything)
    @bolt.shortcut(anything)
    async def action(ack: Any) -> None:
        await ack()

    @bolt.view(anything)
    async def form(ack: Any) -> None:
        await ack(response_action="update", view=views.expired())

    @bolt.event(anything)
    async def event() -> None:
        pass
