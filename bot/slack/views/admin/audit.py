"""The audit: who did what to whose mailbox, in words from ids, with a filter and an export."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

from bot.slack import names
from bot.slack.admin_forms import subject_of
from bot.slack.views.admin.wording import audience_words, person, subject_words
from bot.slack.views.words import (
    Block,
    View,
    actions,
    button,
    context,
    counted,
    literal,
    modal,
    mrkdwn,
    option,
    plain,
    section,
    when,
)
from storage.sharing import Act, Audience, AudienceKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from storage.sharing import AuditEntry

ENTRIES_A_PAGE: Final = 25

_AUDIENCE: Final = re.compile(r"\b(person|group|channel):([A-Z0-9]{1,40})\b|\b(role):([a-z_]{1,40})\b")

_THINGS: Final = {
    "message": "one message",
    "pressed": "a button of somebody else's mail",
    "outgoing": "one e-mail",
    "share": "",
    "mailbox": "",
}
"""What the id in an entry's subject names; nothing where the rest of its line says it."""

ACTS: Final = {
    Act.GRANT_SET: "set a grant",
    Act.GRANT_REMOVED: "took a grant back",
    Act.SHARE_OPENED: "opened a share",
    Act.SHARE_CUT: "lowered a share to what is allowed",
    Act.SHARE_ENDED: "ended a share",
    Act.SHARE_REVOKED: "revoked a share",
    Act.COPIES_WITHDRAWN: "withdrew copies from Slack",
    Act.COPY_SENT: "sent a copy",
    Act.MAILBOX_SUSPENDED: "suspended a mailbox",
    Act.MAILBOX_LIFTED: "lifted a suspension",
    Act.MAILBOX_DELETED: "deleted a mailbox",
    Act.CREDENTIALS_ERASED: "erased the credentials of a mailbox",
    Act.MANAGED: "managed a mailbox for its owner",
    Act.REFUSED: "was refused",
    Act.SENT: "sent e-mail",
}


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What the list is narrowed to; `actor` and `owner` are users, `since` a day in UTC."""

    actor: str | None = None
    owner: str | None = None
    act: Act | None = None
    since: date | None = None

    @property
    def begins(self) -> datetime | None:
        """The first moment of the day."""
        return (
            None
            if self.since is None
            else datetime(self.since.year, self.since.month, self.since.day, tzinfo=UTC)
        )


def audit_view(
    entries: Sequence[AuditEntry],
    chosen: AuditFilter,
    groups: Mapping[str, str],
    *,
    generation: int = 0,
    is_first: bool = True,
    has_more: bool = False,
    notice: str = "",
) -> View:
    """One page, newest first.

    Args:
        generation: of the filter's block; a new one shows it as `chosen` says, an old one as Slack keeps it.
    """
    blocks = [_filter(chosen, generation)]
    if notice:
        blocks.append(context(mrkdwn(notice)))
    if not entries:
        blocks.append(section(plain("Nothing is recorded that this filter lets through.")))
    blocks += [section(mrkdwn(_line(entry, groups))) for entry in entries]
    last = entries[-1].id if has_more and entries else ""
    blocks.append(_row(last, is_first=is_first, is_narrowed=chosen != AuditFilter()))
    blocks.append(
        context(
            plain(
                "Kept for a year. It holds ids and a few words: no content of mail, no names, no passwords."
            )
        )
    )
    return modal("Audit", names.ADMIN_AUDIT, blocks, metadata=str(generation))


def exported(count: int, *, is_cut: bool) -> str:
    """The file stands in the DM."""
    said = f"✓ {counted(count, 'entry is', 'entries are')} in our direct messages now, as a CSV file."
    return f"{said} There are more: narrow the filter to get those too." if is_cut else said


def not_exported(code: str) -> str:
    """Slack did not take the file."""
    why = f" ({literal(code, 80)})" if code else ""
    return f"✗ Slack did not take the file{why}. Please try again later."


def _filter(chosen: AuditFilter, generation: int) -> Block:
    actor = {"type": "users_select", "action_id": names.AUDIT_ACTOR, "placeholder": plain("Who acted", 150)}
    owner = {
        "type": "users_select",
        "action_id": names.AUDIT_OWNER,
        "placeholder": plain("Whose mailbox", 150),
    }
    options = [option(words[0].upper() + words[1:], act.value) for act, words in ACTS.items()]
    act = {
        "type": "static_select",
        "action_id": names.AUDIT_ACT,
        "placeholder": plain("What was done", 150),
        "options": options,
    }
    since = {"type": "datepicker", "action_id": names.AUDIT_SINCE, "placeholder": plain("Since (UTC)", 150)}
    if chosen.actor:
        actor["initial_user"] = chosen.actor
    if chosen.owner:
        owner["initial_user"] = chosen.owner
    if chosen.act:
        act["initial_option"] = next(each for each in options if each["value"] == chosen.act)
    if chosen.since:
        since["initial_date"] = chosen.since.isoformat()
    return {**actions(actor, owner, act, since), "block_id": names.block_id(names.AUDIT_FILTER, generation)}


def _row(last: str, *, is_first: bool, is_narrowed: bool) -> Block:
    elements = [button("Older", names.AUDIT_OLDER, last)] if last else []
    if not is_first:
        elements.append(button("Newest", names.AUDIT_NEWEST))
    elements += [button("Show all", names.AUDIT_CLEAR)] if is_narrowed else []
    elements.append(button("Export as CSV", names.AUDIT_EXPORT))
    return actions(*elements)


def _line(entry: AuditEntry, groups: Mapping[str, str]) -> str:
    """One entry in words."""
    actor = "Mailbox" if entry.actor is None else _whom(entry.actor)
    said = f"{when(entry.at)} · *{actor}* {ACTS[entry.act]}"
    about = _about(entry.subject, groups)
    said += f" · {about}" if about else ""
    if entry.owner is not None and entry.owner != entry.actor:
        said += f" · mailbox of {_whom(entry.owner)}"
    change = _change(entry, groups)
    return f"{said}\n{change}" if change else said


def _whom(user: str) -> str:
    """A mention; those who had everything about them erased are not known any more."""
    return person(user) if user.isascii() and user.isalnum() and user.isupper() else "somebody since erased"


def _about(text: str, groups: Mapping[str, str]) -> str:
    """What was changed: a grant's subject in words; what an id names, which the file of the export has."""
    subject = subject_of(text)
    if subject is not None:
        return subject_words(subject, groups)
    kind, _, found = text.partition(":")
    return _THINGS.get(kind if found else "", literal(text, 150))


def _change(entry: AuditEntry, groups: Mapping[str, str]) -> str:
    before, after = (_ids_in_words(literal(text, 400), groups) for text in (entry.before, entry.after))
    if before and after:
        return f"{before} → {after}"
    return before or after


def _ids_in_words(text: str, groups: Mapping[str, str]) -> str:
    """Recorded words, escaped, in which audiences are ids: each as a person reads it."""

    def words(match: re.Match[str]) -> str:
        kind, found = filter(None, match.groups())
        return audience_words(Audience(AudienceKind(kind), found), groups)

    return _AUDIENCE.sub(words, text)
