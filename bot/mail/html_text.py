"""HTML to lines of runs, as a reader would see it. Pure; iterative; never raises on bad HTML.

`turbohtml` builds the tree, in one function; everything else is a walk that keeps its own stack. Left out are
scripts, styles, what is hidden, remote images and trackers; layout tables are read cell by cell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from turbohtml import Document as Tree
from turbohtml import Element, Text
from turbohtml import parse as parse_html

from bot.mail import links, styles
from bot.mail.lines import Document, Style, readable, words
from bot.mail.styles import Sheet
from bot.mail.text import clean, one_line
from bot.mail.writer import Writer

if TYPE_CHECKING:
    from turbohtml import Node

    from bot.mail.links import Target

HTML_CHARACTERS: Final = 2 * 1024 * 1024
NODES: Final = 100_000
ALT_UNITS: Final = 200
SPACER_PIXELS: Final = 2

_DROPPED: Final = frozenset(
    {
        "script", "style", "head", "title", "template", "meta", "link", "base", "iframe", "frame", "object", "embed",
        "applet", "svg", "math", "canvas", "audio", "video", "select", "datalist", "noembed", "noframes", "map",
        "xml", "param", "source", "track",
    }
)  # fmt: skip
_BLOCKS: Final = frozenset(
    {
        "div", "table", "tbody", "thead", "tfoot", "tr", "td", "th", "caption", "center", "section", "article",
        "header", "footer", "address", "dt", "dd", "figcaption", "form", "fieldset", "main", "nav", "aside",
        "details", "summary", "legend", "body", "html", "button", "option", "menu", "dir", "search", "frameset",
    }
)  # fmt: skip
_SPACED: Final = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "dl", "figure", "blockquote", "pre", "listing", "xmp"}
)
_HEADINGS: Final = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LOOKS: Final = {
    "b": Style.BOLD, "strong": Style.BOLD, "th": Style.BOLD, "dt": Style.BOLD, "summary": Style.BOLD,
    "i": Style.ITALIC, "em": Style.ITALIC, "cite": Style.ITALIC, "var": Style.ITALIC, "dfn": Style.ITALIC,
    "s": Style.STRIKE, "strike": Style.STRIKE, "del": Style.STRIKE,
    "code": Style.CODE, "tt": Style.CODE, "samp": Style.CODE, "kbd": Style.CODE,
} | dict.fromkeys(_HEADINGS, Style.BOLD)  # fmt: skip
_LISTS: Final = frozenset({"ul", "ol", "menu", "dir"})
_PRE: Final = frozenset({"pre", "listing", "xmp", "plaintext"})
_SPACES: Final = re.compile(r"[ \t\n\r\f]+")
_PIXELS: Final = re.compile(r"\s{0,9}(\d{1,6})")


def parsed(html: str) -> Document:
    """The document that a reader of the HTML would see."""
    walk = _Walk(tree(html[:HTML_CHARACTERS]))
    walk.run()
    full = readable(walk.writer.lines)
    is_blank = walk.has_left_out and not walk.writer.lines
    is_partial = walk.is_cut or is_blank or len(html) > HTML_CHARACTERS
    return Document(tuple(walk.writer.lines), words(full), full, is_partial)


def tree(html: str) -> Tree:
    """The tree of a page; the only place that knows the parser."""
    return parse_html(html, positions=False)


@dataclass(slots=True)
class _Link:
    """A link that is open: what it says is gathered, to be held against where it leads."""

    to: Target
    title: str
    label: list[str] = field(default_factory=list)
    has_image: bool = False


@dataclass(frozen=True, slots=True)
class _State:
    """What an element hands down to what stands in it."""

    style: Style = Style.NONE
    link: _Link | None = None
    is_pre: bool = False
    is_tiny: bool = False
    is_invisible: bool = False
    colour: str = ""
    background: str = ""

    @property
    def is_unseen(self) -> bool:
        return self.is_tiny or self.is_invisible or (self.colour != "" and self.colour == self.background)


@dataclass(frozen=True, slots=True)
class _Leaving:
    """Stands on the stack below an element's children."""

    tag: str
    link: _Link | None


