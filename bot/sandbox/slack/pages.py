"""Cursors: a page of a list and the word that leads to the next."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeVar

from bot.sandbox.slack.answers import ApiError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sandbox.slack.arguments import Arguments

Item = TypeVar("Item")


def sealed(place: str) -> str:
    """A place as an opaque cursor."""
    return base64.b64encode(f"next:{place}".encode()).decode()


def opened(cursor: str) -> str:
    """The place behind a cursor.

    Raises:
        ApiError: `invalid_cursor`.
    """
    try:
        kind, _, place = base64.b64decode(cursor, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise ApiError("invalid_cursor") from None
    if kind != "next":
        raise ApiError("invalid_cursor")
    return place


def page_of(items: Sequence[Item], args: Arguments, *, default: int, highest: int) -> tuple[list[Item], str]:
    """One page by `limit` and `cursor`, and the cursor of the next page, empty at the end."""
    limit = args.number("limit", default, highest)
    place = opened(args.text("cursor")) if args.has("cursor") else "0"
    if not place.isdecimal():
        raise ApiError("invalid_cursor")
    start = int(place)
    end = start + limit
    return list(items[start:end]), sealed(str(end)) if end < len(items) else ""
