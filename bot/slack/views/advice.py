"""What a person should know about their provider before the test tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

    from bot.mail.providers import Provider

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
_OAUTH_ONLY: Final = "{name} takes no passwords from mail programs any more, not even app passwords, so Mailbox cannot sign in there."
_NO_POP: Final = "{name} has no POP, so Mailbox cannot fetch mail from there."
_WHERE: Final = "Where to do that: {where}."
_INTERVAL: Final = "{name} asks not to be checked more than once in {minutes}; Mailbox keeps to that."


def advice(provider: Provider | None) -> tuple[str, ...]:
    """Sentences about a provider, not escaped; none about what is not known."""
    if provider is None:
        return ()
    name = provider.name.partition(" (")[0]
    if provider.pop_switch == "no_pop" or provider.auth == "none" or provider.incoming is None:
        return (_NO_POP.format(name=name),)
    if provider.auth == "oauth2_only":
        return (_OAUTH_ONLY.format(name=name),)
    found = [
        words.format(name=name)
        for words in (_AUTH.get(provider.auth), _SWITCH.get(provider.pop_switch))
        if words
    ]
    if found and provider.enable_where:
        found.append(_WHERE.format(where=provider.enable_where.rstrip(". ")))
    if provider.min_poll:
        found.append(_INTERVAL.format(name=name, minutes=_minutes(provider.min_poll)))
    return tuple(found)


def _minutes(interval: timedelta) -> str:
    """An interval in words."""
    minutes = -(-int(interval.total_seconds()) // 60)
    return "a minute" if minutes <= 1 else f"{minutes} minutes"
