"""Modals, App Home and ephemeral answers: frozen values in, Block Kit out, Slack's limits built in.

`View` functions return what `views.open`, `views.update` and `views.publish` take; `Answer` functions return `text` and
`blocks` for `respond`, `chat.postEphemeral` or `chat.postMessage`. No I/O and no clock: `now` is an argument.
"""

from __future__ import annotations

from bot.slack.views.add_form import mailbox_form
from bot.slack.views.advice import advice
from bot.slack.views.help import help_answer, unknown_word
from bot.slack.views.home import home
from bot.slack.views.lists import mailbox_list, picker, remove_form
from bot.slack.views.passwords import password_form, password_in_progress, password_saved
from bot.slack.views.results import (
    as_modal,
    could_not_open,
    expired,
    in_progress,
    interrupted,
    loading,
    saved,
)
from bot.slack.views.sentences import (
    activated,
    checking,
    failed,
    nothing_to_do,
    paused,
    removed,
    resumed,
)
from bot.slack.views.values import Report, Tested, outcome
from bot.slack.views.words import Answer, Block, View

__all__ = [
    "Answer",
    "Block",
    "Report",
    "Tested",
    "View",
    "activated",
    "advice",
    "as_modal",
    "checking",
    "could_not_open",
    "expired",
    "failed",
    "help_answer",
    "home",
    "in_progress",
    "interrupted",
    "loading",
    "mailbox_form",
    "mailbox_list",
    "nothing_to_do",
    "outcome",
    "password_form",
    "password_in_progress",
    "password_saved",
    "paused",
    "picker",
    "remove_form",
    "removed",
    "resumed",
    "saved",
    "unknown_word",
]
