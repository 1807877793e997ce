"""Reports about mail that was sent: not delivered, delayed, read, answered by a machine. Pure; bounded; never raises.

Covers RFC 3464 sections 2.1 to 2.3, RFC 8098 section 3 and RFC 3834 section 5, and the prose of servers that follow none
of them: first what their header fields say, then the detectors of `flufl.bounce`, which get the header and the start of
the text alone, flattened, since the standard library's parser takes quadratic time for nested mail.
"""

from __future__ import annotations

import re
from email.message import Message as Prose
from itertools import islice
from typing import TYPE_CHECKING, Final

from flufl.bounce import all_failures

from bot.mail import headers
from bot.mail.special import Action, DeliveryReport, Original, Receipt, Recipient
from bot.mail.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.mail.content import Attachment, Message
    from bot.mail.headers import Header

OCTETS: Final = 64 * 1024
"""Of a report, or of prose; the rest is not read."""

PROSE: Final = 16 * 1024
"""Characters of prose that the detectors get."""

RECIPIENTS: Final = 100
ADDRESS_UNITS: Final = 320
GROUPS: Final = 1000
_EMPTY_LINE: Final = re.compile(rb"\n[ \t\r]*\n")
_CODE: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_ADDRESS: Final = re.compile(r"[^\s<>\[\]\"'(),:;@]{1,128}@(?:[A-Za-z0-9._-]{1,253}|\[[A-Fa-f0-9:.]{2,45}\])")
_REPORTER: Final = re.compile(
    r"(?:mailer[-_ ]?daemon|postmaster|mail[-_ ]?delivery|mailmaster|mail-?admin|bounces?|double-bounce|"
    r"microsoftexchange[0-9a-f]*|no-?reply.*bounce)[^@]{0,80}@?",
    re.IGNORECASE,
)
_REPORTING: Final = re.compile(
    r"undeliver|non[- ]?deliver|not delivered|delivery (?:status|fail|notif|report|error|has failed|problem)|"
    r"fail(?:ed|ure)[ :].{0,40}(?:mail|deliver|notice)|mail(?:ing|er)? (?:delivery )?(?:fail|error|system error)|"
    r"returned mail|mail could not be|could not send|couldn't be delivered|bounce|unzustellbar|message delay|"
    r"delayed mail|warning: (?:message|could not)|failure notice|notifica(?:tion|zione)|not be delivered",
    re.IGNORECASE,
)
_DELAYS: Final = re.compile(
    r"delivery delayed|delayed mail|message delayed|mail delayed|still being retried|(?:continue|keep)s? (?:to try|trying)|"
    r"warning message only|warning: could not send|no action is required on your part|will be retried",
    re.IGNORECASE,
)
_QUOTES: Final = re.compile(
    r"^[> \t]{0,8}(?:(?:Received|Return-Path|Message-ID|MIME-Version): |(?:MAIL|From) ?(?:FROM)?:[ \t]?<)",
    re.IGNORECASE | re.MULTILINE,
)
"""Where a report begins to quote the mail."""

_MENTIONED_WITHIN: Final = 8000
MENTIONED: Final = 5
_ORIGINAL_SUBJECT: Final = re.compile(r"(?:^|\n)[> \t]{0,8}Subject:[ \t]?([^\n]{1,1000})")
_ORIGINAL_ID: Final = re.compile(r"(?:^|\n)[> \t]{0,8}Message-I[dD]:[ \t]{0,4}<([^<>\s]{1,900})>")

