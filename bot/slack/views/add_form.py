"""The form that adds or edits a mailbox, also as it comes back after a failed test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from bot.plan import MOST_DELETE_DAYS
from bot.retention import RECENT, WORDS
from bot.slack import names
from bot.slack.drafts import ADDRESS_LIMIT, FILLABLE, NAME_LIMIT, PASSWORD_LIMIT, USERNAME_LIMIT
from bot.slack.shapes import hidden, is_ticked, refusals
from bot.slack.views.advice import advice_blocks, asks_password
from bot.slack.views.calm import calm_fields
from bot.slack.views.fields import Choices, checkbox, field, number_input, radio, select, text_input
from bot.slack.views.steps import maildrop, report_blocks
from bot.slack.views.words import Block, View, escaped, modal, mrkdwn, plain, section
from storage.records import OldMail, Retention, Security

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    ("Delete some days after it is in Slack", Retention.DELETE_LATER.value),
    ("Delete when I press Delete in Slack", Retention.DELETE_ASKED.value),
)
OLD_MAILS: Final[Choices] = (
    ("None", OldMail.NONE.value),
    ("Last 7 days", OldMail.LAST_7_DAYS.value),
    ("Last 50", OldMail.LAST_50.value),
    ("All", OldMail.ALL.value),
)
YES_NO: Final[Choices] = (("Yes", names.YES), ("No", names.NO))

SHAPING: Final = frozenset({names.DELIVERY, names.QUIET_FROM})
"""Of the fields about when messages come, those that show or hide another."""

MOST_PORT: Final = 65_535
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


def mailbox_form(
    draft: Draft, *, provider: Provider | None = None, report: Report | None = None, trouble: str = ""
) -> View:
    """The add form, or the edit form of the draft's mailbox.

    A provider's advice is shown in place, and no password is asked for where none is taken; after a failed test,
    its report stands on top, and `trouble` where something else kept the form from being saved.
    """
    blocks = [section(plain(_EDIT_WORDS if draft.is_edit else _ADD_WORDS))]
    if report is not None:
        blocks = report_blocks(report)
    elif trouble:
        blocks = [section(mrkdwn(f"✗ {escaped(trouble)}"))]
    sending = _receiving_only(draft)
    if draft.offers_receiving_only:
        blocks.append(sending)
    servers = [*_incoming(draft), *([] if draft.offers_receiving_only else [sending]), *_outgoing(draft)]
    servers = [_watched(block, draft) for block in servers]
    unseen = hidden(draft) | (names.PASSWORDS if not asks_password(draft, provider) else set())
    parts = [*_account(draft, provider), *servers, *_deleting(draft, provider), *_handling(draft, report)]
    parts += [
        _shaping(block) if names.field_of(block["block_id"]) in SHAPING else block
        for block in calm_fields(draft)
    ]
    blocks += [block for block in parts if names.field_of(block.get("block_id", "")) not in unseen]
    blocks += [_as_chosen(block, draft) for block in draft.sharing]
    title, callback_id = (
        ("Edit mailbox", names.EDIT_FORM) if draft.is_edit else ("Add mailbox", names.ADD_FORM)
    )
    submit = "Test and save" if draft.is_edit else "Test and add"
    return modal(title, callback_id, blocks, submit=submit, close="Cancel", metadata=draft.metadata())


def _account(draft: Draft, provider: Provider | None) -> list[Block]:
    """Name and address, and what is known about the provider."""
    name = text_input(draft.text(names.NAME), longest=NAME_LIMIT, placeholder="Work")
    return [
        field(draft, names.NAME, "Account name", name),
        _address(draft),
        *advice_blocks(draft, provider),
    ]


def _address(draft: Draft) -> Block:
    """The address; every character typed is sent, so that the servers can be filled in."""
    block = field(
        draft,
        names.ADDRESS,
        "E-mail address",
        text_input(draft.text(names.ADDRESS), longest=ADDRESS_LIMIT, placeholder="you@example.com"),
        hint="For many providers this fills in the servers below.",
    )
    return _reporting(block, names.ADDRESS_TYPED)


def _watched(block: Block, draft: Draft) -> Block:
    """A field that an address fills in, in such a way that what is typed there meanwhile is known.

    A mailbox that exists is not filled in, but its incoming server decides what else the form shows.
    """
    watched = {names.INCOMING_SERVER} if draft.is_edit else FILLABLE
    return _reporting(block, names.SERVER_TYPED) if names.field_of(block["block_id"]) in watched else block


def _reporting(block: Block, action_id: str) -> Block:
    """An input that sends every change."""
    element = {**block["element"], "action_id": action_id}
    if element["type"] in {"plain_text_input", "number_input"}:
        element["dispatch_action_config"] = {"trigger_actions_on": ["on_character_entered"]}
    return {**block, "element": element, "dispatch_action": True}


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
        field(draft, names.INCOMING_PORT, "Port", number_input(draft.text(names.INCOMING_PORT), MOST_PORT)),
        field(draft, names.INCOMING_SECURITY, "Security", _security(draft, names.INCOMING_SECURITY)),
        field(draft, names.USERNAME, "Username", username, hint="Mostly the e-mail address."),
        _recent(draft),
        _password(draft, names.INCOMING_PASSWORD, "Password", IN_SIGHT),
    ]


def _outgoing(draft: Draft) -> list[Block]:
    """The SMTP server; all of it may stay empty."""
    server = text_input(draft.text(names.OUTGOING_SERVER), longest=HOST_LIMIT, placeholder="smtp.example.com")
    username = text_input(draft.text(names.OUTGOING_USERNAME), longest=USERNAME_LIMIT)
    same = checkbox("Same user name and password", ticked=is_ticked(draft, names.SAME_CREDENTIALS))
    theirs = "What you sign in with at the outgoing server."
    return [
        _shaping(
            field(
                draft,
                names.SAME_CREDENTIALS,
                "Use the same credentials for the outgoing server",
                same,
                optional=True,
            )
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
            number_input(draft.text(names.OUTGOING_PORT), MOST_PORT),
            optional=True,
        ),
        field(
            draft,
            names.OUTGOING_SECURITY,
            "Outgoing security",
            _security(draft, names.OUTGOING_SECURITY),
            optional=True,
        ),
        field(draft, names.OUTGOING_USERNAME, "Outgoing username", username, hint=theirs, optional=True),
        _password(draft, names.OUTGOING_PASSWORD, "Outgoing password", "Slack shows what you type here too."),
    ]


def _recent(draft: Draft) -> Block:
    """Gmail's mode for several programs."""
    box = checkbox("Also what other programs have fetched", ticked=is_ticked(draft, names.RECENT))
    hint = (
        f"Gmail shows a message to one mail program only. With a tick, “{RECENT}” before the user name makes it show the "
        "mail of the last 30 days to each of them, and Mailbox deletes nothing there."
    )
    return _shaping(field(draft, names.RECENT, "Recent mode", box, hint=hint, optional=True))


