"""How large a picture is: told by its first octets, or declared by the page it stands in. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from bot.mail import styles

if TYPE_CHECKING:
    from collections.abc import Mapping

SPACER_PIXELS: Final = 2
LOGO_SIDE: Final = 48
LOGO_AREA: Final = 12_000
LOGO_OCTETS: Final = 24 * 1024
"""A picture in the text that is smaller than these is a logo or an icon, which says nothing that is not in the text."""

_JPEG_MARKERS: Final = 200
_SIZES_OF_JPEG: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PIXELS: Final = re.compile(r"\s{0,9}(\d{1,6})")


def size(octets: bytes) -> tuple[int, int] | None:
    """Width and height in pixels; None when this is no picture that is known here, or a damaged one."""
    if octets.startswith((b"GIF87a", b"GIF89a")) and len(octets) >= 10:
        return int.from_bytes(octets[6:8], "little"), int.from_bytes(octets[8:10], "little")
    if octets.startswith(b"\x89PNG\r\n\x1a\n") and len(octets) >= 24:
        return int.from_bytes(octets[16:20], "big"), int.from_bytes(octets[20:24], "big")
    return _jpeg_size(octets) if octets.startswith(b"\xff\xd8\xff") else None


def _jpeg_size(octets: bytes) -> tuple[int, int] | None:
    at = 2
    for _ in range(_JPEG_MARKERS):
        if len(octets) < at + 9 or octets[at] != 0xFF:
            return None
        if octets[at + 1] in _SIZES_OF_JPEG:
            height, width = octets[at + 5 : at + 7], octets[at + 7 : at + 9]
            return int.from_bytes(width, "big"), int.from_bytes(height, "big")
        at += 2 + int.from_bytes(octets[at + 2 : at + 4], "big")
    return None


def is_spacer(octets: bytes) -> bool:
    """Whether this is a picture too small to show anything: a tracker or a spacer."""
    sides = size(octets)
    return sides is not None and max(sides) <= SPACER_PIXELS


def is_logo(octets: bytes) -> bool:
    """Whether this is a picture so small that it is a logo or an icon when it stands in a text."""
    sides = size(octets)
    if sides is None or len(octets) > LOGO_OCTETS:
        return False
    return min(sides) <= LOGO_SIDE or sides[0] * sides[1] <= LOGO_AREA


# As declared in a page


def is_remote(source: str) -> bool:
    """Whether a picture would have to be fetched from somebody's server."""
    return source[:8].lower().startswith(("http:", "https:", "//"))


def is_declared_spacer(attributes: Mapping[str, str]) -> bool:
    """Whether an image is declared too small to show anything."""
    return any(side is not None and side <= SPACER_PIXELS for side in _sides(attributes))


def is_tracker(attributes: Mapping[str, str]) -> bool:
    """Whether a picture on somebody's server is declared too small both ways to show anything."""
    sides = [side for side in _sides(attributes) if side is not None]
    is_small = bool(sides) and max(sides) <= SPACER_PIXELS
    return is_small and is_remote(attributes.get("src", "").strip())


def _sides(attributes: Mapping[str, str]) -> list[int | None]:
    """Width and height as declared; None where they are not given in pixels."""
    found = styles.declarations(attributes.get("style", "")) if "style" in attributes else {}
    return [_pixels(found.get(side, "") or attributes.get(side, "")) for side in ("width", "height")]


def _pixels(value: str) -> int | None:
    number = _PIXELS.match(value)
    return int(number[1]) if number is not None and "%" not in value else None
