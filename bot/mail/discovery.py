"""Finds the servers for an address: the table, then what DNS and the domain itself say, then a guess.

All are asked at once and have three seconds together; the best answer in that order counts, and a better one that
has come ends the wait for the others. Answers are kept for a while by domain. Nothing is ever tried with a password,
and nobody but DNS and the domain's own hosts is asked.

Privacy: DNS is told the domain alone. Mozilla's convention puts the whole address into the autoconfig request, as
`?emailaddress=`; it is left out here, since the answer's placeholders serve everybody in the domain, and so the local
part never leaves the bot before the person sends the form.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import structlog

from bot.errors import ServerUnreachable
from bot.mail import autoconfig, srv
from bot.mail.resolver import NoSuchDomain, NotAnswered
from bot.mail.suggestions import Offer, Source, Suggestion, by_provider, domain_of, settled

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable, Sequence

    from bot.mail.fetch import Fetcher
    from bot.mail.hosts import Hosts
    from bot.mail.providers import Provider, Providers
    from bot.mail.resolver import Resolver
    from storage.records import ServerAddress

log = structlog.get_logger(__name__)

BUDGET: Final = timedelta(seconds=3)
KEPT: Final = timedelta(hours=1)
KEPT_IF_POOR: Final = timedelta(minutes=5)
"""A guess, nothing at all, or what came of an incomplete answer: soon worth another question."""

MOST_KEPT: Final = 1000
AT_ONCE: Final = 16
PATHS: Final = (
    ("autoconfig.{}", "/mail/config-v1.1.xml"),
    ("{}", "/.well-known/autoconfig/mail/config-v1.1.xml"),
)

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class _Kept:
    suggestion: Suggestion | None
    until: datetime


class Discovery:
    """Finds servers, and remembers what it found.

    Args:
        hosts: judges every host that is asked, and every server that is found.
        clock: the time now, aware.
        budget: what all questions about an address may take together.
    """

    def __init__(
        self,
        providers: Providers,
        hosts: Hosts,
        resolver: Resolver,
        fetcher: Fetcher,
        clock: Callable[[], datetime],
        *,
        most_kept: int = MOST_KEPT,
        budget: timedelta = BUDGET,
    ) -> None:
        self._providers = providers
        self._hosts = hosts
        self._resolver = resolver
        self._fetcher = fetcher
        self._clock = clock
        self._most_kept = most_kept
        self._budget = budget
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._turns = asyncio.Semaphore(AT_ONCE)

    def known(self, address: str) -> Suggestion | None:
        """What can be said at once: what the table has, or what was found a while ago."""
        provider = self._providers.by_address(address)
        if provider is not None:
            return by_provider(provider)
        kept = self._remembered(domain_of(address) or "")
        return kept.suggestion if kept else None

    async def ask(self, address: str) -> Suggestion | None:
        """The best that can be said of an address within the budget.

        Returns:
            None when there is no such domain, or nothing in the address that could be one.
        """
        domain = domain_of(address)
        known = self.known(address)
        if known is not None or domain is None or self._remembered(domain):
            return known
        deadline = asyncio.get_running_loop().time() + self._budget.total_seconds()
        try:
            async with asyncio.timeout_at(deadline):
                await self._turns.acquire()
        except TimeoutError:
            return None
        try:
            suggestion, is_complete = await self._look_up(domain, deadline)
        finally:
            self._turns.release()
        self._keep(domain, suggestion, is_complete=is_complete)
        log.debug("servers_found", source=suggestion.source if suggestion else None, complete=is_complete)
        return suggestion

    async def _look_up(self, domain: str, deadline: float) -> tuple[Suggestion | None, bool]:
        """What the sources come to, and whether all of those that count have answered."""
        exchangers = _Question(self._by_exchangers(domain))
        questions: list[tuple[Source, _Question[Offer | None]]] = [
            (Source.SRV, _Question(self._by_services(domain))),
            *((Source.AUTOCONFIG, _Question(self._by_autoconfig(domain, *where))) for where in PATHS),
        ]
        try:
            provider = await exchangers.answer(deadline)
            if provider is not None:
                return by_provider(provider, Source.EXCHANGER), True
            offers, is_complete = await _offers(questions, deadline)
        except NoSuchDomain:
            return None, True
        finally:
            await _Question.end((exchangers, *(question for _, question in questions)))
        suggestion = settled(domain, offers, self._providers.by_host)
        return suggestion, is_complete and not exchangers.is_silent

    async def _by_exchangers(self, domain: str) -> Provider | None:
        exchangers = await self._resolver.exchangers(domain)
        if exchangers == [""]:  # RFC 7505: nobody has an address there
            raise NoSuchDomain
        return self._providers.by_exchangers(exchangers, domain)

    async def _by_services(self, domain: str) -> Offer | None:
        answers = await asyncio.gather(*(self._service(service, domain) for service in srv.SERVICES))
        records = {
            service: answer
            for service, answer in zip(srv.SERVICES, answers, strict=True)
            if answer is not None
        }
        if not records:
            raise NotAnswered
        return await self._usable(srv.offer(records))

    async def _service(self, service: str, domain: str) -> list[srv.Record] | None:
        try:
            return await self._resolver.services(service, domain)
        except NotAnswered:
            return None

    async def _by_autoconfig(self, domain: str, host: str, path: str) -> Offer | None:
        octets = await self._fetcher.document(host.format(domain), path)
        offer = autoconfig.offer(octets, domain, self._hosts.is_allowed) if octets else None
        return offer and await self._usable(offer)

    async def _usable(self, offer: Offer) -> Offer:
        """The offer without servers to which no connection would be made."""
        incoming, outgoing = await asyncio.gather(
            self._if_usable(offer.incoming), self._if_usable(offer.outgoing)
        )
        return replace(offer, incoming=incoming, outgoing=outgoing)

    async def _if_usable(self, server: ServerAddress | None) -> ServerAddress | None:
        if server is None or self._hosts.is_allowed(server.host):
            return server
        try:
            await self._hosts.pinned(server, resolve=self._resolver.getaddrinfo)
        except ServerUnreachable:
            return None
        return server

    def _remembered(self, domain: str) -> _Kept | None:
        kept = self._kept.get(domain)
        if kept is not None and kept.until <= self._clock():
            del self._kept[domain]
            return None
        return kept

    def _keep(self, domain: str, suggestion: Suggestion | None, *, is_complete: bool) -> None:
        is_poor = suggestion is None or suggestion.source is Source.GUESS or not is_complete
        self._kept[domain] = _Kept(suggestion, self._clock() + (KEPT_IF_POOR if is_poor else KEPT))
        self._kept.move_to_end(domain)
        while len(self._kept) > self._most_kept:
            self._kept.popitem(last=False)


async def _offers(
    questions: Sequence[tuple[Source, _Question[Offer | None]]], deadline: float
) -> tuple[list[tuple[Source, Offer]], bool]:
    """The offers in their order, as far as they have come, and whether each answered; one that says all ends the wait."""
    offers: list[tuple[Source, Offer]] = []
    for source, question in questions:
        offer = await question.answer(deadline)
        if offer is not None:
            offers.append((source, offer))
            if offer.incoming is not None and (offer.outgoing is not None or not offer.has_submission):
                break
    return offers, not any(question.is_silent for _, question in questions)


class _Question(Generic[Found]):
    """One source being asked, beside the others.

    Attributes:
        is_silent: it was waited for in vain, or could say nothing.
    """

    def __init__(self, asking: Coroutine[Any, Any, Found]) -> None:
        self._task = asyncio.create_task(asking)
        self.is_silent = False

    async def answer(self, deadline: float) -> Found | None:
        """The answer, if it comes before the deadline of the loop's clock."""
        patience = max(0.0, deadline - asyncio.get_running_loop().time())
        await asyncio.wait({self._task}, timeout=patience)
        try:
            if self._task.done():
                return self._task.result()
        except NotAnswered:
            pass
        self.is_silent = True
        return None

    @staticmethod
    async def end(questions: Iterable[_Question[Any]]) -> None:
        """Ask no further."""
        tasks = [question._task for question in questions]  # noqa: SLF001 - of this class
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
