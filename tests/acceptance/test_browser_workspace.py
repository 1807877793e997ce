"""Channels and the panel of the workspace, clicked in Debian's Chromium."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.server import start
from bot.sandbox.slack.channels import GENERAL_ID, HIRING_ID, WAREHOUSE_ID
from bot.sandbox.slack.core import Timings
from bot.sandbox.slack.people import BOT_USER_ID
from tests.fakes.chromium import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Locator, Page

    from bot.sandbox.server import RunningSandbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MARTA = "U0MARTA004"
NOOR = "U0NOOR0009"
TOKEN = "xoxb-browser"
NARROW = 390


@pytest.fixture
async def slack() -> AsyncIterator[RunningSandbox]:
    """The pretend Slack alone, with its page."""
    timings = Timings(share=0.01)
    running = await start(bot_token=TOKEN, app_token="xapp-browser", timings=timings)
    yield running
    await running.stop()


@pytest.fixture
def client(slack: RunningSandbox) -> AsyncWebClient:
    """The app's hand."""
    return AsyncWebClient(token=TOKEN, base_url=slack.api_url)


async def panel(page: Page, part: str) -> Locator:
    """The panel, open at one of its parts, reached by the keyboard."""
    await page.get_by_role("button", name="Manage the workspace").press("Enter")
    await page.get_by_role("tab", name="People").press("ArrowRight" if part == "Groups" else "ArrowLeft")
    await expect(page.get_by_role("tab", name=part)).to_have_attribute("aria-selected", "true")
    return page.get_by_role("complementary", name="Workspace")


async def mail(client: AsyncWebClient, channel: str) -> dict[str, Any]:
    """A post with a file in its thread."""
    post = await client.chat_postMessage(channel=channel, text="Offer from Ada")
    await client.files_upload_v2(filename="offer.csv", content="a", channel=channel, thread_ts=post["ts"])
    return {"ts": post["ts"]}


async def test_the_app_is_invited_and_posts_where_members_see_it(
    slack: RunningSandbox, client: AsyncWebClient
) -> None:
    """A switch brings the app into the channel; its post, thread and file are there, unread until looked at."""
    async with opened(f"{slack.url}/?user={MARTA}") as page:
        part = await panel(page, "Channels")
        await part.get_by_role("button", name="hiring").press("Enter")
        await part.get_by_role("switch", name="mailbox is in it").press("Space")
        await expect(part.get_by_role("button", name="hiring").first).to_contain_text("with mailbox")
        await mail(client, HIRING_ID)
        await page.get_by_role("button", name="hiring unread").click()

        await expect(page.get_by_role("heading", name="hiring", level=2).first).to_be_visible()
        await page.get_by_role("button", name="1 reply").click()

        await expect(page.get_by_text("offer.csv", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="hiring unread")).to_have_count(0)


async def test_a_channel_is_changed_in_the_panel(slack: RunningSandbox) -> None:
    """Private, shared and archived are switches; members come and go; what Slack forbids is said."""
    channel = slack.workspace.channels[HIRING_ID]
    async with opened(f"{slack.url}/?user={MARTA}&channel={HIRING_ID}") as page:
        part = await panel(page, "Channels")
        await part.get_by_role("button", name="hiring").click()
        for name in ("Private", "Shared with Paper & Partner", "Archived"):
            await part.get_by_role("switch", name=name).click()
            await expect(part.get_by_role("switch", name=name)).to_be_checked()
        await expect(page.get_by_label("Composer")).to_be_disabled()
        await part.get_by_role("switch", name="Archived").click()
        await part.get_by_label("Add somebody to #hiring").select_option(label="Owen Pryce")
        await expect(page.get_by_text("Owen Pryce is a single-channel guest")).to_be_visible()
        await part.get_by_label("Add somebody to #hiring").select_option(label="Kenji Morita")
        await part.get_by_role("button", name="Take Aisha Rahman out of #hiring").click()

        await expect(part.get_by_role("button", name="Take Kenji Morita out of #hiring")).to_be_visible()
        await expect(part.get_by_role("button", name="Take Aisha Rahman out of #hiring")).to_have_count(0)
        await part.get_by_role("button", name="Delete the channel").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Keep").click()

    assert (channel.is_private, bool(channel.shared_with), channel.is_archived) == (True, True, False)
    assert NOOR in channel.members


async def test_an_outsider_sees_what_is_shared_and_no_app(
    slack: RunningSandbox, client: AsyncWebClient
) -> None:
    """Somebody of another workspace has the shared channel alone; out of it, nothing is left on their page."""
    async with opened(f"{slack.url}/?user={NOOR}") as page:
        await expect(page.get_by_text("sees nothing until a channel is shared")).to_be_visible()
        part = await panel(page, "Channels")
        await part.get_by_role("button", name="warehouse-move").click()
        await part.get_by_role("switch", name="mailbox is in it").click()
        await part.get_by_role("switch", name="Shared with").click()
        await expect(part.get_by_role("switch", name="Shared with")).to_be_checked()
        await mail(client, WAREHOUSE_ID)

        await expect(page.get_by_text("Offer from Ada")).to_be_visible()
        await expect(page.get_by_role("tab", name="Home")).to_have_count(0)
        await part.get_by_role("switch", name="Shared with").click()

        await expect(page.get_by_text("Offer from Ada")).to_have_count(0)


async def test_people_and_groups_are_changed(slack: RunningSandbox) -> None:
    """Roles are chosen, groups edited and disabled, somebody new is taken on; narrow pages do it too."""
    async with opened(f"{slack.url}/?user={MARTA}") as page:
        await page.set_viewport_size({"width": NARROW, "height": 844})
        await page.get_by_role("button", name="Hide the mail server").click()
        await page.get_by_role("button", name="People, channels and apps").click()
        part = await panel(page, "Groups")
        await part.get_by_role("button", name="Support").click()
        await part.get_by_label("Add somebody to Support").select_option(label="Lucía Ferrer")
        await part.get_by_role("button", name="Take Kenji Morita out of Support").click()
        await expect(part.get_by_role("button", name="Take Kenji Morita out of Support")).to_have_count(0)
        await part.get_by_role("switch", name="Disabled").click()
        await expect(part.get_by_role("switch", name="Disabled")).to_be_checked()
        await part.get_by_role("tab", name="People").click()
        await part.get_by_label("Role of Petra Novotná").select_option("member")
        await part.get_by_label("Name of somebody new").fill("Ravi Menon")
        await part.get_by_role("button", name="Add to the workspace").click()
        await expect(part.get_by_label("Role of Ravi Menon")).to_have_value("member")
        width = await page.evaluate("document.documentElement.scrollWidth")
        await part.get_by_label("Role of Ravi Menon").press("Escape")
        await expect(part).to_have_count(0)
        await expect(page.get_by_role("button", name="People, channels and apps")).to_be_focused()

    group = slack.workspace.groups["S0SUPPORT1"]
    assert group.users == [MARTA, "U0LUCIA006"]
    assert group.deleted
    assert slack.workspace.people["U0PETRA008"].role == "member"
    assert "Ravi Menon" in {human.real_name for human in slack.workspace.people.values()}
    assert BOT_USER_ID not in slack.workspace.channels[GENERAL_ID].members
    assert width <= NARROW