def _deleting(draft: Draft, provider: Provider | None) -> list[Block]:
    """The delete settings that the server can carry out, and why not the others."""
    refused = refusals(draft, provider)
    choices = tuple(choice for choice in RETENTIONS if refused[Retention(choice[1])] is None)
    why = dict.fromkeys(WORDS[reason] for reason in refused.values() if reason is not None)
    if len(choices) == 1:
        words = "\n".join(["*Delete setting*", f"{choices[0][0]}.", *why])
        return [section(mrkdwn(words), block_id="retention_fixed")]
    element = radio(choices, draft.text(names.RETENTION))
    days = number_input(draft.text(names.DELETE_DAYS), MOST_DELETE_DAYS)
    hint = f"From 1 to {MOST_DELETE_DAYS}. They are counted while Mailbox checks the mailbox."
    return [
        _shaping(field(draft, names.RETENTION, "Delete setting", element, hint=" ".join(why))),
        field(draft, names.DELETE_DAYS, "After how many days", days, hint=hint),
    ]


def _handling(draft: Draft, report: Report | None) -> list[Block]:
    """How much old mail comes, and which mailbox is active."""
    old_mail = radio(OLD_MAILS, draft.text(names.OLD_MAIL))
    there = maildrop(report.messages if report else None)
    blocks = [field(draft, names.OLD_MAIL, "How much old mail to bring", old_mail, hint=there)]
    if draft.asks_active:
        active = radio(YES_NO, draft.text(names.MAKE_ACTIVE))
        label, hint = _activity(draft.most_active)
        blocks.append(field(draft, names.MAKE_ACTIVE, label, active, hint=hint))
    return blocks


