"""What a mail tells of the conversation it belongs to: ids, base subject, participants. Pure; linear; never raises.

Base subjects are those of RFC 5256 section 2.1, with the prefixes that mail programs of all common languages write.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING, Final

from bot.mail.content import Fault
from storage.clues import Clues
from storage.records import Shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bot.mail.content import Arrival, Message

IDS: Final = 100
"""Of one mail, its own among them; a list of references may name any number."""

PEOPLE: Final = 10
"""Of one mail; who writes to more is found by the first of them."""

STEPS: Final = 100
"""Prefixes taken off one subject."""

PREFIX_CHARACTERS: Final = 80
COLONS: Final = 3
"""Within these a prefix ends; a mail program may count its answers between brackets."""

_ANSWERS: Final = (
    "re", "aw", "antw", "antwort", "sv", "svar", "vs", "vast", "bls", "odp", "odpověď", "ynt", "cevap", "yanıt", "r",
    "rif", "res", "resp", "rép", "rsp", "vá", "válasz", "ats", "atb", "odg", "răsp", "σχετ", "απ", "απάντηση",
    "ответ", "отв", "відповідь", "отговор", "одг", "回复", "回覆", "答复", "答覆", "返信", "回信", "답장", "회신",
    "reply", "השב", "תגובה", "رد", "ตอบ", "ตอบกลับ", "trả lời", "tl", "hồi âm", "jawab", "balas",
)  # fmt: skip
_FORWARDS: Final = (
    "fw", "fwd", "wg", "tr", "rv", "enc", "vb", "vl", "doorst", "i", "inoltro", "pd", "podaj dále", "ilt", "İlt",
    "iletilen", "trs", "továb", "továbbítás", "per", "pārs", "proslijeđeno", "redirecționat", "videresendt",
    "vidarebefordrat", "fs", "πρθ", "προωθ", "пересл", "пересылка", "препрати", "转发", "轉寄", "轉發",
    "转寄", "転送", "전달", "forward", "העבר", "הועבר", "إعادة توجيه", "ส่งต่อ", "chuyển tiếp", "ct", "terusan",
)  # fmt: skip


def _plain(text: str) -> str:
    """Without case, width and runs of spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _any_of(words: tuple[str, ...]) -> str:
    return "|".join(
        re.escape(word) for word in sorted({_plain(word) for word in words}, key=len, reverse=True)
    )


_PREFIX: Final = re.compile(
    rf"(?:(?P<answer>{_any_of(_ANSWERS)})|{_any_of(_FORWARDS)})"
    r" ?(?:\[[^\[\]]{0,40}\]|\(\d{1,5}\)|[*^]?\d{1,5})? ?: ?"
)
_COLON: Final = re.compile("[:：﹕︓]")
_TAG: Final = re.compile(r"\[[^\[\]]*\] ?")
_FORWARDED: Final = "[fwd:"
_TRAILER: Final = "(fwd)"


def clues(message: Message, arrival: Arrival) -> Clues | None:
    """What a mail tells; None of what is no mail."""
    if Fault.NOT_A_MAIL in message.faults or arrival.shape is Shape.REFUSED:
        return None
    own_id = message.message_id if _is_id(message.message_id) else _content_id(message)
    subject, is_answer = base_subject(message.subject)
    return Clues(
        own_id=own_id,
        refers_to=_refers_to(message, own_id),
        subject=subject,
        people=_people(message, arrival.own_address),
        is_answer=is_answer,
    )


def clues_of_sent(
    message_id: str, references: Iterable[str], subject: str, recipients: Iterable[str], own_address: str
) -> Clues:
    """What a mail that is sent from here tells, so that answers to it find its thread.

    Args:
        message_id, references: with or without brackets; of the references the last is what is answered.
        recipients: those that all others see.
    """
    own_id = message_id.strip("<>")
    text, is_answer = base_subject(subject)
    ids = [bare for one in references if _is_id(bare := one.strip("<>")) and bare != own_id]
    return Clues(
        own_id=own_id,
        refers_to=tuple(list(dict.fromkeys(reversed(ids)))[: IDS - 1]),
        subject=text,
        people=_others(recipients, own_address),
        is_answer=is_answer,
        is_sent=True,
    )


