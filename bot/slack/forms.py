"""View state to typed forms, or errors by block id.

Trims and checks what a person typed; every error is one sentence that says what to do. No I/O; passwords come out
as `Secret` and stand in no error.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot import retention
from bot.slack import names
from bot.slack.checks import (
    OWN_LINE,
    Fault,
    account_name,
    delete_days,
    email_address,
    has_controls,
    host_name,
    login_name,
    port_number,
)
from bot.slack.drafts import PASSWORD_LIMIT, Typed, typed
from storage.delivery import AT_ONCE, Calm, Delivery
from storage.records import OldMail, Profile, Retention, Secret, Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bot.retention import WhyNot

    Allowed = Callable[[str, str], tuple[tuple[Retention, WhyNot | None], ...]]

Errors = dict[str, str]
"""A sentence by the block id of the field it belongs to, as Slack wants it."""


_LINK: Final = re.compile(r"<mailto:[^|>]*\|([^>]*)>")

_WRONG_CHOICE: Final = "Choose one of the options in the list."
_WRONG_HOUR: Final = "Choose an hour from the list."

_Choice = TypeVar("_Choice", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class MailboxForm:
    """A checked add or edit form.

    Attributes:
        incoming_password: None means the one typed before, else the stored one.
        outgoing_password: None means the same, or that none is needed.
    """

    profile: Profile
    incoming_password: Secret | None
    outgoing_password: Secret | None
    retention: Retention
    delete_days: int | None
    old_mail: OldMail
    make_active: bool
    calm: Calm = AT_ONCE


@dataclass(frozen=True, slots=True)
class PasswordForm:
    """A checked password form; None for a password that is not changed, or was typed before."""

    incoming: Secret | None
    outgoing: Secret | None


class _Reader:
    """Reads fields one by one and gathers what is wrong with them."""

    def __init__(self, values: Mapping[str, Any] | None) -> None:
        self._fields = typed(values)
        self.errors: Errors = {}

    def has(self, name: str) -> bool:
        """The field is part of the form."""
        return name in self._fields

    def raw(self, name: str) -> str:
        """A field as typed; "" when it is missing."""
        return self._field(name).text

    def text(self, name: str) -> str:
        """A field without the white space around it."""
        return self.raw(name).strip()

    def fault(self, name: str, sentence: str) -> None:
        """Notes what is wrong with a field; the first fault of a field stays."""
        self.errors.setdefault(self._field(name).block_id, sentence)

    def checked(self, name: str, check: Callable[[str], str]) -> str:
        """A field after its check, or "" and a fault."""
        try:
            return check(self.text(name))
        except Fault as fault:
            self.fault(name, str(fault))
            return ""

    def choice(self, name: str, default: _Choice) -> _Choice:
        """An option; the default, which is the careful one, where the field is missing."""
        chosen = self.text(name)
        try:
            return type(default)(chosen) if chosen else default
        except ValueError:
            self.fault(name, _WRONG_CHOICE)
            return default

    def hour(self, name: str) -> int:
        """An hour of the day."""
        chosen = self.text(name)
        if chosen.isascii() and chosen.isdigit() and len(chosen) <= 2 and int(chosen) < 24:
            return int(chosen)
        self.fault(name, _WRONG_HOUR)
        return 0

    def _field(self, name: str) -> Typed:
        return self._fields.get(name, Typed(name, ""))


def parse_mailbox(
    values: Mapping[str, Any] | None,
    *,
    is_edit: bool,
    has_stored_password: bool,
    has_typed_before: bool,
    allows_plain: Callable[[str], bool],
    has_outgoing_password: bool = False,
    has_typed_outgoing: bool = False,
    stored: Profile | None = None,
    allowed: Allowed = lambda _host, username: retention.allowed_retentions(None, username),
) -> MailboxForm | Errors:
    """The add or edit form as typed, or what is wrong with it.

    Args:
        values: `view.state.values`; anything in it may be missing or null.
        is_edit: the form changes a mailbox; only then a stored password may stand in.
        has_stored_password: an empty password field keeps the incoming password in the vault.
        has_typed_before: an empty password field means the one typed in the last ten minutes.
        allows_plain: may this host be used without encryption?
        has_outgoing_password: an outgoing password of its own is stored or was typed before.
        has_typed_outgoing: it was typed in the last ten minutes.
        allowed: every delete setting for a host and a user name, and why it cannot be had.
        stored: the settings for which the passwords in the vault were entered: they are not let out to another host.
    """
    reader = _Reader(values)
    name = reader.checked(names.NAME, account_name)
    address = reader.checked(names.ADDRESS, email_address)
    incoming = _server(
        reader, names.INCOMING_SERVER, names.INCOMING_PORT, names.INCOMING_SECURITY, allows_plain
    )
    username = _username(reader, incoming.host)
    keeps = has_typed_before or (is_edit and has_stored_password)
    password = _password(reader, names.INCOMING_PASSWORD, may_be_empty=keeps)
    outgoing = _outgoing(reader, allows_plain)
    outgoing_username, outgoing_password = _outgoing_credentials(
        reader, outgoing, has_password=has_outgoing_password
    )
    profile = Profile(name, address, incoming, username, outgoing, outgoing_username)
    if stored is not None:
        keeps_incoming = password is None and not has_typed_before
        keeps_outgoing = outgoing_password is None and not has_typed_outgoing
        _guard_stored(reader, profile, stored, keeps_incoming=keeps_incoming, keeps_outgoing=keeps_outgoing)
    form = MailboxForm(
        profile=profile,
        incoming_password=password,
        outgoing_password=outgoing_password,
        **_deleting(reader, allowed(incoming.host, username)),
        old_mail=reader.choice(names.OLD_MAIL, OldMail.LAST_50),
        make_active=reader.text(names.MAKE_ACTIVE) != names.NO,
        calm=_calm(reader),
    )
    return reader.errors or form


def parse_passwords(values: Mapping[str, Any] | None, *, has_typed_before: bool) -> PasswordForm | Errors:
    """The new passwords, or errors by block id; at least one is new.

    Args:
        has_typed_before: empty fields mean what was typed in the last ten minutes.
    """
    reader = _Reader(values)
    has_both = reader.has(names.OUTGOING_PASSWORD)
    if has_both and not reader.has(names.INCOMING_PASSWORD):
        alone = _password(reader, names.OUTGOING_PASSWORD, may_be_empty=has_typed_before)
        return reader.errors or PasswordForm(None, alone)
    is_one_typed = reader.raw(names.OUTGOING_PASSWORD) != "" or has_typed_before
    incoming = _password(reader, names.INCOMING_PASSWORD, may_be_empty=is_one_typed)
    outgoing = _password(reader, names.OUTGOING_PASSWORD, may_be_empty=True) if has_both else None
    return reader.errors or PasswordForm(incoming, outgoing)


def parse_command(text: str | None) -> tuple[str, str]:
    """The first word of a slash command in lower case, other names for it resolved, and the rest as typed.

    No word at all is "list". Slack may have turned an address into a link; the address comes back.
    """
    word, _, rest = " ".join((text or "").split()).partition(" ")
    word = word.lower()
    return names.SYNONYMS.get(word, word) or names.LIST, _LINK.sub(r"\1", rest)


def _server(
    reader: _Reader,
    host_field: str,
    port_field: str,
    security_field: str,
    allows_plain: Callable[[str], bool],
) -> ServerAddress:
    """One server; what is wrong with it is noted in the reader."""
    host = reader.checked(host_field, host_name)
    port = reader.checked(port_field, port_number)
    security = reader.choice(security_field, Security.TLS)
    if security is Security.NONE and host and not allows_plain(host):
        reader.fault(
            security_field,
            "Choose TLS or STARTTLS: without encryption, anyone on the way could read your password.",
        )
    return ServerAddress(host, int(port or 0), security)


def _outgoing(reader: _Reader, allows_plain: Callable[[str], bool]) -> ServerAddress | None:
    """The outgoing server, or None when the mailbox only receives."""
    if reader.text(names.RECEIVING_ONLY) == names.YES:
        return None
    if reader.text(names.OUTGOING_SERVER):
        return _server(
            reader, names.OUTGOING_SERVER, names.OUTGOING_PORT, names.OUTGOING_SECURITY, allows_plain
        )
    if not _is_same(reader) and (reader.text(names.OUTGOING_USERNAME) or reader.raw(names.OUTGOING_PASSWORD)):
        reader.fault(
            names.OUTGOING_SERVER,
            "Enter the outgoing server, or empty the outgoing user name and password to only receive.",
        )
    return None


def _username(reader: _Reader, host: str) -> str:
    """The incoming user name, with `recent:` before it where that was ticked and the server knows it."""
    username = reader.checked(names.USERNAME, login_name)
    if username and reader.text(names.RECENT) == names.YES and retention.knows_recent(host):
        return retention.with_recent(username)
    return username


def _deleting(reader: _Reader, allowed: tuple[tuple[Retention, WhyNot | None], ...]) -> dict[str, Any]:
    """The delete setting and its days, by their names in the form."""
    chosen = reader.choice(names.RETENTION, Retention.LEAVE)
    why_not = dict(allowed)[chosen]
    if why_not is not None:
        reader.fault(names.RETENTION, retention.WORDS[why_not])
    days = None
    if chosen is Retention.DELETE_LATER:
        days = int(reader.checked(names.DELETE_DAYS, delete_days) or 0)
    return {"retention": chosen, "delete_days": days}


def parse_retention(
    values: Mapping[str, Any] | None, allowed: tuple[tuple[Retention, WhyNot | None], ...]
) -> tuple[Retention, int | None, Errors]:
    """The delete setting alone and its days, and what is wrong with them, by block id."""
    reader = _Reader(values)
    found = _deleting(reader, allowed)
    return found["retention"], found["delete_days"], reader.errors


def _calm(reader: _Reader) -> Calm:
    """When messages come; a form without these fields asks for each at once."""
    delivery = reader.choice(names.DELIVERY, Delivery.EACH)
    daily_hour = reader.hour(names.DAILY_HOUR) if delivery is Delivery.DAILY else None
    if reader.text(names.QUIET_FROM) in {"", names.NO}:
        return Calm(delivery, daily_hour)
    start, end = reader.hour(names.QUIET_FROM), reader.hour(names.QUIET_TO)
    return Calm(delivery, daily_hour) if start == end else Calm(delivery, daily_hour, start, end)


def _is_same(reader: _Reader) -> bool:
    """One pair of credentials serves both servers; a form without the box says nothing against it."""
    return not reader.has(names.SAME_CREDENTIALS) or reader.text(names.SAME_CREDENTIALS) == names.YES


def _outgoing_credentials(
    reader: _Reader, outgoing: ServerAddress | None, *, has_password: bool
) -> tuple[str | None, Secret | None]:
    """Username and password of the outgoing server, where it has its own."""
    if outgoing is None or _is_same(reader):
        return None, None
    username = reader.checked(names.OUTGOING_USERNAME, login_name)
    return username, _password(reader, names.OUTGOING_PASSWORD, may_be_empty=has_password)


def _guard_stored(
    reader: _Reader,
    profile: Profile,
    stored: Profile,
    *,
    keeps_incoming: bool,
    keeps_outgoing: bool,
) -> None:
    """A stored password goes only where its owner sent it: who borrows a Slack session must not lead it elsewhere."""
    sentence = "Enter the password again: a stored one is only used with the server it was entered for."
    if keeps_incoming and _leads_elsewhere(profile.incoming, stored.incoming):
        reader.fault(names.INCOMING_PASSWORD, sentence)
    if profile.outgoing is None or not _leads_elsewhere(profile.outgoing, stored.outgoing):
        return
    if profile.outgoing_username is None and keeps_incoming:
        reader.fault(names.INCOMING_PASSWORD, sentence)
    if profile.outgoing_username is not None and keeps_outgoing:
        reader.fault(names.OUTGOING_PASSWORD, sentence)


def _leads_elsewhere(server: ServerAddress, stored: ServerAddress | None) -> bool:
    """Another host than the stored one, or the same without its encryption."""
    if stored is None or server.host.lower() != stored.host.lower():
        return True
    return server.security is Security.NONE and stored.security is not Security.NONE


def _password(reader: _Reader, name: str, *, may_be_empty: bool) -> Secret | None:
    """A password exactly as typed: white space around it may belong to it."""
    password = reader.raw(name)
    if not password:
        if not may_be_empty:
            reader.fault(name, "Enter the password.")
        return None
    if len(password) > PASSWORD_LIMIT:
        reader.fault(name, f"Enter a password of at most {PASSWORD_LIMIT} characters.")
    elif has_controls(password):
        reader.fault(name, OWN_LINE)
    return Secret(password)
