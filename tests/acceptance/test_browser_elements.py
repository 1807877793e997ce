"""A form of every element that sharing uses, filled in by hand in Debian's Chromium."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import FilePayload, expect
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.rich_words import rich_text
from bot.sandbox.server import start
from bot.sandbox.slack.channels import GENERAL_ID, HIRING_ID
from tests.fakes.chromium import opened

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Locator, Page
    from slack_bolt.async_app import AsyncAck

    from bot.sandbox.server import RunningSandbox

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MARTA = "U0MARTA004"


def plain(text: str) -> dict[str, str]:
    """Words."""
    return {"type": "plain_text", "text": text}


def option(text: str) -> dict[str, Any]:
    """A choice; its value is its words."""
    return {"text": plain(text), "value": text}


LEVELS = [option("See"), option("Open")]
GROUPS = [
    {"label": plain("Groups"), "options": [option("Support"), option("Agency")]},
    {"label": plain("Roles"), "options": [option("Owners")]},
]
ELEMENTS: dict[str, dict[str, Any]] = {
    "People": {"type": "multi_users_select"},
    "Person": {"type": "users_select"},
    "Channel": {"type": "conversations_select", "filter": {"include": ["public", "private"]}},
    "Channels": {"type": "multi_channels_select"},
    "Groups": {"type": "multi_static_select", "option_groups": GROUPS},
    "Group": {"type": "static_select", "option_groups": GROUPS},
    "Level": {"type": "radio_buttons", "options": LEVELS},
    "Also": {"type": "checkboxes", "options": LEVELS},
    "Until": {"type": "datepicker"},
    "How many": {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "9"},
    "Text": {"type": "rich_text_input"},
    "Attachments": {"type": "file_input", "filetypes": ["txt"], "max_files": 2},
}
MENU = {
    "type": "section",
    "block_id": "menu",
    "text": plain("Kenji Morita"),
    "accessory": {
        "type": "overflow",
        "action_id": "stop",
        "options": [option("Stop sharing")],
        "confirm": {
            "title": plain("Stop?"),
            "text": plain("At once."),
            "confirm": plain("Stop"),
            "deny": plain("Keep"),
        },
    },
}
FORM = {
    "type": "modal",
    "callback_id": "form",
    "title": plain("Share"),
    "submit": plain("Share"),
    "blocks": [
        MENU,
        *(
            {
                "type": "input",
                "block_id": label,
                "label": plain(label),
                "element": {**element, "action_id": "a"},
            }
            for label, element in ELEMENTS.items()
        ),
    ],
}


WRITTEN = rich_text(
    "Dear @Kenji Morita,\n\nthe *bold* and the _slanted_ `word`: https://kestrel.example/a\n- one\n- two\n  - deeper\n"
    "after :wave:\n> said\n> again\n1. first\n2. second\nend",
    {"Kenji Morita": "U0KENJI005"},
)


async def write(page: Page, box: Locator) -> None:
    """Type as in Slack's own editor: keys for styles, beginnings of lines for lists and quotes."""
    keys = page.keyboard
    await box.click()
    for style, words in (
        ("", "Dear @kenji morita,\n\nthe "),
        ("b", "bold"),
        ("", " and the "),
        ("i", "slanted"),
        ("", " `word`: https://kestrel.example/a\n- one\ntwo\n\tdeeper\n\n\nafter :wave:\n> said\nagain\n\n"),
        ("", "1. first\nsecond\n\nend"),
    ):
        if style:
            await keys.press(f"Control+{style}")
        for part in re.split(r"(\n|\t)", words):
            if part in {"\n", "\t"}:
                await keys.press({"\n": "Enter", "\t": "Tab"}[part])
            else:
                await keys.type(part)
        if style:
            await keys.press(f"Control+{style}")


async def choose_files(form: Locator) -> None:
    """Two of the right kind and one of another; one is taken out again."""
    names = ("a.txt", "b.txt", "c.exe")
    await form.locator("input[type=file]").set_input_files(
        [FilePayload(name=name, mimeType="text/plain", buffer=b"page") for name in names]
    )
    await expect(form).to_contain_text("Only these kinds of files are accepted: txt.")
    await expect(form.get_by_text("b.txt", exact=True)).to_be_visible()
    await form.get_by_role("button", name="Remove a.txt").click()


@asynccontextmanager
async def offering(slack: RunningSandbox) -> AsyncIterator[list[dict[str, Any]]]:
    """An app that opens the form; what it is told comes into the list."""
    heard: list[dict[str, Any]] = []
    client = AsyncWebClient(token="xoxb-browser", base_url=slack.api_url)
    app = AsyncApp(client=client, signing_secret="secret", raise_error_for_unhandled_request=False)

    @app.event("app_home_opened")
    async def _() -> None:
        """Nothing is shown there."""

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=FORM)

    @app.action("stop")
    async def _(ack: AsyncAck, action: dict[str, Any]) -> None:
        await ack()
        heard.append(action)

    @app.view("form")
    async def _(ack: AsyncAck, view: dict[str, Any]) -> None:
        await ack()
        heard.append(view["state"]["values"])

    handler = AsyncSocketModeHandler(app, "xapp-browser", ping_interval=1)
    await handler.connect_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare
    try:
        yield heard
    finally:
        await handler.close_async()  # type: ignore[no-untyped-call]  # Bolt leaves it bare


