"""What a mailbox form holds between two renderings: texts, generations, and which of them we filled in.

Passwords are never part of a draft. No I/O and no clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from bot.mail.suggestions import Source
from bot.retention import knows_recent, with_recent, without_recent
from bot.slack import names
from storage.delivery import Delivery
from storage.records import OldMail, Retention, Security

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from bot.mail.suggestions import Suggestion
    from storage.delivery import Calm
    from storage.records import Mailbox, ServerAddress

NAME_LIMIT: Final = 80
ADDRESS_LIMIT: Final = 254  # octets, RFC 5321 section 4.5.3.1.3 less the angle brackets
USERNAME_LIMIT: Final = 320
PASSWORD_LIMIT: Final = 1024

DEFAULTS: Final[Mapping[str, str]] = {
    names.INCOMING_PORT: "995",
    names.INCOMING_SECURITY: Security.TLS.value,
    names.SAME_CREDENTIALS: names.YES,
    names.OUTGOING_PORT: "465",
    names.OUTGOING_SECURITY: Security.TLS.value,
    names.RETENTION: Retention.LEAVE.value,
    names.DELETE_DAYS: "30",
    names.OLD_MAIL: OldMail.LAST_50.value,
    names.MAKE_ACTIVE: names.YES,
    names.DELIVERY: Delivery.EACH.value,
    names.DAILY_HOUR: "8",
    names.QUIET_FROM: names.NO,
    names.QUIET_TO: "7",
}
"""What a field of a new form shows; a field that is not named starts empty."""

_INCOMING: Final = (names.INCOMING_SERVER, names.INCOMING_PORT, names.INCOMING_SECURITY)
_OUTGOING: Final = (names.OUTGOING_SERVER, names.OUTGOING_PORT, names.OUTGOING_SECURITY)
_TYPED: Final = "typed"
_PLAIN: Final = "plain"
_ANY: Final = "any"
_ERASED: Final = "erased"

FILLABLE: Final = frozenset({*_INCOMING, *_OUTGOING, names.USERNAME})
"""What an address may fill in."""


@dataclass(frozen=True, slots=True)
class Typed:
    """One field as it arrived: the block id it stood under, and its text ("" when empty)."""

    block_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A form between two renderings.

    Attributes:
        texts: what each field shows; selects and checkboxes hold their option's value.
        generations: the generation of a field's block id, where it is not 0.
        filled: fields that still show what `fill_in` put there.
        generation: the highest generation used so far.
        provider_id: the provider last filled in, or "".
        source: where what was last filled in comes from, or "".
        mailbox_id: the mailbox being edited, or "" for a new one.
        draft_id: the caller's key to what it keeps for ten minutes, or "".
        asks_active: the question which mailbox is active is shown.
        has_typed: passwords typed before are kept, so empty password fields mean "the same".
        offers_receiving_only: only the outgoing server failed; saving without it is offered.
        kept_retention: the delete setting that comes back when `recent:` goes, or "".
        sharing: the part of the form about sharing, as it was last shown.
        offers_plain: "None" is among the kinds of security.
        most_active: how many of the person's mailboxes may be active at a time; None for no limit.
        is_erased: the mailbox has no password stored any more, so an empty field keeps none.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    generations: Mapping[str, int] = field(default_factory=dict)
    filled: frozenset[str] = frozenset()
    generation: int = 0
    provider_id: str = ""
    source: str = ""
    mailbox_id: str = ""
    draft_id: str = ""
    asks_active: bool = False
    has_typed: bool = False
    offers_receiving_only: bool = False
    kept_retention: str = ""
    sharing: tuple[Mapping[str, Any], ...] = ()
    offers_plain: bool = False
    most_active: int | None = 1
    is_erased: bool = False

    @property
    def is_edit(self) -> bool:
        """The form changes a mailbox that exists."""
        return bool(self.mailbox_id)

    def text(self, name: str) -> str:
        """What a field shows."""
        return self.texts.get(name, "")

    def block_id(self, name: str) -> str:
        """The block id a field is shown under."""
        return names.block_id(name, self.generations.get(name, 0))

    def metadata(self) -> str:
        """The view's `private_metadata`: ids only, nothing that was typed."""
        ids = {
            "provider": self.provider_id,
            "source": self.source,
            "generation": self.generation,
            "mailbox": self.mailbox_id,
            "draft": self.draft_id,
            "kept": self.kept_retention,
            "filled": sorted(self.filled),
            "shown": [name for name, is_shown in self._shown() if is_shown],
            "active": "" if self.most_active == 1 else self.most_active or _ANY,
        }
        return json.dumps({key: value for key, value in ids.items() if value}, separators=(",", ":"))

    def _shown(self) -> Iterable[tuple[str, bool]]:
        """The parts of the form that not every form has."""
        yield names.MAKE_ACTIVE, self.asks_active
        yield _TYPED, self.has_typed
        yield names.RECEIVING_ONLY, self.offers_receiving_only
        yield _PLAIN, self.offers_plain
        yield _ERASED, self.is_erased


