"""The payloads an app receives, shaped as Slack's. Pure builders."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from bot.sandbox.slack.people import APP_ID, BOT_USER_ID, PARTNER_DOMAIN, TEAM_DOMAIN, TEAM_ID

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.sandbox.slack.answers import Json
    from bot.sandbox.slack.people import Human
    from bot.sandbox.slack.posts import Channel

# Slack's long-retired verification word; apps ignore it, yet every payload has one.
_TOKEN = "local-sandbox"  # noqa: S105  # not a credential

# The word of scopes for a channel's kind, and the word of events for it.
CHANNEL_TYPES: Final = {"im": "im", "channels": "channel", "groups": "group"}

_LINKED = re.compile(
    r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)|(?P<url>https?://[^\s<>]+)|(?P<mention>@[a-z0-9._-]+)", re.ASCII
)


def escaped(text: str) -> str:
    """The three characters that Slack escapes in text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def linked(text: str, people: Iterable[Human]) -> str:
    """Command text with `should_escape`: addresses, links and mentions in angle brackets."""
    ids = {human.name: human.id for human in people}

    def replaced(match: re.Match[str]) -> str:
        if match["email"]:
            return f"<mailto:{match['email']}|{match['email']}>"
        if match["url"]:
            return f"<{match['url']}>"
        name = match["mention"].removeprefix("@")
        return f"<@{ids[name]}|{name}>" if name in ids else match["mention"]

    return _LINKED.sub(replaced, escaped(text))


def _team() -> Json:
    return {"id": TEAM_ID, "domain": TEAM_DOMAIN}


def _user(human: Human) -> Json:
    return {"id": human.id, "username": human.name, "name": human.name, "team_id": human.team_id}


def _common(kind: str, human: Human, trigger_id: str | None) -> Json:
    payload: Json = {
        "type": kind,
        "team": _team(),
        "user": _user(human),
        "api_app_id": APP_ID,
        "token": _TOKEN,
        "enterprise": None,
        "is_enterprise_install": False,
    }
    return payload if trigger_id is None else {**payload, "trigger_id": trigger_id}


def command(word: str, text: str, human: Human, channel: Channel, **keys: str) -> Json:
    """A slash command.

    Args:
        keys: `trigger_id` and `response_url`.
    """
    return {
        "token": _TOKEN,
        "team_id": TEAM_ID,
        "team_domain": TEAM_DOMAIN,
        "channel_id": channel.id,
        "channel_name": channel.told_name,
        "user_id": human.id,
        "user_name": human.name,
        "command": word,
        "text": text,
        "api_app_id": APP_ID,
        "is_enterprise_install": "false",
        "response_url": keys["response_url"],
        "trigger_id": keys["trigger_id"],
    }


def shortcut(callback_id: str, human: Human, trigger_id: str, action_ts: str) -> Json:
    """A global shortcut."""
    return {**_common("shortcut", human, trigger_id), "callback_id": callback_id, "action_ts": action_ts}


def _by_viewer(kind: str, human: Human, view: Json, trigger_id: str | None) -> Json:
    """A payload about a view: its team is the person's own, and `app_installed_team_id` leads to the app's."""
    domain = TEAM_DOMAIN if human.team_id == TEAM_ID else PARTNER_DOMAIN
    team = {"id": human.team_id, "domain": domain}
    return {
        **_common(kind, human, trigger_id),
        "team": team,
        "view": {**view, "team_id": human.team_id},
    }


def view_submission(human: Human, view: Json, trigger_id: str) -> Json:
    """A form that was sent."""
    return {**_by_viewer("view_submission", human, view, trigger_id), "response_urls": []}


def view_closed(human: Human, view: Json, *, is_cleared: bool) -> Json:
    """A modal that was closed by hand."""
    return {**_by_viewer("view_closed", human, view, None), "is_cleared": is_cleared}


def view_actions(human: Human, view: Json, actions: list[Json], trigger_id: str) -> Json:
    """An element of a view was used."""
    return {
        **_by_viewer("block_actions", human, view, trigger_id),
        "container": {"type": "view", "view_id": view["id"]},
        "actions": actions,
    }


def message_actions(human: Human, channel: Channel, source: Json, actions: list[Json], **keys: str) -> Json:
    """An element of a post was used: `team` is the app's own, `user.team_id` the person's.

    Args:
        source: `container`, `state` and, unless the post is ephemeral, `message`.
        keys: `trigger_id` and `response_url`.
    """
    return {
        **_common("block_actions", human, keys["trigger_id"]),
        "channel": {"id": channel.id, "name": channel.told_name},
        "response_url": keys["response_url"],
        "actions": actions,
        **source,
    }


def suggestion(human: Human, container: Json, place: Json, typed: str, extra: Json) -> Json:
    """A person types into an external select."""
    return {
        **_common("block_suggestion", human, None),
        "container": container,
        **place,
        "value": typed,
        **extra,
    }


def action(block: Json, element: Json, fields: Json, action_ts: str) -> Json:
    """The entry of `actions`, with the fields of its element's type."""
    entry: Json = {
        "type": element["type"],
        "block_id": block["block_id"],
        "action_id": element["action_id"],
        "action_ts": action_ts,
    }
    copied: Json = {name: element[name] for name in ("text", "value", "style", "url") if name in element}
    if element["type"] in {"button", "icon_button"}:
        return {**entry, **copied}
    if "placeholder" in element:
        entry["placeholder"] = element["placeholder"]
    return {**entry, **{name: value for name, value in fields.items() if name != "type"}}


def event(body: Json, event_id: str, event_time: int, *, is_shared: bool = False) -> Json:
    """The wrapper around an event."""
    return {
        "token": _TOKEN,
        "team_id": TEAM_ID,
        "context_team_id": TEAM_ID,
        "context_enterprise_id": None,
        "api_app_id": APP_ID,
        "event": body,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": event_time,
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": TEAM_ID,
                "user_id": BOT_USER_ID,
                "is_bot": True,
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": is_shared,
        "event_context": f"4-{event_id}",
    }


def home_opened(user: str, channel_id: str, tab: str, view: Json | None, event_ts: str) -> Json:
    """`app_home_opened`."""
    body: Json = {
        "type": "app_home_opened",
        "user": user,
        "channel": channel_id,
        "tab": tab,
        "event_ts": event_ts,
    }
    return body if view is None else {**body, "view": view}


def message_event(message: Json, channel: Channel, **extra: Any) -> Json:
    """`message` in a DM or channel."""
    kind = CHANNEL_TYPES[channel.kind]
    return {**message, "channel": channel.id, "event_ts": message["ts"], "channel_type": kind, **extra}
