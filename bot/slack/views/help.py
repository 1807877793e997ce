"""What Mailbox understands: help, and the answers to an unknown word and to what is typed into the DM."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

from bot.slack import names
from bot.slack.views.words import Answer, Block, actions, answer, button, context, literal, mrkdwn, section

_INTRODUCTION: Final = (
    "*Mailbox* brings your e-mail into our direct messages: readable, complete, each message once."
)

_WORDS: Final = {
    names.ADD: ("add [address]", "connect a mailbox; with an address, its servers are filled in"),
    names.LIST: ("list", "your mailboxes: active or not, last check, next check, what is wrong"),
    names.EDIT: ("edit", "change a mailbox's settings"),
    names.PASSWORD: ("password", "give a mailbox a new password"),
    names.ACTIVATE: ("activate", "have a mailbox fetched; where no more may be active, another one rests"),
    names.PAUSE: ("pause", "stop fetching for a while"),
    names.RESUME: ("resume", "fetch again"),
    names.CHECK: ("check", "look for new mail now"),
    names.DOCTOR: ("doctor", "why do I not see my e-mail? looks into a mailbox and says what to do"),
    names.SHARE: (
        "share",
        "who may see a mailbox besides you: people, groups or a channel, and how to end it",
    ),
    names.REMOVE: ("remove", "remove a mailbox, after a question"),
    names.RULES: ("rules", "what you have muted, and how to hear of it again"),
    names.SHARED: ("shared", "what others opened to you, and how to read it"),
    names.SEND: ("send [mailbox]", "write an e-mail; answer one with the buttons beneath it"),
    names.EXPORT: ("export", "everything stored about you, as a file in our direct messages"),
    names.ERASE: ("erase", "destroy everything stored about you, after a question"),
    names.ADMIN: ("admin", "for administrators: grants, limits, the mailboxes' health, the audit"),
    names.HELP: ("help", "this list"),
}

_OPEN: Final = (("Add mailbox", names.OPEN_ADD), ("My mailboxes", names.OPEN_LIST))


def help_answer(words: tuple[str, ...]) -> Answer:
    """The commands a person may use, in the order given."""
    blocks = [section(mrkdwn(_INTRODUCTION)), section(mrkdwn(_table(words))), _buttons(words)]
    blocks.append(
        context(
            mrkdwn(
                f"With several mailboxes, a name may follow, as in `{names.COMMAND} pause Work`. "
                f"`{names.COMMAND}` alone is the same as `list`. Only you see these answers."
            )
        )
    )
    return answer(f"What {names.COMMAND} understands: {', '.join(words)}.", blocks)


def _table(words: tuple[str, ...]) -> str:
    """One line a command."""
    return "\n".join(
        f"`{names.COMMAND} {usage}`  {purpose}" for usage, purpose in map(_WORDS.__getitem__, words)
    )


def _buttons(words: tuple[str, ...] = names.COMMANDS) -> Block:
    shown = _OPEN if names.ADD in words else _OPEN[1:]
    return actions(*(button(text, action_id) for text, action_id in shown))


def typed_answer(word: str, *, in_thread: bool) -> Answer:
    """What becomes of a message to the bot, whose first word may be that of a command: nothing."""
    text = "What you type here goes to nobody: not as an e-mail, and not as a command."
    if in_thread:
        return answer(
            f"{text} To answer an e-mail, press “Reply” beneath it. Only Mailbox and you see this thread."
        )
    if word in names.COMMANDS and word != names.LIST:
        text += f" You may mean `{names.COMMAND} {word}`."
    text += (
        f" `{names.COMMAND} send` writes an e-mail, `{names.COMMAND}` shows your mailboxes, `{names.COMMAND} help` lists the "
        "commands."
    )
    return answer(text, [section(mrkdwn(text)), _buttons()])


def unknown_word(word: str) -> Answer:
    """Names an unknown word back, with the nearest one there is."""
    text = f"Mailbox does not know “{literal(word, 60)}”."
    known = {word: word for word in names.COMMANDS} | names.SYNONYMS
    nearest = get_close_matches(word[:60].lower(), known, n=1, cutoff=0.7)
    if nearest:
        text += f" Did you mean `{names.COMMAND} {_WORDS[known[nearest[0]]][0]}`?"
    text += f" `{names.COMMAND} help` lists everything."
    return answer(text)
