"""`--check`: act as a person through the page's API, kill the bot in between, and count what arrives."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any, Final, TypeAlias

import aiohttp

from bot.sandbox.demo import Demo
from bot.sandbox.person import Person, Unexpected, title, top_view, words
from bot.sandbox.process import DemoFailed

Json: TypeAlias = dict[str, Any]

_ALL_SECONDS: Final = 110.0  # and up to 10 to stop
_STEP_SECONDS: Final = 40.0
_UNANSWERED_SECONDS: Final = 20.0  # longer than the bot lives after it
_QUIET_SECONDS: Final = 8.0  # two polls, and the bot's wait before it looks up a post of unknown outcome
_ADDRESS: Final = "marta@local.test"
_USER: Final = "U0MARTA004"
# The mails that lie in the maildrop from the start, each by words of its subject, in order.
_WELCOME: Final = (
    "Key for Thursday",
    "This week: rye, cardamom buns",
    "Invoice 2026-1187 for your career fair folders",
    "The bay this evening",
    "Winter route",
    "来週の打ち合わせについて",
    "The archive has moved: full report",
    "Invitation: Hiring review",
    "Who brings what on Friday",
)


async def run_check() -> int:
    """The whole check; 0 when every mail is in the DM exactly once and in order, else 1."""
    say = _Teller()
    try:
        async with asyncio.timeout(_ALL_SECONDS), Demo() as demo:
            try:
                await _Check(demo, say).run()
            except (Unexpected, DemoFailed, aiohttp.ClientError, TimeoutError, asyncio.CancelledError):
                say.tail = demo.bot.tail()
                raise
    except (Unexpected, DemoFailed, aiohttp.ClientError) as error:
        return say.failed(str(error) or type(error).__name__)
    except TimeoutError:
        return say.failed(f"not finished within {_ALL_SECONDS:.0f} s")
    say("Everything is stopped. The check has passed.")
    return 0


class _Teller:
    """Prints each step with the seconds since the start."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self.tail = ""

    def __call__(self, step: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {step}", flush=True)

    def failed(self, reason: str) -> int:
        self(f"FAILED: {reason}")
        if self.tail:
            print(f"\nThe end of the bot's log:\n{self.tail}", flush=True)
        return 1


class _Check:
    """The steps, in order."""

    def __init__(self, demo: Demo, say: _Teller) -> None:
        self._demo = demo
        self._say = say
        self._run = uuid.uuid4().hex[:6]
        self._sent: list[str] = []

    async def run(self) -> None:
        self._say(
            f"Slack at {self._demo.slack.url}, mail servers and the bot (process {self._demo.bot.pid}) are started"
        )
        await self._demo.wait_connected()
        self._say("The bot is connected")
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            self._marta = Person(session, self._demo.slack.url, _USER)
            await self._add_mailbox()
            await self._receive()
            await self._crash()
            await self._verify()
            await self._round_trip()

    async def _add_mailbox(self) -> None:
        await self._marta.command("/mailbox add")
        form = await self._marta.until("The add form", top_view_with_fields, _STEP_SECONDS)
        self._say(f"/mailbox add has opened “{title(form)}”")
        await self._marta.submit(form, await self._answers())
        self._say("The form is filled in and sent")
        result = await self._marta.until("The result of the test", _after_testing, _STEP_SECONDS)
        if top_view_with_fields({"views": [result]}) or "✗" in words(result):
            raise Unexpected(f"the mailbox was not added: {words(result)[:600]}")
        self._say(f"The test has passed: “{title(result)}”")
        await self._marta.close(result)

    async def _answers(self) -> dict[str, str]:
        account = await self._marta.mailbox(_ADDRESS)
        return {
            "Account name": "Check",
            "E-mail address": account["address"],
            "Incoming server": account["pop"]["host"],
            "Port": str(account["pop"]["port"]),
            "Security": "TLS",
            "Username": account["username"],
            "Password": account["password"],
            "Outgoing server": account["smtp"]["host"],
            "Outgoing port": str(account["smtp"]["port"]),
            "Outgoing security": "TLS",
            "How much old mail to bring": "All",
        }

    async def _receive(self) -> None:
        for subject in _WELCOME:
            await self._arrival(subject)
        self._say(f"The {len(_WELCOME)} mails that lay in the maildrop are in the DM")
        for _ in range(3):
            await self._arrival(await self._send())
            self._say(f"Mail {len(self._sent)} is in the DM")

    async def _crash(self) -> None:
        """The worst moment: the post is in the DM, and the bot dies before it hears so."""
        await self._marta.leave_unanswered("chat.postMessage", _UNANSWERED_SECONDS)
        await self._arrival(await self._send())
        pid = self._demo.bot.pid
        await self._demo.bot.kill()
        self._say(
            f"Mail {len(self._sent)} is in the DM, Slack's answer kept back, the bot (process {pid}) killed by kill -9"
        )
        await self._send()
        self._say(f"Mail {len(self._sent)} is sent while nobody is there")
        await self._demo.bot.start()
        await self._demo.wait_connected()
        self._say(f"The bot is started again (process {self._demo.bot.pid}) and connected")
        for subject in (self._sent[-1], await self._send()):
            await self._arrival(subject)
        self._say(f"Mails 5 and {len(self._sent)} are in the DM")

    async def _verify(self) -> None:
        """Count, after doubles have had the time to show themselves."""
        await asyncio.sleep(_QUIET_SECONDS)
        posts = (await self._marta.state())["posts"]
        expected = [*_WELCOME, *self._sent]
        for subject in expected:
            times = sum(subject in words(post) for post in posts)
            if times != 1:
                raise Unexpected(f"“{subject}” is {times} times in the DM")
        order = [subject for post in posts for subject in expected if subject in words(post)]
        if order != expected:
            raise Unexpected(f"the mails are in another order: {', '.join(order)}")
        self._say(f"All {len(expected)} mails are in the DM exactly once and in order")

    async def _round_trip(self) -> None:
        """A mail is answered in Slack, and its sender answers that: all of it in one thread."""
        marta, subject = self._marta, f"Check {self._run}: are you there?"
        sender = {"from_name": "Zoe", "from_address": "zoe@elsewhere.example"}
        await marta.outside.write(_ADDRESS, subject, "Say something.\n", **sender)
        await self._arrival(subject)
        await marta.press("Reply", of=subject)
        form = await marta.until("The form of the reply", top_view_with_fields, _STEP_SECONDS)
        await marta.submit(form, {"Text": "*Yes*, here I am."})
        sent = await marta.outside.received(subject, _STEP_SECONDS)
        if "Yes, here I am." not in sent["text"] or not sent["in_reply_to"]:
            raise Unexpected(f"the reply that was sent is another: {sent['text'][:300]}")
        await self._in_thread(subject, "Sent")
        self._say("A reply written in Slack has reached its recipient, and its post says so")
        told = await marta.outside.answer(sent, "Good to hear.")
        await self._in_thread(subject, "Good to hear.")
        self._say(f"“{told['subject']}”, the answer to it, is in the same thread")

    async def _in_thread(self, subject: str, wanted: str) -> None:
        def found(shown: Json) -> Json | None:
            threads = [post for post in shown["posts"] if subject in words(post) and post["replies"]]
            return next((post for post in threads if wanted in words(post["replies"])), None)

        await self._marta.until(f"“{wanted}” in the thread of “{subject}”", found, _STEP_SECONDS)

    async def _send(self) -> str:
        subject = f"Check {self._run} number {len(self._sent) + 1}"
        self._sent.append(subject)
        await self._marta.send_mail(_ADDRESS, subject, "A numbered mail of the check.\n")
        return subject

    async def _arrival(self, subject: str) -> None:
        def found(shown: Json) -> Json | None:
            return next((post for post in shown["posts"] if subject in words(post)), None)

        await self._marta.until(f"The post of “{subject}”", found, _STEP_SECONDS)


def top_view_with_fields(shown: Json) -> Json | None:
    """The modal in front, when it is a form."""
    view = top_view(shown)
    return view if view and any(block["type"] == "input" for block in view["blocks"]) else None


def _after_testing(shown: Json) -> Json | None:
    """The modal in front, when it is neither the form as sent nor the test under way."""
    view = top_view(shown)
    if view is None:
        raise Unexpected("the modal has closed without a result")
    is_waiting = view["busy"] or title(view).startswith("Testing")
    return None if is_waiting else view
