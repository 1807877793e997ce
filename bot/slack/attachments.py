"""Files that somebody gave to Slack, to go along with a mail: their own alone, few, and small enough together.

A form brings ids of files, and whoever sends it could write any id into it: only what the sender uploaded themselves
is read. Nothing of a file is kept or logged here.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog

from bot.mail import filenames
from bot.mail.content import Attachment
from bot.sending_errors import FilesUnfit, FilesUnread
from bot.slack.outcomes import CallFailed, Refused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.slack.client import SlackClient

log = structlog.get_logger(__name__)

MOST_FILES: Final = 10
MOST_OCTETS: Final = 18 * 1024 * 1024
"""Of all together: as text they grow by a third and stay under the 25 MB that most servers take."""

READ_TIME: Final = timedelta(seconds=60)

_MODES: Final = frozenset({"hosted", "snippet"})
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,63}/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}")
_ANY_TYPE: Final = "application/octet-stream"
_GONE: Final = frozenset({"file_not_found", "file_deleted", "files_not_found", "not_visible"})

_MANY: Final = f"A mail can have {MOST_FILES} attachments. Take some out, then send it again."
_LARGE: Final = "The attachments are larger than 18 MB together. Take one out, or send a link to it instead."
_NOT_THEIRS: Final = (
    "Attach files that you upload here yourself. One of these is somebody else's, so nothing was sent."
)
_ELSEWHERE: Final = "One of the attachments is no file in Slack, only a link to one. Upload the file itself."
_NOT_THERE: Final = "One of the attachments is not in Slack any more. Upload it again."


async def attachments_of(slack: SlackClient, user: str, file_ids: Sequence[str]) -> tuple[Attachment, ...]:
    """The files as attachments, in their order, each once.

    Args:
        user: who sends, and must have uploaded each of them.

    Raises:
        FilesUnfit: one of them cannot go along, in words for the sender.
        FilesUnread: Slack does not give them now.
    """
    ids = tuple(dict.fromkeys(file_ids))
    if len(ids) > MOST_FILES:
        raise FilesUnfit("too many files", sentence=_MANY)
    records = [await _record(slack, user, file_id) for file_id in ids]
    if sum(_size(record) for record in records) > MOST_OCTETS:
        raise FilesUnfit("files too large", sentence=_LARGE)
    return tuple([await _attachment(slack, record, number) for number, record in enumerate(records, 1)])


async def _record(slack: SlackClient, user: str, file_id: str) -> Mapping[str, Any]:
    try:
        record = await slack.file_info(file_id)
    except CallFailed as failed:
        raise _translated(failed) from failed
    if record.get("id") != file_id or record.get("mode") in {"tombstone", "hidden_by_limit"}:
        raise FilesUnfit("file gone", sentence=_NOT_THERE)
    if record.get("user") != user:
        raise FilesUnfit("somebody else's file", sentence=_NOT_THEIRS)
    if record.get("is_external") is not False or record.get("mode") not in _MODES:
        raise FilesUnfit("no file of Slack's", sentence=_ELSEWHERE)
    return record


def _size(record: Mapping[str, Any]) -> int:
    size = record.get("size")
    if not isinstance(size, int) or size < 0:
        raise FilesUnread("a file without a size")
    return size


async def _attachment(slack: SlackClient, record: Mapping[str, Any], number: int) -> Attachment:
    size, url = _size(record), record.get("url_private_download") or record.get("url_private") or ""
    try:
        octets = await slack.file_octets(str(url), size, READ_TIME) if size else b""
    except CallFailed as failed:
        raise _translated(failed) from failed
    if len(octets) != size:  # cut off, or a page of Slack's in place of the file
        raise FilesUnread("a file of another size than it was said to have")
    kind = _type(record)
    name = filenames.safe(str(record.get("name") or "")) or filenames.by_type(kind, number)
    return Attachment(name, kind, octets)


def _type(record: Mapping[str, Any]) -> str:
    """What it is; whole mails and parts of them are files like any other here."""
    kind = str(record.get("mimetype") or "").lower()
    is_plain = _TYPE.fullmatch(kind) and not kind.startswith(("message/", "multipart/"))
    return kind if is_plain else _ANY_TYPE


def _translated(failed: CallFailed) -> FilesUnfit | FilesUnread:
    outcome = failed.outcome
    if isinstance(outcome, Refused) and outcome.code in {*_GONE, "download_http_404", "download_http_410"}:
        return FilesUnfit("file gone", sentence=_NOT_THERE)
    log.warning("file_not_read", outcome=repr(outcome))
    return FilesUnread(repr(outcome))
