"""Posts of one channel follow each other as fast as Slack takes them there."""

from __future__ import annotations

from bot.paces import ALONE_SECONDS, BURST, Paces


async def test_a_few_posts_go_out_at_once() -> None:
    """One refusal changes nothing: it may have been about the workspace."""
    paces = Paces()
    paces.refused("D1")

    for _ in range(BURST):
        assert paces.of("D1").has_capacity()
        await paces.of("D1").acquire()

    assert not paces.of("D1").has_capacity()


async def test_where_slack_takes_no_burst_none_is_tried() -> None:
    """Refused twice in a minute, a channel gets one post after the other, each a second later; others go on as before."""
    paces = Paces()
    paces.refused("D1")
    paces.refused("D1")

    await paces.of("D1").acquire()
    await paces.of("D2").acquire()

    assert not paces.of("D1").has_capacity()
    assert paces.of("D1").time_period == ALONE_SECONDS
    assert paces.of("D2").has_capacity()
