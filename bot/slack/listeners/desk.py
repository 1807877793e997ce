"""What all listeners share: who acts, what they may use, and how they are answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.errors import NotAllowed
from bot.retention import allowed_retentions
from bot.slack import names, views
from bot.slack.client import NO_ANSWER, TryLater, code_of
from bot.slack.listeners.payloads import view_of
from bot.slack.outcomes import Refused, judged
from bot.slack.waiting import WaitingForms
from storage.records import Person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.belongings import Belongings
    from bot.examine import Examiner
    from bot.mail.discovery import Discovery
    from bot.mail.providers import Provider, Providers
    from bot.mailboxes import Registrar
    from bot.reading import Reading
    from bot.rechecking import Rechecker
    from bot.retention import WhyNot
    from bot.rules import Muting
    from bot.sending import Sending
    from bot.server_mail import ServerMail
    from bot.sharing import Sharing
    from bot.slack.client import SlackClient
    from bot.slack.drafts import Draft
    from bot.slack.listeners.office import Office
    from bot.slack.listeners.reception import Reception
    from bot.slack.people import People
    from bot.slack.views import Answer, View
    from bot.typed import TypedPasswords
    from bot.zones import ZoneKeeper
    from storage.records import Mailbox, Retention

log = structlog.get_logger(__name__)

SHORTEST_TEST_SECONDS = 1.0
"""The "testing" view stays at least this long: Slack shows it once our acknowledgement arrives, which may be after an
update that was sent at once, and a closed port answers no sooner than a filtered one."""

UPDATE_PAUSES = (0.5, 2.0, 5.0)
"""Seconds before a view of which no answer came is sent once more: an update that was done already may be done again."""

MOST_PATIENCE_SECONDS = 30.0
"""How long somebody may look at “Loading” because Slack asked for some rest."""

LEAVE_SECONDS = 1.5

NOT_STORED_WORDS = (
    "Mailbox cannot reach its database right now, so this may not be saved. What you typed is still in the form: please "
    "send it again in a minute."
)

ERASED_WORDS = (
    "Everything stored about you was erased meanwhile, so this test was cut short and nothing was saved."
)

OPENS = {names.ADD_FORM: names.ADD, names.EDIT_FORM: names.EDIT, names.PASSWORD_FORM: names.PASSWORD}
"""Which command word opens a form again that was closed."""


@dataclass(slots=True)
class Testing:
    """A test that runs; `ended` is what to show when somebody ends it."""

    person: Person
    task: asyncio.Task[Any]
    ended: View


@dataclass(frozen=True, slots=True)
class Desk:
    """What listeners are given.

    Attributes:
        workspace: the team id this installation belongs to.
        allows_plain: may this host be used without encryption?
        allows_some_plain: are there hosts that may?
        people: who people are to Slack; forgets by events.
        reception: what people do with mail that others opened to them.
        office: what administrators do.
        waiting: the forms that wait for an answer about their address.
        testing: the tests that run by the id of their view, so that a second press of the button starts no second one.
    """

    registrar: Registrar
    belongings: Belongings
    slack: SlackClient
    server_mail: ServerMail
    examiner: Examiner
    providers: Providers
    discovery: Discovery
    typed: TypedPasswords
    workspace: str
    allows_plain: Callable[[str], bool]
    allows_some_plain: bool
    clock: Callable[[], datetime]
    zones: ZoneKeeper
    reading: Reading
    muting: Muting
    people: People
    sharing: Sharing
    rechecker: Rechecker
    reception: Reception
    sending: Sending
    office: Office
    waiting: WaitingForms = field(default_factory=WaitingForms)
    testing: dict[str, Testing] = field(default_factory=dict)

    def actor(self, body: Mapping[str, Any]) -> Person:
        """The person who acts, as Slack verified them; ids inside the payload's values play no part.

        Raises:
            NotAllowed: they belong to another workspace.
        """
        user = body.get("user") or {}
        user_id = body.get("user_id") or (user if isinstance(user, str) else user.get("id"))
        event = body.get("event") or {}
        user_id = user_id or event.get("user")
        team = body.get("team_id") or (body.get("team") or {}).get("id")
        home = user.get("team_id", team) if isinstance(user, dict) else team
        if not user_id or team != self.workspace or home != self.workspace:
            raise NotAllowed("another workspace")
        return Person(self.workspace, str(user_id))

    def provider(self, draft: Draft) -> Provider | None:
        """Whose advice a form shows."""
        known = self.providers.by_address(draft.text(names.ADDRESS)) or self.providers.by_id(
            draft.provider_id
        )
        return known or self.providers.by_host(draft.text(names.INCOMING_SERVER))

    def allowed_retentions(self, host: str, username: str) -> tuple[tuple[Retention, WhyNot | None], ...]:
        """Every delete setting for a mail server, and why it cannot be had."""
        return allowed_retentions(self.providers.by_host(host), username)

    async def offers_plain(self, person: Person) -> bool:
        """Whether a form offers to do without encryption."""
        return self.allows_some_plain or await self.registrar.offers_plain(person)

    async def listed(self, person: Person) -> tuple[list[Mailbox], dict[str, int]]:
        """A person's mailboxes, and what is on its way for each."""
        found = await self.registrar.of(person)
        return [mailbox for mailbox, _ in found], {mailbox.id: waiting for mailbox, waiting in found}

    async def test(self, client: AsyncWebClient, person: Person, view_id: str, work: Awaitable[View]) -> None:
        """Test and store what a form holds behind the "testing" view, then show the view that comes of it."""
        task = asyncio.current_task()
        assert task is not None
        test = self.testing[view_id] = Testing(person, task, views.interrupted())
        try:
            result = await at_least(SHORTEST_TEST_SECONDS, work)
        except asyncio.CancelledError:
            result = test.ended
        finally:
            del self.testing[view_id]
        await show_result(client, person, view_id, result)

    async def leave(self) -> None:
        """End the tests that still run; whoever waits for one is told so."""
        await _end(list(self.testing.values()))

    async def end_tests(self, person: Person) -> None:
        """End this person's tests, whose result is not to be stored any more."""
        tests = [test for test in self.testing.values() if test.person == person]
        for test in tests:
            test.ended = views.could_not_open(ERASED_WORDS)
        await _end(tests)


