"""What the render child answers reaches the bot as it was."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import frames
from bot.mail.content import File, Rendered


@settings(max_examples=50)
@given(st.text(max_size=40), st.booleans(), st.lists(st.binary(min_size=1, max_size=20), max_size=3))
def test_post_crosses_the_pipe_whole(text: str, is_shortened: bool, octets: list[bytes]) -> None:  # noqa: FBT001 - drawn
    """Words, blocks, files and whether the post is shortened arrive; the original is not sent back."""
    original = b"original"
    files = (*(File("a", each, "b") for each in octets), File("c", original, "d"))
    post = Rendered(
        text,
        [{"type": "divider"}],
        files,
        is_shortened=is_shortened,
        sender=text,
        pages=len(octets),
        domains=(text, "b.example") if is_shortened else None,
        attached=((text, 7), ("b", 0)) if is_shortened else (),
    )

    head, content = frames.answer_frame(frames.Answer(post, None, is_last=False), original)
    line, sent = frames.packed(head, content)

    answer = frames.answer(json.loads(line[frames.LENGTHS.size :]), sent, original)
    assert answer.rendered == post
    assert original not in sent or any(original in each for each in octets)
