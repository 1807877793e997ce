"""What is wrong on purpose with the mail servers or with one maildrop: frozen values and their words.

Who serves consults the value of the moment: the servers' at each new connection, the maildrop's at each login. So a
fault is there for every new session as soon as it is switched on, and no session meets it once it is off.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

MAX_SECONDS: Final = 600.0


class FaultRefused(Exception):
    """There is no such fault, or not there; the text says what there is."""


class Kind(StrEnum):
    """Every way to misbehave; at a login that meets several, the first of `wrong_password`, `temporary`, `busy` counts."""

    UNREACHABLE = "unreachable"
    EXPIRED_CERTIFICATE = "expired_certificate"
    SLOW = "slow"
    DRIPPING = "dripping"
    NO_UIDL = "no_uidl"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - the name of a fault
    TEMPORARY = "temporary"
    BUSY = "busy"
    NEW_UIDS = "new_uids"
    HIDES_FETCHED = "hides_fetched"
    SIZE_LIMIT = "size_limit"
    SMTP_PASSWORD = "smtp_password"  # noqa: S105 - the name of a fault
    SMTP_TEMPORARY = "smtp_temporary"
    OUTSIDE_LATER = "outside_later"
    CONTENT_REFUSED = "content_refused"
    TAKEN_UNANSWERED = "taken_unanswered"
    UNTAKEN_UNANSWERED = "untaken_unanswered"


@dataclass(frozen=True, slots=True)
class Words:
    """How a kind is told to a person.

    Attributes:
        seconds: what it takes when nothing is said; None when time has no part in it.
    """

    name: str
    effect: str
    seconds: float | None = None


# A client does not say whose maildrop it wants before the login, so these befall everybody.
SERVER_KINDS: Final = {
    Kind.UNREACHABLE: Words("Not reachable", "Every connection is refused, incoming and outgoing."),
    Kind.EXPIRED_CERTIFICATE: Words(
        "Expired certificate", "The certificate shown for TLS ran out a month ago."
    ),
    Kind.SLOW: Words("Slow", "Every answer comes late by so many seconds.", 5.0),
    Kind.DRIPPING: Words("Dripping", "Answers come in pieces of 512 octets, with a pause after each.", 1.0),
    Kind.NO_UIDL: Words("No UIDL", "Messages have no lasting name: UIDL is refused and not announced."),
    Kind.SIZE_LIMIT: Words("Small mails only", "The outgoing server says SIZE 100000 and takes no more."),
}
# Of one person's way out; receiving goes on.
OUTGOING_KINDS: Final = {
    Kind.SMTP_PASSWORD: Words("Outgoing login refused", "Every login to send is refused; receiving goes on."),
    Kind.SMTP_TEMPORARY: Words("Sending: later", "Every mail is told to come back later, before it is read."),
    Kind.OUTSIDE_LATER: Words(
        "Outside: later", "Recipients outside are told to come back later, one by one; others are taken."
    ),
    Kind.CONTENT_REFUSED: Words("Content refused", "Every mail is refused for good once it has been read."),
    Kind.TAKEN_UNANSWERED: Words(
        "Taken without an answer", "After the last dot the mail is taken, and the connection ends.", 1.0
    ),
    Kind.UNTAKEN_UNANSWERED: Words(
        "Lost without an answer", "After the last dot nothing is taken, and the connection ends.", 1.0
    ),
}
MAILDROP_KINDS: Final = {
    Kind.WRONG_PASSWORD: Words("Password refused", "Every login is refused, whatever the password."),
    Kind.TEMPORARY: Words("Temporary fault", "Every login is told to come back later."),
    Kind.BUSY: Words("In use", "Every login is told that another mail program has the maildrop open."),
    Kind.NEW_UIDS: Words(
        "All UIDs new", "Every message has another UID; once this is off, the old ones are back."
    ),
    Kind.HIDES_FETCHED: Words(
        "Lists nothing twice", "As Gmail does: what was fetched is listed to recent:ADDRESS only."
    ),
    **OUTGOING_KINDS,
}
_KEYS: Final = frozenset({"kind", "on", "address", "seconds"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault that is on.

    Attributes:
        seconds: of SLOW and DRIPPING; of the unanswered ones, how long the server is silent before it hangs up.
        uid_mark: of NEW_UIDS: stands behind every UID, another one each time the fault is switched on.
    """

    kind: Kind
    seconds: float = 0.0
    uid_mark: str = ""


@dataclass(frozen=True, slots=True)
class Faults:
    """All that is wrong with the servers, or with one maildrop; at most one fault of a kind."""

    on: tuple[Fault, ...] = ()

    def get(self, kind: Kind) -> Fault | None:
        """The fault of this kind, None when it is off."""
        return next((fault for fault in self.on if fault.kind is kind), None)

    def has(self, kind: Kind) -> bool:
        """Whether it is on."""
        return self.get(kind) is not None

    def without(self, kind: Kind) -> Faults:
        """The same with this one off."""
        return Faults(tuple(fault for fault in self.on if fault.kind is not kind))

    def having(self, fault: Fault) -> Faults:
        """The same with this one on, in the place of an earlier one of its kind."""
        return Faults((*self.without(fault.kind).on, fault))

    def shown_uid(self, uid: str) -> str:
        """What UIDL says for a message."""
        fault = self.get(Kind.NEW_UIDS)
        return uid + fault.uid_mark if fault else uid


@dataclass(frozen=True, slots=True)
class Switch:
    """An order to switch one fault; `address` names the maildrop, and is empty for a fault of the servers."""

    kind: Kind
    is_on: bool
    address: str = ""
    seconds: float = 0.0

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> Switch:
        """An order as the page API takes it.

        Raises:
            FaultRefused: it is none.
        """
        kind, address = _kind(raw.get("kind")), raw.get("address", "")
        if raw.keys() - _KEYS or not isinstance(raw.get("on"), bool) or not isinstance(address, str):
            raise FaultRefused("a switch has kind, on (true or false), and perhaps address or seconds")
        if (kind in SERVER_KINDS) == bool(address):
            raise FaultRefused(
                f"{kind} befalls the servers and takes no address" if address else f"{kind} wants an address"
            )
        return cls(kind, raw["on"], address, _seconds(kind, raw.get("seconds")))


def words_of(kind: Kind) -> Words:
    """Its words, whatever it befalls."""
    return SERVER_KINDS.get(kind) or MAILDROP_KINDS[kind]


def _kind(raw: object) -> Kind:
    try:
        return Kind(str(raw))
    except ValueError:
        raise FaultRefused(f"there is no such fault; there are {', '.join(Kind)}") from None


def _seconds(kind: Kind, raw: object) -> float:
    default = words_of(kind).seconds
    if raw is None:
        return default or 0.0
    if default is None:
        raise FaultRefused(f"{kind} takes no seconds")
    if isinstance(raw, bool) or not isinstance(raw, int | float) or not 0 < raw <= MAX_SECONDS:
        raise FaultRefused(f"seconds are a number above 0 and up to {MAX_SECONDS:.0f}")
    return float(raw)
