"""A private Dovecot on free loopback ports: configuration, users and mail in a folder of its own.

Runs as an ordinary user; started by root it is given to `nobody`. Debian: `apt-get install dovecot-pop3d`.
"""

from __future__ import annotations

import contextlib
import grp
import shutil
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fakes.ports import free_port
from tests.fakes.private_server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fakes.certificates import Certificates

PROGRAM = Path("/usr/sbin/dovecot")
START_SECONDS = 30

_CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
protocols = pop3
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{folder}/mail/%u
mail_fsync = never
mail_max_userip_connections = 1000
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
ssl = yes
ssl_cert = <{chain}
ssl_key = <{key}
passdb {{
  driver = passwd-file
  args = scheme=PLAIN username_format=%u {folder}/users
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={folder}/mail/%u
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service pop3-login {{
  chroot =
  inet_listener pop3 {{
    port = {plain_port}
  }}
  inet_listener pop3s {{
    port = {tls_port}
    ssl = yes
  }}
}}
"""
_AUTH = """
service auth {{
  unix_listener {socket} {{
    mode = 0666
  }}
}}
"""


def why_missing() -> str | None:
    """Why no Dovecot can be started here; None when it can."""
    if not PROGRAM.exists():
        return f"{PROGRAM} is not installed (Debian: dovecot-pop3d)"
    return (
        None if Path("/usr/lib/dovecot/pop3").exists() else "Dovecot has no POP3 here (Debian: dovecot-pop3d)"
    )


class Dovecot(PrivateServer):
    """A running server; use it as a context manager.

    Attributes:
        tls_port: TLS from the first octet.
        plain_port: in clear, with STLS.

    Args:
        auth_socket: where another server may ask about passwords; the folder must be one that we may write to.
    """

    def __init__(
        self, certificates: Certificates, users: Mapping[str, str], *, auth_socket: Path | None = None
    ) -> None:
        super().__init__("dovecot", str(PROGRAM), "-F", seconds=START_SECONDS)
        self.tls_port, self.plain_port = free_port(), free_port()
        self._certificates = certificates
        self._users = dict(users)
        self._auth_socket = auth_socket
        self._delivered = 0

    def deliver(self, user: str, *messages: bytes) -> None:
        """Put messages, with CRLF line ends, at the end of a user's maildrop."""
        folder = self._folder / "mail" / user
        for message in messages:
            self._delivered += 1
            name = f"{1_700_000_000 + self._delivered}.M{self._delivered}P1.localhost,S={len(message)}"
            path = folder / "new" / name
            path.write_bytes(message)
            self._own(path)

    def stored(self, user: str) -> int:
        """How many messages lie in a user's maildrop."""
        folder = self._folder / "mail" / user
        return sum(1 for name in ("new", "cur") for _ in (folder / name).iterdir())

    def empty(self, user: str) -> None:
        """Remove all mail of a user."""
        folder = self._folder / "mail" / user
        shutil.rmtree(folder, ignore_errors=True)
        for name in ("new", "cur", "tmp"):
            (folder / name).mkdir(parents=True)
        for path in (folder, *folder.iterdir()):
            self._own(path)

    def _write_files(self) -> None:
        chain, key = self._certificates.write(self._folder)
        group = str(self._account.pw_gid)
        (self._folder / "users").write_text("".join(f"{name}:{word}\n" for name, word in self._users.items()))
        asked = _AUTH.format(socket=self._auth_socket) if self._auth_socket else ""
        (self._folder / "dovecot.conf").write_text(
            _CONFIG.format(
                folder=self._folder,
                user=self._account.pw_name,
                group=_group_name(group),
                chain=chain,
                key=key,
                plain_port=self.plain_port,
                tls_port=self.tls_port,
            )
            + asked
        )
        for name in ("run", "state", "mail"):
            (self._folder / name).mkdir()
        for user in self._users:
            self.empty(user)

    def _answers(self) -> bool:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", self.plain_port), timeout=5) as probe,
        ):
            return probe.recv(3) == b"+OK"
        return False


def _group_name(group: str) -> str:
    return grp.getgrgid(int(group)).gr_name
