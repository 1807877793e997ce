"""Feeds the POP3 reply parser octets that an evolving search thinks of: atheris, a libFuzzer for Python.

    pip install atheris          # wheels for Linux on x86-64 alone, so not among the requirements
    python bench/fuzz_pop3.py -max_total_time=180 [folder of inputs]

What is checked stands in `tests/unit/pop3_oracle.py`. An input that breaks a promise is written to a file
`crash-…`; it belongs into `tests/unit/test_pop3_findings.py` together with the fix.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris  # type: ignore[import-untyped]  # installed by hand, see above

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

with atheris.instrument_imports(include=["bot.mail", "tests.unit"]):
    from tests.unit import pop3_oracle

STREAMS = (
    b"+OK ready\r\n",
    b"+OK\r\nSubject: x\r\n\r\n..dot\r\n.\r\n+OK\r\nmore\r\n.\r\n+OK\r\n.\r\n",
    b"+OK\r\n1 a\r\n2 b\r\n.\r\n+OK\r\n1 10\r\n2 20\r\n.\r\n",
    b"+OK 2 30\r\n+OK 1 uid\r\n+OK 1 10\r\n+OK\r\nbody\r\n.\r\n",
    b"+OK\nline\n..\n.\n",
    b"+OK\r\nTOP\r\nSASL PLAIN\r\n.\r\n-ERR [IN-USE] locked\r\n",
    b"+ \r\n+ bW9yZQ==\r\n-ERR [AUTH] anna@example.org 10.0.0.1 ::1\r\n",
    b"-ERR [SYS/TEMP] try again later\r\n",
)


def target(octets: bytes) -> None:
    """One input."""
    pop3_oracle.check(octets)


def seed(folder: Path) -> None:
    """Conversations to start the search from, for every question."""
    for number, stream in enumerate(STREAMS):
        for asked in range(len(pop3_oracle.ASKED)):
            (folder / f"seed-{asked}-{number}").write_bytes(bytes([asked, number]) + stream)


def main() -> None:
    """Search until the options say enough; a first folder of inputs is made when none is named."""
    with tempfile.TemporaryDirectory(prefix="fuzz-pop3-") as made:
        arguments = [*sys.argv]
        if not any(Path(argument).exists() for argument in arguments[1:]):
            seed(Path(made))
            arguments += [made]
        atheris.Setup([*arguments, "-max_len=600", "-print_final_stats=1"], target)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
