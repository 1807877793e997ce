"""Uploaded files in memory: reserved, filled, shared, deleted.

Holds at most `max_octets` of content; the oldest content is dropped first and its file then reads as a tombstone.
"""

from __future__ import annotations

import mimetypes
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from bot.sandbox.slack.people import BOT_USER_ID, TEAM_ID

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.sandbox.slack.answers import Json

MAX_OCTETS: Final = 500 * 1024 * 1024
MAX_FILES: Final = 50_000


@dataclass(slots=True)
class StoredFile:
    """One file. `octets` is None before the upload and after its content is gone.

    Attributes:
        user: whose it is.
        shares: channel and `ts` of every post that shows it.
        public_in: those of the channels that are public.
    """

    id: str
    name: str
    length: int
    created: int
    upload_token: str
    alt_text: str = ""
    title: str = ""
    octets: bytes | None = field(default=None, repr=False)
    is_complete: bool = False
    is_gone: bool = False
    shares: list[tuple[str, str]] = field(default_factory=list)
    public_in: set[str] = field(default_factory=set)
    user: str = BOT_USER_ID

    @property
    def media_type(self) -> str:
        """The type by the file's name, as Slack shows it."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class FileStore:
    """The files of the workspace by id and by upload token."""

    def __init__(self, base_url: str, max_octets: int = MAX_OCTETS) -> None:
        self._base_url = base_url
        self._max_octets = max_octets
        self._octets = 0
        self._files: dict[str, StoredFile] = {}
        self._by_token: dict[str, StoredFile] = {}

    @property
    def octets(self) -> int:
        """How much content is held."""
        return self._octets

    def reserve(self, file_id: str, name: str, length: int, created: int, alt_text: str) -> StoredFile:
        """A file with an upload URL and no content yet."""
        file = StoredFile(file_id, name, length, created, secrets.token_urlsafe(24), alt_text, name)
        self._files[file_id] = file
        self._by_token[file.upload_token] = file
        if len(self._files) > MAX_FILES:
            oldest = self._files.pop(next(iter(self._files)))
            self._by_token.pop(oldest.upload_token, None)
            self._drop(oldest)
        return file

    def add(self, file_id: str, name: str, octets: bytes, created: int, user: str) -> StoredFile:
        """A whole file of a person's."""
        file = self.reserve(file_id, name, len(octets), created, "")
        file.user, file.is_complete = user, True
        self.fill(file, octets)
        return file

    def by_token(self, token: str) -> StoredFile | None:
        """The file that an upload URL belongs to, until the upload is completed."""
        file = self._by_token.get(token)
        return file if file and not file.is_complete and not file.is_gone else None

    def get(self, file_id: str) -> StoredFile | None:
        """A file that still exists."""
        file = self._files.get(file_id)
        return file if file and not file.is_gone else None

    def fill(self, file: StoredFile, octets: bytes) -> None:
        """Take the content; older content makes room."""
        self._drop(file)
        file.octets = octets
        self._octets += len(octets)
        for older in list(self._files.values()):
            if self._octets <= self._max_octets:
                return
            if older is not file:
                self._lose(older)

    def _drop(self, file: StoredFile) -> None:
        self._octets -= len(file.octets or b"")
        file.octets = None

    def _lose(self, file: StoredFile) -> None:
        self._drop(file)
        file.is_gone = True

    def delete(self, file: StoredFile) -> None:
        """Remove a file; posts that show it keep a tombstone."""
        self._lose(file)

    def upload_url(self, file: StoredFile) -> str:
        """Where the content is to be posted."""
        return f"{self._base_url}/upload/{file.upload_token}"

    def shown(self, file_ids: Sequence[str]) -> list[Json]:
        """The files of a post."""
        return [self.record(self._files[file_id]) for file_id in file_ids if file_id in self._files]

    def record(self, file: StoredFile, *, with_shares: bool = False) -> Json:
        """A file object as the Web API gives it; `shares` only where Slack would know them already."""
        if file.is_gone:
            return {"id": file.id, "mode": "tombstone"}
        place, name = f"{self._base_url}/files-pri/{TEAM_ID}-{file.id}", _safe(file.name)
        shown: Json = {
            "id": file.id,
            "created": file.created,
            "timestamp": file.created,
            "name": file.name,
            "title": file.title,
            "mimetype": file.media_type,
            "filetype": file.name.rpartition(".")[2].lower() or "binary",
            "user": file.user,
            "user_team": TEAM_ID,
            "editable": False,
            "size": file.length,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "username": "",
            "is_public": bool(file.public_in),
            "public_url_shared": False,
            "alt_txt": file.alt_text,
            "url_private": f"{place}/{name}",
            "url_private_download": f"{place}/download/{name}",
            "permalink": f"{self._base_url}{page_path(file.id, file.name)}",
        }
        if with_shares:
            shown |= _places(file)
        return shown


def _places(file: StoredFile) -> Json:
    shares: dict[str, dict[str, list[Json]]] = {}
    for channel, ts in file.shares:
        kind = "public" if channel in file.public_in else "private"
        shares.setdefault(kind, {}).setdefault(channel, []).append({"ts": ts})
    private = sorted(shares.get("private", {}))
    return {
        "channels": sorted(file.public_in),
        "groups": [one for one in private if not one.startswith("D")],
        "ims": [one for one in private if one.startswith("D")],
        "shares": shares,
    }


def page_path(file_id: str, name: str) -> str:
    """Where the page itself finds a file, without a token."""
    return f"/sandbox/files/{file_id}/{_safe(name)}"


def _safe(name: str) -> str:
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "._-") else "_"
        for character in name
    )