def _activity(most: int | None) -> tuple[str, str]:
    """The question whether a mailbox is active, and what a yes brings; None for no limit."""
    if most == 1:
        return "Make this the active mailbox", (
            "One mailbox is active at a time; the others keep their settings and are not fetched meanwhile."
        )
    said = "Only active mailboxes are fetched."
    if most is not None:
        said = f"Up to {most:,} mailboxes are active at a time. With one more, that of the oldest choice keeps its settings and is not fetched meanwhile."
    return "Make this mailbox active", said


def _as_chosen(block: Mapping[str, Any], draft: Draft) -> Block:
    """A part about sharing with what was chosen in it: it may come back after another view."""
    name = names.field_of(str(block.get("block_id")))
    element = dict(block.get("element") or {})
    if name not in draft.texts:
        return dict(block)
    chosen = draft.text(name)
    if element.get("type") == "multi_users_select":
        element.pop("initial_users", None)
        element |= {"initial_users": chosen.split(",")} if chosen else {}
    elif element.get("type") == "radio_buttons":
        kept = (option for option in element["options"] if option["value"] == chosen)
        element["initial_option"] = next(kept, element["initial_option"])
    return {**block, "element": element}


def _shaping(block: Block) -> Block:
    """A choice that shows or hides other fields."""
    return _reporting(block, names.SHAPE_CHOSEN)


def _security(draft: Draft, name: str) -> dict[str, object]:
    """The kinds that there are; "None" where it is allowed, or is what stands there."""
    chosen = draft.text(name)
    offers_all = draft.offers_plain or chosen == Security.NONE
    return select(SECURITIES if offers_all else SECURITIES[:-1], chosen)


def _password(draft: Draft, name: str, label: str, words: str) -> Block:
    """A password field: never with a value of its own."""
    keeps = (
        _keeps(draft)
        if name == names.INCOMING_PASSWORD or not is_ticked(draft, names.SAME_CREDENTIALS)
        else ""
    )
    hint = f"{keeps} {words}" if keeps else words
    optional = bool(keeps) or name == names.OUTGOING_PASSWORD
    return field(draft, name, label, text_input("", longest=PASSWORD_LIMIT), hint=hint, optional=optional)


def _keeps(draft: Draft) -> str:
    """What an empty password field stands for, if for anything."""
    if draft.has_typed:
        return KEEP_TYPED
    return KEEP_STORED if draft.is_edit and not draft.is_erased else ""


def _receiving_only(draft: Draft) -> Block:
    """The choice to send nothing; on top of the form when only the outgoing server failed."""
    ticked = is_ticked(draft, names.RECEIVING_ONLY)
    if draft.offers_receiving_only:
        label, box = "Without the outgoing server", checkbox("Save as receiving only", ticked=ticked)
    else:
        label, box = "Sending", checkbox("Receiving only", ticked=ticked)
    hint = "Your mail arrives in Slack; you can add an outgoing server later."
    return _shaping(field(draft, names.RECEIVING_ONLY, label, box, hint=hint, optional=True))
