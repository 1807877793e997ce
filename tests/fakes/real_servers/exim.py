"""A private Exim for submission: TLS on a port of its own and STARTTLS, one user in its configuration.

Mail for `b.example` lands in a maildir; nothing leaves the root, since no router leads elsewhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage.records import Security
from tests.fakes.real_servers.private_root import NOBODY, PASSWORD, USER
from tests.fakes.real_servers.submission import SubmissionServer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack
    from pathlib import Path

    from tests.fakes.certificates import Certificates

NAME = "exim"
PACKAGES = ("exim4-daemon-light", "exim4-base")
SIZE = 20_000_000
EXIM = 905

_CONFIG = """
primary_hostname = localhost
daemon_smtp_ports = {starttls} : {tls}
tls_on_connect_ports = {tls}
local_interfaces = 127.0.0.1
disable_ipv6 = true
log_file_path = /var/log/exim4/%slog
spool_directory = /var/spool/exim4
tls_advertise_hosts = *
tls_certificate = /etc/exim4/chain.pem
tls_privatekey = /etc/exim4/key.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
message_size_limit = {size}
rfc1413_query_timeout = 0s
never_users =
acl_smtp_mail = check_sender
acl_smtp_rcpt = check_recipient
acl_smtp_data = check_content

begin acl
check_sender:
  deny senders = other@a.example
       message = 5.7.1 not owned by you
  accept
check_recipient:
  deny recipients = no@b.example
       message = 5.1.1 no such user here
  defer recipients = later@b.example : full@b.example
        message = 4.2.1 come back later
  accept authenticated = *
  deny message = sign in first
check_content:
  deny condition = ${{if match{{$h_subject:}}{{^refuse me}}}}
       message = 5.7.1 not this subject
  accept

begin routers
here:
  driver = accept
  domains = b.example
  transport = keep

begin transports
keep:
  driver = appendfile
  directory = /var/mail/all
  maildir_format
  return_path_add
  envelope_to_add
  user = {nobody}
  group = {nobody}

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{{user}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""


class Exim(SubmissionServer):
    """A running Exim."""

    def __init__(self, certificates: Certificates) -> None:
        super().__init__(NAME, certificates)

    def _begin(self, _: ExitStack) -> None:
        self._root.users({"Debian-exim": EXIM, "mail": 8, "nobody": NOBODY})
        self._write_files()
        self._root.start("/usr/sbin/exim4", "-bdf", "-q1h")

    def _logs(self) -> Iterable[Path]:
        return sorted((self._root.path / "var/log/exim4").glob("*log"))

    def _write_files(self) -> None:
        chain, key = self._certificates.write(self._root.folder("/tmp"))
        ports = {"tls": self.ports[Security.TLS], "starttls": self.ports[Security.STARTTLS]}
        config = _CONFIG.format(size=SIZE, nobody=NOBODY, user=USER, password=PASSWORD, **ports)
        self._root.write("/etc/exim4/exim4.conf", config)
        self._root.write("/etc/exim4/chain.pem", chain.read_text(), owner=EXIM)
        self._root.write("/etc/exim4/key.pem", key.read_text(), owner=EXIM)
        self._root.write("/etc/hosts", "127.0.0.1 localhost\n")
        for folder in ("/var/spool/exim4", "/var/log/exim4"):
            self._root.folder(folder, owner=EXIM)
        self._root.folder("/var/mail/all", owner=NOBODY)
