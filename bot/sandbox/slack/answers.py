"""What a Web API method may say: a JSON object, or an error by Slack's own name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Json: TypeAlias = dict[str, Any]


class ApiError(Exception):
    """A method refuses. `code` is Slack's name for the reason.

    Args:
        messages: what `response_metadata.messages` explains, without the `[ERROR] ` in front.
        extra: further fields of the answer, such as `needed` and `provided`.
    """

    def __init__(self, code: str, messages: Sequence[str] = (), **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.messages = tuple(messages)
        self.extra = extra

    def answer(self) -> Json:
        """The body that goes to the caller."""
        body: Json = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["errors"] = list(self.messages)
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        return body
