"""What a person may type into one field, and the sentence that says what is wrong with it. Pure."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import IPv6Address, ip_address
from typing import Final

from bot.mail.idn import to_ascii
from bot.plan import MOST_DELETE_DAYS
from bot.slack.drafts import ADDRESS_LIMIT, NAME_LIMIT, USERNAME_LIMIT

LOCAL_PART_LIMIT: Final = 64  # octets, RFC 5321 section 4.5.3.1.1
HOST_LIMIT: Final = 253
_SCHEME: Final = re.compile(r"^(?:pops?|pop3s?|smtps?|submissions?|ssl|tls|mail)://", re.IGNORECASE)
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)
_NEVER_IN_LOCAL_PART: Final = re.compile(r'[\s"(),:;<>\[\]\\]')
# Cc: line breaks, NUL and the rest; Cs: halves of characters that no encoding can send; Zl, Zp: line breaks again.
_CONTROLS: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})
OWN_LINE: Final = "Enter this on one line, without line breaks or control characters."
DOMAIN: Final = "Check the part after the @: it should look like example.com."


class Fault(ValueError):
    """What is wrong with one text, as a sentence for the person."""


def has_controls(text: str) -> bool:
    """The text holds what no line of a mail protocol may hold."""
    return any(unicodedata.category(character) in _CONTROLS for character in text)


def account_name(text: str) -> str:
    """A name for the mailbox."""
    if not text:
        raise Fault("Enter a name for this mailbox, such as Work.")
    if len(text) > NAME_LIMIT:
        raise Fault(f"Enter a shorter name, of at most {NAME_LIMIT} characters.")
    if has_controls(text):
        raise Fault(OWN_LINE)
    return text


def login_name(text: str) -> str:
    """What a server is given as user name."""
    if not text:
        raise Fault("Enter the user name for the mail server; mostly it is the e-mail address.")
    if len(text) > USERNAME_LIMIT:
        raise Fault(f"Enter a user name of at most {USERNAME_LIMIT} characters.")
    if has_controls(text):
        raise Fault(OWN_LINE)
    return text


def email_address(text: str) -> str:
    """An address with one @, in any script; the domain in the writer's own spelling."""
    if not text:
        raise Fault("Enter the e-mail address, such as you@example.com.")
    if has_controls(text):
        raise Fault(OWN_LINE)
    local_part, at, domain = text.partition("@")
    if not at or not local_part or "@" in domain or _NEVER_IN_LOCAL_PART.search(local_part):
        raise Fault("Enter only the e-mail address, with one @ and no spaces, such as you@example.com.")
    if len(text.encode()) > ADDRESS_LIMIT or len(local_part.encode()) > LOCAL_PART_LIMIT:
        raise Fault(
            f"Enter a shorter e-mail address: at most {LOCAL_PART_LIMIT} characters before the @, {ADDRESS_LIMIT} in all."
        )
    if not _is_host(domain.removeprefix("[").removesuffix("]") if domain.startswith("[") else domain):
        raise Fault(DOMAIN)
    return text


def host_name(text: str) -> str:
    """A server's name or address, in lower case, without the scheme and the final dot people paste with it."""
    if not text:
        raise Fault("Enter the server's name, such as mail.example.com.")
    if has_controls(text):
        raise Fault(OWN_LINE)
    host = _SCHEME.sub("", text)
    if host != text:
        host = host.removesuffix("/")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    host = host.removesuffix(".").lower()
    if "@" in host:
        raise Fault(
            "Enter only the server's name, such as mail.example.com; the user name has its own field."
        )
    if re.search(r"[/\\?#]", host):
        raise Fault(
            "Enter only the server's name, such as mail.example.com, without a web address around it."
        )
    if re.fullmatch(r"[^:]+:\d*|\[.*\]:\d*", host):
        raise Fault("Enter only the server's name here; the port has its own field.")
    if not _is_host(host):
        raise Fault("Check the server's name: it should look like mail.example.com, or be an IP address.")
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
        ascii_name = to_ascii(host)
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
        raise Fault("Enter the port; for POP3 it is mostly 995, for sending 465 or 587.")
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        raise Fault("Enter a port between 1 and 65535; for POP3 it is mostly 995, for sending 465 or 587.")
    return text


def delete_days(text: str) -> str:
    """After how many days a message is deleted, as digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and 1 <= int(text) <= MOST_DELETE_DAYS):
        raise Fault(f"Enter a number of days from 1 to {MOST_DELETE_DAYS}.")
    return text
