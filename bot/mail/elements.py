"""What HTML elements are and what they hand down to what stands in them: looks, links, whether it shows. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from bot.mail import styles
from bot.mail.lines import Mark, Style

if TYPE_CHECKING:
    from bot.mail.links import Target

BLOCKS: Final = frozenset(
    {
        "div", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "center", "section", "article",
        "header", "footer", "address", "dt", "dd", "figcaption", "form", "fieldset", "main", "nav", "aside",
        "details", "summary", "legend", "body", "html", "button", "option", "menu", "dir", "search", "frameset",
    }
)  # fmt: skip
SPACED: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "figure", "blockquote", "pre", "listing", "xmp"}
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
LOOKS: Final = {
    "b": Style.BOLD, "strong": Style.BOLD, "th": Style.BOLD, "dt": Style.BOLD, "summary": Style.BOLD,
    "i": Style.ITALIC, "em": Style.ITALIC, "cite": Style.ITALIC, "var": Style.ITALIC, "dfn": Style.ITALIC,
    "s": Style.STRIKE, "strike": Style.STRIKE, "del": Style.STRIKE,
    "code": Style.CODE, "tt": Style.CODE, "samp": Style.CODE, "kbd": Style.CODE,
} | dict.fromkeys(_HEADINGS, Style.BOLD)  # fmt: skip
LISTS: Final = frozenset({"ul", "ol", "menu", "dir"})
PRE: Final = frozenset({"pre", "listing", "xmp", "plaintext"})
_BREAKING: Final = BLOCKS | SPACED | LISTS | PRE | {"li"}
_MAY_RUN_IN: Final = _HEADINGS | {"div", "p", "section", "article", "center", "address", "form"}
_APART: Final = ("block", "flex", "grid", "table", "list-item")


@dataclass(slots=True)
class Link:
    """A link that is open: what it says is gathered, to be held against where it leads."""

    to: Target
    title: str
    label: list[str] = field(default_factory=list)
    has_image: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What an element hands down to what stands in it."""

    style: Style = Style.NONE
    link: Link | None = None
    is_pre: bool = False
    keeps_lines: bool = False
    case: str = ""
    is_tiny: bool = False
    is_invisible: bool = False
    colour: str = ""
    background: str = ""

    @property
    def is_unseen(self) -> bool:
        """Whether text in it does not show."""
        return self.is_tiny or self.is_invisible or (self.colour != "" and self.colour == self.background)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stands on the stack below an element's children; `tag` is of an element that breaks lines alike."""

    tag: str
    link: Link | None
    mark: Mark = Mark.NONE


def value(value: str | list[str] | None) -> str:
    """An attribute as one text."""
    return " ".join(value) if isinstance(value, list) else value or ""


def integer(value: str, default: int) -> int:
    """The number that an attribute holds."""
    digits = value.strip()[:9]
    return int(digits) if digits.isascii() and digits.isdigit() else default


def styled(attributes: dict[str, str], found: styles.Declarations, state: State) -> State:
    """The state within an element."""
    back = found.get("background-color") or found.get("background") or attributes.get("bgcolor", "").lower()
    front = found.get("color") or attributes.get("color", "").lower()
    if not found and not back and not front:
        return state
    spaces, case = found.get("white-space", ""), found.get("text-transform", "").partition(" ")[0]
    return replace(
        state,
        style=_weighed(state.style, found),
        keeps_lines=spaces.startswith("pre") if spaces else state.keeps_lines,
        case=(case if case in {"uppercase", "lowercase"} else "") if case else state.case,
        is_tiny=styles.is_text_hidden(found, before=state.is_tiny),
        is_invisible=styles.is_invisible(found, before=state.is_invisible),
        colour=styles.colour(front) if front else state.colour,
        background=styles.colour(back) if back else state.background,
    )


def shape(tag: str, found: styles.Declarations) -> str:
    """The tag of an element that breaks lines as this one does with its styles."""
    display = found.get("display", "")
    if tag not in _BREAKING and (display.startswith(_APART) or styles.is_out_of_flow(found)):
        return "div"
    return "span" if display.partition(" ")[0] == "inline" and tag in _MAY_RUN_IN else tag


def _weighed(style: Style, found: dict[str, str]) -> Style:
    """The style with the weight and decoration that an element declares."""
    weight = found.get("font-weight", "")
    if weight.startswith(("bold", "600", "700", "800", "900")):
        style |= Style.BOLD
    elif weight.startswith(("normal", "400", "300")):
        style &= ~Style.BOLD
    return style | Style.STRIKE if "line-through" in found.get("text-decoration", "") else style
