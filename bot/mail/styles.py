"""What of an HTML mail is hidden by its styles. Pure; one linear scan, no selector engine.

Read are inline styles and rules of `<style>` outside media queries, by class, id or tag alone: the ways in which
mails hide their preheaders and doubles.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

CSS_CHARACTERS: Final = 256 * 1024
STYLE_CHARACTERS: Final = 4096
RULES: Final = 5000
OFF_SCREEN: Final = -500.0

Declarations = dict[str, str]

_READ: Final = frozenset(
    {
        "display", "visibility", "mso-hide", "opacity", "max-height", "height", "width", "overflow", "font-size",
        "color", "background", "background-color", "text-indent", "left", "top", "margin-left", "position",
        "font-weight", "text-decoration", "text-transform", "white-space", "float",
    }
)  # fmt: skip
_BRACE: Final = re.compile(r"[{}]")
_SELECTOR: Final = re.compile(r"([a-z][a-z0-9]{0,20})?(?:[.#][a-z0-9_-]{1,80})?\Z", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(-?\d{0,9}(?:\.\d{1,9})?)\s{0,4}([a-z%]{0,4})")
_RGB: Final = re.compile(r"rgb\(\s{0,4}(\d{1,3})\s{0,4},\s{0,4}(\d{1,3})\s{0,4},\s{0,4}(\d{1,3})\s{0,4}\)")
_COLOURS: Final = {"white": "#ffffff", "black": "#000000"}


def declarations(style: str) -> Declarations:
    """The declarations of an inline style that matter here; the last of a name wins."""
    found: Declarations = {}
    for piece in style[:STYLE_CHARACTERS].lower().split(";"):
        name, _, value = piece.partition(":")
        if name.strip() in _READ:
            found[name.strip()] = value.strip()
    return found


class Sheet:
    """The rules of a mail's style elements."""

    def __init__(self, css: str) -> None:
        self._rules: dict[str, Declarations] = {}
        for selectors, body in _rules(_without_comments(css[:CSS_CHARACTERS])):
            found = declarations(body)
            for selector in selectors.split(",")[:50] if found else []:
                self._add(selector.strip(), found)

    def _add(self, selector: str, found: Declarations) -> None:
        if selector and len(self._rules) < RULES and _SELECTOR.match(selector):
            self._rules.setdefault(selector.lower(), {}).update(found)

    def of(self, tag: str, classes: Iterable[str], name: str, style: str) -> Declarations:
        """What applies to an element: its tag's, class's and id's rules, then its own style."""
        found: Declarations = {}
        own = declarations(style) if style else {}
        if self._rules:
            for selector in _selectors(tag, classes, name):
                found.update(self._rules.get(selector, {}))
            own = {key: value for key, value in own.items() if "!important" not in found.get(key, "")}
        return found | own


def _selectors(tag: str, classes: Iterable[str], name: str) -> Iterator[str]:
    yield tag
    for each in classes:
        yield f".{each.lower()}"
        yield f"{tag}.{each.lower()}"
    if name:
        yield f"#{name.lower()}"
        yield f"{tag}#{name.lower()}"


def _without_comments(css: str) -> str:
    first, *rest = css.replace("<!--", "").replace("-->", "").split("/*")
    return first + "".join(piece.partition("*/")[2] for piece in rest)


def _rules(css: str) -> Iterator[tuple[str, str]]:
    """Selectors and body of each rule that stands in no other block."""
    depth = start = 0
    selectors = ""
    for brace in _BRACE.finditer(css):
        if brace[0] == "{":
            selectors = css[start : brace.start()].rpartition(";")[2].strip() if depth == 0 else selectors
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0 and not selectors.startswith("@"):
                yield selectors, css[start : brace.start()]
        start = brace.end()


def is_hidden(found: Mapping[str, str]) -> bool:
    """Whether an element and all within it is not shown."""
    get = found.get
    if get("display", "").startswith("none") or get("mso-hide", "").startswith("all"):
        return True
    if _is_zero(get("opacity", "")) or _is_zero(get("max-height", "")):
        return True
    if get("overflow", "").startswith("hidden") and (
        _is_zero(get("height", "")) or _is_zero(get("width", ""))
    ):
        return True
    edges = ("text-indent",) if get("position", "").partition(" ")[0] not in {"absolute", "fixed"} else (
        "text-indent", "left", "top", "margin-left",
    )  # fmt: skip
    return any(_number(get(edge, ""))[0] <= OFF_SCREEN for edge in edges if get(edge))


def is_out_of_flow(found: Mapping[str, str]) -> bool:
    """Whether an element stands apart from the line it is in."""
    return found.get("float", "").startswith(("left", "right")) or found.get("position", "").startswith(
        ("absolute", "fixed")
    )


def is_text_hidden(found: Mapping[str, str], *, before: bool) -> bool:
    """Whether text directly in an element is too small to be seen; sizes are inherited."""
    size = found.get("font-size", "")
    if not size:
        return before
    number, unit = _number(size)
    return number == 0 or (0 < number <= 1 and unit in {"px", "pt", "%"})


def is_invisible(found: Mapping[str, str], *, before: bool) -> bool:
    """Whether an element is invisible; inherited, and a visible element may stand within."""
    value = found.get("visibility", "")
    return before if not value or value == "inherit" else value.startswith(("hidden", "collapse"))


def colour(value: str) -> str:
    """A colour in one spelling, "" when it is none of the simple ones."""
    if (parts := _RGB.match(value)) is not None:
        return "#" + "".join(f"{min(int(part), 255):02x}" for part in parts.groups())
    word = value.partition(" ")[0].partition("!")[0]
    if len(word) == 4 and word.startswith("#"):
        return "#" + "".join(digit * 2 for digit in word[1:])
    return _COLOURS.get(word, word if word.startswith("#") else "")


def _is_zero(value: str) -> bool:
    return bool(value) and value[0] in "0.-" and _number(value)[0] == 0


def _number(value: str) -> tuple[float, str]:
    """A length and its unit; -1 when it is none."""
    found = _NUMBER.match(value)
    if found is None or not found[1].strip("-"):
        return -1.0, ""
    return float(found[1]), found[2]
