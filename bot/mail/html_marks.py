"""What mail programs call their elements: who is quoted, where an earlier message begins, what is a signature. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.lines import Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAMES: Final = {
    "gmail_attr": Mark.ATTRIBUTION,
    "moz-cite-prefix": Mark.ATTRIBUTION,
    "divrplyfwdmsg": Mark.HISTORY,
    "mail-editor-reference-message-container": Mark.HISTORY,
    "ms-outlook-mobile-reference-message": Mark.HISTORY,
    "olk_src_body_section": Mark.HISTORY,
    "outlookmessageheader": Mark.HISTORY,
    "yahoo_quoted": Mark.HISTORY,
    "isreplycontent": Mark.HISTORY,
    "ntes-pcmac-quote": Mark.HISTORY,
    "appendonsend": Mark.DIVIDER,
    "gmail_signature": Mark.SIGNATURE,
    "moz-signature": Mark.SIGNATURE,
    "ms-outlook-mobile-signature": Mark.SIGNATURE,
    "applemailsignature": Mark.SIGNATURE,
    "ymail_android_signature": Mark.SIGNATURE,
    "protonmail_signature_block": Mark.SIGNATURE,
}
"""By a class or an id, in lower case."""

_CLASSES_READ: Final = 20
_STYLE_CHARACTERS: Final = 500


def mark(attributes: Mapping[str, str]) -> Mark:
    """What an element of these attributes begins or holds."""
    name = attributes.get("id", "")
    for each in (*attributes.get("class", "").lower().split()[:_CLASSES_READ], name.lower()):
        if found := _NAMES.get(each):
            return found
    if "yahoo_quoted" in name[:80]:  # with a number behind it, and letters before
        return Mark.HISTORY
    if name == "Signature" or attributes.get("data-smartmail") == "gmail_signature":
        return Mark.SIGNATURE
    if attributes.get("name") == "quote" and "border-left" in attributes.get("style", ""):
        return Mark.DIVIDER
    return Mark.DIVIDER if _has_line_above(attributes.get("style", "")) else Mark.NONE


def _has_line_above(style: str) -> bool:
    """Whether an element is parted from what stands above it, as Outlook parts a header."""
    _, name, value = style[:_STYLE_CHARACTERS].lower().partition("border-top:")
    return bool(name) and "solid" in value.partition(";")[0]
