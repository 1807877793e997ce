"""What people do in channels, on its way to the app and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot.sandbox.person import Person, Unexpected
from bot.sandbox.slack.channels import HIRING_ID, LEADERS_ID, WAREHOUSE_ID
from tests.integration.sandbox.kit import MARTA, NOOR, OWEN, WIDE, modal, section, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    import aiohttp
    from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sandbox.server import RunningSandbox
    from bot.sandbox.slack.manifest import Manifest
    from tests.integration.sandbox.kit import Page

    Connect = Callable[[], AbstractAsyncContextManager[Any]]

BUTTON = {
    "type": "actions",
    "block_id": "row",
    "elements": [{"type": "button", "action_id": "open", "text": {"type": "plain_text", "text": "Open"}}],
}
AISHA = "U0AISHA003"


@pytest.fixture
def manifest() -> Manifest:
    """What sharing asks for."""
    return WIDE


@pytest.fixture
def seen(app: AsyncApp) -> list[dict[str, Any]]:
    """Every press of the button, as the app gets it; the presser gets an answer of their own."""
    bodies: list[dict[str, Any]] = []

    @app.action("open")
    async def _(ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        await ack()
        bodies.append(body)
        await respond("no", replace_original=False)

    return bodies


def person(sandbox: RunningSandbox, session: aiohttp.ClientSession, user: str) -> Person:
    """Somebody at the page."""
    return Person(session, sandbox.url, user)


async def test_a_button_in_a_channel_tells_who_and_where(
    sandbox: RunningSandbox,
    session: aiohttp.ClientSession,
    client: AsyncWebClient,
    connected: Connect,
    seen: list[dict[str, Any]],
) -> None:
    """Channel, post and presser are in the payload, and the answer is for the presser alone."""
    marta, aisha = person(sandbox, session, MARTA), person(sandbox, session, AISHA)
    await aisha.change_channel("hiring", add="bot")
    post = await client.chat_postMessage(channel=HIRING_ID, text="mail", blocks=[section("mail"), BUTTON])
    async with connected():
        await marta.press("Open", in_channel="hiring")

        async def answered() -> Any:
            return (await marta.room("hiring"))["ephemerals"]

        (answer,) = await until(answered)

    assert seen[0]["channel"] == {"id": HIRING_ID, "name": "hiring"}
    assert seen[0]["message"]["ts"] == seen[0]["container"]["message_ts"] == post["ts"]
    assert (seen[0]["user"]["id"], seen[0]["user"]["team_id"]) == (MARTA, "T0SANDBOX1")
    assert answer["text"] == "no"
    assert (await aisha.room("hiring"))["ephemerals"] == []


async def test_an_outsider_presses_a_button_in_a_shared_channel(
    sandbox: RunningSandbox,
    session: aiohttp.ClientSession,
    client: AsyncWebClient,
    connected: Connect,
    seen: list[dict[str, Any]],
) -> None:
    """Somebody of another workspace sees and presses; the payload names their team, the channel's name stays private."""
    noor, aisha = person(sandbox, session, NOOR), person(sandbox, session, AISHA)
    for change in ({"add": "bot"}, {"is_private": True}, {"is_ext_shared": True}):
        await aisha.change_channel("warehouse-move", **change)
    await client.chat_postMessage(channel=WAREHOUSE_ID, text="mail", blocks=[section("mail"), BUTTON])
    async with connected():
        await noor.press("Open", in_channel="warehouse-move")
        with pytest.raises(Unexpected, match="not a valid command"):
            await noor.command("/mailbox", in_channel="warehouse-move")

    assert (seen[0]["user"]["id"], seen[0]["user"]["team_id"]) == (NOOR, "T0PARTNER1")
    assert seen[0]["team"]["id"] == "T0SANDBOX1"
    assert seen[0]["channel"] == {"id": WAREHOUSE_ID, "name": "privategroup"}


