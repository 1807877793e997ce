"""html2text and html-to-markdown on the same pages, in a virtual environment of their own that lives as long as the bench.

This file is also what runs in there: pages on standard input, texts and seconds on standard output. Each is asked
for plain text without links and pictures, the form that comes nearest to what is compared.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NAMES: Final = ("html2text", "html-to-markdown")
SECONDS: Final = 240


@dataclass(frozen=True)
class Converted:
    """A page as a peer tells it; None where it failed."""

    text: str | None
    seconds: float


def converted(pages: Sequence[str], rounds: int) -> dict[str, list[Converted]]:
    """Every page as each peer tells it, with the least time of the rounds."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="rendering-peers-") as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = str(Path(folder) / "bin" / "python")
        install = [python, "-m", "pip", "install", "--disable-pip-version-check", *NAMES]
        subprocess.run(install, check=True, capture_output=True, timeout=SECONDS)
        for name in NAMES:
            done = subprocess.run(
                [python, __file__, name, str(rounds)],
                input=json.dumps(list(pages)).encode(),
                capture_output=True,
                check=True,
                timeout=SECONDS,
            )
            found[name] = [Converted(*row) for row in json.loads(done.stdout)]
    return found


def _converter(name: str) -> Callable[[str], str]:
    if name == "html2text":
        module: Any = __import__("html2text")

        def with_html2text(html: str) -> str:
            worker = module.HTML2Text(bodywidth=0)
            worker.ignore_links = worker.ignore_images = worker.ignore_emphasis = True
            return str(worker.handle(html))

        return with_html2text
    module = __import__("html_to_markdown")
    options = module.ConversionOptions(output_format="plain", skip_images=True, extract_metadata=False)
    return lambda html: str(module.convert(html, options).content)


def _work(name: str, rounds: int) -> None:
    convert = _converter(name)
    rows = []
    for html in json.load(sys.stdin):
        text, seconds = None, 0.0
        with contextlib.suppress(Exception):  # a failure is a result too
            spent = []
            for _ in range(rounds):
                start = time.process_time()
                text = convert(html)
                spent.append(time.process_time() - start)
            seconds = min(spent)
        rows.append([text, seconds])
    json.dump(rows, sys.stdout)


if __name__ == "__main__":
    _work(sys.argv[1], int(sys.argv[2]))
