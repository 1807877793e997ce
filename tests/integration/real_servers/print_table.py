"""Prints `docs/servers.md`, every cell of it seen in this run; needs the servers of `tests/fakes/real_servers`.

python -m tests.integration.real_servers.print_table > docs/servers.md
"""

from __future__ import annotations

import asyncio
import sys

from tests.fakes.certificates import Certificates
from tests.fakes.real_servers.catalogue import SERVERS
from tests.integration.real_servers.conversation import facts

INTRODUCTION = """# What real POP3 servers do

Dovecot, Courier, Cyrus and popa3d as Debian 12 packages them, each with a configuration of its own on loopback,
asked by Mailbox's client and, for what only the wire shows, by a plain socket. Printed by
`python -m tests.integration.real_servers.print_table`; a test compares every cell with what the servers do today.

"""
CONCLUSIONS = """
What follows for Mailbox:

- No command is sent behind the login before the login is answered, whatever CAPA announces: a server may lose it, and
  the session would hang until its deadline.
- After the login many commands are in flight; all four answer them in order. A server whose sessions break off twice
  in a row is asked one by one from then on.
- Octets are counted as they arrive; what LIST says is a hint.
- Equal UIDs in one listing are told apart by their order, and such messages are never deleted.
- Only `[AUTH]` makes a wrong password certain. Any other refusal after past successes is tried once more before the
  owner is told.
- `#` stands for a run of digits.

## Outgoing servers

Postfix 3.7 and Exim 4.96 as Debian 12 packages them, with TLS on a port of its own and STARTTLS; Postfix asks a
Dovecot about passwords. `tests/integration/smtp/test_submit_real.py` sends through both and compares every octet with
what they deliver: doubled dots, 8-bit text, lines of 990 octets, 5 MB, addresses beyond ASCII, 20 recipients.

- Both announce SIZE, 8BITMIME and SMTPUTF8, and answer a wrong password with 535.
- Postfix refuses a sender only at RCPT, with "Sender address rejected"; Exim does at MAIL. Both read as the sender's.
- Neither delivers anything of a mail whose connection ended before the last dot, however much of it was there.
- OpenSMTPD 6.8 of Debian 12 is not among them: it cannot do TLS with OpenSSL 3.
"""


def main() -> None:
    """Start each server in turn and print what it did."""
    certificates = Certificates()
    columns = {}
    for name, start in SERVERS.items():
        with start(certificates) as server:
            columns[name] = asyncio.run(facts(server, certificates.client()))
    sys.stdout.write(INTRODUCTION + table(columns) + CONCLUSIONS)


def table(columns: dict[str, dict[str, str]]) -> str:
    """Facts as rows, servers as columns."""
    rows = [["", *columns], ["---"] * (len(columns) + 1)]
    facts_in_order = next(iter(columns.values()))
    rows += [[fact, *(column[fact] for column in columns.values())] for fact in facts_in_order]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    main()