_FULL: Final = r"(?:over|exceed\w*|out of).{0,20}quota|quota.{0,20}exceed|mailbox.{0,12}full|insufficient disk|storage limit"
_DISABLED: Final = r"(?:user|account|mailbox|recipient).{0,20}(?:disabled|inactive|suspended|blocked)"
_LARGE: Final = r"message.{0,20}too (?:large|big)|size.{0,20}(?:exceed|limit)|exceed.{0,30}size"
_UNKNOWN: Final = (
    r"(?:user|recipient|mailbox|address|account).{0,40}(?:unknown|not found|unavailable|does ?n.t exist|does not exist|"
    r"no longer|invalid|rejected|not (?:a )?(?:valid|known|listed))|(?:unknown|no such|invalid).{0,12}(?:user|recipient|"
    r"mailbox|address|account|person)|no mailbox here|not our customer|wasn.t found"
)
_NO_DOMAIN: Final = (
    r"(?:host|domain).{0,24}(?:not found|unknown|does not exist)|unrouteable|(?:unknown|no such) (?:host|domain)|"
    r"no mx|name.{0,20}not found|nxdomain"
)
_LOOP: Final = r"too many hops|mail loop|loops? back"
_REFUSED: Final = (
    r"spam|blacklist|block(?:ed|list)|reputation|denied by policy|content reject|dmarc|spf|virus|relay\w* denied|"
    r"access denied|not allowed|prohibited"
)
_SILENT: Final = r"timed? ?out|connection refused|no route to host|network unreachable|could ?n.t connect"
_PHRASES: Final = tuple(
    (re.compile(words, re.IGNORECASE), code)
    for words, code in (
        (_FULL, "2.2"),
        (_DISABLED, "2.1"),
        (_LARGE, "3.4"),
        (_UNKNOWN, "1.1"),
        (_NO_DOMAIN, "1.2"),
        (_LOOP, "4.6"),
        (_REFUSED, "7.1"),
        (_SILENT, "4.1"),
    )
)
"""What servers write, with subject and detail of the code that means it; the first that fits counts."""

_AUTOMATIC_SUBJECT: Final = re.compile(
    r"\s*(?:automatic reply|auto(?:matic|mated)?[- ]?(?:reply|response|respond\w*)|auto:|out of (?:the )?office|"
    r"automatische antwort|abwesenheits|r[eé]ponse automatique|respuesta autom[aá]tica|risposta automatica|"
    r"automatisch antwoord|resposta autom[aá]tica|autosvar|automatiskt svar|автоматический ответ|автоответ|自動返信|自动答复)",
    re.IGNORECASE,
)
_BROKEN: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


def delivery_report(message: Message, header: Header, original: Original | None) -> DeliveryReport | None:
    """What a server says became of a mail; None when the message is no such report.

    Args:
        original: the mail that was sent, or its header, as far as the report holds it.
    """
    status = next((each for each in message.attachments if _is_status(each)), None)
    text = _text(message)
    found, count = _by_fields(status.octets) if status else ([], 0)
    if not found and _is_report(message, header):
        is_told = "final-recipient:" in text.lower()
        found, count = _by_fields(text.encode()) if is_told else ([], 0)
        found, count = (found, count) if found else _by_prose(message, header, text)
    if not found:
        return None
    subject = original.subject if original else ""
    identity = original.message_id if original else ""
    return DeliveryReport(
        recipients=tuple(_coded(each, text, is_alone=count == 1) for each in found),
        count=count,
        subject=subject or _quoted(_ORIGINAL_SUBJECT, text),
        message_id=identity or _quoted(_ORIGINAL_ID, text),
    )


def receipt(message: Message, original: Original | None) -> Receipt | None:
    """That somebody saw, or deleted, a mail; None when the message is no such notice."""
    part = next((each for each in message.attachments if each.type.startswith("message/disposition")), None)
    if part is None:
        return None
    fields, _ = headers.parsed(part.octets[:OCTETS].lstrip())
    disposition = headers.eight_bit(fields.raw("disposition")).rpartition(";")[2].partition("/")[0]
    reader = _addressed(fields.raw("final-recipient") or fields.raw("original-recipient"))
    identity = "".join(headers.eight_bit(fields.raw("original-message-id")).split())
    return Receipt(
        reader=reader or (message.sender.address if message.sender else ""),
        disposition=one_line(disposition.lower(), 40),
        subject=original.subject if original else "",
        message_id=identity.strip("<>")[:998] or (original.message_id if original else ""),
    )


