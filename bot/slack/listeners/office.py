"""What the listeners of administration share: the use cases, and how a refusal is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.administrators import NotAdministrator
from bot.slack import views
from bot.slack.listeners.desk import open_view
from bot.slack.listeners.failures import fill
from bot.slack.views import admin

if TYPE_CHECKING:
    from collections.abc import Awaitable, Coroutine, Mapping
    from typing import Any

    from slack_sdk.web.async_client import AsyncWebClient

    from bot.administration import Administration
    from bot.inspection import Inspection
    from bot.slack.grant_drafts import GrantDrafts
    from bot.slack.views import View


@dataclass(frozen=True, slots=True)
class Office:
    """Administration as the desk has it."""

    administration: Administration
    inspection: Inspection
    drafts: GrantDrafts


async def open_filled(
    client: AsyncWebClient, body: Mapping[str, Any], title: str, work: Coroutine[Any, Any, View]
) -> None:
    """The modal first, since Slack gives three seconds for it; then what belongs in it, and nothing is asked without one."""
    try:
        view = await open_view(client, body, views.loading(title))
    except BaseException:
        work.close()
        raise
    await refill(client, str(view["id"]), work)


async def refill(client: AsyncWebClient, view_id: str, work: Awaitable[View]) -> None:
    """Show in a modal what belongs there, or whom to ask for it."""
    await fill(client, view_id, _or_refused(work))


async def _or_refused(work: Awaitable[View]) -> View:
    try:
        return await work
    except NotAdministrator as error:
        return views.as_modal(admin.refused(error.ask))
