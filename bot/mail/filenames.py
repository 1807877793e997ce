"""Names that files of a mail may safely bear on any system. Pure."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from bot.mail.text import clean, end_within, units

UNITS: Final = 120
_EXTENSION_UNITS: Final = 12

_UNSAFE: Final = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f\u2044\u2215\u29f8\uff0f\uff3c]')
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\.|\Z)", re.IGNORECASE
)
_TURNING: Final = re.compile("[\u202a\u202b\u202d\u202e\u2067]")

_EXTENSIONS: Final = {
    "application/gzip": "gz", "application/ics": "ics", "application/json": "json", "application/msword": "doc",
    "application/ms-tnef": "dat", "application/pdf": "pdf", "application/pgp-encrypted": "pgp",
    "application/pgp-keys": "asc", "application/pgp-signature": "asc", "application/pkcs7-mime": "p7m",
    "application/pkcs7-signature": "p7s", "application/rtf": "rtf", "application/vnd.ms-excel": "xls",
    "application/vnd.ms-powerpoint": "ppt", "application/vnd.ms-tnef": "dat",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/x-pkcs7-mime": "p7m", "application/x-pkcs7-signature": "p7s", "application/xml": "xml",
    "application/zip": "zip", "audio/mpeg": "mp3", "audio/wav": "wav", "image/bmp": "bmp", "image/gif": "gif",
    "image/heic": "heic", "image/jpeg": "jpg", "image/jpg": "jpg", "image/pjpeg": "jpg", "image/png": "png",
    "image/svg+xml": "svg", "image/tiff": "tif", "image/webp": "webp", "image/x-icon": "ico",
    "message/delivery-status": "txt", "message/disposition-notification": "txt", "message/global": "eml",
    "message/partial": "eml", "message/rfc822": "eml", "text/calendar": "ics", "text/css": "css", "text/csv": "csv",
    "text/directory": "vcf", "text/html": "html", "text/markdown": "md", "text/plain": "txt",
    "text/rfc822-headers": "txt", "text/rtf": "rtf", "text/vcard": "vcf", "text/x-amp-html": "html",
    "text/x-vcard": "vcf", "text/xml": "xml", "video/mp4": "mp4", "video/quicktime": "mov",
}  # fmt: skip


def safe(name: str) -> str:
    """The name without what a path, a console or a terminal reads into it; "" when nothing is left."""
    start = clean(unicodedata.normalize("NFC", name[:2000]))
    bare = _UNSAFE.sub("_", " ".join(start.split())).strip(". ")
    if not bare.strip("_"):
        return ""
    bare = f"_{bare}" if _RESERVED.match(bare) else bare
    return bare if units(bare) <= UNITS else _shortened(bare)


def is_disguised(name: str) -> bool:
    """Whether marks in a name turn its direction, so that it shows another ending than it has."""
    return _TURNING.search(name[:2000]) is not None


def by_type(kind: str, number: int) -> str:
    """A name for a file that came without one."""
    family = kind.partition("/")[0]
    stem = {"image": "image", "text": "text", "message": "message", "audio": "audio", "video": "video"}.get(
        family, "attachment"
    )
    return f"{stem}-{number}.{_EXTENSIONS.get(kind, 'bin')}"


def _shortened(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > _EXTENSION_UNITS:
        return name[: end_within(name, UNITS)].strip(". ")
    return stem[: end_within(stem, UNITS - len(extension) - 1)].strip(". ") + dot + extension
