"""A private Cyrus: CAPA, pipelining, TLS on a port of its own and STLS; mail comes in by LMTP.

Passwords are judged by us: we answer on the socket where `saslauthd` would.
"""

from __future__ import annotations

import smtplib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from storage.records import Security
from tests.fakes.ports import free_port
from tests.fakes.real_servers.private_root import NOBODY, USER, PrivateRoot, wait_for
from tests.fakes.real_servers.sockets import Checker, saslauthd

if TYPE_CHECKING:
    from tests.fakes.certificates import Certificates

NAME = "cyrus"
PACKAGES = (
    "cyrus-pop3d",
    "cyrus-common",
    "libsasl2-modules",
    "tzdata",
)  # its calendar code insists on time zones

_IMAPD = """
admins: cyrus
allowplaintext: yes
autocreate_post: yes
autocreate_quota: 0
configdirectory: /var/lib/cyrus
cyrus_user: cyrus
cyrus_group: cyrus
defaultpartition: default
duplicatesuppression: no
partition-default: /var/spool/cyrus
popminpoll: 0
sasl_mech_list: PLAIN
sasl_pwcheck_method: saslauthd
sasl_saslauthd_path: /run/saslauthd/mux
servername: localhost
sievedir: /var/spool/sieve
tls_server_cert: /etc/ssl/chain.pem
tls_server_key: /etc/ssl/key.pem
tls_versions: tls1_2 tls1_3
"""
_CYRUS = """
START {{
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}}
SERVICES {{
  pop3  cmd="/usr/lib/cyrus/bin/pop3d" listen="127.0.0.1:{clear}" prefork=1
  pop3s cmd="/usr/lib/cyrus/bin/pop3d -s" listen="127.0.0.1:{tls}" prefork=1
  lmtp  cmd="/usr/lib/cyrus/bin/lmtpd -a" listen="127.0.0.1:{lmtp}" prefork=0
}}
"""


class Cyrus:
    """A running server with one user; use it as a context manager.

    Attributes:
        ports: where it listens, by protection.
    """

    def __init__(self, certificates: Certificates) -> None:
        clear = free_port()
        self.ports = {Security.TLS: free_port(), Security.STARTTLS: clear, Security.NONE: clear}
        self._lmtp = free_port()
        self._root = PrivateRoot(NAME)
        self._certificates = certificates
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._root)
            self._root.users({"cyrus": NOBODY})
            self._write_files()
            asked = self._root.folder("/run/saslauthd")
            stack.enter_context(Checker(asked, "mux", saslauthd))
            self._root.start(
                "/usr/sbin/cyrmaster",
                "-C",
                "/etc/imapd.conf",
                "-M",
                "/etc/cyrus.conf",
                "-p",
                "/run/cyrus/master.pid",
            )
            wait_for(self.ports[Security.NONE], self._root.log)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def deliver(self, *messages: bytes) -> None:
        """Put messages, with CRLF line ends, at the end of the maildrop; LMTP adds header lines on top."""
        with smtplib.LMTP("127.0.0.1", self._lmtp) as lmtp:
            for message in messages:
                lmtp.sendmail("a@b.example", [USER], message)

    def _write_files(self) -> None:
        chain, key = self._certificates.write(self._root.folder("/tmp"))
        self._root.write("/etc/ssl/chain.pem", chain.read_bytes())
        self._root.write("/etc/ssl/key.pem", key.read_bytes(), owner=NOBODY)
        self._root.write("/etc/imapd.conf", _IMAPD)
        ports = {"clear": self.ports[Security.NONE], "tls": self.ports[Security.TLS], "lmtp": self._lmtp}
        self._root.write("/etc/cyrus.conf", _CYRUS.format(**ports))
        for folder in ("/var/lib/cyrus", "/var/spool/cyrus", "/var/spool/sieve", "/run/cyrus"):
            self._root.folder(folder, owner=NOBODY)
        for folder in ("proc", "db", "socket", "log", "msg", "ptclient", "lock", "user", "quota", "backup"):
            self._root.folder(f"/var/lib/cyrus/{folder}", owner=NOBODY)
        for folder in ("proc", "lock", "socket"):
            self._root.folder(f"/run/cyrus/{folder}", owner=NOBODY)