def is_automatic_reply(message: Message, header: Header) -> bool:
    """Whether a machine answered in somebody's absence."""
    submitted = headers.eight_bit(header.raw("auto-submitted")).strip().lower()
    if submitted.startswith("auto-replied"):
        return True
    answers = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-autoreply-from", "x-mail-autoreply")
    if any(header.raw(name).strip().lower() not in {b"", b"no", b"false"} for name in answers):
        return True
    if header.raw("precedence").strip().lower() in {b"auto_reply", b"auto-reply"}:
        return True
    is_machine = submitted.startswith("auto-") or bool(header.raw("x-auto-response-suppress"))
    is_answer = is_machine or bool(message.in_reply_to or message.references)
    return is_answer and bool(_AUTOMATIC_SUBJECT.match(message.subject))


# By the fields of RFC 3464


def _is_status(part: Attachment) -> bool:
    return part.type in {"message/delivery-status", "message/global-delivery-status"}


def _by_fields(octets: bytes) -> tuple[list[Recipient], int]:
    """The recipients of a delivery status, and how many there are."""
    found: dict[str, Recipient] = {}
    count = 0
    for group in _EMPTY_LINE.split(octets[:OCTETS].strip(), GROUPS):
        fields, _ = headers.parsed(group)
        recipient = _recipient(fields)
        if recipient is None:
            continue
        count += recipient.address not in found
        if len(found) < RECIPIENTS:
            found.setdefault(recipient.address, recipient)
    return list(found.values()), count


def _recipient(fields: Header) -> Recipient | None:
    final, first = fields.raw("final-recipient"), fields.raw("original-recipient")
    address = _addressed(first) or _addressed(final)
    action = headers.eight_bit(fields.raw("action")).partition("(")[0].strip().lower()
    code = _CODE.search(headers.eight_bit(fields.raw("status")))
    if not address or not (action or code):
        return None
    status = code[0] if code else ""
    if action not in set(Action):
        action = {"2": "delivered", "4": "delayed"}.get(status[:1], "failed")
    better = _CODE.search(headers.eight_bit(fields.raw("diagnostic-code"))[:2000])
    if better and (not status or (status.endswith(".0.0") and better[1] == status[0])):
        status = better[0]
    return Recipient(address, Action(action), status)


def _addressed(raw: bytes) -> str:
    """The address of a field such as `rfc822; ada@home.example`."""
    text = headers.eight_bit(raw).rpartition(";")[2].strip()
    found = _ADDRESS.search(text)
    return one_line(found[0] if found else "".join(text.strip("<> ").split())[:ADDRESS_UNITS], ADDRESS_UNITS)


# By prose


def _is_report(message: Message, header: Header) -> bool:
    """Whether a message looks as if a mail server had written it."""
    kind, parameters = headers.labelled(header.raw("content-type"))
    if kind == "multipart/report" and parameters.get("report-type", "").lower() == "delivery-status":
        return True
    sender = message.sender
    is_failing = header.raw("x-failed-recipients") != b""
    is_empty = header.raw("return-path").strip().startswith(b"<>") or not (sender and sender.address)
    is_server = sender is not None and bool(
        _REPORTER.match(sender.address + " ") or _REPORTER.match(sender.name)
    )
    is_answer = header.raw("auto-submitted").strip().lower().startswith(b"auto-replied")
    is_saying = bool(_REPORTING.search(message.subject))
    return is_failing or (is_server and (is_saying or not is_answer)) or (is_empty and is_saying)


