"""A private Postfix for submission: TLS on a port of its own and STARTTLS, passwords judged by a private Dovecot.

Its own `master` is started without its shell scripts. Mail for `b.example` lands in maildirs; nothing leaves the root,
which has no delivery by SMTP.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from storage.records import Security
from tests.fakes.dovecot import Dovecot
from tests.fakes.real_servers.private_root import NOBODY, PASSWORD, USER
from tests.fakes.real_servers.submission import SubmissionServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack
    from pathlib import Path

    from tests.fakes.certificates import Certificates

NAME = "postfix"
PACKAGES = ("postfix", "libsasl2-modules")
SIZE = 20_000_000
POSTFIX, POSTDROP = 901, 902
QUEUE = "/var/spool/postfix"

_MAIN = """
compatibility_level = 3.6
maillog_file = /var/log/mail.txt
maillog_file_prefixes = /var
myhostname = localhost
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks =
message_size_limit = {size}
mailbox_size_limit = 0
virtual_mailbox_limit = 0
virtual_mailbox_domains = b.example
virtual_mailbox_base = /var/mail
virtual_mailbox_maps = static:all/
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
default_transport = error:nothing leaves
in_flow_delay = 0
smtpd_tls_cert_file = /etc/postfix/chain.pem
smtpd_tls_key_file = /etc/postfix/key.pem
smtpd_tls_auth_only = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = /run/dovecot/auth
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_sender_restrictions = check_sender_access texthash:/etc/postfix/senders
smtpd_recipient_restrictions = check_recipient_access texthash:/etc/postfix/recipients, permit_sasl_authenticated, reject
header_checks = regexp:/etc/postfix/headers
"""
_SENDERS = "other@a.example 553 5.7.1 not owned by you\n"
_RECIPIENTS = """\
no@b.example 550 5.1.1 no such user here
later@b.example 450 4.2.1 mailbox is being moved
full@b.example 452 4.2.2 mailbox is full
"""
_HEADERS = "/^Subject: refuse me/ REJECT 5.7.1 not this subject\n"
_MASTER = """
127.0.0.1:{starttls} inet n - n - - smtpd -o smtpd_tls_security_level=encrypt -o smtpd_sasl_auth_enable=yes
127.0.0.1:{tls} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""


class Postfix(SubmissionServer):
    """A running Postfix."""

    def __init__(self, certificates: Certificates) -> None:
        super().__init__(NAME, certificates)

    def _begin(self, stack: ExitStack) -> None:
        self._root.users({"postfix": POSTFIX, "postdrop": POSTDROP, "nobody": NOBODY})
        self._write_files()
        self._write_folders()
        asked = self._root.folder("/run/dovecot", owner=NOBODY)
        stack.enter_context(Dovecot(self._certificates, {USER: PASSWORD}, auth_socket=asked / "auth"))
        self._root.start("/usr/lib/postfix/sbin/master", "-d")

    def _logs(self) -> Iterable[Path]:
        return (self._root.path / "var/log").glob("mail.txt")

    def _write_files(self) -> None:
        chain, key = self._certificates.write(self._root.folder("/tmp"))
        ports = {"tls": self.ports[Security.TLS], "starttls": self.ports[Security.STARTTLS]}
        for name, text in {
            "main.cf": _MAIN.format(size=SIZE, nobody=NOBODY),
            "master.cf": _MASTER.format(**ports),
            "senders": _SENDERS,
            "recipients": _RECIPIENTS,
            "headers": _HEADERS,
            "chain.pem": chain.read_text(),
            "key.pem": key.read_text(),
        }.items():
            self._root.write(f"/etc/postfix/{name}", text)

    def _write_folders(self) -> None:
        """As `postfix set-permissions` leaves them."""
        self._root.folder(QUEUE)
        for name in (
            "active",
            "bounce",
            "corrupt",
            "defer",
            "deferred",
            "flush",
            "hold",
            "incoming",
            "private",
        ):
            self._root.folder(f"{QUEUE}/{name}", owner=POSTFIX)
        for name in ("saved", "trace"):
            self._root.folder(f"{QUEUE}/{name}", owner=POSTFIX)
        self._root.folder(f"{QUEUE}/pid")
        for name in ("maildrop", "public"):
            os.chown(self._root.folder(f"{QUEUE}/{name}"), POSTFIX, POSTDROP)
        self._root.folder("/var/lib/postfix", owner=POSTFIX)
        self._root.folder("/var/mail/all", owner=NOBODY)
