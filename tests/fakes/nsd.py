"""A private NSD on a free loopback port: one zone, its configuration and files in a folder of its own.

Runs as an ordinary user; started by root it is given to `nobody`. Debian: `apt-get install nsd`.
"""

from __future__ import annotations

from pathlib import Path

import dns.exception
import dns.message
import dns.query

from tests.fakes.ports import free_port
from tests.fakes.private_server import PrivateServer

PROGRAM = Path("/usr/sbin/nsd")
START_SECONDS = 45

_CONFIG = """
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  logfile: "{folder}/nsd.log"
  xfrdfile: "{folder}/xfrd.state"
  xfrdir: "{folder}"
  zonelistfile: "{folder}/zone.list"
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{zone}"
  zonefile: "zone"
"""
_HEAD = """$ORIGIN {zone}.
$TTL 60
@ SOA ns hostmaster 1 3600 600 86400 60
@ NS ns
ns A 127.0.0.1
"""


def why_missing() -> str | None:
    """Why no NSD can be started here; None when it can."""
    return None if PROGRAM.exists() else f"{PROGRAM} is not installed (Debian: nsd)"


class Nsd(PrivateServer):
    """A running name server; use it as a context manager.

    Args:
        zone: the one domain it knows.
        records: lines of its zone file, relative to the domain.
    """

    def __init__(self, zone: str, records: str) -> None:
        super().__init__("nsd", str(PROGRAM), "-d", seconds=START_SECONDS)
        self.port = free_port()
        self._zone = zone
        self._records = records

    def _write_files(self) -> None:
        configuration = _CONFIG.format(folder=self._folder, port=self.port, zone=self._zone)
        (self._folder / "nsd.conf").write_text(configuration)
        (self._folder / "zone").write_text(_HEAD.format(zone=self._zone) + self._records)

    def _answers(self) -> bool:
        question = dns.message.make_query(self._zone, "SOA")
        try:
            answer = dns.query.udp(question, "127.0.0.1", port=self.port, timeout=1)
        except (dns.exception.DNSException, OSError):
            return False
        return bool(answer.answer)
