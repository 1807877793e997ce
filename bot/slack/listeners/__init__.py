"""All Bolt listeners: parse, ask, act, answer.

A listener acknowledges first wherever nothing in the acknowledgement depends on what follows, so Slack's three
seconds never wait for a mail server or a database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack.listeners import buttons, commands, forms_added, forms_password
from bot.slack.listeners.desk import Desk
from bot.slack.listeners.failures import FailureHandler

if TYPE_CHECKING:
    from slack_bolt.app.async_app import AsyncApp

__all__ = ["Desk", "register"]


def register(bolt: AsyncApp, desk: Desk) -> None:
    """Attach every listener and the one error handler."""
    commands.register(bolt, desk)
    buttons.register(bolt, desk)
    forms_added.register(bolt, desk)
    forms_password.register(bolt, desk)
    bolt.error(FailureHandler(desk))
