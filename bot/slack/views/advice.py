"""What a person should know about their provider and the proposed servers before the test tells them.

Every sentence comes from the table or from what a domain publishes; what is not known is not said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.suggestions import Source
from bot.slack import names
from bot.slack.views.fields import lines
from bot.slack.views.words import Block, actions, button, plain, section

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from bot.mail.providers import Provider
    from bot.slack.drafts import Draft

_APP_PASSWORD: Final = "{name} wants an app password here, not the password you sign in with."  # noqa: S105 - a sentence
_AUTH: Final = {
    "app_password": _APP_PASSWORD,
    "app_password_or_oauth2": _APP_PASSWORD,
    "password_or_app_password": "With two-step sign-in, {name} wants an app password here.",
    "authorisation_code": "{name} wants an authorisation code here as the password, not the password you sign in with.",
}
_SWITCH: Final = {
    "must_enable": "POP must be switched on at {name} first.",
    "must_enable_admin_may_block": "POP must be switched on at {name} first; your administrator may have to allow it.",
    "must_enable_not_on_free_plan": "POP must be switched on at {name} first; free plans do not have it.",
    "must_enable_paid_plan": "POP must be switched on at {name} first; only paid plans have it.",
    "paid_plan": "At {name}, only paid plans have POP.",
    "admin_may_block": "Your administrator may have to allow POP at {name}.",
    "needs_separate_password": "{name} wants its own password for mail programs here, set apart from the one you sign in with.",
}
_OAUTH_ONLY: Final = "{name} takes no passwords from mail programs any more, not even app passwords, so Mailbox cannot sign in there and asks for none."
_OAUTH_ONLY_SINCE: Final = "Since {since}, {name} takes no passwords from mail programs, not even app passwords, so Mailbox cannot sign in there and asks for none."
_NO_POP: Final = "{name} has no POP, so Mailbox cannot fetch mail from there and asks for no password."
_INSTEAD: Final = "What you can do: let {name} forward your mail to a mailbox elsewhere, if it offers that, and add that mailbox here."
_HIDES_FETCHED: Final = (
    "{name} hands each message to mail programs only once: what another program has fetched by POP does not come here, "
    "and what Mailbox has fetched does not come there."
)
_WHERE: Final = "Where to do that: {where}."
_INTERVAL: Final = "{name} asks not to be checked more than once in {minutes}; Mailbox keeps to that."

_PUBLISHED: Final = "The servers below are the ones that the domain of this address names itself."
_ORIGIN: Final = {
    Source.SRV: _PUBLISHED,
    Source.AUTOCONFIG: _PUBLISHED,
    Source.GUESS: "The servers below are only a guess from the address. Check them with whoever runs your e-mail, or just try.",
}
_DOMAIN_HAS_NO_POP: Final = "The domain of this address says that it offers no POP, so Mailbox cannot fetch mail from there and asks for no password."

_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def advice(provider: Provider | None) -> tuple[str, ...]:
    """Sentences about a provider, not escaped; none about what is not known."""
    if provider is None:
        return ()
    name = _name(provider)
    if not provider.takes_passwords:
        return _refusal(provider), _INSTEAD.format(name=name)
    found = [
        words.format(name=name)
        for words in (_AUTH.get(provider.auth), _SWITCH.get(provider.pop_switch))
        if words
    ]
    if found and provider.enable_where:
        found.append(_WHERE.format(where=provider.enable_where.rstrip(". ")))
    if provider.hides_fetched:
        found.append(_HIDES_FETCHED.format(name=name))
    if provider.min_poll:
        found.append(_INTERVAL.format(name=name, minutes=_minutes(provider.min_poll)))
    return tuple(found)


def advice_blocks(draft: Draft, provider: Provider | None) -> list[Block]:
    """What stands below the address: where the servers come from, what the provider needs, and its pages for that."""
    said = (*_origin(draft), *advice(provider))
    blocks = [section(plain(lines(said)), block_id="advice")] if said else []
    links = list(_links(provider)) if provider is not None and provider.takes_passwords else []
    if links:
        blocks.append({**actions(*links), "block_id": "advice_links"})
    return blocks


def asks_password(draft: Draft, provider: Provider | None) -> bool:
    """Whether a password is of any use: not where the server proposed takes none, nor where there is no server."""
    takes = provider is None or provider.takes_passwords
    if takes and draft.source != Source.NO_POP:
        return True
    theirs = provider.incoming.host if provider and provider.incoming else ""
    return draft.text(names.INCOMING_SERVER).strip().lower() not in {"", theirs}


def no_way_in(provider: Provider | None) -> str:
    """Why a form without a password field cannot be sent."""
    refusal = _DOMAIN_HAS_NO_POP if provider is None else _refusal(provider)
    return f"{refusal} Enter the address of another mailbox."


def _refusal(provider: Provider) -> str:
    """Why no password helps."""
    name = _name(provider)
    if provider.auth != "oauth2_only" or provider.incoming is None:
        return _NO_POP.format(name=name)
    if not provider.refused_since:
        return _OAUTH_ONLY.format(name=name)
    return _OAUTH_ONLY_SINCE.format(name=name, since=_month(provider.refused_since))


def _origin(draft: Draft) -> Iterator[str]:
    """Where the servers shown come from, while one of them still shows what was filled in."""
    is_shown = not draft.filled.isdisjoint({names.INCOMING_SERVER, names.OUTGOING_SERVER})
    if draft.source == Source.NO_POP:
        yield _DOMAIN_HAS_NO_POP
    elif is_shown and draft.source in _ORIGIN:
        yield _ORIGIN[Source(draft.source)]


def _links(provider: Provider) -> Iterator[Block]:
    """Buttons to the provider's own pages."""
    if provider.app_password_link:
        yield {
            **button("Make an app password", names.APP_PASSWORD_LINK),
            "url": provider.app_password_link,
        }
    if provider.pop_link:
        yield {**button("Switch POP on", names.POP_LINK), "url": provider.pop_link}


def _name(provider: Provider) -> str:
    """What people call the provider: its first name, without what tells it apart from other rows."""
    return provider.name.partition(" (")[0].partition(" / ")[0]


def _month(month: str) -> str:
    """A month of the table, YYYY-MM, in words."""
    year, _, number = month.partition("-")
    return f"{_MONTHS[int(number) - 1]} {year}"


def _minutes(interval: timedelta) -> str:
    """An interval in words."""
    minutes = -(-int(interval.total_seconds()) // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"
