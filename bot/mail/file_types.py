"""Types of files by the ends of their names: a fixed table, the same on every machine. Pure."""

from __future__ import annotations

import re
from typing import Final

UNKNOWN: Final = "application/octet-stream"
_MAIL: Final = "message/rfc822"

_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}\Z")
_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
_OPEN: Final = "application/vnd.oasis.opendocument"

_BY_END: Final = {
    "7z": "application/x-7z-compressed", "aac": "audio/aac", "asc": "application/pgp-signature", "avi": "video/x-msvideo",
    "bmp": "image/bmp", "bz2": "application/x-bzip2", "css": "text/css", "csv": "text/csv", "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document", "eml": _MAIL, "epub": "application/epub+zip", "flac": "audio/flac",
    "gif": "image/gif", "gz": "application/gzip", "heic": "image/heic", "htm": "text/html", "html": "text/html",
    "ico": "image/x-icon", "ics": "text/calendar", "jpeg": "image/jpeg", "jpg": "image/jpeg", "js": "text/javascript",
    "json": "application/json", "log": "text/plain", "m4a": "audio/mp4", "md": "text/markdown", "mkv": "video/x-matroska",
    "mov": "video/quicktime", "mp3": "audio/mpeg", "mp4": "video/mp4", "mpeg": "video/mpeg", "odp": f"{_OPEN}.presentation",
    "ods": f"{_OPEN}.spreadsheet", "odt": f"{_OPEN}.text", "ogg": "audio/ogg", "p7m": "application/pkcs7-mime",
    "p7s": "application/pkcs7-signature", "pdf": "application/pdf", "png": "image/png", "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation", "rar": "application/vnd.rar", "rtf": "application/rtf",
    "svg": "image/svg+xml", "tar": "application/x-tar", "tgz": "application/gzip", "tif": "image/tiff", "tiff": "image/tiff",
    "txt": "text/plain", "vcf": "text/vcard", "wav": "audio/wav", "webm": "video/webm", "webp": "image/webp",
    "xls": "application/vnd.ms-excel", "xlsx": f"{_OFFICE}.spreadsheetml.sheet", "xml": "application/xml",
    "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip",
}  # fmt: skip


def of(name: str, told: str) -> str:
    """The type that a file is sent as.

    Args:
        name: of the file; its end tells where nobody told the type.
        told: what is said of it, in any case; what is no type counts as not told.
    """
    kind = told.strip().lower().partition(";")[0].strip()
    if not _TYPE.match(kind) or kind == UNKNOWN:
        kind = _BY_END.get(name.rpartition(".")[2].strip().lower(), UNKNOWN)
    # Of what holds other mail, base64 is allowed for none (RFC 2045 section 6.4); mails stand as they are.
    is_container = kind.startswith(("multipart/", "message/")) and kind != _MAIL
    return UNKNOWN if is_container else kind
