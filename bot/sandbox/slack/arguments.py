"""The arguments of a Web API call, whichever way they came: query, form or JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from bot.sandbox.slack.answers import ApiError

if TYPE_CHECKING:
    from aiohttp import web

    from bot.sandbox.slack.answers import Json


class Arguments:
    """Named values; in a form everything is a string, and objects are JSON inside it."""

    def __init__(self, values: Json) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A string, empty when absent."""
        value = self._values.get(name)
        return value if isinstance(value, str) else "" if value is None else str(value)

    def required(self, name: str, code: str = "invalid_arguments") -> str:
        """A string that must be there.

        Raises:
            ApiError: `code`, with the name of what is missing.
        """
        value = self.text(name)
        if not value:
            raise ApiError(code, [f"missing required field: {name}"])
        return value

    def flag(self, name: str) -> bool:
        """A truth value; 0, false and absence are false."""
        return self.text(name).lower() in {"1", "true", "t", "yes"}

    def number(self, name: str, default: int, highest: int) -> int:
        """A whole number between 1 and `highest`.

        Raises:
            ApiError: `invalid_limit`.
        """
        value = self.text(name) or str(default)
        if not value.isdecimal() or not 1 <= int(value) <= highest:
            raise ApiError("invalid_limit")
        return int(value)

    def has(self, name: str) -> bool:
        """Whether the argument was given at all."""
        return self._values.get(name) is not None and self._values[name] != ""

    def value(self, name: str, code: str) -> Any:
        """An object or list, given as such or as JSON in a string.

        Raises:
            ApiError: `code` when the string is no JSON.
        """
        raw = self._values.get(name)
        if not isinstance(raw, str):
            return raw
        try:
            return json.loads(raw)
        except (ValueError, RecursionError):
            raise ApiError(code) from None


async def read(request: web.Request) -> Json:
    """Everything a request names.

    Raises:
        ApiError: `invalid_json` or `json_not_object`.
    """
    values: Json = dict(request.query)
    if request.content_type == "application/json" and await request.read():
        try:
            body = json.loads(await request.read())
        except (ValueError, RecursionError):
            raise ApiError("invalid_json") from None
        if not isinstance(body, dict):
            raise ApiError("json_not_object")
        return {**values, **body}
    form = await request.post()
    return {**values, **{name: value for name, value in form.items() if isinstance(value, str)}}