def new_draft(
    *, address: str = "", found: Suggestion | None = None, asks_active: bool = False, draft_id: str = ""
) -> Draft:
    """An empty add form; an address given with the command is in place, with the servers found for it.

    `asks_active` says that the person has a mailbox already.
    """
    texts = {**DEFAULTS, names.ADDRESS: address.strip()}
    return fill_in(Draft(texts=texts, asks_active=asks_active, draft_id=draft_id), found)


def draft_of(mailbox: Mailbox, *, asks_active: bool = False, draft_id: str = "") -> Draft:
    """The edit form of a mailbox, with its stored settings and no password; the password form of it, too.

    `asks_active` says that the person has other mailboxes; the answer starts as it is.
    """
    profile = mailbox.profile
    texts = {
        **DEFAULTS,
        names.NAME: profile.name,
        names.ADDRESS: profile.address,
        names.USERNAME: profile.username,
        names.SAME_CREDENTIALS: "" if profile.outgoing_username is not None else names.YES,
        names.OUTGOING_USERNAME: profile.outgoing_username or "",
        names.RECEIVING_ONLY: names.YES if profile.outgoing is None else "",
        names.RECENT: names.YES if profile.username != without_recent(profile.username) else "",
        names.RETENTION: mailbox.retention.value,
        names.DELETE_DAYS: str(mailbox.delete_days or DEFAULTS[names.DELETE_DAYS]),
        names.MAKE_ACTIVE: names.YES if mailbox.is_active else names.NO,
        **_calm_texts(mailbox.calm),
        **_server_texts(_INCOMING, profile.incoming),
        **_server_texts(_OUTGOING, profile.outgoing),
    }
    return Draft(texts=texts, mailbox_id=mailbox.id, draft_id=draft_id, asks_active=asks_active)


def for_outgoing(draft: Draft) -> Draft:
    """The password form that asks for the outgoing password alone."""
    return replace(draft, generations={names.OUTGOING_PASSWORD: 0})


def asks_outgoing_alone(draft: Draft) -> bool:
    """Whether a password form asks for nothing but the outgoing password."""
    return names.PASSWORDS & draft.generations.keys() == {names.OUTGOING_PASSWORD}


def _calm_texts(calm: Calm) -> dict[str, str]:
    """What the fields show of when a mailbox posts; an hour that is not set shows its default."""
    hours = {
        names.DAILY_HOUR: calm.daily_hour,
        names.QUIET_FROM: calm.quiet_from,
        names.QUIET_TO: calm.quiet_to,
    }
    return {
        names.DELIVERY: calm.delivery.value,
        **{name: str(hour) for name, hour in hours.items() if hour is not None},
    }


def _server_texts(fields: tuple[str, str, str], server: ServerAddress | None) -> dict[str, str]:
    """What the three fields of a server show; nothing when there is none, so that the defaults stay."""
    if server is None:
        return {}
    return dict(zip(fields, (server.host, str(server.port), server.security.value), strict=True))


def typed(values: Mapping[str, Any] | None) -> dict[str, Typed]:
    """Every field in `view.state.values`, by name; passwords included, so it goes no further than the form."""
    found: dict[str, Typed] = {}
    for block_id, elements in (values or {}).items():
        if isinstance(elements, dict) and elements:
            found[names.field_of(block_id)] = Typed(block_id, _text(next(iter(elements.values()))))
    return found


def fields_of(view: Mapping[str, Any]) -> frozenset[str]:
    """The fields that a view shows."""
    return frozenset(
        names.field_of(block["block_id"]) for block in view["blocks"] if block["type"] == "input"
    )


def _text(element: Any) -> str:
    """The text of one input, whatever kind it is; "" for anything missing, null or odd."""
    if not isinstance(element, dict):
        return ""
    chosen = element.get("selected_option")
    ticked = element.get("selected_options")
    if isinstance(ticked, list) and ticked:
        chosen = ticked[0]
    value = chosen.get("value") if isinstance(chosen, dict) else element.get("value")
    users = element.get("selected_users")
    if isinstance(users, list):
        value = ",".join(user for user in users if isinstance(user, str))
    return value if isinstance(value, str) else ""