def _by_prose(message: Message, header: Header, text: str) -> tuple[list[Recipient], int]:
    """The recipients that header or text name as not reached."""
    named = (headers.eight_bit(raw) for raw in header.all("x-failed-recipients"))
    failed = [found[0] for raw in named for found in _ADDRESS.finditer(raw)]
    delayed: list[str] = []
    if not failed:
        delayed, failed = _detected(header, text)
        failed = failed if delayed or failed else _mentioned(message, text)
        if _DELAYS.search(f"{message.subject}\n{text[:3000]}"):
            delayed, failed = [*delayed, *failed], []
    whole = dict.fromkeys(delayed, Action.DELAYED) | dict.fromkeys(failed, Action.FAILED)
    whole.pop(_quoted(_ORIGINAL_ID, text), None)  # it looks like an address
    own = _own(message)
    whole = {address: action for address, action in whole.items() if address.lower() not in own} or whole
    first = islice(whole.items(), RECIPIENTS)
    return [Recipient(one_line(address, ADDRESS_UNITS), action) for address, action in first], len(whole)


def _own(message: Message) -> set[str]:
    """Who wrote the report and who got it: not those whom it is about."""
    senders = {message.sender.address.lower()} if message.sender else set()
    return senders | {each.address.lower() for each in (*message.to, *message.cc)}


def _mentioned(message: Message, text: str) -> list[str]:
    """The addresses that a report names before it quotes the mail, but for those of its own sender and reader."""
    start = text[:_MENTIONED_WITHIN]
    quoted = _QUOTES.search(start)
    own = _own(message)
    named = (
        found[0].rstrip(".")
        for found in _ADDRESS.finditer(start, 0, quoted.start() if quoted else len(start))
    )
    return [each for each in dict.fromkeys(named) if each.lower() not in own and not _REPORTER.match(each)][
        :MENTIONED
    ]


def _detected(header: Header, text: str) -> tuple[list[str], list[str]]:
    """Addresses that the detectors find: delayed ones, failed ones."""
    prose = Prose()
    for name in ("from", "subject", "x-mailer", "x-vmail", "reply-to", "return-path", "received"):
        raw = header.raw(name)
        if raw:
            prose[name] = one_line(headers.text(raw), 900)
    prose.set_payload(text[:PROSE].encode("ascii", "replace").decode("ascii"))
    try:
        delayed, failed = all_failures(prose)
    except _BROKEN:
        return [], []
    return list(_addresses(delayed)), list(_addresses(failed))


def _addresses(raws: frozenset[bytes]) -> Iterator[str]:
    for raw in sorted(raws):
        found = _ADDRESS.search(raw[:1000].decode("ascii", "replace"))
        if found:
            yield found[0]


# What both need


def _coded(recipient: Recipient, text: str, *, is_alone: bool) -> Recipient:
    """The recipient with a code: its own, one that the text names for it, or one that the text's words mean."""
    if recipient.action not in {Action.FAILED, Action.DELAYED}:
        return recipient
    if recipient.status and not recipient.status.endswith(".0.0"):
        return recipient
    near = _near(recipient.address, text) if not is_alone else text[:16_000]
    digit = "4" if recipient.action is Action.DELAYED else "5"
    found = next((code for code in _CODE.finditer(near) if not code[0].endswith(".0.0")), None)
    if found and found[1] in "45":
        return Recipient(recipient.address, recipient.action, found[0])
    meant = next((code for words, code in _PHRASES if words.search(near)), "")
    if meant:
        return Recipient(recipient.address, recipient.action, f"{digit}.{meant}", is_guess=True)
    return recipient


def _near(address: str, text: str) -> str:
    """The lines that follow an address's first mention."""
    at = text.find(address)
    return text[at : at + 600] if at >= 0 else ""


def _quoted(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return one_line(headers.words_decoded(found[1]), 998) if found else ""


def _text(message: Message) -> str:
    """The start of all that is written, without markup."""
    plain = "\n".join(body.plain or _stripped(body.html or "") for body in message.bodies[:5])
    return plain[:OCTETS].replace("\r\n", "\n")


def _stripped(page: str) -> str:
    return re.sub(r"<[^<>]{0,2000}>", " ", page[:OCTETS])