async def test_an_outsiders_form_names_both_teams(
    sandbox: RunningSandbox,
    session: aiohttp.ClientSession,
    client: AsyncWebClient,
    app: AsyncApp,
    connected: Connect,
) -> None:
    """A form that somebody of another workspace sends is theirs by team, and leads to the app's by its installation."""
    sent: list[dict[str, Any]] = []

    @app.action("open")
    async def _(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal())

    @app.view("form")
    async def _(ack: AsyncAck, body: dict[str, Any]) -> None:
        sent.append(body)
        await ack()

    noor = person(sandbox, session, NOOR)
    for change in ({"add": "bot"}, {"is_ext_shared": True}):
        await noor.change_channel("warehouse-move", **change)
    await client.chat_postMessage(channel=WAREHOUSE_ID, text="mail", blocks=[section("mail"), BUTTON])
    async with connected():
        await noor.press("Open", in_channel="warehouse-move")
        view = await noor.until("the form", lambda shown: next(iter(shown["views"]), None), 5)
        await noor.submit(view, {})

    assert (sent[0]["team"]["id"], sent[0]["view"]["team_id"]) == ("T0PARTNER1", "T0PARTNER1")
    assert sent[0]["view"]["app_installed_team_id"] == "T0SANDBOX1"


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "users_select"}, {"selected_user": "U0PETRA008"}),
        ({"type": "users_select"}, {"selected_user": NOOR}),
        ({"type": "multi_users_select"}, {"selected_users": [MARTA, "U0NOBODY00"]}),
        ({"type": "conversations_select"}, {"selected_conversation": LEADERS_ID}),
        ({"type": "channels_select"}, {"selected_channel": "C0NOWHERE0"}),
    ],
)
async def test_nobody_picks_what_their_lists_do_not_show(
    client: AsyncWebClient, page: Page, element: dict[str, Any], value: dict[str, Any]
) -> None:
    """The deactivated, strangers, other people's private channels: no client of Slack's could send them."""
    select = {
        "type": "section",
        **section("Who"),
        "block_id": "b",
        "accessory": {**element, "action_id": "a"},
    }
    post = await client.chat_postMessage(channel=MARTA, text="x", blocks=[select])

    answer = await page.post(
        "action",
        container={"type": "message", "channel": post["channel"], "ts": post["ts"]},
        action={"type": element["type"], "block_id": "b", "action_id": "a", **value},
    )

    assert "in the list" in answer["error"]


async def test_who_left_the_channel_presses_nothing_in_it(
    sandbox: RunningSandbox, session: aiohttp.ClientSession, client: AsyncWebClient, page: Page
) -> None:
    """The page of somebody outside shows no posts, and a press from there is refused."""
    await page.post("channel", channel=HIRING_ID, add="bot")
    post = await client.chat_postMessage(channel=HIRING_ID, text="mail", blocks=[section("mail"), BUTTON])
    await client.chat_postEphemeral(channel=HIRING_ID, user=MARTA, text="mail", blocks=[BUTTON])
    (only,) = (await page.state())["ephemerals"]
    await page.post("channel", channel=HIRING_ID, remove=MARTA)

    for container in (
        {"type": "message", "channel": HIRING_ID, "ts": post["ts"]},
        {"type": "ephemeral", "id": only["id"]},
    ):
        action = {"type": "button", "block_id": "row", "action_id": "open"}
        assert not (await page.post("action", container=container, action=action))["ok"]
    with pytest.raises(Unexpected, match="in no channel"):
        await person(sandbox, session, MARTA).room("hiring")


async def test_a_command_in_a_channel_is_answered_there(
    app: AsyncApp, page: Page, connected: Connect
) -> None:
    """The app learns the channel, whether it is in it or not, and the answer is shown to the one who typed."""
    heard: list[dict[str, Any]] = []

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: dict[str, Any]) -> None:
        heard.append(body)
        await ack("here")

    async with connected():
        await page.post("command", text="/mailbox", channel=HIRING_ID)
        outside = await page.post("command", text="/mailbox", channel=LEADERS_ID)

    (shown,) = (await page.get(f"state?user={MARTA}&channel={HIRING_ID}"))["ephemerals"]
    assert (heard[0]["channel_id"], heard[0]["channel_name"]) == (HIRING_ID, "hiring")
    assert shown["text"] == "here"
    assert not outside["ok"]
    assert len(heard) == 1


