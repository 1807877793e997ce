"""What all listeners share: who acts, what they may use, and how they are answered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from slack_sdk.errors import SlackApiError

from bot.errors import NotAllowed
from storage.records import Person

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.mail.providers import Providers
    from bot.mailboxes import Registrar
    from bot.slack.views import Answer, View
    from bot.typed import TypedPasswords
    from storage.records import Mailbox

log = structlog.get_logger(__name__)

SHORTEST_TEST_SECONDS = 1.0
"""The "testing" view stays at least this long: Slack shows it once our acknowledgement arrives, which may be after an
update that was sent at once, and a closed port answers no sooner than a filtered one."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What listeners are given.

    Attributes:
        workspace: the team id this installation belongs to.
        allows_plain: may this host be used without encryption?
        testing: ids of views whose test runs, so that a second press of the button starts no second test.
    """

    registrar: Registrar
    providers: Providers
    typed: TypedPasswords
    workspace: str
    allows_plain: Callable[[str], bool]
    clock: Callable[[], datetime]
    testing: set[str] = field(default_factory=set)

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

    async def listed(self, person: Person) -> tuple[list[Mailbox], dict[str, int]]:
        """A person's mailboxes, and what is on its way for each."""
        found = await self.registrar.of(person)
        return [mailbox for mailbox, _ in found], {mailbox.id: waiting for mailbox, waiting in found}


async def say(respond: Callable[..., Awaitable[Any]], answer: Answer) -> None:
    """Answer the person where they are, seen by nobody else."""
    await respond(
        text=answer["text"], blocks=answer["blocks"], response_type="ephemeral", replace_original=False
    )


async def open_view(client: AsyncWebClient, body: Mapping[str, Any], view: View) -> str:
    """Open a modal, or push it onto the one that is open.

    Returns:
        The view's id.
    """
    is_modal = (body.get("view") or {}).get("type") == "modal"
    opening = client.views_push if is_modal else client.views_open
    answer = await opening(trigger_id=body["trigger_id"], view=view)
    return str(answer["view"]["id"])


async def show_result(client: AsyncWebClient, person: Person, view_id: str, view: View) -> None:
    """Replace the "testing" view; a person who closed it meanwhile is told in the DM."""
    try:
        await client.views_update(view_id=view_id, view=view)
    except SlackApiError as error:
        if error.response.get("error") != "not_found":
            raise
        words = [text for block in view["blocks"] if (text := _own_words(block))]
        await client.chat_postMessage(
            channel=person.user, text=view["title"]["text"] + "\n" + "\n".join(words), unfurl_links=False
        )


def _own_words(block: Mapping[str, Any]) -> str:
    text = (block.get("text") or {}) if block.get("type") == "section" else {}
    return str(text.get("text", "")) if text.get("type") == "mrkdwn" else ""


async def at_least(seconds: float, work: Awaitable[Any]) -> Any:
    """The result of `work`, not sooner than after `seconds`."""
    _, result = await asyncio.gather(asyncio.sleep(seconds), work)
    return result
