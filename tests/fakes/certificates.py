"""A certificate authority of its own for each test run."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("localhost", "127.0.0.1", "::1", "mail.example.org")


class Certificates:
    """Issues server certificates and trusts them."""

    def __init__(self) -> None:
        self._authority = trustme.CA()

    def server(self, *names: str) -> ssl.SSLContext:
        """What a server with these names needs; the usual loopback names by default."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(*(names or NAMES)).configure_cert(context)
        return context

    def client(self) -> ssl.SSLContext:
        """Verifies names and chains as `ssl.create_default_context()` does, against this authority alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        self._authority.configure_trust(context)
        return context

    def write(self, folder: Path) -> tuple[Path, Path]:
        """Certificate chain and key as files, for servers that are programs."""
        issued = self._authority.issue_cert(*NAMES)
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(key)
        return chain, key