@pytest.fixture
async def slack() -> AsyncIterator[RunningSandbox]:
    """The pretend Slack alone, with its page."""
    running = await start(bot_token="xoxb-browser", app_token="xapp-browser")
    yield running
    await running.stop()


async def test_every_element_is_filled_in_by_hand(slack: RunningSandbox) -> None:
    """By mouse and by keyboard; the values that arrive are those that were seen."""
    async with offering(slack) as heard, opened(f"{slack.url}/?user={MARTA}&channel={HIRING_ID}") as page:
        await page.get_by_label("Composer").fill("/mailbox")
        await page.get_by_label("Composer").press("Enter")
        form = page.get_by_role("dialog")
        for label, typed in {"People": "kenji", "Groups": "own", "Channels": "gen"}.items():
            await form.get_by_label(label, exact=True).fill(typed)
            await form.get_by_label(label, exact=True).press("Enter")
        await form.get_by_label("People", exact=True).click()
        await form.get_by_role("listbox").get_by_role("option", name="Aisha Rahman").click()
        await form.get_by_label("Person", exact=True).select_option(label="Lucía Ferrer")
        await form.get_by_label("Channel", exact=True).select_option(label="# hiring")
        await form.get_by_label("Group", exact=True).select_option(label="Agency")
        await form.get_by_role("radiogroup").get_by_label("Open").check()
        await form.get_by_role("group", name="Also").get_by_label("See").press("Space")
        await form.get_by_label("Until", exact=True).fill("2027-01-31")
        await form.get_by_label("How many", exact=True).fill("3")
        await write(page, form.get_by_label("Text", exact=True))
        await choose_files(form)
        await form.get_by_role("button", name="Share", exact=True).click()
        await expect(form).to_have_count(0)

    values = {label: {**state["a"], "type": None} for label, state in heard[0].items()}
    assert values["People"]["selected_users"] == ["U0KENJI005", "U0AISHA003"]
    assert values["Person"]["selected_user"] == "U0LUCIA006"
    assert values["Channel"]["selected_conversation"] == HIRING_ID
    assert values["Channels"]["selected_channels"] == [GENERAL_ID]
    assert [one["value"] for one in values["Groups"]["selected_options"]] == ["Owners"]
    assert values["Group"]["selected_option"]["value"] == "Agency"
    assert values["Level"]["selected_option"]["value"] == "Open"
    assert [one["value"] for one in values["Also"]["selected_options"]] == ["See"]
    assert values["Until"]["selected_date"] == "2027-01-31"
    assert values["How many"]["value"] == "3"
    assert values["Text"]["rich_text_value"] == WRITTEN
    assert [(one["name"], one["size"], one["user"]) for one in values["Attachments"]["files"]] == [
        ("b.txt", 4, MARTA)
    ]


async def test_a_menu_asks_before_it_acts(slack: RunningSandbox) -> None:
    """No is no; yes sends the line that was chosen."""
    async with offering(slack) as heard, opened(f"{slack.url}/?user={MARTA}") as page:
        await page.get_by_label("Composer").fill("/mailbox")
        await page.get_by_label("Composer").press("Enter")
        for answer in ("Keep", "Stop"):
            await page.get_by_role("dialog").get_by_role("button", name="More actions").press("Enter")
            await page.get_by_role("menuitem", name="Stop sharing").press("Enter")
            await page.get_by_role("alertdialog").get_by_role("button", name=answer).press("Enter")
            await expect(page.get_by_role("alertdialog")).to_have_count(0)
        await expect(page.get_by_role("button", name="More actions")).to_have_attribute(
            "aria-expanded", "false"
        )

        await expect(page.get_by_role("button", name="More actions")).not_to_have_attribute(
            "aria-busy", "true"
        )

    assert [one["selected_option"]["value"] for one in heard] == ["Stop sharing"]


async def test_lists_of_people_leave_out_who_cannot_be_chosen(slack: RunningSandbox) -> None:
    """No bot, nobody deactivated, nobody of another workspace with whom no channel is shared."""
    async with offering(slack), opened(f"{slack.url}/?user={MARTA}") as page:
        await page.get_by_label("Composer").fill("/mailbox")
        await page.get_by_label("Composer").press("Enter")
        names = page.get_by_role("dialog").get_by_label("Person", exact=True).locator("option")
        await expect(names.filter(has_text="Owen Pryce")).to_have_count(1)

        for name in ("Petra Novotná", "Noor Haddad", "mailbox"):
            await expect(names.filter(has_text=name)).to_have_count(0)
