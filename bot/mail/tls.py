"""What a failed TLS handshake says about the other side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import ssl

_NOT_TLS: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"}
)
"""OpenSSL's names for an answer that is no TLS record at all."""


def is_no_tls(error: ssl.SSLError) -> bool:
    """Whether what answered speaks no TLS: a mail server in clear, or anything else that took the connection."""
    return error.reason in _NOT_TLS