def read(view: Mapping[str, Any]) -> Draft:
    """The draft that a view in Slack's payload holds, passwords left out.

    A field counts as filled in by us while it shows the very initial value its block was sent with.
    """
    fields = typed((view.get("state") or {}).get("values"))
    ids = _ids(view.get("private_metadata"))
    initial = _initial_texts(view.get("blocks"))
    shown = _strings(ids.get("shown"))
    texts = {name: entry.text for name, entry in fields.items() if name not in names.PASSWORDS}
    filled = {name for name in _strings(ids.get("filled")) if texts.get(name) == initial.get(name, "")}
    return Draft(
        texts=texts,
        generations={name: names.generation_of(entry.block_id) for name, entry in fields.items()},
        filled=frozenset(filled & texts.keys()),
        generation=ids["generation"] if isinstance(ids.get("generation"), int) else 0,
        provider_id=_string(ids.get("provider")),
        source=_string(ids.get("source")),
        mailbox_id=_string(ids.get("mailbox")),
        draft_id=_string(ids.get("draft")),
        kept_retention=_string(ids.get("kept")),
        asks_active=names.MAKE_ACTIVE in shown,
        has_typed=_TYPED in shown,
        offers_receiving_only=names.RECEIVING_ONLY in shown,
        sharing=_sharing(view.get("blocks")),
        offers_plain=_PLAIN in shown,
        most_active=_most_active(ids.get("active")),
        is_erased=_ERASED in shown,
    )


def _most_active(found: Any) -> int | None:
    """What the metadata say of it; one where they say nothing."""
    if found == _ANY:
        return None
    return found if isinstance(found, int) and found > 0 else 1


def _sharing(blocks: Any) -> tuple[Mapping[str, Any], ...]:
    """The part about sharing, which is made once, and again only when a choice in it changes."""
    found = [block for block in blocks or () if isinstance(block, dict)]
    return tuple(block for block in found if names.field_of(str(block.get("block_id"))) in names.SHARING)


def _ids(metadata: Any) -> dict[str, Any]:
    """The ids in a view's `private_metadata`."""
    try:
        found = json.loads(metadata)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> frozenset[str]:
    return frozenset(filter(None, map(_string, value))) if isinstance(value, list) else frozenset()


def _initial_texts(blocks: Any) -> dict[str, str]:
    """What each input block was sent with, by field."""
    inputs = [
        block for block in blocks or () if isinstance(block, dict) and isinstance(block.get("element"), dict)
    ]
    return {names.field_of(block.get("block_id", "")): _initial_text(block["element"]) for block in inputs}


def _initial_text(element: dict[str, Any]) -> str:
    chosen = element.get("initial_option")
    return _string(chosen.get("value") if isinstance(chosen, dict) else element.get("initial_value"))


def fill_in(draft: Draft, found: Suggestion | None) -> Draft:
    """The draft with the servers and user name found, wherever the person has not typed their own.

    Returns:
        The very same draft when nothing changes, so the caller need not update the view. Where nothing is found,
        nothing changes but the advice that is shown: what was filled in stays, and a guess stays called one.
    """
    if found is None:
        named = replace(draft, provider_id="", source=draft.source if draft.source == Source.GUESS else "")
        return draft if named == draft else named
    named = replace(draft, provider_id=found.provider.id if found.provider else "", source=found.source.value)
    wanted = {name: text for name, text in _wanted(draft, found).items() if text != draft.text(name)}
    if not wanted:
        return draft if named == draft else named
    generation = draft.generation + 1
    return replace(
        named,
        texts={**draft.texts, **wanted},
        generations={**draft.generations, **dict.fromkeys(wanted, generation)},
        filled=draft.filled | wanted.keys(),
        generation=generation,
    )


def _wanted(draft: Draft, found: Suggestion) -> dict[str, str]:
    """What was found for the fields that may be replaced."""
    free = replaceable(draft)
    username = found.username_of(draft.text(names.ADDRESS))
    if draft.text(names.RECENT) == names.YES and found.incoming and knows_recent(found.incoming.host):
        username = with_recent(username)
    wanted = {names.USERNAME: username}
    for fields, server in (
        (_INCOMING, found.incoming),
        (_OUTGOING, found.outgoing if found.incoming else None),
    ):
        # Port and security belong to a server: beside a name of the person's own, they are the person's too.
        if fields[0] in free or (server is not None and server.host == draft.text(fields[0]).strip().lower()):
            wanted |= {name: DEFAULTS.get(name, "") for name in fields} | _server_texts(fields, server)
    return {name: text for name, text in wanted.items() if name in free}


def replaceable(draft: Draft) -> frozenset[str]:
    """The fields that are empty, or show a default, or still show what was filled in: the person's own words stay."""
    return frozenset(
        name
        for name in FILLABLE
        if name in draft.filled or draft.text(name).strip() in {"", DEFAULTS.get(name, "")}
    )


def after_failure(
    draft: Draft, *, draft_id: str, has_typed: bool = True, offers_receiving_only: bool = False
) -> Draft:
    """The same form after a failed test: all but the passwords in place, and those under new block ids.

    `has_typed` says that a password was typed and is kept; without it an edit form goes on with the stored one.
    """
    generation = draft.generation + 1
    passwords = {names.OUTGOING_PASSWORD} if asks_outgoing_alone(draft) else names.PASSWORDS
    return replace(
        draft,
        generations={**draft.generations, **dict.fromkeys(passwords, generation)},
        generation=generation,
        draft_id=draft_id,
        has_typed=has_typed,
        offers_receiving_only=offers_receiving_only,
    )
