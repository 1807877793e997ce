"""Somebody who uses the sandbox's page, without the page: fills forms by their labels, reads the DM and channels.

Speaks the page's API only and knows nothing of the bot's ids, so it breaks where a person would be lost.

How to use it, in a test with a running sandbox:

    marta = Person(session, slack.url, "U0MARTA004")
    await marta.command("/mailbox share")                  # in her DM; `in_channel="hiring"` types it there
    view = await marta.until("the form", top_view, 5)
    await marta.pick("Who", ["Kenji Morita"])              # a field or choice that acts at once, by its label
    await marta.submit(view, {                             # everything else by label, with the form
        "People": ["Kenji Morita", "Lucía Ferrer"],        # names as the lists show them
        "Channel": "#hiring",                              # with or without the sign
        "Level": "Open", "Until": "2026-12-31", "Also": ["History"],
    })
    await marta.submit(view, {"Text": "*Yes*, with", "Attachments": [File("offer.pdf", octets)]})
    sent = await marta.outside.received("Re: Tea", 20)     # what a correspondent outside has of it
    await marta.outside.answer(sent, "Thanks!")            # as whoever got it; lands in her maildrop
    await marta.press("Stop", beside="Kenji")              # newest button of that label, wherever it is
    await kenji.press("Open", in_channel="hiring")         # on a post in a channel
    posts = (await kenji.room("hiring"))["posts"]          # posts, replies and files as a member sees them
    await aisha.change_channel("hiring", is_private=False) # the panel “Workspace”, without the page
"""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.correspondents import Correspondents
from bot.sandbox.filling import (
    File,
    Known,
    Unexpected,
    choosable,
    elements,
    filled,
    is_field,
    label_of,
    places,
    value_of,
    words,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import aiohttp

    from bot.sandbox.filling import Answer, Json

__all__ = ["File", "Person", "Unexpected", "filled", "title", "top_view", "words"]

_LOOK_SECONDS: Final = 0.1


class Person:
    """One person at the page.

    Args:
        user: whom to act as.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, user: str) -> None:
        self._session = session
        self._url = url
        self._user = user
        self.outside = Correspondents(session, url)

    async def state(self) -> Json:
        """What the person has before them."""
        async with self._session.get(
            f"{self._url}/sandbox/api/state", params={"user": self._user}
        ) as response:
            shown: Json = await response.json()
            return shown

    async def room(self, channel: str) -> Json:
        """What stands in a channel, as one of its members sees it.

        Args:
            channel: its name.

        Raises:
            Unexpected: the person is not in a channel of that name.
        """
        found = await self._channel(channel)
        query = {"user": self._user, "channel": found["id"]}
        async with self._session.get(f"{self._url}/sandbox/api/state", params=query) as response:
            shown: Json = await response.json()
        if "posts" not in shown:
            raise Unexpected(f"#{channel}: {shown.get('error')}")
        return shown

    async def command(self, text: str, *, in_channel: str = "") -> None:
        """Type a slash command, in the DM or in a channel."""
        await self._do("command", {"text": text, **await self._place(in_channel)})

    async def open_home(self) -> None:
        """Turn to the Home tab."""
        await self._do("home", {"tab": "home"})

    async def write(self, text: str, *, in_channel: str = "") -> None:
        """Write to the bot, or into a channel."""
        await self._do("message", {"text": text, **await self._place(in_channel)})

    async def submit(self, view: Json, answers: Mapping[str, Answer]) -> None:
        """Fill in a form by its labels and send it; a field without an answer stays as it is.

        Raises:
            Unexpected: a label or choice is not there, or the form came back with faults.
        """
        answers = {label: await self._uploaded(answer) for label, answer in answers.items()}
        offered = [
            await self._offered({"type": "view", "view_id": view["id"]}, b, answers) for b in view["blocks"]
        ]
        values = filled({**view, "blocks": offered}, answers, await self._known())
        await self._do("submit", {"view_id": view["id"], "values": values})

    async def pick(self, label: str, answer: Answer, *, beside: str = "", in_channel: str = "") -> None:
        """Choose in a field, select, date or row of ticks that is known by its label; the app hears of it at once.

        Args:
            beside: words of the post or view that it stands in, where there are several.

        Raises:
            Unexpected: there is nothing of that label, or no such choice.
        """
        shown = await self._look(in_channel)
        for container, blocks in places(shown):
            if beside not in words(blocks):
                continue
            for element in choosable(blocks, label):
                place = {name: element[name] for name in ("type", "block_id", "action_id")}
                found = await self._looked_up(container, element, answer)
                action = {**place, **value_of(found, answer, await self._known())}
                await self._do("action", {"container": container, "action": action})
                return
        raise Unexpected(
            f"there is nothing to choose under “{label}”; the page shows: {await self._glance()}"
        )

    async def press(self, label: str, *, beside: str = "", of: str = "", in_channel: str = "") -> None:
        """Press the newest button of this label: in the modal in front, else in an answer, else in a post.

        Args:
            beside: words of the block that it stands in, where there are several.
            of: words of the whole post or view.
            in_channel: the name of a channel whose posts are meant, instead of the DM's.

        Raises:
            Unexpected: there is none.
        """
        shown = await self._look(in_channel)
        for container, blocks in places(shown):
            if of not in words(blocks):
                continue
            for button in elements((block for block in blocks if beside in words(block)), "button"):
                if button["text"]["text"].casefold() == label.casefold():
                    action = {
                        name: button[name]
                        for name in ("type", "block_id", "action_id", "value")
                        if name in button
                    }
                    await self._do("action", {"container": container, "action": action})
                    return
        raise Unexpected(f"there is no button “{label}”; the page shows: {await self._glance()}")

    async def choose(self, label: str, *, beside: str = "", in_channel: str = "") -> None:
        """Choose a line of the newest menu that has it.

        Args:
            beside: words of the post or view that it stands in, where there are several.

        Raises:
            Unexpected: there is none.
        """
        for container, blocks in places(await self._look(in_channel)):
            if beside not in words(blocks):
                continue
            for menu in elements(blocks, "overflow"):
                for option in menu["options"]:
                    if option["text"]["text"].casefold() == label.casefold():
                        action = {name: menu[name] for name in ("type", "block_id", "action_id")}
                        chosen = {**action, "selected_option": option}
                        await self._do("action", {"container": container, "action": chosen})
                        return
        raise Unexpected(f"there is no line “{label}” in a menu; the page shows: {await self._glance()}")

    async def change_role(self, user: str, role: str) -> None:
        """Give somebody another role, or `deactivated`, by their id."""
        await self._post("role", {"user": user, "role": role})

    async def change_group(self, handle: str, **changes: Any) -> None:
        """Change a user group: `users` (ids), `is_disabled`.

        Raises:
            Unexpected: there is none of that handle, or Slack forbids it.
        """
        groups = (await self._read("workspace"))["groups"]
        group = next((one for one in groups if one["handle"] == handle), None)
        if group is None:
            raise Unexpected(f"there is no group @{handle}")
        await self._post("group", {"group": group["id"], **changes})

    async def change_channel(self, name: str, **changes: Any) -> None:
        """Change a channel: `add` or `remove` (an id, or "bot"), `is_private`, `is_ext_shared`, `is_archived`, `name`.

        Raises:
            Unexpected: there is none of that name, or Slack forbids it.
        """
        channels = (await self._read("workspace"))["channels"]
        channel = next((one for one in channels if one["name"] == name), None)
        if channel is None:
            raise Unexpected(f"there is no channel #{name}")
        await self._post("channel", {"channel": channel["id"], **changes})

    async def type_into(self, view: Json, label: str, text: str) -> None:
        """Type into a field of a form; where the form wants to know at once, it is told.

        Raises:
            Unexpected: the form has no such field.
        """
        view = next((each for each in (await self.state())["views"] if each["id"] == view["id"]), view)
        block = next((block for block in view["blocks"] if is_field(block, label)), None)
        if block is None:
            raise Unexpected(f"the form has no field “{label}”: {words(view)[:600]}")
        element, known = block["element"], await self._known()
        action = {"type": element["type"], "block_id": block["block_id"], "action_id": element["action_id"]}
        await self._do(
            "action",
            {
                "container": {"type": "view", "view_id": view["id"]},
                "action": {**action, **value_of(element, text, known)},
                "values": filled(view, {label: text}, known),
            },
        )

    async def close(self, view: Json) -> None:
        """Close every open modal."""
        await self._do("close", {"view_id": view["id"], "all": True})

    async def send_mail(self, to: str, subject: str, text: str) -> None:
        """Let somebody outside write an e-mail."""
        await self.outside.write(to, subject, text)

    async def upload(self, name: str, octets: bytes) -> str:
        """Choose a file for a form, as the page does; gives back its id.

        Raises:
            Unexpected: Slack does not take it.
        """
        query, headers = {"user": self._user, "name": name}, {"Content-Type": "application/octet-stream"}
        async with self._session.post(
            f"{self._url}/sandbox/api/upload", params=query, data=BytesIO(octets), headers=headers
        ) as response:
            told = await response.json()
        if not told.get("ok"):
            raise Unexpected(f"upload: {told.get('error')}")
        return str(told["file"]["id"])

    async def leave_unanswered(self, method: str, seconds: float) -> None:
        """Let Slack do the next call of this method, but keep its answer back."""
        await self._post(
            "faults",
            {"faults": [{"method": method, "kind": "accept_then_wait", "count": 1, "seconds": seconds}]},
        )

    async def mailbox(self, address: str) -> Json:
        """Servers and credentials of a mail account, as the page shows them."""
        accounts = (await self._read("mailboxes"))["mailboxes"]
        return next(account for account in accounts if account["address"] == address)

    async def until(self, what: str, holds: Callable[[Json], Json | None], seconds: float) -> Json:
        """Look at the page until something is there, and give it back.

        Raises:
            Unexpected: it did not come in time.
        """
        try:
            async with asyncio.timeout(seconds):
                while (found := holds(await self.state())) is None:  # noqa: ASYNC110 - a page is looked at, it calls nobody
                    await asyncio.sleep(_LOOK_SECONDS)
                return found
        except TimeoutError:
            raise Unexpected(
                f"{what} did not come within {seconds:.0f} s; the page shows: {await self._glance()}"
            ) from None

    async def _uploaded(self, answer: Answer) -> Answer:
        """The answer with uploaded files in the place of files to choose."""
        if isinstance(answer, str):
            return answer
        return [await self.upload(one.name, one.octets) if isinstance(one, File) else one for one in answer]

    async def _offered(self, container: Json, block: Json, answers: Mapping[str, Answer]) -> Json:
        wanted = {label.casefold(): answer for label, answer in answers.items()}
        if block["type"] != "input" or label_of(block) not in wanted:
            return block
        element = {**block["element"], "block_id": block["block_id"]}
        return {**block, "element": await self._looked_up(container, element, wanted[label_of(block)])}

    async def _looked_up(self, container: Json, element: Json, answer: Answer) -> Json:
        """The element with what the app offers for each answer, where it looks choices up while one types."""
        if not element["type"].endswith("external_select"):
            return element
        options: list[Json] = []
        for typed in [answer] if isinstance(answer, str) else answer:
            place = {"block_id": element["block_id"], "action_id": element["action_id"], "value": typed}
            told = await self._post("options", {"user": self._user, "container": container, **place})
            groups = told.get("option_groups", [])
            options += [*told.get("options", []), *(one for group in groups for one in group["options"])]
        return {**element, "options": options}

    async def _look(self, channel: str) -> Json:
        return await self.room(channel) if channel else await self.state()

    async def _place(self, channel: str) -> Json:
        return {"channel": (await self._channel(channel))["id"]} if channel else {}

    async def _channel(self, name: str) -> Json:
        for one in (await self.state())["channels"]:
            if one["name"] == name and one["is_member"]:
                found: Json = one
                return found
        raise Unexpected(f"the person is in no channel #{name}")

    async def _known(self) -> Known:
        told = await self._read("people")
        shown = await self.state()
        return Known(told["people"], shown["channels"], (shown["dm"]["id"], told["bot"]["name"]))

    async def _read(self, call: str) -> Json:
        async with self._session.get(f"{self._url}/sandbox/api/{call}") as response:
            told: Json = await response.json()
            return told

    async def _do(self, call: str, body: Json) -> None:
        await self._post(call, {"user": self._user, **body})

    async def _post(self, call: str, body: Json) -> Json:
        async with self._session.post(f"{self._url}/sandbox/api/{call}", json=body) as response:
            answer: Json = await response.json()
        if not answer.get("ok"):
            raise Unexpected(f"{call}: {answer.get('error') or answer.get('errors')}")
        return answer

    async def _glance(self) -> str:
        shown = await self.state()
        modal = words(shown["views"][-1]) if shown["views"] else "no modal"
        errors = "; ".join(error["text"] for error in shown["errors"])
        return f"{modal[:600]} | {len(shown['posts'])} posts{' | ' + errors if errors else ''}"


def top_view(shown: Json) -> Json | None:
    """The modal in front."""
    return shown["views"][-1] if shown["views"] else None


def title(view: Json) -> str:
    """What stands over a modal."""
    return str((view.get("title") or {}).get("text", ""))