def base_subject(subject: str) -> tuple[str, bool]:
    """The subject as all mails of a conversation have it, and whether a prefix marks it as an answer.

    A forwarded mail is none: it begins a conversation with somebody else.
    """
    text, is_answer = _plain(subject), False
    for _ in range(STEPS):
        before = text
        text = text.removesuffix(_TRAILER).rstrip()
        if found := _PREFIX.match(text):
            text = text[found.end() :]
            is_answer |= found["answer"] is not None
        elif (tag := _TAG.match(text)) and tag.end() < len(text):
            text = text[tag.end() :]
        elif text.startswith(_FORWARDED) and text.endswith("]"):
            text = text[len(_FORWARDED) : -1].strip()
        if text == before:
            break
    return text, is_answer


def without_answers(subject: str) -> str:
    """The subject without the prefixes of answers at its start; tags of lists stay, each once."""
    return _without(subject, is_answer=True)


def without_forwards(subject: str) -> str:
    """The same for prefixes of forwarded mail."""
    return _without(subject, is_answer=False)


def _without(subject: str, *, is_answer: bool) -> str:
    rest, tags, has_prefix = subject.strip(), dict[str, str](), False
    for _ in range(STEPS):
        if (tag := _TAG.match(rest)) and tag.end() < len(rest):
            tags.setdefault(tag[0].strip(), tag[0])
            rest = rest[tag.end() :].lstrip()
        elif end := _prefix_end(rest, is_answer=is_answer):
            rest, has_prefix = rest[end:].lstrip(), True
        else:
            break
    # What has none stays as it is: mail programs know a conversation by its subject, to the space.
    return "".join([*tags.values(), rest]) if has_prefix else subject.strip()


def _prefix_end(subject: str, *, is_answer: bool) -> int:
    """Where the prefix ends that a subject begins with, 0 when that is of the other kind or none."""
    for colon in islice(_COLON.finditer(subject[:PREFIX_CHARACTERS]), COLONS):
        found = _PREFIX.fullmatch(_plain(subject[: colon.end()]))
        if found is not None:
            return colon.end() if (found["answer"] is not None) is is_answer else 0
    return 0


def _refers_to(message: Message, own_id: str) -> tuple[str, ...]:
    ids = (one for one in _other_ids(message) if _is_id(one) and one != own_id)
    return tuple(list(dict.fromkeys(ids))[: IDS - 1])


def _other_ids(message: Message) -> Iterator[str]:
    """Ids of other mails, the one that counts most first; an invitation has one for all its mails."""
    yield from reversed(message.references)
    yield message.in_reply_to
    for report in (message.special.delivery, message.special.receipt):
        if report is not None:
            yield report.message_id
    for invitation in message.special.invitations:
        yield from (f"invitation:{event.uid}" for event in invitation.events if event.uid)


def _is_id(text: str) -> bool:
    """Whether it can tell one mail from another; old programs wrote whole sentences in place of ids."""
    return len(text.split()) == 1


def _content_id(message: Message) -> str:
    """Of a mail without an id: what it says. A copy has the same, and nobody refers to it."""
    sender = message.sender
    digest = hashlib.sha256()
    for text in (
        sender.address if sender else "",
        message.date.isoformat() if message.date else "",
        message.subject,
        *(body.plain or body.html or "" for body in message.bodies),
    ):
        octets = text.encode("utf-8", "surrogatepass")
        digest.update(len(octets).to_bytes(8) + octets)
    return f"content:{digest.hexdigest()}"


def _people(message: Message, own_address: str) -> tuple[str, ...]:
    """Addresses of who takes part; the owner's own only where there is no other: everything is sent to that."""
    sender = (message.sender,) if message.sender else ()
    return _others((one.address for one in (*sender, *message.to, *message.cc)), own_address)


def _others(addresses: Iterable[str], own_address: str) -> tuple[str, ...]:
    own = own_address.strip().casefold()
    bare = (one.strip().casefold() for one in addresses)
    others = dict.fromkeys(one for one in bare if one and one != own)
    return tuple(others)[:PEOPLE] or (own,)
