"""How the bot and the render child speak over a pipe: a JSON head, then octets.

A frame is the head's length and the octets' length as eight octets each, big-endian, then the JSON head, then the
octets. Both lengths are bounded before anything is read. No I/O here.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from bot.mail.content import Address, Arrival, File, Rendered
from bot.mail.letters import Invited, Original
from storage.clues import Clues
from storage.records import Shape

LENGTHS: Final = struct.Struct(">QQ")
HEAD_LIMIT: Final = 4 * 1024 * 1024
OCTETS_LIMIT: Final = 512 * 1024 * 1024

_SAID: Final = tuple(field.name for field in fields(Rendered) if field.name != "files")
"""What a post says beside its files."""


_PEOPLE: Final = ("reply_to", "to", "cc", "followup_to", "other_senders")
"""The fields of addresses that an original holds."""


class Mode(StrEnum):
    """How much of a mail the child is to read."""

    FULL = "full"
    HEADERS = "headers"  # the header alone: the minimal card
    PLAIN = "plain"  # the header alone: a post of text without blocks
    TEXT = "text"  # a page of the whole text
    FIELDS = "fields"  # a page of the header's fields
    LABEL = "label"  # the header alone: sender and subject in a line
    LINE = "line"  # the header alone: its line in a digest
    ORIGINAL = "original"  # what an answer needs of the mail
    FILES = "files"  # the attachments, to be passed on


@dataclass(frozen=True, slots=True)
class Request:
    """One message to render; `page` counts from 0."""

    octets: bytes
    arrival: Arrival
    mode: Mode
    page: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the child made of a request.

    Attributes:
        fault: the name of our own exception, when the header alone was read because of it.
        is_last: the child ends after this answer.
    """

    rendered: Rendered
    fault: str | None
    is_last: bool


def of_header(request: Request) -> Request:
    """The request that asks for as much as the header alone tells."""
    if request.mode is Mode.FULL:
        return replace(request, mode=Mode.HEADERS)
    return replace(request, arrival=replace(request.arrival, shape=Shape.TOP))


def packed(head: dict[str, Any], octets: bytes) -> tuple[bytes, bytes]:
    """A frame as its start and its octets, apart so that large octets are not copied."""
    line = json.dumps(head).encode()
    return LENGTHS.pack(len(line), len(octets)) + line, octets


def lengths(prefix: bytes) -> tuple[int, int]:
    """The lengths of head and octets.

    Raises:
        ValueError: one of them is over its bound.
    """
    head, octets = LENGTHS.unpack(prefix)
    if head > HEAD_LIMIT or octets > OCTETS_LIMIT:
        raise ValueError("a frame is over its bound")
    return head, octets


def request_head(request: Request) -> dict[str, Any]:
    """A request but for its octets."""
    arrival = asdict(request.arrival) | {"received_at": request.arrival.received_at.isoformat()}
    return {"arrival": arrival, "mode": request.mode, "page": request.page}


def request(head: dict[str, Any], octets: bytes) -> Request:
    """The request of a frame."""
    arrival = head["arrival"]
    typed = {
        "received_at": datetime.fromisoformat(arrival["received_at"]),
        "shape": Shape(arrival["shape"]),
        "authserv_ids": tuple(arrival["authserv_ids"]),
    }
    return Request(octets, Arrival(**(arrival | typed)), Mode(head["mode"]), head["page"])


def answer_frame(answer: Answer, original: bytes) -> tuple[dict[str, Any], bytes]:
    """An answer as head and octets; a file that is the original itself does not travel back."""
    files, parts = [], []
    for file in answer.rendered.files:
        is_original = file.octets is original
        files.append(
            {
                "name": file.name,
                "title": file.title,
                "type": file.type,
                "octets": None if is_original else len(file.octets),
            }
        )
        parts.append(b"" if is_original else file.octets)
    said = {name: getattr(answer.rendered, name) for name in _SAID}
    said["clues"] = None if answer.rendered.clues is None else asdict(answer.rendered.clues)
    said["original"] = None if answer.rendered.original is None else _told(answer.rendered.original)
    said["invited"] = [asdict(one) for one in answer.rendered.invited]
    return said | {"files": files, "fault": answer.fault, "is_last": answer.is_last}, b"".join(parts)


def answer(head: dict[str, Any], octets: bytes, original: bytes) -> Answer:
    """The answer of a frame."""
    files, start = [], 0
    for file in head["files"]:
        end = start + (file["octets"] or 0)
        content = original if file["octets"] is None else octets[start:end]
        files.append(File(file["name"], content, file["title"], file["type"]))
        start = end
    domains = None if head["domains"] is None else tuple(head["domains"])
    said = {name: head[name] for name in _SAID} | {"clues": _clues(head["clues"]), "domains": domains}
    for field in ("attached", "left_out"):
        said[field] = tuple((name, octets) for name, octets in head[field])
    said["original"] = _original(head["original"])
    said["invited"] = tuple(_invited(one) for one in head["invited"])
    return Answer(Rendered(files=tuple(files), **said), head["fault"], head["is_last"])


def _clues(told: dict[str, Any] | None) -> Clues | None:
    lists = {} if told is None else {name: tuple(told[name]) for name in ("refers_to", "people")}
    return None if told is None else Clues(**(told | lists))


def _told(original: Original) -> dict[str, Any]:
    """An original without what JSON does not know."""
    date = original.date
    return asdict(original) | {"date": None if date is None else date.isoformat()}


def _invited(told: dict[str, Any]) -> Invited:
    return Invited(**(told | {name: tuple(told[name]) for name in ("lines", "zones")}))


def _original(told: dict[str, Any] | None) -> Original | None:
    if told is None:
        return None
    people = {name: tuple(Address(**one) for one in told[name]) for name in _PEOPLE}
    typed = {
        "date": None if told["date"] is None else datetime.fromisoformat(told["date"]),
        "sender": None if told["sender"] is None else Address(**told["sender"]),
        "references": tuple(told["references"]),
        "attachments": tuple((name, octets) for name, octets in told["attachments"]),
    }
    return Original(**(told | people | typed))
