"""HTML to lines of runs, as a reader would see it. Pure; iterative; never raises on bad HTML.

`turbohtml` builds the tree, in one function; everything else is a walk that keeps its own stack. Left out are
scripts, styles, what is hidden, remote images and trackers; layout tables are read cell by cell.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from turbohtml import Document as Tree
from turbohtml import Element, Text
from turbohtml import parse as parse_html

from bot.mail import elements, html_marks, images, links, plain_text, styles, tables
from bot.mail.elements import BLOCKS, LISTS, LOOKS, PRE, SPACED, Leaving, Link, State
from bot.mail.lines import Document, Mark, Style, readable, words
from bot.mail.styles import Sheet
from bot.mail.text import clean, one_line
from bot.mail.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from turbohtml import Node


HTML_CHARACTERS: Final = 2 * 1024 * 1024
NODES: Final = 100_000
ALT_UNITS: Final = 200


_DROPPED: Final = frozenset(
    {
        "script", "style", "head", "title", "template", "meta", "link", "base", "iframe", "frame", "object", "embed",
        "applet", "svg", "math", "canvas", "audio", "video", "textarea", "datalist", "noembed", "noframes", "map",
        "xml", "param", "source", "track",
    }
)  # fmt: skip
_CELLS: Final = frozenset({"td", "th"})
_SOURCE_CHARACTERS: Final = 4096
_HIDDEN_IMAGES: Final = 50
_SPACES: Final = re.compile(r"[ \t\n\r\f]{2,}|[\t\n\r\f]")  # not each single space, which would stay one


def parsed(html: str, pictures: Mapping[str, str] | None = None) -> Document:
    """The document that a reader of the HTML would see.

    Args:
        html: the page.
        pictures: names of the files that stand in the page as pictures, by content id; "" for a small logo.
    """
    walk = _Walk(tree(html[:HTML_CHARACTERS]), pictures or {})
    walk.run()
    full = readable(walk.writer.lines)
    is_blank = walk.has_left_out and not walk.writer.lines
    is_partial = walk.is_cut or is_blank or len(html) > HTML_CHARACTERS
    return Document(
        tuple(walk.writer.lines),
        words(full),
        full,
        is_partial,
        trackers=walk.trackers,
        pictures=walk.remote,
        inline=frozenset(walk.inline),
    )


def tree(html: str) -> Tree:
    """The tree of a page; the only place that knows the parser, which chokes on halves of characters."""
    whole = html if html.isascii() else html.encode("utf-8", "replace").decode()
    return parse_html(whole, positions=False)


class _Walk:
    """One pass over a tree, on a stack of its own.

    Attributes:
        is_cut: not all of the tree was looked at.
        has_left_out: something that another reader may show was not written: what is hidden, a remote picture.
        trackers, remote: how many pictures were left out that nobody sees, and that stand on somebody's server.
        inline: content ids of the pictures that came with the mail.
    """

    def __init__(self, root: Tree, pictures: Mapping[str, str]) -> None:
        self.writer = Writer()
        self.is_cut = False
        self.has_left_out = False
        self.trackers = self.remote = 0
        self.inline: set[str] = set()
        self._pictures = pictures
        css = "\n".join(element.text for element in root.find_all("style", limit=100))
        self._sheet = Sheet(css)
        self._has_rules = "{" in css
        self._stack: list[tuple[Node | Leaving, State]] = [(root, State())]

    def run(self) -> None:
        """Writes all that is to be seen."""
        seen = 0
        while self._stack:
            node, state = self._stack.pop()
            seen += 1
            if isinstance(node, Leaving):
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

    def _descend(self, node: Node, state: State) -> None:
        self._stack.extend((child, state) for child in reversed(node.children))

    def _text(self, data: str, state: State) -> None:
        if state.is_unseen:
            self.has_left_out |= not data.isspace()
            return
        text = clean(data)
        if state.case:
            text = text.upper() if state.case == "uppercase" else text.lower()
        if state.is_pre or not state.keeps_lines:
            self._write(text if state.is_pre else _SPACES.sub(" ", text), state)
            return
        for at, row in enumerate(text.split("\n")):
            if at:
                self.writer.line_break()
            self._write(_SPACES.sub(" ", row), state)

    def _write(self, text: str, state: State) -> None:
        if state.link is None and not state.is_pre:
            for run in plain_text.linked(text):
                self.writer.text(run.text, state.style, run.url)
            return
        if text and state.link is not None:
            text = links.unwrapped_text(text)
            state.link.label.append(text)
        self.writer.text(text, state.style, state.link.to.url if state.link else "", is_pre=state.is_pre)

    def _enter(self, element: Element, state: State) -> None:
        tag = element.tag
        if tag in _DROPPED:
            self.has_left_out |= tag == "textarea"
            return
        attributes = {name: elements.value(value) for name, value in element.attrs.items()}
        if tag == "br":
            self.writer.line_break()
            return
        shape = tag
        if attributes or self._has_rules:
            found = self._found(tag, attributes)
            if "hidden" in attributes or styles.is_hidden(found):
                self.has_left_out = True
                self._hide(element, attributes)
                return
            state = elements.styled(attributes, found, state)
            shape = elements.shape(tag, found)
        if tag == "img":
            self._image(attributes, state, is_apart=shape != tag)
        elif tag == "hr":
            self.writer.rule()
        else:
            self._open(element, attributes, state, shape)

    def _open(self, element: Element, attributes: dict[str, str], state: State, shape: str) -> None:
        tag = element.tag
        if mark := html_marks.mark(attributes) if attributes else Mark.NONE:
            self.writer.open_mark(mark)
        self._open_block(shape, attributes)
        self._open_table(tag, element)
        state = replace(state, style=state.style | LOOKS[tag]) if tag in LOOKS else state
        state = replace(state, is_pre=True) if tag in PRE else state
        link = None
        if tag in {"a", "area"} and (to := links.target(attributes.get("href", ""))):
            link = Link(to, attributes.get("title", ""))
            state = replace(state, link=link)
        self._stack.append((Leaving(shape, link, mark), state))
        self._descend(element, state)

    def _found(self, tag: str, attributes: dict[str, str]) -> styles.Declarations:
        """What the mail's styles say of an element."""
        style = attributes.get("style", "")
        if not style and not self._has_rules:
            return {}
        return self._sheet.of(tag, attributes.get("class", "").split()[:20], attributes.get("id", ""), style)

    def _open_block(self, tag: str, attributes: dict[str, str]) -> None:
        writer = self.writer
        if tag in LISTS:
            writer.open_list(number=elements.integer(attributes.get("start", ""), 1) if tag == "ol" else None)
        elif tag == "li":
            writer.open_item(elements.integer(attributes.get("value", ""), -1))
        elif tag == "blockquote":
            writer.open_quote()
        elif tag in SPACED:
            writer.gap()
        elif tag in BLOCKS:
            writer.end_line()
        if tag in PRE:
            writer.open_pre()

    def _open_table(self, tag: str, element: Element) -> None:
        """A table of data begins, or a row or a cell of the one that is open."""
        grid = self.writer.grid
        if tag == "table" and tables.is_data(element):
            self.writer.open_table()
        elif grid is not None and tag == "tr":
            grid.open_row()
        elif grid is not None and tag in _CELLS:
            grid.open_cell(element)

    def _close_table(self, tag: str) -> None:
        grid = self.writer.grid
        if grid is not None and tag in _CELLS:
            self.writer.end_line()
            grid.close_cell()
        elif grid is not None and tag == "table":
            self.writer.close_table()

    def _leave(self, left: Leaving) -> None:
        tag, writer = left.tag, self.writer
        if left.link is not None:
            self._close_link(left.link)
        self._close_table(tag)
        if tag in PRE:
            writer.close_pre()
        if tag in LISTS:
            writer.close_list()
        elif tag == "li":
            writer.close_item()
        elif tag == "blockquote":
            writer.close_quote()
        elif tag in SPACED:
            writer.gap()
        elif tag in BLOCKS:
            writer.end_line()
        if left.mark:
            writer.close_mark(left.mark)

    def _close_link(self, link: Link) -> None:
        """Names a link that shows only a picture, and the host of one whose text names another."""
        label = "".join(link.label).strip()
        if not label:
            if link.has_image:
                name = one_line(link.title, ALT_UNITS) or link.to.leads
                for text, url in ((" ", ""), (name, link.to.url), (" ", "")):
                    self.writer.text(text, Style.NONE, url)
        elif links.misleads(label, link.to):
            self.writer.text(f" (→ {link.to.leads})", Style.NONE, "")

    def _image(self, attributes: dict[str, str], state: State, *, is_apart: bool) -> None:
        source = attributes.get("src", "").strip()[:_SOURCE_CHARACTERS]
        if images.is_declared_spacer(attributes) or state.is_invisible:
            self.trackers += images.is_tracker(attributes)
            return
        alt = one_line(attributes.get("alt", ""), ALT_UNITS)
        if source[:4].lower() == "cid:":
            name = unquote(source[4:]).strip("<> ")
            self.inline.add(name)
            file = self._pictures.get(name)
            # A small logo is counted below the text; its name there would stand on a line of its own.
            alt = "" if file == "" else alt or (f"[picture: {file}]" if file else "")
        else:
            self.remote += images.is_remote(source)
            self.has_left_out |= not alt
        if state.link is not None:
            state.link.has_image = True
        if is_apart:
            self.writer.end_line()
        if alt:
            self._text(f" {alt} ", replace(state, is_tiny=False, colour="", case=""))
            if is_apart:
                self.writer.end_line()

    def _hide(self, element: Element, attributes: dict[str, str]) -> None:
        """Counts the trackers in what is hidden."""
        if element.tag == "img":
            self.trackers += images.is_remote(attributes.get("src", "").strip())
            return
        for image in element.find_all("img", limit=_HIDDEN_IMAGES):
            found = {name: elements.value(value) for name, value in image.attrs.items()}
            self.trackers += images.is_tracker(found)
