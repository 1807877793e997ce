"""How large a picture is, told by its first octets. Pure."""

from __future__ import annotations

from typing import Final

SPACER_PIXELS: Final = 2


def is_spacer(octets: bytes) -> bool:
    """Whether this is a picture too small to show anything: a tracker or a spacer."""
    if octets.startswith((b"GIF87a", b"GIF89a")) and len(octets) >= 10:
        sides = octets[6:8][::-1], octets[8:10][::-1]
    elif octets.startswith(b"\x89PNG\r\n\x1a\n") and len(octets) >= 24:
        sides = octets[16:20], octets[20:24]
    else:
        return False
    return all(int.from_bytes(side, "big") <= SPACER_PIXELS for side in sides)
