"""Unpacks the servers that are tested against; the gate runs it. Needs `apt-get` and its lists, no rights.

python -m tests.fakes.real_servers.unpack
"""

from __future__ import annotations

from tests.fakes.real_servers import courier, cyrus, exim, popa3d, postfix
from tests.fakes.real_servers.private_root import unpack

for server in (courier, cyrus, popa3d, postfix, exim):
    unpack(server.NAME, server.PACKAGES)
