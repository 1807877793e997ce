"""The shapes of text objects, confirmation dialogs and `rich_text`, with their limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.sandbox.slack.schema import array, boolean, choice, integer, record, string, tagged, url

if TYPE_CHECKING:
    from bot.sandbox.slack.schema import Check

BLOCK_ID = string(1, 255)


def plain(high: int = 3000) -> Check:
    """A `plain_text` object and no other."""
    return tagged(
        {"plain_text": record({"type": choice("plain_text"), "text": string(1, high)}, {"emoji": boolean})}
    )


def text(high: int = 3000) -> Check:
    """A `plain_text` or `mrkdwn` object."""
    return tagged(
        {
            "plain_text": plain(high),
            "mrkdwn": record({"type": choice("mrkdwn"), "text": string(1, high)}, {"verbatim": boolean}),
        }
    )


CONFIRM = record(
    {"text": text(300)},
    {"title": plain(100), "confirm": plain(30), "deny": plain(30), "style": choice("primary", "danger")},
)

_TEXT_STYLE = record(
    {},
    dict.fromkeys(
        ("bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"), boolean
    ),
)


def _inline(kind: str, required: dict[str, Check], optional: dict[str, Check] | None = None) -> Check:
    return record({"type": choice(kind), **required}, {"style": _TEXT_STYLE, **(optional or {})})


_TEXT = _inline("text", {"text": string(1)})
_LINK = _inline("link", {"url": url()}, {"text": string(), "unsafe": boolean})

INLINE = tagged(
    {
        "text": _TEXT,
        "link": _LINK,
        "broadcast": _inline("broadcast", {"range": choice("here", "channel", "everyone")}),
        "color": _inline("color", {"value": string(1, 40)}),
        "channel": _inline("channel", {"channel_id": string(1, 40)}),
        "date": _inline(
            "date", {"timestamp": integer(0), "format": string(1, 200)}, {"url": url(), "fallback": string(1)}
        ),
        "emoji": _inline(
            "emoji",
            {"name": string(1, 100)},
            {"unicode": string(1, 80), "skin_tone": integer(1, 6), "url": url()},
        ),
        "team": _inline("team", {"team_id": string(1, 40)}),
        "user": _inline("user", {"user_id": string(1, 40)}),
        "usergroup": _inline("usergroup", {"usergroup_id": string(1, 40)}),
    }
)
_BORDER = integer(0, 1)
_SECTION = record({"type": choice("rich_text_section"), "elements": array(INLINE, 1)})

_PARAGRAPH = tagged(
    {
        "rich_text_section": _SECTION,
        "rich_text_quote": record(
            {"type": choice("rich_text_quote"), "elements": array(INLINE, 1)}, {"border": _BORDER}
        ),
        "rich_text_preformatted": record(
            {
                "type": choice("rich_text_preformatted"),
                "elements": array(tagged({"text": _TEXT, "link": _LINK}), 1),
            },
            {"border": _BORDER, "language": string(1, 100)},
        ),
        "rich_text_list": record(
            {
                "type": choice("rich_text_list"),
                "style": choice("bullet", "ordered"),
                "elements": array(tagged({"rich_text_section": _SECTION}), 1),
            },
            {"indent": integer(0, 8), "offset": integer(0), "border": _BORDER},
        ),
    }
)

RICH_TEXT = record({"type": choice("rich_text"), "elements": array(_PARAGRAPH, 1)}, {"block_id": BLOCK_ID})
