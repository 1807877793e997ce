"""The form of a mail: opened by a button, a command or App Home; checked while it is filled in; saved when it is sent.

What was written is never lost to an error: a form that cannot be sent stays as it is, with a sentence under the field
that it is about; one for which Slack waits no longer comes back with all that was in it.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import structlog
from slack_sdk.errors import SlackApiError

from bot import addressed
from bot.errors import BotError
from bot.mail.letters import LetterKind
from bot.sending_errors import NoOutgoingServer, NothingToSendFrom, NotSendable
from bot.slack import names, send_forms, send_names, views
from bot.slack.client import NO_ANSWER, code_of
from bot.slack.listeners.desk import open_view, shown, tell
from bot.slack.listeners.failures import fill, sentence_of
from bot.slack.listeners.payloads import value_of
from bot.slack.listeners.reception import visitor
from bot.slack.showing import Showing
from bot.slack.views import send_form, sent
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from slack_bolt.app.async_app import AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.filled import Checked, Sender, Started
    from bot.slack.listeners.desk import Desk
    from bot.slack.send_forms import Errors, Writing
    from bot.slack.showing import Shown, Turn
    from bot.slack.views import Block, View
    from storage.records import Person
    from storage.sending import Outgoing

log = structlog.get_logger(__name__)

PAUSE_SECONDS: Final = 0.5
"""How long nothing is typed before recipients are checked: half an address is a wrong one."""

ANSWER_SECONDS: Final = 2.0
"""Slack waits three for the answer to a form; what takes longer is shown when it is there."""

ACK_SECONDS: Final = 0.1
"""Bolt looks for an acknowledgement every 10 ms; what it says must not come over what follows it."""

NOT_TAKEN_WORDS: Final = (
    "Slack does not show the form now. What you wrote and sent off stands in its post; please try again."
)

KINDS: Final = {
    names.REPLY_BUTTON: LetterKind.REPLY,
    names.REPLY_ALL_BUTTON: LetterKind.REPLY_ALL,
    names.FORWARD_BUTTON: LetterKind.FORWARD,
}


@dataclass(frozen=True, slots=True)
class _Wish:
    """What somebody wants to write.

    Attributes:
        called: the name or address of the mailbox to send from; "" for whichever comes first.
    """

    kind: LetterKind
    message_id: str | None = None
    called: str = ""


@dataclass(frozen=True, slots=True)
class _Trouble:
    """Why a form was not saved: faults under its fields, and what is said where it is too late for those."""

    errors: Errors
    sentence: str


def register(bolt: AsyncApp, desk: Desk) -> None:
    """The buttons that open the form, what is typed and chosen in it, and sending it."""
    showing = Showing()
    for action_id, kind in KINDS.items():
        bolt.action(action_id)(_answers(desk, kind))

    @bolt.action(names.COMPOSE_BUTTON)
    async def compose(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await open_compose(desk, body, client)

    @bolt.action(send_names.RECIPIENTS_TYPED)
    async def typed(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        person, form = desk.actor(body), showing.of(body["view"]["id"])
        turn = form.begin(send_names.CHECKED)
        await asyncio.sleep(PAUSE_SECONDS)
        if form.is_newest(turn):
            await _redraw(form, turn, body["view"], client, _checked(desk, person, body["view"]))

    @bolt.action(send_names.SENDER_CHOSEN)
    async def chosen(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        await ack()
        person, form = desk.actor(body), showing.of(body["view"]["id"])
        # Each in a turn of its own: whoever types on must not be left with the signature of another mailbox.
        turns = form.begin(send_names.SENDER), form.begin(send_names.CHECKED)
        await _redraw(form, turns[0], body["view"], client, _chosen(desk, person, body["view"]))
        await _redraw(form, turns[1], body["view"], client, _checked(desk, person, body["view"]))

    @bolt.view(send_names.FORM)
    async def sent_off(ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
        showing.of(body["view"]["id"]).end()
        await _sent(desk, ack, body, client)


# Opening


def _answers(desk: Desk, kind: LetterKind) -> Any:
    async def pressed(
        ack: Any, body: Mapping[str, Any], action: Mapping[str, Any], client: AsyncWebClient
    ) -> None:
        await ack()
        message_id = value_of(action)
        person = await visitor(desk, body, message_id)
        await _open(desk, person, _Wish(kind, message_id), body, client)

    return pressed


async def open_compose(desk: Desk, body: Mapping[str, Any], client: AsyncWebClient, called: str = "") -> None:
    """The form of a new mail, from the mailbox that is called so."""
    await _open(desk, desk.actor(body), _Wish(LetterKind.NEW, called=called), body, client)


async def _open(
    desk: Desk, person: Person, wish: _Wish, body: Mapping[str, Any], client: AsyncWebClient
) -> None:
    """The modal first, since Slack gives three seconds for it; then the form."""
    view = await open_view(client, body, views.loading(send_form.TITLES[wish.kind]))
    await fill_form(client, str(view["id"]), _begun(desk, person, wish))


async def fill_form(client: AsyncWebClient, view_id: str, work: Awaitable[View]) -> bool:
    """Show a form in a modal; where an administrator has not let this app read files yet, the form without them.

    Returns:
        Whether Slack took it.
    """
    made: list[View] = []

    async def once() -> View:
        made.append(await work)
        return made[0]

    if await fill(client, view_id, once()):
        return True
    if made and made[0]["callback_id"] == send_names.FORM:
        if await shown(client, view_id, send_form.without_files(made[0])):
            return True
        # It would say "Loading" for ever.
        await shown(client, view_id, views.could_not_open(NOT_TAKEN_WORDS))
    return False


async def _begun(desk: Desk, person: Person, wish: _Wish) -> View:
    mailbox_id, said = "", ""
    try:
        if wish.called:
            mailbox_id = _called(await desk.sending.senders(person), wish.called)
            said = "" if mailbox_id else sent.unknown_sender(wish.called)
        started = await desk.sending.started(person, wish.kind, wish.message_id, mailbox_id)
    except NoOutgoingServer as error:
        return sent.only_receives(error.mailbox_id, error.owner, is_own=error.owner == person.user)
    except NothingToSendFrom:
        return sent.nothing_to_send_from(called=wish.called)
    return send_form.send_form(started, send_forms.begun(started, new_form()), said=said)


def _called(senders: list[Sender], words: str) -> str:
    """The mailbox of this name or address; "" where there is none, or more than one."""
    wanted = words.casefold()
    found = [
        each.mailbox_id
        for each in senders
        if wanted in {" ".join(each.name.split()).casefold(), each.address.casefold()}
    ]
    return found[0] if len(found) == 1 else ""


def new_form() -> str:
    """The id of a form: what is sent from it twice is one mail."""
    return secrets.token_hex(16)


async def written_on(desk: Desk, person: Person, outgoing: Outgoing, said: str = "") -> View:
    """The form that a mail was made of, to be written on by who wrote it."""
    draft = "" if outgoing.letter is None else outgoing.letter.draft
    writing = send_forms.written_on(draft, new_form(), outgoing.id)
    if writing is None or outgoing.actor != person:
        return sent.undone_view(outgoing.id, is_own=outgoing.actor == person)
    return await _again(desk, person, writing, said)


async def _again(desk: Desk, person: Person, writing: Writing, said: str) -> View:
    """The form with what was written; where it can be opened no more, the words alone."""
    try:
        started = await _started(desk, person, writing)
        checked = await _check(desk, person, writing)
    except (BotError, StorageError) as error:
        return sent.refused(sentence_of(error), writing)
    return send_form.send_form(started, writing, said=said, checked=checked)


async def _started(desk: Desk, person: Person, writing: Writing) -> Started:
    return await desk.sending.started(person, writing.kind, writing.message_id, writing.mailbox_id)


# Typing and choosing


async def _checked(desk: Desk, person: Person, view: Mapping[str, Any]) -> list[Block]:
    return [send_form.check_block(await _check(desk, person, send_forms.read(view)))]


async def _check(desk: Desk, person: Person, writing: Writing) -> Checked:
    return await desk.sending.checked(
        person, writing.mailbox_id, writing.to, writing.cc, writing.bcc, writing.message_id
    )


async def _chosen(desk: Desk, person: Person, view: Mapping[str, Any]) -> list[Block]:
    """Another mailbox has another signature."""
    writing = send_forms.read(view)
    try:
        sender = (await _started(desk, person, writing)).sender
    except BotError as error:
        return [send_form.no_sender_block(error.sentence)]
    return [send_form.sender_block(sender), send_form.signature_block(sender)]


async def _redraw(
    form: Shown,
    turn: Turn,
    view: Mapping[str, Any],
    client: AsyncWebClient,
    work: Awaitable[list[Block]],
) -> None:
    """Draw parts of a form anew, unless it moved on meanwhile; its fields stay, so Slack keeps what is in them."""
    try:
        parts = await work
    except (BotError, StorageError) as error:
        # What is said beneath a field is a help: without it the form can be filled in and sent all the same.
        log.info("form_not_checked", error=type(error).__name__)
        return
    async with form.turn:
        if not form.is_newest(turn):
            return
        current = form.caught_up(view)
        after = send_form.as_sent(current, send_form.put(current["blocks"], *parts))
        try:
            answer = await client.views_update(view_id=view["id"], hash=current["hash"], view=after)
        except SlackApiError as error:
            # The form was sent or closed, or was shown anew by somebody else.
            log.info("form_not_drawn", code=code_of(error))
            return
        except NO_ANSWER as error:
            log.info("form_not_drawn", error=type(error).__name__)
            return
        form.showed(current["hash"], answer["view"])


# Sending


async def _sent(desk: Desk, ack: Any, body: Mapping[str, Any], client: AsyncWebClient) -> None:
    person, view = desk.actor(body), body["view"]
    writing = send_forms.read(view)
    errors = _faults(writing)
    if errors:
        await ack(response_action="errors", errors=_there(errors, view))
        return
    work = asyncio.create_task(_saved(desk, person, writing))
    await asyncio.wait({work}, timeout=ANSWER_SECONDS)
    if not work.done():
        await ack(response_action="update", view=sent.saving(send_form.TITLES[writing.kind]))
        await asyncio.wait({work})
        await asyncio.sleep(ACK_SECONDS)
        late = _outcome(work)
        is_shown = await fill_form(client, view["id"], _view_of(desk, person, writing, late))
        await _tell_if_lost(client, person, writing, late, is_shown=is_shown)
        return
    outcome = _outcome(work)
    if isinstance(outcome, _Trouble):
        await ack(response_action="errors", errors=_there(outcome.errors, view))
    else:
        await ack(response_action="update", view=sent.saved(outcome, desk.clock()))


def _faults(writing: Writing) -> Errors:
    """What is wrong with a form by itself, by field."""
    found = send_forms.faults(writing)
    try:
        addressed.addresses_of(send_forms.filled(writing))
    except NotSendable as error:
        return {**send_forms.under(error.by_field), **found}
    return found


def _there(errors: Errors, view: Mapping[str, Any]) -> Errors:
    """The faults under fields that are there: Slack shows no other."""
    found = view.get("blocks")
    blocks = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    fields = [each.get("block_id") for each in blocks if each.get("type") == "input"]
    return {field if field in fields else send_names.TO: sentence for field, sentence in errors.items()}


async def _saved(desk: Desk, person: Person, writing: Writing) -> Outgoing | _Trouble:
    """Save a mail, or say why not; the same form twice is one mail, so that a double press has one effect."""
    try:
        return await desk.sending.save(person, send_forms.filled(writing), writing.form_id)
    except NotSendable as error:
        errors = send_forms.under(error.by_field)
        sentence = " ".join(errors.values()) or error.sentence
        return _Trouble(errors or {send_names.TEXT: sentence}, sentence)
    except BotError as error:
        log.info("mail_not_saved", error=type(error).__name__, detail=error.detail)
        return _Trouble({send_names.TEXT: error.sentence}, error.sentence)


def _outcome(work: asyncio.Task[Outgoing | _Trouble]) -> Outgoing | _Trouble:
    """What came of saving; what was written is not lost to a fault of ours either."""
    error = work.exception()
    if error is None:
        return work.result()
    sentence = sentence_of(error)
    return _Trouble({send_names.TEXT: sentence}, sentence)


async def _view_of(desk: Desk, person: Person, writing: Writing, outcome: Outgoing | _Trouble) -> View:
    """What came of a form for which Slack did not wait."""
    if isinstance(outcome, _Trouble):
        return await _again(desk, person, writing, sent.not_saved(outcome.sentence))
    return sent.saved(outcome, desk.clock())


async def _tell_if_lost(
    client: AsyncWebClient, person: Person, writing: Writing, outcome: Outgoing | _Trouble, *, is_shown: bool
) -> None:
    """Whoever closed the form while it was saved hears in the DM that it was not; a saved mail has its post there."""
    if is_shown or not isinstance(outcome, _Trouble):
        return
    await tell(client, person, **sent.told_not_sent(outcome.sentence, writing))
