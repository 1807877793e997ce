"""Commands, forms and clicks through Slack's own Bolt on Socket Mode."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.sandbox.slack.core import Timings
from tests.integration.sandbox.kit import MARTA, modal, section, text_input, typed, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from slack_bolt.async_app import AsyncAck, AsyncApp
    from slack_sdk.web.async_client import AsyncWebClient

    from bot.sandbox.server import RunningSandbox
    from tests.integration.sandbox.kit import Clock, Page

    Connect = Callable[[], AbstractAsyncContextManager[Any]]

Body = dict[str, Any]


def opens(app: AsyncApp, view: Body) -> None:
    """`/mailbox` opens this view."""

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: Body, client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=view)


async def opened(page: Page) -> Any:
    """Type the command and give back the view it opens."""
    assert (await page.post("command", text="/mailbox"))["ok"]

    async def view() -> Any:
        return (await page.state())["views"]

    return (await until(view))[-1]


async def test_a_form_comes_back_with_the_apps_errors(app: AsyncApp, page: Page, connected: Connect) -> None:
    """response_action errors are shown by block id, and what was typed stays."""
    opens(app, modal(text_input("host"), text_input("user", optional=True)))
    seen: list[Body] = []

    @app.view("form")
    async def _(ack: AsyncAck, view: Body) -> None:
        seen.append(view)
        await ack(response_action="errors", errors={"host": "No such server."})

    async with connected():
        view = await opened(page)
        answer = await page.post("submit", view_id=view["id"], values=typed(host="pop.test"))

    assert answer == {"ok": False, "errors": {"host": "No such server."}}
    assert seen[0]["state"]["values"] == {
        "host": {"host": {"type": "plain_text_input", "value": "pop.test"}},
        "user": {"user": {"type": "plain_text_input", "value": None}},
    }
    assert seen[0]["root_view_id"] == seen[0]["id"]
    assert seen[0]["hash"]
    assert (await page.top())["state"]["values"]["host"]["host"]["value"] == "pop.test"


async def test_a_form_may_become_another_view_and_be_updated_later(
    app: AsyncApp, page: Page, client: AsyncWebClient, connected: Connect
) -> None:
    """response_action update replaces the view under its id; views.update follows; a stale hash conflicts."""
    opens(app, modal(text_input("host")))

    @app.view("form")
    async def _(ack: AsyncAck) -> None:
        await ack(response_action="update", view=modal(section("testing"), callback_id="testing"))

    async with connected():
        view = await opened(page)
        assert (await page.post("submit", view_id=view["id"], values=typed(host="pop.test")))["ok"]

    assert (await page.top())["callback_id"] == "testing"
    with pytest.raises(SlackApiError, match="hash_conflict"):
        await client.views_update(view_id=view["id"], hash=view["hash"], view=modal())
    done = await client.views_update(view_id=view["id"], view=modal(text_input("host"), callback_id="done"))
    assert done["view"]["id"] == view["id"]
    assert (await page.top())["callback_id"] == "done"


async def test_typed_input_survives_an_update_under_the_same_ids(
    app: AsyncApp, page: Page, client: AsyncWebClient, connected: Connect
) -> None:
    """An update keeps what was typed where block id and action id stay, and a new block id is empty."""
    opens(app, modal(text_input("host"), text_input("password1")))

    @app.view("form")
    async def _(ack: AsyncAck) -> None:
        await ack(response_action="errors", errors={"host": "Wrong."})

    async with connected():
        view = await opened(page)
        await page.post("submit", view_id=view["id"], values=typed(host="pop.test", password1="secret"))

    await client.views_update(view_id=view["id"], view=modal(text_input("host"), text_input("password2")))
    values = (await page.top())["state"]["values"]
    assert values["host"]["host"]["value"] == "pop.test"
    assert values["password2"]["password2"]["value"] is None
    assert "secret" not in str(values)


async def test_an_empty_ack_closes_the_form(
    app: AsyncApp, page: Page, client: AsyncWebClient, connected: Connect
) -> None:
    """A submitted view is gone after an empty ack, and updating it finds nothing."""
    opens(app, modal(text_input("host")))

    @app.view("form")
    async def _(ack: AsyncAck) -> None:
        await ack()

    async with connected():
        view = await opened(page)
        await page.post("submit", view_id=view["id"], values=typed(host="pop.test"))

    assert (await page.state())["views"] == []
    with pytest.raises(SlackApiError, match="not_found"):
        await client.views_update(view_id=view["id"], view=modal())


async def test_the_client_refuses_what_slacks_client_refuses(
    app: AsyncApp, page: Page, connected: Connect
) -> None:
    """Missing, short, long and malformed input never reaches the app."""
    number = {"type": "number_input", "action_id": "n", "is_decimal_allowed": False, "max_value": "10"}
    mail = {"type": "email_text_input", "action_id": "m"}
    label = {"type": "plain_text", "text": "x"}
    blocks = [
        text_input("empty"),
        text_input("short", min_length=3),
        text_input("long", max_length=3),
        {"type": "input", "block_id": "n", "label": label, "element": number},
        {"type": "input", "block_id": "m", "label": label, "element": mail},
    ]
    opens(app, modal(*blocks))
    values = typed(short="x", long="xxxx") | {"n": {"n": {"value": "11"}}, "m": {"m": {"value": "me@host"}}}

    async with connected():
        view = await opened(page)
        answer = await page.post("submit", view_id=view["id"], values=values)

    assert answer["errors"].keys() == {"empty", "short", "long", "n", "m"}


async def test_a_form_without_an_answer_stays_and_says_so(
    app: AsyncApp, page: Page, sandbox: RunningSandbox, connected: Connect
) -> None:
    """An app that does not ack a form leaves it open with Slack's sentence; so do errors for unknown fields."""
    opens(app, modal(text_input("host")))

    @app.view("form")
    async def _(ack: AsyncAck, view: Body) -> None:
        if view["state"]["values"]["host"]["host"]["value"] == "odd":
            await ack(response_action="errors", errors={"nowhere": "x"})
        else:
            await asyncio.Event().wait()

    async with connected():
        view = await opened(page)
        patient = sandbox.sandbox.timings
        sandbox.sandbox.timings = replace(patient, ack=0.4)
        late = await page.post("submit", view_id=view["id"], values=typed(host="slow"))
        sandbox.sandbox.timings = patient
        odd = await page.post("submit", view_id=view["id"], values=typed(host="odd"))

    assert late == odd == {"ok": False, "error": "We had some trouble connecting. Try again?"}
    assert (await page.top())["id"] == view["id"]


