"""Known mail providers: servers, sign-in and habits, looked up by address, by mail exchanger or by incoming server.

The table is `providers.csv` beside this file; each row names its source. Nothing here asks the network, and nothing
here speaks to a person: the words for advice stand with the views.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib import resources
from typing import TYPE_CHECKING, Literal, cast

from bot.mail.idn import to_ascii
from storage.records import Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_DOMAIN = "{domain}"


@dataclass(frozen=True, slots=True)
class Provider:
    """One row of the table.

    Attributes:
        incoming: None when the provider has no POP at all.
        outgoing: None when it lets no other program send.
        username: what the servers want: the whole address or the part before the @.
        auth: how one signs in, such as `password`, `app_password` or `oauth2_only`.
        pop_switch: whether POP must be switched on first, such as `must_enable` or `always_on`.
        enable_where: where that switch or the app password is found; may be empty.
        min_poll: the provider's documented minimum between polls.
        suggested_poll: a polite interval.
        app_password_link: where an app password is made; may be empty.
        pop_link: where POP is switched on; may be empty.
        refused_since: the month since which it refuses passwords, as YYYY-MM; may be empty.
        hides_fetched: a message once fetched is not listed again, by whatever program it was fetched.
    """

    id: str
    name: str
    incoming: ServerAddress | None
    outgoing: ServerAddress | None
    username: Literal["email", "localpart"]
    auth: str
    pop_switch: str
    enable_where: str
    min_poll: timedelta | None
    suggested_poll: timedelta | None
    app_password_link: str
    pop_link: str
    refused_since: str
    hides_fetched: bool

    @property
    def takes_passwords(self) -> bool:
        """A password of some kind opens a maildrop there."""
        return self.incoming is not None and self.auth not in {"none", "oauth2_only"}


class Providers:
    """The table, indexed.

    Args:
        text: the CSV with its header line.
    """

    def __init__(self, text: str) -> None:
        self._by_domain: dict[str, Provider] = {}
        self._by_host: dict[str, Provider] = {}
        self._by_id: dict[str, Provider] = {}
        self._by_exchanger: dict[str, list[Provider]] = {}
        self._only_by_exchanger: set[str] = set()
        for row in csv.DictReader(text.splitlines()):
            self._add(row)

    def by_address(self, address: str) -> Provider | None:
        """The provider of an address's domain, in any case and in Unicode or its ASCII form."""
        local_part, at, domain = address.strip().rpartition("@")
        name = ascii_name(domain)
        return self._by_domain.get(name) if local_part and at and name else None

    def by_host(self, host: str) -> Provider | None:
        """The provider that runs this incoming server; the first row where several share it."""
        name = ascii_name(host)
        return self._by_host.get(name) if name else None

    def by_id(self, provider_id: str) -> Provider | None:
        """The provider of a row; where its servers are named after a domain, that stays a placeholder."""
        return self._by_id.get(provider_id)

    def by_exchangers(self, exchangers: Iterable[str], domain: str) -> Provider | None:
        """The provider that receives a domain's mail, its servers named after that domain where they are.

        The longest suffix in whole labels counts. Where several rows share it, the one for domains of one's own
        does; where none or several are for those, nobody can tell.
        """
        for exchanger in exchangers:
            for suffix in _suffixes(ascii_name(exchanger) or ""):
                if suffix in self._by_exchanger:
                    return self._own_domain(self._by_exchanger[suffix], domain)
        return None

    def _own_domain(self, sharing: Sequence[Provider], domain: str) -> Provider | None:
        for_own = [provider for provider in sharing if provider.id in self._only_by_exchanger]
        found = for_own or sharing
        return _at_domain(found[0], domain) if len(found) == 1 else None

    def __iter__(self) -> Iterator[Provider]:
        """Each provider that can be found by an address, once per domain it serves."""
        return iter(self._by_domain.values())

    def _add(self, row: dict[str, str]) -> None:
        provider = _provider(row)
        self._by_id[provider.id] = provider
        if not row["domains"]:
            self._only_by_exchanger.add(provider.id)
        for suffix in filter(None, row["mx_suffixes"].split(";")):
            self._by_exchanger.setdefault(suffix, []).append(provider)
        if provider.incoming and _DOMAIN not in provider.incoming.host:
            self._by_host.setdefault(provider.incoming.host, provider)
        for listed in filter(None, row["domains"].split(";")):
            domain = ascii_name(listed)
            if domain is None or domain in self._by_domain:
                raise ValueError(f"providers.csv: domain {listed!r} is twice there or no domain")
            at_home = _at_domain(provider, domain)
            self._by_domain[domain] = at_home
            if at_home.incoming:
                self._by_host.setdefault(at_home.incoming.host, at_home)


def load() -> Providers:
    """The table that comes with the program."""
    return Providers(resources.files("bot.mail").joinpath("providers.csv").read_text("utf-8"))


def _provider(row: dict[str, str]) -> Provider:
    return Provider(
        id=row["id"],
        name=row["name"],
        incoming=_server(row, "pop"),
        outgoing=_server(row, "smtp"),
        username=cast("Literal['email', 'localpart']", row["username"] or "email"),
        auth=row["auth"],
        pop_switch=row["pop_switch"],
        enable_where=row["enable_where"],
        min_poll=_minutes(row["min_poll_minutes_documented"]),
        suggested_poll=_minutes(row["poll_minutes_suggested"]),
        app_password_link=row["app_password_link"],
        pop_link=row["pop_link"],
        refused_since=row["passwords_refused_since"],
        hides_fetched=row["hides_fetched"] == "yes",
    )


def _server(row: dict[str, str], kind: Literal["pop", "smtp"]) -> ServerAddress | None:
    """A row with no host, or with security `none`, offers nothing: the table holds no unprotected server."""
    host, security = row[f"{kind}_host"], row[f"{kind}_security"]
    if not host or security in {"", "none"}:
        return None
    return ServerAddress(host, int(row[f"{kind}_port"]), Security(security))


def _minutes(text: str) -> timedelta | None:
    return timedelta(minutes=int(text)) if text else None


def _suffixes(name: str) -> Iterator[str]:
    """A name and what is left of it as labels are taken away in front."""
    while name:
        yield name
        name = name.partition(".")[2]


def _at_domain(provider: Provider, domain: str) -> Provider:
    return replace(
        provider,
        incoming=_host_at(provider.incoming, domain),
        outgoing=_host_at(provider.outgoing, domain),
    )


def _host_at(server: ServerAddress | None, domain: str) -> ServerAddress | None:
    return server and replace(server, host=server.host.replace(_DOMAIN, domain))


def ascii_name(name: str) -> str | None:
    """A domain name as DNS compares it, None when it is none."""
    try:
        ascii_name = to_ascii(name.strip().lower().removesuffix("."))
    except UnicodeError:
        return None
    return ascii_name or None
