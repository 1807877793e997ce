"""The mail server's side for a programmatic person: correspondents outside, and what goes wrong on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from bot.sandbox.filling import Unexpected

if TYPE_CHECKING:
    import aiohttp

    from bot.sandbox.filling import Json

_LOOK_SECONDS: Final = 0.1


class Correspondents:
    """Everybody outside, as the page lets one act for them."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = f"{url}/sandbox/api/mail"

    async def sent(self) -> list[Json]:
        """What went outside, the newest last."""
        async with self._session.get(f"{self._url}/outside") as response:
            mails: list[Json] = (await response.json())["mails"]
            return mails

    async def received(self, subject: str, seconds: float) -> Json:
        """The newest mail outside with these words in its subject, waited for.

        Raises:
            Unexpected: it did not come in time.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    found = [one for one in await self.sent() if subject in one["subject"]]
                    if found:
                        return found[-1]
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise Unexpected(f"no mail “{subject}” went outside within {seconds:.0f} s") from None

    async def source(self, mail_id: str) -> bytes:
        """The octets of a mail that went outside."""
        async with self._session.get(f"{self._url}/outside/source", params={"id": mail_id}) as response:
            return await response.read()

    async def answer(self, mail: Json, text: str, *, address: str = "", to_all: bool = False) -> Json:
        """Answer a mail; gives back `message_id`, `subject` and `uids` of what then lies in the maildrops.

        Args:
            address: who answers; the first of those outside who got it, unless something else is said.

        Raises:
            Unexpected: the mail did not go there.
        """
        order = {"id": mail["id"], "as": address or mail["recipients"][0], "text": text, "to_all": to_all}
        return await self._post("outside/answer", order)

    async def write(self, to: str, subject: str, text: str, **more: object) -> None:
        """Write an e-mail to somebody here.

        Args:
            more: `from_name`, `from_address`, `html`, `headers`, `attachments` of the page's call.
        """
        mail = {"from_name": "Check", "from_address": "check@elsewhere.example", **more}
        await self._post("", {**mail, "to": to, "subject": subject, "text": text})

    async def fault(self, kind: str, *, is_on: bool, address: str = "", seconds: float | None = None) -> None:
        """Switch a fault of the mail servers, or of one maildrop.

        Raises:
            Unexpected: there is no such fault there.
        """
        order = {"kind": kind, "on": is_on, "address": address or None, "seconds": seconds}
        await self._post("faults", {name: value for name, value in order.items() if value is not None})

    async def _post(self, call: str, body: Json) -> Json:
        async with self._session.post(f"{self._url}/{call}".rstrip("/"), json=body) as response:
            answer: Json = await response.json()
        if not answer.get("ok"):
            raise Unexpected(f"mail {call}: {answer.get('error')}")
        return answer
