"""Somebody who uses the sandbox's page, without the page: fills forms by their labels, reads the DM.

Speaks the page's API only and knows nothing of the bot's ids, so it breaks where a person would be lost.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import aiohttp

Json: TypeAlias = dict[str, Any]

_LOOK_SECONDS: Final = 0.1


class Unexpected(Exception):
    """What is on the page is not what it should be; the text says what is there."""


class Person:
    """One person at the page.

    Args:
        user: whom to act as.
    """

    def __init__(self, session: aiohttp.ClientSession, url: str, user: str) -> None:
        self._session = session
        self._url = url
        self._user = user

    async def state(self) -> Json:
        """What the person has before them."""
        async with self._session.get(
            f"{self._url}/sandbox/api/state", params={"user": self._user}
        ) as response:
            shown: Json = await response.json()
            return shown

    async def command(self, text: str) -> None:
        """Type a slash command."""
        await self._do("command", {"text": text})

    async def write(self, text: str) -> None:
        """Write to the bot."""
        await self._do("message", {"text": text})

    async def submit(self, view: Json, answers: Mapping[str, str]) -> None:
        """Fill in a form by its labels and send it; a field without an answer stays as it is.

        Raises:
            Unexpected: a label is not there, or the form came back with faults.
        """
        await self._do("submit", {"view_id": view["id"], "values": filled(view, answers)})

    async def press(self, label: str, *, beside: str = "") -> None:
        """Press the newest button of this label: in the modal in front, else in an answer, else in a post.

        Args:
            beside: words of the block that it stands in, where there are several.

        Raises:
            Unexpected: there is none.
        """
        shown = await self.state()
        for container, blocks in _places(shown):
            for button in _elements((block for block in blocks if beside in words(block)), "button"):
                if button["text"]["text"].casefold() == label.casefold():
                    action = {
                        name: button[name]
                        for name in ("type", "block_id", "action_id", "value")
                        if name in button
                    }
                    await self._do("action", {"container": container, "action": action})
                    return
        raise Unexpected(f"there is no button “{label}”; the page shows: {await self._glance()}")

    async def choose(self, label: str, *, beside: str = "") -> None:
        """Choose a line of the newest menu that has it.

        Args:
            beside: words of the post or view that it stands in, where there are several.

        Raises:
            Unexpected: there is none.
        """
        for container, blocks in _places(await self.state()):
            if beside not in words(blocks):
                continue
            for menu in _elements(blocks, "overflow"):
                for option in menu["options"]:
                    if option["text"]["text"].casefold() == label.casefold():
                        action = {name: menu[name] for name in ("type", "block_id", "action_id")}
                        chosen = {**action, "selected_option": option}
                        await self._do("action", {"container": container, "action": chosen})
                        return
        raise Unexpected(f"there is no line “{label}” in a menu; the page shows: {await self._glance()}")

    async def type_into(self, view: Json, label: str, text: str) -> None:
        """Type into a field of a form; where the form wants to know at once, it is told.

        Raises:
            Unexpected: the form has no such field.
        """
        view = next((each for each in (await self.state())["views"] if each["id"] == view["id"]), view)
        block = next((block for block in view["blocks"] if _is_field(block, label)), None)
        if block is None:
            raise Unexpected(f"the form has no field “{label}”: {words(view)[:600]}")
        element = block["element"]
        action = {"type": element["type"], "block_id": block["block_id"], "action_id": element["action_id"]}
        await self._do(
            "action",
            {
                "container": {"type": "view", "view_id": view["id"]},
                "action": {**action, "value": text},
                "values": filled(view, {label: text}),
            },
        )

    async def close(self, view: Json) -> None:
        """Close every open modal."""
        await self._do("close", {"view_id": view["id"], "all": True})

    async def send_mail(self, to: str, subject: str, text: str) -> None:
        """Let somebody outside write an e-mail."""
        mail = {"to": to, "from_name": "Check", "from_address": "check@elsewhere.example", "subject": subject}
        await self._post("mail", {**mail, "text": text})

    async def leave_unanswered(self, method: str, seconds: float) -> None:
        """Let Slack do the next call of this method, but keep its answer back."""
        await self._post(
            "faults",
            {"faults": [{"method": method, "kind": "accept_then_wait", "count": 1, "seconds": seconds}]},
        )

    async def mailbox(self, address: str) -> Json:
        """Servers and credentials of a mail account, as the page shows them."""
        async with self._session.get(f"{self._url}/sandbox/api/mailboxes") as response:
            accounts = (await response.json())["mailboxes"]
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

    async def _do(self, call: str, body: Json) -> None:
        await self._post(call, {"user": self._user, **body})

    async def _post(self, call: str, body: Json) -> None:
        async with self._session.post(f"{self._url}/sandbox/api/{call}", json=body) as response:
            answer = await response.json()
        if not answer.get("ok"):
            raise Unexpected(f"{call}: {answer.get('error') or answer.get('errors')}")

    async def _glance(self) -> str:
        shown = await self.state()
        modal = words(shown["views"][-1]) if shown["views"] else "no modal"
        errors = "; ".join(error["text"] for error in shown["errors"])
        return f"{modal[:600]} | {len(shown['posts'])} posts{' | ' + errors if errors else ''}"


def _places(shown: Json) -> Iterator[tuple[Json, list[Json]]]:
    """Everything that may hold buttons, the newest first."""
    for view in reversed(shown["views"]):
        yield {"type": "view", "view_id": view["id"]}, view["blocks"]
    for said in reversed(shown["ephemerals"]):
        yield {"type": "ephemeral", "id": said["id"]}, said.get("blocks") or []
    for post in sorted(shown["posts"], key=lambda post: str(post["ts"]), reverse=True):
        yield {"type": "message", "channel": shown["channel"], "ts": post["ts"]}, post.get("blocks") or []


def _elements(blocks: Iterable[Json], kind: str) -> Iterator[Json]:
    """Those of a kind, each with the block it stands in."""
    for block in blocks:
        for element in [*block.get("elements", []), block.get("accessory") or {}]:
            if element.get("type") == kind:
                yield {**element, "block_id": block["block_id"]}


def top_view(shown: Json) -> Json | None:
    """The modal in front."""
    return shown["views"][-1] if shown["views"] else None


def title(view: Json) -> str:
    """What stands over a modal."""
    return str((view.get("title") or {}).get("text", ""))


def words(shown: Any) -> str:
    """Every text in a view or post, in order."""
    return " ".join(_texts(shown))


def filled(view: Json, answers: Mapping[str, str]) -> Json:
    """The values of a form with the answers in the fields of these labels, in the shape of `view.state.values`."""
    fields = {_label(block): block for block in view["blocks"] if block["type"] == "input"}
    missing = [label for label in answers if label.casefold() not in fields]
    if missing:
        raise Unexpected(f"the form has no field “{missing[0]}”; it has: {', '.join(fields)}")
    values: Json = json.loads(json.dumps(view["state"]["values"]))
    for label, answer in answers.items():
        block = fields[label.casefold()]
        element = block["element"]
        values[block["block_id"]][element["action_id"]] = _value(element, answer)
    return values


def _is_field(block: Json, label: str) -> bool:
    return block["type"] == "input" and _label(block) == label.casefold()


def _label(block: Json) -> str:
    return str(block["label"]["text"]).casefold()


def _value(element: Json, answer: str) -> Json:
    options = [
        option
        for option in element.get("options", [])
        if option["text"]["text"].casefold() == answer.casefold()
    ]
    if "options" not in element:
        return {"type": element["type"], "value": answer}
    if not options:
        raise Unexpected(f"there is no option “{answer}”")
    if element["type"] == "checkboxes":
        return {"type": element["type"], "selected_options": options}
    return {"type": element["type"], "selected_option": options[0]}


def _texts(shown: Any) -> Iterator[str]:
    if isinstance(shown, dict):
        if isinstance(shown.get("text"), str):
            yield shown["text"]
        for value in shown.values():
            if isinstance(value, dict | list):
                yield from _texts(value)
    elif isinstance(shown, list):
        for value in shown:
            yield from _texts(value)
