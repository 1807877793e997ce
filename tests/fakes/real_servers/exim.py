"""A private Exim for submission: TLS on a port of its own and STARTTLS, one user in its configuration.

Mail for `b.example` lands in a maildir; nothing leaves the root, since no router leads elsewhere.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from storage.records import Security
from tests.fakes.ports import free_port
from tests.fakes.real_servers.maildirs import Maildirs
from tests.fakes.real_servers.private_root import NOBODY, PASSWORD, USER, PrivateRoot, wait_for

if TYPE_CHECKING:
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


class Exim:
    """A running server with one user; use it as a context manager.

    Attributes:
        ports: where it listens, by protection.
        mail: what arrived for the recipients of `b.example`.
    """

    def __init__(self, certificates: Certificates) -> None:
        self.ports = {Security.TLS: free_port(), Security.STARTTLS: free_port()}
        self._root = PrivateRoot(NAME)
        self._certificates = certificates
        self._stack = ExitStack()
        self.mail = Maildirs(self._root.path / "var/mail/all")

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self._root)
            self._root.users({"Debian-exim": EXIM, "mail": 8, "nobody": NOBODY})
            self._write_files()
            self._root.start("/usr/sbin/exim4", "-bdf", "-q1h")
            wait_for(self.ports[Security.STARTTLS], self.log, b"220")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def log(self) -> str:
        """What it said."""
        logs = sorted((self._root.path / "var/log/exim4").glob("*log"))
        return self._root.log() + "".join(log.read_text(errors="replace") for log in logs)

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