class _Walk:
    """One pass over a tree, on a stack of its own.

    Attributes:
        is_cut: not all of the tree was looked at.
        has_left_out: something that another reader may show was not written: what is hidden, a remote picture.
    """

    def __init__(self, root: Tree) -> None:
        self.writer = Writer()
        self.is_cut = False
        self.has_left_out = False
        css = "\n".join(element.text for element in root.find_all("style", limit=100))
        self._sheet = Sheet(css)
        self._has_rules = "{" in css
        self._stack: list[tuple[Node | _Leaving, _State]] = [(root, _State())]

    def run(self) -> None:
        """Writes all that is to be seen."""
        seen = 0
        while self._stack:
            node, state = self._stack.pop()
            seen += 1
            if isinstance(node, _Leaving):
                self._leave(node)
            elif seen > NODES:
                self.is_cut = True
            elif isinstance(node, Text):
                self._text(node.data, state)
            elif isinstance(node, Element):
                self._enter(node, state)
            else:
                self._descend(node, state)
        self.writer.close()

    def _descend(self, node: Node, state: _State) -> None:
        self._stack.extend((child, state) for child in reversed(node.children))

    def _text(self, data: str, state: _State) -> None:
        if state.is_unseen:
            self.has_left_out |= not data.isspace()
            return
        text = clean(data)
        if not state.is_pre:
            text = _SPACES.sub(" ", text)
        if text and state.link is not None:
            state.link.label.append(text)
        self.writer.text(text, state.style, state.link.to.url if state.link else "", is_pre=state.is_pre)

    def _enter(self, element: Element, state: _State) -> None:
        tag = element.tag
        if tag in _DROPPED:
            return
        attributes = {name: _value(value) for name, value in element.attrs.items()}
        if tag == "br":
            self.writer.line_break()
            return
        if attributes or self._has_rules:
            seen = self._styled(tag, attributes, state)
            if seen is None:
                self.has_left_out = True
                return
            state = seen
        self._open(tag, attributes, state, element)

    def _open(self, tag: str, attributes: dict[str, str], state: _State, element: Element) -> None:
        if tag == "img":
            self._image(attributes, state)
            return
        if tag == "hr":
            self.writer.rule()
            return
        self._open_block(tag, attributes)
        state = replace(state, style=state.style | _LOOKS[tag]) if tag in _LOOKS else state
        state = replace(state, is_pre=True) if tag in _PRE else state
        link = None
        if tag in {"a", "area"} and (to := links.target(attributes.get("href", ""))):
            link = _Link(to, attributes.get("title", ""))
            state = replace(state, link=link)
        self._stack.append((_Leaving(tag, link), state))
        self._descend(element, state)

    def _styled(self, tag: str, attributes: dict[str, str], state: _State) -> _State | None:
        """The state within an element, None when nothing in it is shown."""
        if "hidden" in attributes:
            return None
        style = attributes.get("style", "")
        if not style and not self._has_rules and "bgcolor" not in attributes and "color" not in attributes:
            return state
        found = self._sheet.of(tag, attributes.get("class", "").split()[:20], attributes.get("id", ""), style)
        if styles.is_hidden(found):
            return None
        back = (
            found.get("background-color") or found.get("background") or attributes.get("bgcolor", "").lower()
        )
        front = found.get("color") or attributes.get("color", "").lower()
        if not found and not back and not front:
            return state
        return replace(
            state,
            style=_weighed(state.style, found),
            is_tiny=styles.is_text_hidden(found, before=state.is_tiny),
            is_invisible=styles.is_invisible(found, before=state.is_invisible),
            colour=styles.colour(front) if front else state.colour,
            background=styles.colour(back) if back else state.background,
        )

    def _open_block(self, tag: str, attributes: dict[str, str]) -> None:
        writer = self.writer
        if tag in _LISTS:
            writer.open_list(number=_integer(attributes.get("start", ""), 1) if tag == "ol" else None)
        elif tag == "li":
            writer.open_item(_integer(attributes.get("value", ""), -1))
        elif tag == "blockquote":
            writer.open_quote()
        elif tag in _SPACED:
            writer.gap()
        elif tag in _BLOCKS:
            writer.end_line()
        if tag in _PRE:
            writer.open_pre()

    def _leave(self, left: _Leaving) -> None:
        tag, writer = left.tag, self.writer
        if left.link is not None:
            self._close_link(left.link)
        if tag in _PRE:
            writer.close_pre()
        if tag in _LISTS:
            writer.close_list()
        elif tag == "li":
            writer.close_item()
        elif tag == "blockquote":
            writer.close_quote()
        elif tag in _SPACED:
            writer.gap()
        elif tag in _BLOCKS:
            writer.end_line()

    def _close_link(self, link: _Link) -> None:
        """Names a link that shows only a picture, and the host of one whose text names another."""
        label = "".join(link.label).strip()
        if not label:
            if link.has_image:
                self.writer.text(one_line(link.title, ALT_UNITS) or link.to.host, Style.NONE, link.to.url)
        elif links.misleads(label, link.to):
            self.writer.text(f" (→ {link.to.host})", Style.NONE, "")

    def _image(self, attributes: dict[str, str], state: _State) -> None:
        if _is_spacer(attributes) or state.is_invisible:
            return
        alt = one_line(attributes.get("alt", ""), ALT_UNITS)
        if state.link is not None:
            state.link.has_image = True
        if alt:
            self._text(f" {alt} ", replace(state, is_tiny=False, colour=""))
        else:
            self.has_left_out |= not attributes.get("src", "").lower().startswith("cid:")


def _value(value: str | list[str] | None) -> str:
    return " ".join(value) if isinstance(value, list) else value or ""


def _integer(value: str, default: int) -> int:
    digits = value.strip()[:9]
    return int(digits) if digits.isascii() and digits.isdigit() else default


def _is_spacer(attributes: dict[str, str]) -> bool:
    """Whether an image is declared too small to show anything."""
    found = styles.declarations(attributes.get("style", ""))
    for side in ("width", "height"):
        size = _PIXELS.match(found.get(side, "") or attributes.get(side, ""))
        if size is not None and int(size[1]) <= SPACER_PIXELS and "%" not in attributes.get(side, ""):
            return True
    return False


def _weighed(style: Style, found: dict[str, str]) -> Style:
    """The style with the weight and decoration that an element declares."""
    weight = found.get("font-weight", "")
    if weight.startswith(("bold", "600", "700", "800", "900")):
        style |= Style.BOLD
    elif weight.startswith(("normal", "400", "300")):
        style &= ~Style.BOLD
    return style | Style.STRIKE if "line-through" in found.get("text-decoration", "") else style
