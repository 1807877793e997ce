"""Open modals and Home views: the stack of each person, and how payloads and answers show a view."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack.inputs import kept, state_values
from bot.sandbox.slack.people import APP_ID, BOT_ID, TEAM_ID

if TYPE_CHECKING:
    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.inputs import Typed

MAX_STACK: Final = 3


@dataclass(slots=True)
class View:
    """One modal or Home view as it stands now. `is_busy`: a submission of it awaits its ack."""

    id: str
    user: str
    body: Json
    hash: str
    root_id: str
    previous_id: str | None
    typed: Typed = field(default_factory=dict)
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
    is_busy: bool = False

    @property
    def blocks(self) -> list[Json]:
        """The blocks as filled in."""
        blocks: list[Json] = self.body["blocks"]
        return blocks

    @property
    def external_id(self) -> str:
        """The app's own name for it, or nothing."""
        return str(self.body.get("external_id", ""))

    def replace(self, body: Json, new_hash: str) -> None:
        """Show another body; what was typed stays where block id, action id and element type stay."""
        self.typed = kept(body["blocks"], self.typed)
        self.body, self.hash = body, new_hash

    def flag(self, name: str) -> bool:
        """`clear_on_close` or `notify_on_close`."""
        return bool(self.body.get(name, False))

    def shown(self) -> Json:
        """The view as answers and payloads carry it, the present state included."""
        modal: dict[str, Any] = {
            "title": self.body.get("title"),
            "submit": self.body.get("submit"),
            "close": self.body.get("close"),
            "clear_on_close": self.flag("clear_on_close"),
            "notify_on_close": self.flag("notify_on_close"),
        }
        return {
            "id": self.id,
            "team_id": TEAM_ID,
            "type": self.body["type"],
            "blocks": self.blocks,
            "private_metadata": self.body.get("private_metadata", ""),
            "callback_id": self.body.get("callback_id", ""),
            "external_id": self.external_id,
            "state": {"values": state_values(self.blocks, self.typed)},
            "hash": self.hash,
            **modal,
            "previous_view_id": self.previous_id,
            "root_view_id": self.root_id,
            "app_id": APP_ID,
            "app_installed_team_id": TEAM_ID,
            "bot_id": BOT_ID,
        }


@dataclass(slots=True)
class Desk:
    """What one person has before them: open modals, Home, ephemerals, errors."""

    stack: list[View] = field(default_factory=list)
    home: View | None = None
    ephemerals: list[Ephemeral] = field(default_factory=list)
    errors: list[Json] = field(default_factory=list)

    def view(self, view_id: str) -> View | None:
        """An open view of this person."""
        views = [*self.stack, self.home] if self.home else self.stack
        return next((view for view in views if view.id == view_id), None)


@dataclass(slots=True)
class Ephemeral:
    """A post that only one person sees and nobody stores."""

    id: str
    ts: str
    channel: str
    text: str
    blocks: list[Json]
    thread_ts: str | None = None
    typed: Typed = field(default_factory=dict)
    offered: dict[tuple[str, str], list[Json]] = field(default_factory=dict)
