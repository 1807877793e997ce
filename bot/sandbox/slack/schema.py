"""Small checks that compose into the shape of a JSON value.

A check looks at a value and appends sentences to a list, each with a JSON pointer, in the words the Web API uses.
Pure; holds no shape of its own (see the `kit_*` files).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Problems: TypeAlias = "list[str]"
Check: TypeAlias = "Callable[[Any, str, Problems], None]"

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:\S+")
_WEB_URL = re.compile(r"https?://[^\s/?#]+\S*", re.IGNORECASE)


def blame(problems: Problems, sentence: str, where: str) -> None:
    """Append one sentence with its place."""
    problems.append(f"{sentence} [json-pointer:{where}]")


def string(low: int = 0, high: int | None = None) -> Check:
    """A string of `low` to `high` characters."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, str):
            blame(problems, "must be a string", where)
        elif len(value) < low:
            blame(problems, f"must be more than {low - 1} characters", where)
        elif high is not None and len(value) > high:
            blame(problems, f"must be less than {high + 1} characters", where)

    return check


def matching(pattern: re.Pattern[str], sentence: str, high: int = 3000) -> Check:
    """A string the whole of which matches."""
    bounded = string(1, high)

    def check(value: Any, where: str, problems: Problems) -> None:
        bounded(value, where, problems)
        if isinstance(value, str) and value and not pattern.fullmatch(value):
            blame(problems, sentence, where)

    return check


def url(high: int = 3000) -> Check:
    """An absolute URL of any scheme."""
    return matching(_URL, "must be a valid URL", high)


def web_url(high: int = 3000) -> Check:
    """An absolute http or https URL."""
    return matching(_WEB_URL, "must be a valid http(s) URL", high)


def boolean(value: Any, where: str, problems: Problems) -> None:
    """True or false."""
    if not isinstance(value, bool):
        blame(problems, "must be a boolean", where)


def integer(low: int, high: int | None = None) -> Check:
    """A whole number within bounds."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            blame(problems, "must be an integer", where)
        elif value < low:
            blame(problems, f"must be greater than or equal to {low}", where)
        elif high is not None and value > high:
            blame(problems, f"must be less than or equal to {high}", where)

    return check


def number(value: Any, where: str, problems: Problems) -> None:
    """Any number."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        blame(problems, "must be a number", where)


def choice(*words: str) -> Check:
    """One of the given strings."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if value not in words:
            blame(problems, f"must be one of: {', '.join(words)}", where)

    return check


def array(item: Check, low: int = 0, high: int | None = None) -> Check:
    """A list of `low` to `high` items."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, list):
            blame(problems, "must be an array", where)
            return
        if len(value) < low:
            blame(problems, f"no fewer than {low} items allowed", where)
        if high is not None and len(value) > high:
            blame(problems, f"no more than {high} items allowed", where)
            return
        for number, one in enumerate(value):
            item(one, f"{where}/{number}", problems)

    return check


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, rules: Sequence[Check] = ()
) -> Check:
    """An object with exactly these fields; `rules` see the whole object once its fields are sound."""
    known = {**required, **(optional or {})}

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            blame(problems, "must provide an object", where)
            return
        before = len(problems)
        for name in required.keys() - value.keys():
            blame(problems, f"missing required field: {name}", where)
        for name, one in value.items():
            if name in known:
                known[name](one, f"{where}/{name}", problems)
            else:
                blame(problems, f"invalid additional property: {name}", where)
        if len(problems) == before:
            for rule in rules:
                rule(value, where, problems)

    return check


def tagged(kinds: Mapping[str, Check]) -> Check:
    """An object whose `type` says which of the shapes it has."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if not isinstance(value, dict):
            blame(problems, "must provide an object", where)
        elif "type" not in value:
            blame(problems, "missing required field: type", where)
        elif not isinstance(value["type"], str) or value["type"] not in kinds:
            blame(problems, f"unsupported type: {value['type']}", f"{where}/type")
        else:
            kinds[value["type"]](value, where, problems)

    return check


def exactly_one(*names: str) -> Check:
    """A rule: the object has one of these fields and not two."""

    def check(value: Any, where: str, problems: Problems) -> None:
        if sum(name in value for name in names) != 1:
            listed = " or ".join(f"`{name}`" for name in names)
            blame(problems, f"must define either {listed}", where)

    return check
