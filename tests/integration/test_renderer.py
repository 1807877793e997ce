"""The renderer and its children: no mail stops the next one, and nothing of the bot's is in a child's reach."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.errors import RenderFailed
from bot.mail.renderer import Rendered, Renderer
from storage.records import Shape
from tests.fakes import processes
from tests.fakes.block_rules import problems, text_problems, visible
from tests.fakes.processes import Process

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

pytestmark = pytest.mark.skipif(not processes.IS_TOLD, reason="processes are looked at through /proc")

ROOT = Path(__file__).parents[2]
GOOD = b"From: Bob <bob@x.example>\nSubject: Good\n\nHello Ada"


_older: set[Process] = set()
"""Children that were there before the test: servers of other tests in the same worker."""


@pytest.fixture(autouse=True)
def _own_children() -> None:
    _older.clear()
    _older.update(processes.children())


def children() -> list[Process]:
    """The children that came with this test."""
    return [child for child in processes.children() if child not in _older]


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    """A renderer with real children."""
    renderer = Renderer()
    yield renderer
    await renderer.close()


@pytest.fixture
async def mortal(tmp_path: Path) -> AsyncIterator[Renderer]:
    """A renderer whose children obey orders to die; one at a time, two seconds for each mail."""
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {ROOT}/tests/fakes/mortal_child.py "$@"\n')
    python.chmod(0o755)
    renderer = Renderer(python=str(python), children=1, deadline=timedelta(seconds=3))
    yield renderer
    await renderer.close()


async def rendered(
    renderer: Renderer, octets: bytes, *, plain: bool = False, shape: Shape = Shape.WHOLE
) -> Rendered:
    """The post of a mail of Ada's, held against Slack's rules."""
    post = await renderer.render(
        octets,
        shape=shape,
        listed_octets=len(octets),
        received_at=datetime(2026, 11, 23, tzinfo=UTC),
        mailbox_name=None,
        own_address="ada@home.example",
        plain=plain,
    )
    assert text_problems(post.text) == []
    assert plain or problems(post.blocks) == []
    return post


def ordered(fault: str, argument: object = "", *, always: bool = False) -> bytes:
    """A mail that orders a fault."""
    return f"From: bob@x.example\nSubject: Bad\nX-Fault{'-Always' if always else ''}: {fault} {argument}\n\nHello".encode()


async def until(condition: Callable[[], bool]) -> None:
    """Waits until something is so; the test's own limit ends it."""
    while not condition():  # noqa: ASYNC110 - another process's state sets no event
        await asyncio.sleep(0.02)


async def test_a_mail_becomes_a_post_with_its_files(lasting_renderer: Renderer) -> None:
    """Text, blocks and files come back from the child as they were made."""
    octets = (ROOT / "tests/data/mails/files.eml").read_bytes()

    post = await rendered(lasting_renderer, octets)

    assert post.text.startswith("Office, Printer: Scans: Two scans and a note.")
    assert [(file.name, len(file.octets)) for file in post.files][1] == ("€ rates.pdf", 18)


async def test_a_child_serves_many_mails(renderer: Renderer) -> None:
    """One process renders mail after mail."""
    for _ in range(20):
        assert "Hello Ada" in visible((await rendered(renderer, GOOD)).blocks)

    assert len(children()) == 1


async def test_original_and_large_files_come_back_whole(lasting_renderer: Renderer) -> None:
    """Files of many megabytes and the original survive the pipe."""
    body = b"QUJD" * 2_000_000
    head = b"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\nContent-Transfer-Encoding: base64\n\n"

    post = await rendered(lasting_renderer, head + b"!!!" + body)

    assert [len(file.octets) for file in post.files] == [6_000_000, len(head) + 3 + len(body)]
    assert post.files[1].octets == head + b"!!!" + body


@pytest.mark.parametrize("shape", list(Shape))
@pytest.mark.parametrize("octets", [b"", b"\xff\x00rubbish", GOOD])
async def test_every_shape(lasting_renderer: Renderer, shape: Shape, octets: bytes) -> None:
    """Whatever the store holds becomes a post, in blocks and in plain text."""
    await rendered(lasting_renderer, octets, shape=shape)
    post = await rendered(lasting_renderer, octets, shape=shape, plain=True)

    assert post.blocks == []