async def test_a_trigger_opens_one_view_and_only_for_a_while(
    app: AsyncApp,
    page: Page,
    client: AsyncWebClient,
    *,
    clock: Clock,
    sandbox: RunningSandbox,
    connected: Connect,
) -> None:
    """Trigger ids are exchanged once, expire, and an unsound view does not spend one; Slack's live three seconds."""
    assert Timings().trigger == 3
    triggers: list[str] = []

    @app.command("/mailbox")
    async def _(ack: AsyncAck, body: Body) -> None:
        triggers.append(body["trigger_id"])
        await ack()

    async with connected():
        await page.post("command", text="/mailbox")
        await page.post("command", text="/mailbox")

    with pytest.raises(SlackApiError, match="invalid_arguments"):
        await client.views_open(
            trigger_id=triggers[0], view=modal(title={"type": "plain_text", "text": "x" * 25})
        )
    await client.views_open(trigger_id=triggers[0], view=modal())
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        await client.views_open(trigger_id=triggers[0], view=modal())
    clock.ahead += sandbox.sandbox.timings.trigger + 0.1
    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        await client.views_open(trigger_id=triggers[1], view=modal())
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        await client.views_open(trigger_id="1.2.3", view=modal())


async def test_three_views_stack_and_close_one_by_one(
    sandbox: RunningSandbox, page: Page, client: AsyncWebClient
) -> None:
    """A fourth view is refused, an external id is unique, and closing takes the top one."""

    async def push(name: str) -> None:
        await client.views_open(trigger_id=sandbox.sandbox.new_trigger(MARTA), view=modal(external_id=name))

    await push("a")
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await push("a")
    await push("b")
    await push("c")
    with pytest.raises(SlackApiError, match="push_limit_reached"):
        await push("d")
    views = (await page.state())["views"]
    await page.post("close", view_id=views[2]["id"], all=False)
    assert views[2]["previous_view_id"] == views[1]["id"]
    assert views[2]["root_view_id"] == views[0]["id"]
    assert [view["external_id"] for view in (await page.state())["views"]] == ["a", "b"]


