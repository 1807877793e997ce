"""What a person sees of single messages beyond their posts: pages of text, rules, what is not done, answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.mail import rich_text
from bot.slack import names
from bot.slack.blocks import escaped_within
from bot.slack.views.words import (
    Answer,
    Block,
    View,
    actions,
    answer,
    button,
    context,
    modal,
    plain,
    section,
)
from storage.wishes import OriginalState, RuleKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.mail.content import Rendered
    from storage.records import Mailbox
    from storage.wishes import Original, Rule

TITLES: Final = {names.WHOLE_TEXT: "The whole message", names.HEADERS_SHOWN: "Headers"}
MOST_RULES: Final = 40
LABEL_UNITS: Final = 300

_NO_RULES: Final = (
    "Nothing is muted. “Mute sender” and “Mute thread” in the menu of an e-mail's post keep such mail out of Slack; it stays "
    "on the mail server."
)
_ABOUT_RULES: Final = (
    "This mail is fetched and not posted; it stays on the mail server. Once you remove a line, what comes from then on is "
    "posted again."
)
_ALL_DONE: Final = "Everything in this mailbox is marked as done."
_ORIGINAL: Final = {
    OriginalState.ASKED: (
        "Mailbox asks the mail server for this message with its next check, which is due at once. It comes into the thread "
        "of its post; if the server does not have it any more, the thread says so."
    ),
    OriginalState.HERE: "The original comes into the thread of this post.",
    OriginalState.GONE: "The mail server does not have this message any more, so it cannot be brought.",
    OriginalState.REFUSED: "The mail server would not hand over this message.",
    OriginalState.TOO_LARGE: "This message is too large for Mailbox: it takes up to 100 MB. It stays on the mail server.",
}
_IS_THERE: Final = "The original is in the thread of this post already."
_NOT_CHECKED: Final = "This mailbox is not checked at the moment. The message is fetched into the thread of its post once it is."
_MUTED: Final = {
    RuleKind.SENDER: "New mail from {label} stays out of Slack from now on. It stays on the mail server.",
    RuleKind.CONVERSATION: "What comes in this conversation stays out of Slack from now on: {label}",
}
_KINDS: Final = {RuleKind.SENDER: "Sender", RuleKind.CONVERSATION: "Conversation"}
_UNMUTED: Final = "What comes from now on is posted again."
_DELETE: Final = (
    "Delete this message from the mail server for good, now? Its post and its files stay in Slack."
)


def page(callback_id: str, message_id: str, read: Rendered, number: int) -> View:
    """A page of a message, with the ways to the others.

    Args:
        number: from 0; past the end, the last one is shown.
    """
    at = max(0, min(number, read.pages - 1))
    top = [context(plain(read.text, LABEL_UNITS))] if read.text else []
    found = [*top, *read.blocks]
    if read.pages > 1:
        found += [context(plain(f"Page {at + 1:,} of {read.pages:,}")), _turns(at, read.pages)]
    return modal(TITLES[callback_id], callback_id, found, metadata=message_id)


def _turns(at: int, pages: int) -> Block:
    turns = []
    if at > 0:
        turns.append(button("Previous page", names.PREVIOUS_PAGE, str(at - 1)))
    if at + 1 < pages:
        turns.append(button("Next page", names.NEXT_PAGE, str(at + 1)))
    return actions(*turns)


def not_kept(callback_id: str, message_id: str, sentence: str) -> View:
    """The octets are gone; the server may have them."""
    ask = actions(button("Get it from the mail server", names.GET_WHOLE_BUTTON, message_id))
    return modal(TITLES[callback_id], names.RESULT, [section(plain(sentence)), ask])


def original_answer(mailbox: Mailbox, original: Original) -> Answer:
    """What becomes of the wish for a message as it came."""
    if original.is_there:
        return _said(_IS_THERE)
    if original.state is OriginalState.ASKED and mailbox.due_at is None:
        return _said(_NOT_CHECKED)
    return _said(_ORIGINAL[original.state])


def muted(rule: Rule) -> Answer:
    """Somebody's mail, or a conversation, stays out of Slack; with the way back."""
    said = _said(_MUTED[rule.kind].format(label=_label(rule)))
    buttons = [
        button("Undo", names.UNMUTE_BUTTON, rule.id),
        button("All that is muted", names.OPEN_RULES),
    ]
    return {**said, "blocks": [*said["blocks"], actions(*buttons)]}


def unmuted() -> Answer:
    """A rule was removed."""
    return _said(_UNMUTED)


def rules(found: Sequence[Rule], mailboxes: Mapping[str, str]) -> View:
    """Everything that is muted.

    Args:
        mailboxes: names by id; shown where there are several.
    """
    if not found:
        return modal("Muted mail", names.RULES_SHOWN, [section(plain(_NO_RULES))])
    lines = [_rule(rule, mailboxes) for rule in found[:MOST_RULES]]
    if len(found) > MOST_RULES:
        lines.append(context(plain(f"And {len(found) - MOST_RULES:,} more: remove some to see them.")))
    return modal("Muted mail", names.RULES_SHOWN, [section(plain(_ABOUT_RULES)), *lines])


def _rule(rule: Rule, mailboxes: Mapping[str, str]) -> Block:
    where = f", in “{mailboxes.get(rule.mailbox_id, '')}”" if len(mailboxes) > 1 else ""
    count = f"{rule.count:,} e-mail{'' if rule.count == 1 else 's'} kept out"
    words = f"{_KINDS[rule.kind]}: {_label(rule)}\n{count}{where}"
    remove = button("Remove", names.REMOVE_RULE, rule.id)
    return section(plain(words), accessory=remove)


def _label(rule: Rule) -> str:
    return str(plain(rule.label, LABEL_UNITS)["text"])


def not_done(mailbox: Mailbox, mails: Sequence[tuple[str, str | None]], count: int) -> View:
    """The newest posts of a mailbox that are not marked as done.

    Args:
        mails: a label each, and the address of its post where Slack gave one.
        count: how many there are in all.
    """
    if not mails:
        return modal("Not done", names.RESULT, [section(plain(_ALL_DONE))])
    shown = f"The newest {len(mails)} of {count:,}" if count > len(mails) else f"{len(mails)}"
    top = section(plain(f"“{mailbox.profile.name}”: {shown}, not marked as done."))
    items = [{"type": "rich_text_section", "elements": [_linked(*mail)]} for mail in mails]
    listed = {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": items}
    return modal("Not done", names.RESULT, [top, rich_text.block([listed])])


def _linked(label: str, link: str | None) -> dict[str, Any]:
    text = plain(label, LABEL_UNITS)["text"]
    return {"type": "link", "url": link, "text": text} if link else {"type": "text", "text": text}


def ask_delete(message_id: str) -> Answer:
    """The question before a message is deleted from its server."""
    go = button("Delete from server", names.DELETE_BUTTON, message_id, style="danger")
    return answer(_DELETE, [section(plain(_DELETE)), actions(go)])


def _said(words: str) -> Answer:
    """Words that may hold those of a mail."""
    return answer(escaped_within(words, 1000), [section(plain(words))])
