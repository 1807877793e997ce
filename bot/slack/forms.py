"""View state to typed forms, or errors by block id.

Trims and checks what a person typed; every error is one sentence that says what to do. No I/O; passwords come out
as `Secret` and stand in no error.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Any, Final, TypeVar

from bot.slack import names
from bot.slack.drafts import ADDRESS_LIMIT, NAME_LIMIT, PASSWORD_LIMIT, USERNAME_LIMIT, Typed, typed
from storage.records import OldMail, Profile, Retention, Secret, Security, ServerAddress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Errors = dict[str, str]
"""A sentence by the block id of the field it belongs to, as Slack wants it."""

LOCAL_PART_LIMIT: Final = 64  # octets, RFC 5321 section 4.5.3.1.1
HOST_LIMIT: Final = 253

_SCHEME: Final = re.compile(r"^(?:pops?|pop3s?|smtps?|submissions?|ssl|tls|mail)://", re.IGNORECASE)
_LINK: Final = re.compile(r"<mailto:[^|>]*\|([^>]*)>")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NEVER_IN_LOCAL_PART: Final = re.compile(r'[\s"(),:;<>\[\]\\]')
# Cc: line breaks, NUL and the rest; Cs: halves of characters that no encoding can send; Zl, Zp: line breaks again.
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})

_OWN_LINE: Final = "Enter this on one line, without line breaks or control characters."
_WRONG_CHOICE: Final = "Choose one of the options in the list."

_Choice = TypeVar("_Choice", bound=StrEnum)


class _Fault(ValueError):
    """What is wrong with one text, as a sentence for the person."""


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
    old_mail: OldMail
    make_active: bool


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
        except _Fault as fault:
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
        stored: the settings for which the passwords in the vault were entered: they are not let out to another host.
    """
    reader = _Reader(values)
    name = reader.checked(names.NAME, account_name)
    address = reader.checked(names.ADDRESS, email_address)
    incoming = _server(
        reader, names.INCOMING_SERVER, names.INCOMING_PORT, names.INCOMING_SECURITY, allows_plain
    )
    username = reader.checked(names.USERNAME, login_name)
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
        retention=reader.choice(names.RETENTION, Retention.LEAVE),
        old_mail=reader.choice(names.OLD_MAIL, OldMail.LAST_50),
        make_active=reader.text(names.MAKE_ACTIVE) != names.NO,
    )
    return reader.errors or form


def parse_password(values: Mapping[str, Any] | None, *, has_typed_before: bool) -> Secret | Errors | None:
    """The new password, None for the one typed before, or errors by block id."""
    reader = _Reader(values)
    password = _password(reader, names.INCOMING_PASSWORD, may_be_empty=has_typed_before)
    return reader.errors or password


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
    elif _has_controls(password):
        reader.fault(name, _OWN_LINE)
    return Secret(password)


def _has_controls(text: str) -> bool:
    """The text holds what no line of a mail protocol may hold."""
    return any(unicodedata.category(character) in _CONTROLS for character in text)


def account_name(text: str) -> str:
    """A name for the mailbox."""
    if not text:
        raise _Fault("Enter a name for this mailbox, such as Work.")
    if len(text) > NAME_LIMIT:
        raise _Fault(f"Enter a shorter name, of at most {NAME_LIMIT} characters.")
    if _has_controls(text):
        raise _Fault(_OWN_LINE)
    return text


def login_name(text: str) -> str:
    """What a server is given as user name."""
    if not text:
        raise _Fault("Enter the user name for the mail server; mostly it is the e-mail address.")
    if len(text) > USERNAME_LIMIT:
        raise _Fault(f"Enter a user name of at most {USERNAME_LIMIT} characters.")
    if _has_controls(text):
        raise _Fault(_OWN_LINE)
    return text


def email_address(text: str) -> str:
    """An address with one @, in any script; the domain in the writer's own spelling."""
    if not text:
        raise _Fault("Enter the e-mail address, such as you@example.com.")
    if _has_controls(text):
        raise _Fault(_OWN_LINE)
    local_part, at, domain = text.partition("@")
    if not at or not local_part or "@" in domain or _NEVER_IN_LOCAL_PART.search(local_part):
        raise _Fault("Enter only the e-mail address, with one @ and no spaces, such as you@example.com.")
    if len(text.encode()) > ADDRESS_LIMIT or len(local_part.encode()) > LOCAL_PART_LIMIT:
        raise _Fault(
            f"Enter a shorter e-mail address: at most {LOCAL_PART_LIMIT} characters before the @, {ADDRESS_LIMIT} in all."
        )
    if not _is_host(domain.removeprefix("[").removesuffix("]") if domain.startswith("[") else domain):
        raise _Fault("Check the part after the @: it should look like example.com.")
    return text


def host_name(text: str) -> str:
    """A server's name or address, in lower case, without the scheme and the final dot people paste with it."""
    if not text:
        raise _Fault("Enter the server's name, such as mail.example.com.")
    if _has_controls(text):
        raise _Fault(_OWN_LINE)
    host = _SCHEME.sub("", text)
    if host != text:
        host = host.removesuffix("/")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    host = host.removesuffix(".").lower()
    if "@" in host:
        raise _Fault(
            "Enter only the server's name, such as mail.example.com; the user name has its own field."
        )
    if re.search(r"[/\\?#]", host):
        raise _Fault(
            "Enter only the server's name, such as mail.example.com, without a web address around it."
        )
    if re.fullmatch(r"[^:]+:\d*|\[.*\]:\d*", host):
        raise _Fault("Enter only the server's name here; the port has its own field.")
    if not _is_host(host):
        raise _Fault("Check the server's name: it should look like mail.example.com, or be an IP address.")
    return host


def _is_host(host: str) -> bool:
    """A name that could be looked up, or an IP address as commonly written."""
    return _is_address(host) or _is_name(host)


def _is_address(host: str) -> bool:
    try:
        address = ip_address(host)
    except ValueError:
        return False
    # "fe80::1%eth0" names an interface of our machine, which is nobody's mail server.
    return not (isinstance(address, IPv6Address) and address.scope_id)


def _is_name(host: str) -> bool:
    """Labels that the name system takes; a number at the end would be a mistyped address."""
    if len(host) > HOST_LIMIT:
        return False
    try:
        ascii_name = host.encode("idna").decode("ascii")
    except UnicodeError:
        return False
    labels = ascii_name.split(".")
    if (
        len(ascii_name) > HOST_LIMIT
        or labels[-1].isdigit()
        or re.fullmatch(r"0x[0-9a-f]*", labels[-1], re.IGNORECASE)
    ):
        return False
    return all(_LABEL.fullmatch(label) for label in labels)


def port_number(text: str) -> str:
    """A port as digits."""
    if not text:
        raise _Fault("Enter the port; for POP3 it is mostly 995, for sending 465 or 587.")
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise _Fault("Enter a port between 1 and 65535; for POP3 it is mostly 995, for sending 465 or 587.")
    return text