@pytest.mark.parametrize(("close_all", "callback"), [(False, "second"), (True, "first")])
async def test_closing_is_told_only_when_asked_for(
    sandbox: RunningSandbox,
    app: AsyncApp,
    page: Page,
    client: AsyncWebClient,
    connected: Connect,
    *,
    close_all: bool,
    callback: str,
) -> None:
    """Cancel tells of that view; the cross tells of the root and that all were cleared."""
    seen: list[Body] = []

    async def closed(ack: AsyncAck, body: Body) -> None:
        seen.append(body)
        await ack()

    app.view_closed("first")(closed)
    app.view_closed("second")(closed)
    for name in ("first", "second"):
        trigger = sandbox.sandbox.new_trigger(MARTA)
        await client.views_open(trigger_id=trigger, view=modal(callback_id=name, notify_on_close=True))
    async with connected():
        await page.post("close", view_id=(await page.top())["id"], all=close_all)

        async def told() -> Any:
            return seen

        await until(told)

    assert (seen[0]["view"]["callback_id"], seen[0]["is_cleared"]) == (callback, close_all)


BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "v1"}
ACTIONS = {"type": "actions", "block_id": "row", "elements": [BUTTON]}
PRESS = {"type": "button", "block_id": "row", "action_id": "go"}


async def test_a_click_in_a_view_carries_the_state_of_all_fields(
    app: AsyncApp, page: Page, connected: Connect
) -> None:
    """block_actions from a modal hold what stands in every field, and a plain input is not sent."""
    choice = {"text": {"type": "plain_text", "text": "TLS"}, "value": "tls"}
    select = {"type": "static_select", "action_id": "security", "options": [choice]}
    opens(app, modal(text_input("host"), {"type": "actions", "block_id": "row", "elements": [select]}))
    seen: list[Body] = []

    @app.action("security")
    async def _(ack: AsyncAck, body: Body) -> None:
        seen.append(body)
        await ack()

    async with connected():
        place = {"type": "view", "view_id": (await opened(page))["id"]}
        pick = {
            "type": "static_select",
            "block_id": "row",
            "action_id": "security",
            "selected_option": choice,
        }
        answer = await page.post("action", container=place, action=pick, values=typed(host="pop.test"))
        wrong = await page.post(
            "action", container=place, action=pick | {"selected_option": {"value": "none"}}
        )
        silent = {"type": "plain_text_input", "block_id": "host", "action_id": "host", "value": "pop2.test"}
        assert (await page.post("action", container=place, action=silent))["ok"]

    assert answer["ok"]
    assert not wrong["ok"]
    assert len(seen) == 1
    assert seen[0]["actions"][0]["selected_option"]["value"] == "tls"
    assert seen[0]["view"]["state"]["values"]["host"]["host"]["value"] == "pop.test"
    assert seen[0]["view"]["state"]["values"]["row"]["security"]["selected_option"]["value"] == "tls"
    assert (await page.top())["state"]["values"]["host"]["host"]["value"] == "pop2.test"


async def test_an_external_select_asks_the_app(app: AsyncApp, page: Page, connected: Connect) -> None:
    """Typing into an external select fetches options, and only those can be chosen."""
    select = {"type": "external_select", "action_id": "who"}
    opens(
        app,
        modal(
            {
                "type": "input",
                "block_id": "who",
                "label": {"type": "plain_text", "text": "Who"},
                "element": select,
            }
        ),
    )
    option = {"text": {"type": "plain_text", "text": "Anna"}, "value": "anna"}
    sent: list[Body] = []

    @app.options("who")
    async def _(ack: AsyncAck) -> None:
        await ack(options=[option])

    @app.view("form")
    async def _form(ack: AsyncAck, view: Body) -> None:
        sent.append(view["state"]["values"])
        await ack()

    async with connected():
        view = await opened(page)
        place = {"type": "view", "view_id": view["id"]}
        found = await page.post("options", container=place, block_id="who", action_id="who", value="ann")
        values = {"who": {"who": {"selected_option": option}}}
        assert (await page.post("submit", view_id=view["id"], values=values))["ok"]

    assert [one["value"] for one in found["options"]] == ["anna"]
    assert sent[0]["who"]["who"]["selected_option"]["value"] == "anna"


async def test_a_view_can_lag_behind_its_ack(
    app: AsyncApp, page: Page, client: AsyncWebClient, connected: Connect
) -> None:
    """With view_lag an update sent at once is overwritten by the view in the ack, as can happen in Slack."""
    opens(app, modal(text_input("host")))
    await page.post("settings", view_lag=0.1)

    @app.view("form")
    async def _(ack: AsyncAck, view: Body) -> None:
        await ack(response_action="update", view=modal(section("testing"), callback_id="testing"))
        await client.views_update(view_id=view["id"], view=modal(callback_id="result"))

    async with connected():
        view = await opened(page)
        await page.post("submit", view_id=view["id"], values=typed(host="pop.test"))

    assert (await page.top())["callback_id"] == "testing"