async def test_a_child_has_none_of_the_secrets(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens and keys in the bot's environment do not reach a child, nor do its open files."""
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-canary")
    with (ROOT / "pyproject.toml").open() as held:
        os.set_inheritable(held.fileno(), True)
        await rendered(renderer, GOOD)

    [child] = children()
    assert set(child.environment) <= {"PYTHONPATH", "PYTHONUTF8", "LANG", "LD_LIBRARY_PATH", "LC_CTYPE"}
    assert {name.partition(":")[0] for name in child.files} <= {"pipe", "socket", "/dev/null"}


async def test_a_child_is_bounded(renderer: Renderer) -> None:
    """Memory, open files, written files and cores have limits."""
    await rendered(renderer, GOOD)

    [child] = children()
    assert resource.prlimit(child.pid, resource.RLIMIT_NOFILE) == (16, 16)
    assert resource.prlimit(child.pid, resource.RLIMIT_FSIZE) == (0, 0)
    assert resource.prlimit(child.pid, resource.RLIMIT_CORE) == (0, 0)
    assert 512 * 1024 * 1024 < resource.prlimit(child.pid, resource.RLIMIT_AS)[1] < 2 * 1024 * 1024 * 1024


@pytest.mark.parametrize("fault", ["die", "spin", "sleep", "lie", "leave"])
async def test_a_mail_that_kills_becomes_a_minimal_card(mortal: Renderer, fault: str) -> None:
    """A mail that two children did not survive is shown by its header, and the next mail as ever."""
    octets = ordered(fault)

    post = await rendered(mortal, octets)
    after = await rendered(mortal, GOOD)

    assert visible(post.blocks).startswith("Bad\nbob@x.example")
    assert "This message could not be shown." in visible(post.blocks)
    assert [(file.name, file.octets) for file in post.files] == [("original.eml", octets)]
    assert "Hello Ada" in visible(after.blocks)


@pytest.mark.parametrize("fault", ["swell", "recurse", "fail"])
async def test_a_failure_within_the_child_is_caught_there(mortal: Renderer, fault: str) -> None:
    """Memory, recursion and our own mistakes cost the body of one mail."""
    post = await rendered(mortal, ordered(fault, "bob@x.example"))
    after = await rendered(mortal, GOOD)

    assert "This message could not be shown." in visible(post.blocks)
    assert "Hello Ada" in visible(after.blocks)


@pytest.mark.parametrize("plain", [False, True])
async def test_a_mail_that_always_kills_becomes_a_card_without_looking(
    mortal: Renderer, *, plain: bool
) -> None:
    """Even a header that nobody survives is announced, with the original."""
    octets = ordered("die", always=True)

    post = await rendered(mortal, octets, plain=plain)

    assert "could not be shown" in post.text
    assert [file.octets for file in post.files] == [octets]


async def test_a_child_that_died_by_chance_is_replaced(mortal: Renderer, tmp_path: Path) -> None:
    """A single death is not the mail's fault: it is tried again and shown in full."""
    post = await rendered(mortal, ordered("once", tmp_path / "mark"))

    assert "Hello" in visible(post.blocks)
    assert post.files == ()


async def test_a_child_that_was_killed_between_mails_is_replaced(renderer: Renderer) -> None:
    """The next mail does not suffer from what happened to an idle child."""
    await rendered(renderer, GOOD)
    [child] = children()
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: not child.is_alive)

    assert "Hello Ada" in visible((await rendered(renderer, GOOD)).blocks)


async def test_a_child_cannot_write(mortal: Renderer, tmp_path: Path) -> None:
    """No mail can make a child leave anything on the disk."""
    await rendered(mortal, ordered("write", tmp_path / "loot"))

    assert not (tmp_path / "loot").exists() or (tmp_path / "loot").stat().st_size == 0


async def test_cancelling_leaves_no_answer_for_the_next_mail(mortal: Renderer) -> None:
    """A cancelled render ends at once, and its child with it."""
    await rendered(mortal, GOOD)
    task = asyncio.create_task(rendered(mortal, ordered("sleep")))
    [child] = children()
    await asyncio.sleep(0)  # the task has begun

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert "Hello Ada" in visible((await rendered(mortal, GOOD)).blocks)
    await until(lambda: not child.state)


async def test_the_loop_is_never_blocked(mortal: Renderer) -> None:
    """While a child spins, everything else goes on."""
    task = asyncio.create_task(rendered(mortal, ordered("spin")))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.01)
        turns += 1

    assert turns > 50  # of about six hundred; a loop that waits with the child has a handful


async def test_a_hostile_mail_does_not_hold_up_the_others() -> None:
    """With two children, mails pass the one that spins."""
    renderer = Renderer(deadline=timedelta(seconds=3))
    huge = asyncio.create_task(
        rendered(renderer, b"From: a@b.c\nContent-Type: text/html\n\n" + b"<p>x" * 40_000)
    )
    small = await rendered(renderer, GOOD)

    assert "Hello Ada" in visible(small.blocks)
    await huge
    await renderer.close()


async def test_closing_leaves_no_process(mortal: Renderer) -> None:
    """After close, and with mails still being rendered, no process and no zombie is left."""
    await rendered(mortal, GOOD)
    tasks = [asyncio.create_task(rendered(mortal, ordered("sleep"))) for _ in range(3)]
    await asyncio.sleep(0)  # the tasks have begun

    await mortal.close()

    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, RenderFailed) for result in results)
    assert children() == []
    with pytest.raises(RenderFailed):
        await rendered(mortal, GOOD)


@pytest.mark.parametrize("python", ["/nonexistent/python", "/bin/false"])
async def test_without_any_child_a_card_is_made(python: str) -> None:
    """Should no child start at all, the message is announced with its original."""
    renderer = Renderer(python=python)

    post = await rendered(renderer, GOOD)
    await renderer.close()

    assert "could not be shown" in post.text
    assert [file.octets for file in post.files] == [GOOD]


PARENT = """
import asyncio
from datetime import UTC, datetime
from bot.mail.renderer import Renderer
from storage.records import Shape
from tests.fakes.processes import children

async def main():
    renderer = Renderer()
    await renderer.render(b"Subject: x\\n\\nx", shape=Shape.WHOLE, listed_octets=0, received_at=datetime.now(UTC),
                          mailbox_name=None, own_address="")
    print(children()[0].pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


async def test_a_child_ends_with_the_bot() -> None:
    """When the bot is killed, its children end by themselves."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert parent.stdout is not None
    child = Process(int(await parent.stdout.readline()))

    parent.kill()
    await parent.wait()

    await until(lambda: not child.is_alive)