async def test_an_answer_in_the_channel_is_for_all_of_it(
    sandbox: RunningSandbox,
    session: aiohttp.ClientSession,
    app: AsyncApp,
    page: Page,
    connected: Connect,
) -> None:
    """`in_channel` makes a post that every member sees, even where the app is no member."""

    @app.command("/mailbox")
    async def _(ack: AsyncAck) -> None:
        await ack(text="for all", response_type="in_channel")

    async with connected():
        await page.post("command", text="/mailbox", channel=HIRING_ID)

    (post,) = (await person(sandbox, session, AISHA).room("hiring"))["posts"]
    assert post["text"] == "for all"


async def test_a_guest_may_type_commands(app: AsyncApp, page: Page, connected: Connect) -> None:
    """Slack may keep commands from single-channel guests; here they come, so that the app has to look at the role."""

    @app.command("/mailbox")
    async def _(ack: AsyncAck) -> None:
        await ack("hello")

    page.user = OWEN
    async with connected():
        assert (await page.post("command", text="/mailbox"))["ok"]


async def test_people_write_into_their_channels(page: Page) -> None:
    """A member writes; somebody outside and anybody in an archived channel cannot."""
    written = await page.post("message", text="hello", channel=HIRING_ID)
    outside = await page.post("message", text="hello", channel=LEADERS_ID)
    await page.post("channel", channel=HIRING_ID, is_archived=True)
    archived = await page.post("message", text="hello", channel=HIRING_ID)

    assert written["ok"]
    assert not outside["ok"]
    assert not archived["ok"]


async def test_a_person_walks_a_form_by_its_labels(
    sandbox: RunningSandbox,
    session: aiohttp.ClientSession,
    app: AsyncApp,
    connected: Connect,
) -> None:
    """People, channels, dates and looked-up choices are picked by what the lists show."""
    elements: dict[str, dict[str, Any]] = {
        "People": {"type": "multi_users_select"},
        "Channel": {"type": "conversations_select", "filter": {"include": ["public", "private"]}},
        "Group": {"type": "external_select", "min_query_length": 0},
        "Until": {"type": "datepicker"},
    }
    blocks = [
        {
            "type": "input",
            "block_id": label,
            "label": {"type": "plain_text", "text": label},
            "element": {**element, "action_id": "a"},
        }
        for label, element in elements.items()
    ]
    sent: list[dict[str, Any]] = []

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=modal(*blocks))

    @app.options("a")
    async def _(ack: AsyncAck) -> None:
        await ack(options=[{"text": {"type": "plain_text", "text": "Support"}, "value": "S1"}])

    @app.view("form")
    async def _(ack: AsyncAck, view: dict[str, Any]) -> None:
        sent.append(view["state"]["values"])
        await ack()

    marta = person(sandbox, session, MARTA)
    async with connected():
        await marta.command("/mailbox")
        view = await marta.until("the form", lambda shown: next(iter(shown["views"]), None), 5)
        people = ["Kenji Morita", "Lucía Ferrer"]
        answers = {"People": people, "Channel": "#hiring", "Group": "Support", "Until": "2026-12-31"}
        await marta.submit(view, answers)

    assert sent[0]["People"]["a"]["selected_users"] == ["U0KENJI005", "U0LUCIA006"]
    assert sent[0]["Channel"]["a"]["selected_conversation"] == HIRING_ID
    assert sent[0]["Group"]["a"]["selected_option"]["value"] == "S1"
    assert sent[0]["Until"]["a"]["selected_date"] == "2026-12-31"
