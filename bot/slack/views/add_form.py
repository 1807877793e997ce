"""The form that adds or edits a mailbox, also as it comes back after a failed test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.drafts import ADDRESS_LIMIT, NAME_LIMIT, PASSWORD_LIMIT, USERNAME_LIMIT
from bot.slack.views.advice import advice
from bot.slack.views.fields import Choices, checkbox, field, lines, port_input, radio, select, text_input
from bot.slack.views.steps import report_blocks
from bot.slack.views.words import Block, View, modal, plain, section
from storage.records import OldMail, Retention, Security

if TYPE_CHECKING:
    from bot.mail.providers import Provider
    from bot.slack.drafts import Draft
    from bot.slack.views.values import Report

SECURITIES: Final[Choices] = (
    ("TLS", Security.TLS.value),
    ("STARTTLS", Security.STARTTLS.value),
    ("None", Security.NONE.value),
)
RETENTIONS: Final[Choices] = (
    ("Leave on the server", Retention.LEAVE.value),
    ("Delete after it is in Slack", Retention.DELETE_POSTED.value),
)
OLD_MAILS: Final[Choices] = (
    ("None", OldMail.NONE.value),
    ("Last 50", OldMail.LAST_50.value),
    ("All", OldMail.ALL.value),
)
YES_NO: Final[Choices] = (("Yes", names.YES), ("No", names.NO))

HOST_LIMIT: Final = 300  # some more than a name may have, for the scheme that people paste with it

_ADD_WORDS: Final = (
    "Mailbox signs in to your mail server first and saves nothing until that works. "
    "Then your new e-mail arrives in our direct messages, each message once."
)
_EDIT_WORDS: Final = "Mailbox tries the new settings on your mail server first. Until they work, the ones you have stay in use."
IN_SIGHT: Final = (
    "Slack shows what you type here; it has no hidden field. Use an app password where your provider offers one. "
    "It is stored encrypted and never shown again."
)
KEEP_TYPED: Final = "Leave empty to use the one you typed (kept for ten minutes)."
KEEP_STORED: Final = "Leave empty to keep the stored one."


def mailbox_form(draft: Draft, *, provider: Provider | None = None, report: Report | None = None) -> View:
    """The add form, or the edit form of the draft's mailbox.

    A provider's advice is shown in place; after a failed test, its report stands on top.
    """
    blocks = [section(plain(_EDIT_WORDS if draft.is_edit else _ADD_WORDS))]
    if report is not None:
        blocks = report_blocks(report)
    if draft.offers_receiving_only:
        blocks.append(_receiving_only(draft))
    blocks += [*_account(draft, provider), *_incoming(draft), *_outgoing(draft), *_handling(draft)]
    title, callback_id = (
        ("Edit mailbox", names.EDIT_FORM) if draft.is_edit else ("Add mailbox", names.ADD_FORM)
    )
    submit = "Test and save" if draft.is_edit else "Test and add"
    return modal(title, callback_id, blocks, submit=submit, close="Cancel", metadata=draft.metadata())


def _account(draft: Draft, provider: Provider | None) -> list[Block]:
    """Name and address, and what is known about the provider."""
    name = text_input(draft.text(names.NAME), longest=NAME_LIMIT, placeholder="Work")
    blocks = [field(draft, names.NAME, "Account name", name), _address(draft)]
    known = advice(provider)
    if known:
        blocks.append(section(plain(lines(known)), block_id="advice"))
    return blocks


def _address(draft: Draft) -> Block:
    """The address; every character typed is sent, so that the servers can be filled in."""
    element = text_input(draft.text(names.ADDRESS), longest=ADDRESS_LIMIT, placeholder="you@example.com")
    element["action_id"] = names.ADDRESS_TYPED
    element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    block = field(
        draft,
        names.ADDRESS,
        "E-mail address",
        element,
        hint="For many providers this fills in the servers below.",
    )
    return {**block, "dispatch_action": True}


def _incoming(draft: Draft) -> list[Block]:
    """The POP3 server and the credentials for it."""
    server = text_input(draft.text(names.INCOMING_SERVER), longest=HOST_LIMIT, placeholder="pop.example.com")
    username = text_input(draft.text(names.USERNAME), longest=USERNAME_LIMIT)
    return [
        field(
            draft,
            names.INCOMING_SERVER,
            "Incoming server",
            server,
            hint="The POP3 server. If you do not know it, ask your provider or whoever runs your e-mail.",
        ),
        field(draft, names.INCOMING_PORT, "Port", port_input(draft.text(names.INCOMING_PORT))),
        field(draft, names.INCOMING_SECURITY, "Security", _security(draft, names.INCOMING_SECURITY)),
        field(draft, names.USERNAME, "Username", username, hint="Mostly the e-mail address."),
        _password(draft, names.INCOMING_PASSWORD, "Password", IN_SIGHT),
    ]


def _outgoing(draft: Draft) -> list[Block]:
    """The SMTP server; all of it may stay empty."""
    server = text_input(draft.text(names.OUTGOING_SERVER), longest=HOST_LIMIT, placeholder="smtp.example.com")
    username = text_input(draft.text(names.OUTGOING_USERNAME), longest=USERNAME_LIMIT)
    same = checkbox("Same user name and password", ticked=_is_same(draft))
    different = "Only when the outgoing server wants other credentials."
    return [
        field(
            draft,
            names.SAME_CREDENTIALS,
            "Use the same credentials for the outgoing server",
            same,
            optional=True,
        ),
        field(
            draft,
            names.OUTGOING_SERVER,
            "Outgoing server",
            server,
            hint="Leave empty to only receive.",
            optional=True,
        ),
        field(
            draft,
            names.OUTGOING_PORT,
            "Outgoing port",
            port_input(draft.text(names.OUTGOING_PORT)),
            optional=True,
        ),
        field(
            draft,
            names.OUTGOING_SECURITY,
            "Outgoing security",
            _security(draft, names.OUTGOING_SECURITY),
            optional=True,
        ),
        field(draft, names.OUTGOING_USERNAME, "Outgoing username", username, hint=different, optional=True),
        _password(draft, names.OUTGOING_PASSWORD, "Outgoing password", different),
    ]


def _handling(draft: Draft) -> list[Block]:
    """What happens to mail, and which mailbox is active."""
    retention = radio(RETENTIONS, draft.text(names.RETENTION))
    blocks = [field(draft, names.RETENTION, "Delete setting", retention)]
    if not draft.is_edit:
        old_mail = radio(OLD_MAILS, draft.text(names.OLD_MAIL))
        blocks.append(field(draft, names.OLD_MAIL, "How much old mail to bring", old_mail))
    if draft.asks_active:
        active = radio(YES_NO, draft.text(names.MAKE_ACTIVE))
        hint = (
            "One mailbox is active at a time; the others keep their settings and are not fetched meanwhile."
        )
        blocks.append(field(draft, names.MAKE_ACTIVE, "Make this the active mailbox", active, hint=hint))
    return blocks


def _security(draft: Draft, name: str) -> dict[str, object]:
    return select(SECURITIES, draft.text(name))


def _password(draft: Draft, name: str, label: str, words: str) -> Block:
    """A password field: never with a value of its own."""
    keeps = _keeps(draft) if name == names.INCOMING_PASSWORD or not _is_same(draft) else ""
    hint = f"{keeps} {words}" if keeps else words
    optional = bool(keeps) or name == names.OUTGOING_PASSWORD
    return field(draft, name, label, text_input("", longest=PASSWORD_LIMIT), hint=hint, optional=optional)


def _keeps(draft: Draft) -> str:
    """What an empty password field stands for, if for anything."""
    if draft.has_typed:
        return KEEP_TYPED
    return KEEP_STORED if draft.is_edit else ""


def _is_same(draft: Draft) -> bool:
    """One pair of credentials serves both servers."""
    return draft.text(names.SAME_CREDENTIALS) == names.YES


def _receiving_only(draft: Draft) -> Block:
    """Offered when only the outgoing server failed."""
    box = checkbox("Save as receiving only", ticked=draft.text(names.RECEIVING_ONLY) == names.YES)
    hint = "Your mail arrives in Slack; you can add an outgoing server later."
    return field(draft, names.RECEIVING_ONLY, "Without the outgoing server", box, hint=hint, optional=True)
