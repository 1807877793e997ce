"""Modals, App Home and ephemeral answers: frozen values in, Block Kit out, Slack's limits built in.

`View` functions return what `views.open`, `views.update` and `views.publish` take; `Answer` functions return `text` and
`blocks` for `respond`, `chat.postEphemeral` or `chat.postMessage`. No I/O and no clock: `now` is an argument.
"""

from __future__ import annotations

from bot.slack.views.add_form import mailbox_form
from bot.slack.views.advice import advice, asks_password, no_way_in
from bot.slack.views.belongings import (
    CONFIRMATION_WORD,
    erase_form,
    erased,
    given,
    not_confirmed,
    not_given,
    nothing_stored,
    remove_form,
    removed,
)
from bot.slack.views.doctor import doctor_result, doctor_running
from bot.slack.views.help import help_answer, typed_answer, unknown_word
from bot.slack.views.holding import cannot_add, is_erased, not_examined
from bot.slack.views.home import HomePage, home
from bot.slack.views.lists import mailbox_list, picker
from bot.slack.views.mail import (
    MOST_RULES,
    TITLES,
    ask_delete,
    muted,
    not_done,
    not_kept,
    original_answer,
    page,
    rules,
    unmuted,
)
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
    resumed,
)
from bot.slack.views.values import OldMailComing, Progress, Receipt, Report, Tested, outcome
from bot.slack.views.words import Answer, Block, View

__all__ = [
    "CONFIRMATION_WORD",
    "MOST_RULES",
    "TITLES",
    "Answer",
    "Block",
    "HomePage",
    "OldMailComing",
    "Progress",
    "Receipt",
    "Report",
    "Tested",
    "View",
    "activated",
    "advice",
    "as_modal",
    "ask_delete",
    "asks_password",
    "cannot_add",
    "checking",
    "could_not_open",
    "doctor_result",
    "doctor_running",
    "erase_form",
    "erased",
    "expired",
    "failed",
    "given",
    "help_answer",
    "home",
    "in_progress",
    "interrupted",
    "is_erased",
    "loading",
    "mailbox_form",
    "mailbox_list",
    "muted",
    "no_way_in",
    "not_confirmed",
    "not_done",
    "not_examined",
    "not_given",
    "not_kept",
    "nothing_stored",
    "nothing_to_do",
    "original_answer",
    "outcome",
    "page",
    "password_form",
    "password_in_progress",
    "password_saved",
    "paused",
    "picker",
    "remove_form",
    "removed",
    "resumed",
    "rules",
    "saved",
    "typed_answer",
    "unknown_word",
    "unmuted",
]
