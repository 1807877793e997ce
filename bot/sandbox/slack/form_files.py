"""Files that people choose in a form: taken in from the page, held in the form's state, read by the app.

A file input takes files of 10 MB at most. What it holds is the whole record of each file, as in Slack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from bot.sandbox.slack.answers import ApiError, Json
from bot.sandbox.slack.inputs import BadValue
from bot.sandbox.slack.validate import elements_of
from bot.sandbox.slack.workspace import new_id

if TYPE_CHECKING:
    from bot.sandbox.slack.core import Sandbox
    from bot.sandbox.slack.files import StoredFile
    from bot.sandbox.slack.workspace import Workspace

MAX_FILE_OCTETS: Final = 10 * 1024 * 1024
MAX_NAME: Final = 255
TOO_LARGE: Final = "a file in a form has 10 MB at most"
_SCOPE: Final = "files:read"
_SIGN_IN: Final = """<!DOCTYPE html>
<html lang="en-US"><head><title>Sign in | Slack</title></head>
<body><h1>Sign in to your workspace</h1></body></html>
"""


def taken(workspace: Workspace, user: str, name: str, octets: bytes) -> Json:
    """Keep a file that a person chose; gives back its record.

    Raises:
        BadValue: it has no name, is empty or too large.
    """
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        raise BadValue("a file has a name of 1 to 255 characters")
    if not octets:
        raise BadValue("an empty file cannot be uploaded")
    if len(octets) > MAX_FILE_OCTETS:
        raise BadValue(TOO_LARGE)
    file = workspace.files.add(new_id("F"), name, octets, int(workspace.now()), user)
    return workspace.files.record(file)


def resolved(workspace: Workspace, user: str, value: Json) -> Json:
    """A value with the records of its files in the place of their ids; other values as they are.

    Raises:
        BadValue: a file that is not there or is somebody else's.
    """
    if value["type"] != "file_input":
        return value
    return {**value, "files": [_record(workspace, user, one) for one in value["files"]]}


def _record(workspace: Workspace, user: str, given: Any) -> Json:
    file_id = given.get("id") if isinstance(given, dict) else given
    file = workspace.files.get(file_id) if isinstance(file_id, str) else None
    if file is None or file.user != user:
        raise BadValue("no such file of this person")
    return workspace.files.record(file)


def check_scope(sandbox: Sandbox, view: Json) -> None:
    """See that the app may show this view.

    Raises:
        ApiError: `missing_scope`, for a file input without `files:read`.
    """
    kinds = {element["type"] for block in view["blocks"] for _, element in elements_of(block)}
    scopes = sandbox.manifest.scopes
    if "file_input" in kinds and _SCOPE not in scopes:
        raise ApiError("missing_scope", needed=_SCOPE, provided=",".join(sorted(scopes)))


async def download(sandbox: Sandbox, request: web.Request) -> web.StreamResponse:
    """The content of a file for the app. Whoever shows no good token is led to a page that answers 200, as in Slack."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    if token != sandbox.credentials.bot_token or _SCOPE not in sandbox.manifest.scopes:
        raise web.HTTPFound(f"/signin?redir={request.path}")
    file = _stored(sandbox, request.match_info["place"])
    if file is None or file.octets is None:
        raise web.HTTPNotFound(text="no such file")
    headers = {
        "Content-Disposition": "attachment",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(body=file.octets, content_type=file.media_type, headers=headers)


def _stored(sandbox: Sandbox, place: str) -> StoredFile | None:
    return sandbox.workspace.files.get(place.partition("-")[2])


async def sign_in(_request: web.Request) -> web.StreamResponse:
    """The page of Slack's that a download without a token ends at."""
    return web.Response(text=_SIGN_IN, content_type="text/html")