async def _end(tests: list[Testing]) -> None:
    for test in tests:
        test.task.cancel()
    if tests:
        await asyncio.wait([test.task for test in tests], timeout=LEAVE_SECONDS)


async def say(respond: Callable[..., Awaitable[Any]], answer: Answer) -> None:
    """Answer the person where they are, seen by nobody else."""
    await respond(
        text=answer["text"], blocks=answer["blocks"], response_type="ephemeral", replace_original=False
    )


async def open_view(client: AsyncWebClient, body: Mapping[str, Any], view: View) -> Mapping[str, Any]:
    """Open a modal, or push it onto the one that is open.

    Returns:
        The view as Slack has it.
    """
    is_modal = view_of(body).get("type") == "modal"
    opening = client.views_push if is_modal else client.views_open
    answer = await opening(trigger_id=body["trigger_id"], view=view)
    opened: Mapping[str, Any] = answer["view"]
    return opened


async def show_result(client: AsyncWebClient, person: Person, view_id: str, view: View) -> None:
    """Replace the "testing" view; a person who closed it meanwhile is told in the DM."""
    if not await shown(client, view_id, view):
        await tell(client, person, _as_text(view))


async def shown(
    client: AsyncWebClient, view_id: str, view: View, pauses: Sequence[float] = UPDATE_PAUSES
) -> bool:
    """Replace a view, tried again after each of some pauses while no answer comes; whether Slack did so."""
    for pause in (*pauses, 0.0):
        try:
            await patiently(lambda: client.views_update(view_id=view_id, view=view))
        except SlackApiError as error:
            log.info("view_not_updated", code=code_of(error))
            if isinstance(judged(error), Refused):
                return False
        except NO_ANSWER as error:
            log.info("view_not_updated", error=type(error).__name__)
        else:
            return True
        await asyncio.sleep(pause)
    return False


async def patiently(call: Callable[[], Awaitable[Any]]) -> Any:
    """What a call to Slack answers; where Slack asks to come back later, and soon, it is made once more.

    Raises:
        SlackApiError: as the call does.
    """
    try:
        return await call()
    except SlackApiError as error:
        outcome = judged(error)
        if not isinstance(outcome, TryLater) or outcome.seconds > MOST_PATIENCE_SECONDS:
            raise
        await asyncio.sleep(outcome.seconds)
    return await call()


async def tell(client: AsyncWebClient, person: Person, text: str, **more: Any) -> None:
    """Say something in the DM; `text` is mrkdwn of our own words, `more` may hold blocks."""
    await patiently(
        lambda: client.chat_postMessage(
            channel=person.user, text=text, parse="none", unfurl_links=False, unfurl_media=False, **more
        )
    )


def _as_text(view: View) -> str:
    words = [view["title"]["text"], *filter(None, map(_own_words, view["blocks"]))]
    word = OPENS.get(view["callback_id"])
    if word:
        words.append(f"The form is closed; `{names.COMMAND} {word}` opens it again.")
    return "\n".join(words)


def _own_words(block: Mapping[str, Any]) -> str:
    text = (block.get("text") or {}) if block.get("type") == "section" else {}
    return str(text.get("text", "")) if text.get("type") == "mrkdwn" else ""


async def at_least(seconds: float, work: Awaitable[Any]) -> Any:
    """The result of `work`, or what it raises, not sooner than after `seconds`."""
    ends: tuple[Any, ...] = await asyncio.gather(asyncio.sleep(seconds), work, return_exceptions=True)
    if isinstance(ends[1], BaseException):
        raise ends[1]
    return ends[1]
