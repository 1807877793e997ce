"""Messages to posts. Pure.

Whatever stands in a mail, a post has at most 45 blocks and 9,000 characters, mentions nobody and loses nothing
without saying so: a shortened text can be asked for whole and, when it is very long, is a file besides; what no text
and no file holds is in the original, which is then attached.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bot.mail import quotes, rich_text
from bot.mail.content import Fault, File, Rendered
from bot.mail.lines import Style
from bot.mail.rich_text import Fitted
from bot.slack import blocks, cards, heads
from storage.records import Shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.mail.content import Arrival, Attachment, Message
    from bot.mail.lines import Document
    from bot.mail.quotes import Fold
    from bot.slack.blocks import Block

BODY_UNITS: Final = 3000
FIRST_LINES_UNITS: Final = 1000
POST_UNITS: Final = 8900
END_UNITS: Final = 300
"""For what is said below the body."""

PLAIN_UNITS: Final = 3000

FILES: Final = 48
"""With the full text and the original they stay within the 50 that one `files.completeUploadExternal` takes."""

FILES_OCTETS: Final = 100 * 1024 * 1024
LISTED_UNITS: Final = 1500
FILE_NAME_UNITS: Final = 80

MOST_SHARE: Final = 95
"""In percent; of what is nearly all it is not said how much it is."""

PAGED: Final = 100_000
"""Characters of a text that a person leafs through in a modal; a longer one is a file besides."""

FULL_TEXT: Final = "full text.txt"
ORIGINAL: Final = "original.eml"
BEGINNING: Final = "beginning.eml"

FILES_MISSING: Final = (
    "The attachments of this message could not be brought to Slack. They are still in the mail on the server, unless "
    "it was deleted there."
)

BULLETS: Final = 8
"""More attachments are named one behind the other, without their sizes."""

_FOLDED: Final = {
    (True, False): "Quoted earlier messages are folded away.",
    (False, True): "A {} is folded away.",
    (True, True): "Quoted earlier messages and a {} are folded away.",
}
_NOT_SHOWN: Final = "This message could not be shown. It is attached as it came."
_NOTHING: Final = "This message is empty."
_REFUSED: Final = "The mail server would not hand over this message."
_NEEDS_ORIGINAL: Final = frozenset(
    {Fault.HEADER_CUT, Fault.NESTED_TOO_DEEP, Fault.TOO_MANY_PARTS, Fault.NO_PARTS, Fault.ENCODING_DAMAGED}
    | {Fault.TEXT_CUT, Fault.HTML_CUT}
)


def post(message: Message, arrival: Arrival, original: bytes) -> Rendered:
    """The post of a message, whatever it is."""
    if arrival.shape is Shape.REFUSED:
        return _card("A message could not be fetched", _with_size(_REFUSED, arrival), arrival, ())
    if arrival.shape is Shape.TOP:
        return _too_large(message, arrival)
    if Fault.NOT_A_MAIL in message.faults:
        return unread(arrival, original, plain=False)
    return _whole(message, arrival, original)


def minimal(message: Message, arrival: Arrival, original: bytes) -> Rendered:
    """The card of a message of which only the header could be read."""
    if arrival.shape is not Shape.WHOLE or Fault.NOT_A_MAIL in message.faults:
        return unread(arrival, original, plain=False)
    words = _with_size(_NOT_SHOWN, arrival)
    found = [*heads.head(message, arrival), blocks.sentence(words)]
    return Rendered(_text(message, _NOT_SHOWN), found, _original(arrival, original))


def plain(message: Message, arrival: Arrival, original: bytes) -> Rendered:
    """Text alone, for a message whose blocks Slack refused."""
    time, _ = heads.best_date(message, arrival)
    sender = heads.named(message.sender) if message.sender else heads.NO_SENDER
    rows = [
        f"From: {blocks.plain(sender)['text']}",
        f"Subject: {blocks.plain(message.subject or heads.NO_SUBJECT, 500)['text']}",
        f"Date: {time:%Y-%m-%d %H:%M} UTC",
        _with_size(_sentence(arrival, original), arrival),
    ]
    return Rendered(blocks.escaped_within("\n".join(rows), PLAIN_UNITS), [], _original(arrival, original))


def unread(arrival: Arrival, original: bytes, *, plain: bool) -> Rendered:
    """The card of a message that is no mail, or that nobody could read: nothing in it was looked at."""
    words = _with_size(_sentence(arrival, original), arrival)
    files = _original(arrival, original)
    if plain:
        return Rendered(blocks.escaped_within(words, PLAIN_UNITS), [], files)
    return _card("A message that cannot be read as mail", words, arrival, files)


# A whole message


@dataclass(frozen=True, slots=True)
class _Named:
    """An attachment in the list of them.

    Attributes:
        reason: why it is not among the files, or not as it was sent; "" when it is.
    """

    name: str
    size: str
    reason: str

    def said(self, *, with_size: bool) -> str:
        """The attachment in words."""
        size = f" ({self.size})" if with_size or self.reason else ""
        return f"{self.name}{size}{' – ' + self.reason if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class _Files:
    """What becomes of a message's attachments: the files to upload, and what is said of each attachment."""

    kept: tuple[File, ...]
    named: list[_Named]
    is_lossy: bool


def _whole(message: Message, arrival: Arrival, original: bytes) -> Rendered:
    texts = rich_text.documents(message)
    text = rich_text.joined(texts)
    fold = _untitled(quotes.folded(texts, quotes.relation(message)), message.subject)
    shown = tuple(
        each
        for each in message.attachments
        if not (each.content_id in text.inline and rich_text.is_logo(each))
    )
    files = _files(shown)
    top = [*heads.head(message, arrival), *cards.above(message, arrival)]
    below = cards.below(message)
    listed = [_listing(files.named)] if files.named else []
    room = POST_UNITS - END_UNITS - blocks.weight([*top, *below, *listed])
    limit = min(cards.REPORT_UNITS if cards.is_report(message) else BODY_UNITS, room)
    shown_text = rich_text.joined(fold.shown)
    is_said = bool(shown_text.lines) and cards.says_all(message)
    body = Fitted([], 0, is_cut=True) if is_said else rich_text.fitted(shown_text, limit, room - limit)
    needs_original = files.is_lossy or bool(message.faults & _NEEDS_ORIGINAL) or text.is_partial
    needs_original |= message.special.is_unpacked
    extra: tuple[File, ...] = (
        (File(FULL_TEXT, text.full.encode("utf-8", "replace"), FULL_TEXT),)
        if text.full and (body.is_cut or fold.folded) and (len(text.full) > PAGED or text.is_partial)
        else ()
    )
    extra += _original(arrival, original) if needs_original else ()
    no_text = [] if cards.explains(message) else [blocks.note("This message has no text.")]
    main = body.blocks or no_text
    words = [
        *_report_note(message, is_said=is_said),
        *([] if is_said else _fold_notes(message, fold, body, shown_text)),
        *_file_notes([file.name for file in extra]),
        _left_out_note(text, len(message.attachments) - len(shown)),
    ]
    ends = [blocks.note(" ".join(filter(None, words)))] if any(words) else []
    return Rendered(
        _text(message, cards.summary(message) or _first_words(fold)),
        [*top, *main, *below, *ends, *listed],
        (*files.kept, *extra),
        is_shortened=body.is_cut or bool(fold.folded),
    )


def _untitled(fold: Fold, subject: str) -> Fold:
    """The texts without a heading at their very beginning that only repeats the subject, which stands above it."""
    lines = fold.shown[0].lines if fold.shown else ()
    first = lines[0] if lines else None
    is_heading = first is not None and all(Style.BOLD in run.style for run in first.runs if run.text.strip())
    if first is None or not is_heading or not subject or first.text.split() != subject.split():
        return fold
    rest = next((at for at, line in enumerate(lines) if at and line.text.strip()), 0)
    shown = (replace(fold.shown[0], lines=lines[rest:]), *fold.shown[1:])
    return replace(fold, shown=shown) if rest else fold


def _left_out_note(text: Document, logos: int) -> str:
    """What of the pictures was left out, "" when nothing was."""
    counts = {"tracker": (text.trackers, "blocked"), "picture": (text.pictures, "not loaded")}
    counts["small logo"] = (logos, "left out")
    words = ", ".join(
        f"{number} {what}{'s' if number > 1 else ''} {fate}"
        for what, (number, fate) in counts.items()
        if number
    )
    return f"{words}." if words else ""


def _report_note(message: Message, *, is_said: bool) -> Iterator[str]:
    """Where the words are that a report's card says in short."""
    if is_said:
        yield "The server's own words are folded away."
    if file := cards.notice(message):
        yield f"The report is attached as “{blocks.plain(file, FILE_NAME_UNITS)['text']}”."


def _fold_notes(message: Message, fold: Fold, body: Fitted, shown: Document) -> Iterator[str]:
    """What of the text is not shown."""
    if body.is_cut:
        share = 100 * body.units // max(1, sum(len(line.text) + 1 for line in shown.lines))
        yield f"Shortened: this is the first {share} %." if 0 < share < MOST_SHARE else "Shortened."
    end = "footer" if message.special.mailing_list else "signature"
    yield _FOLDED.get((fold.has_history, fold.has_signature), "").format(end)


def _file_notes(names: Sequence[str]) -> Iterator[str]:
    """Which files of ours have what is not shown."""
    if FULL_TEXT in names:
        yield f"The complete text is attached as “{FULL_TEXT}”."
    yield from (
        f"The message as it came is attached as “{name}”." for name in names if name in {ORIGINAL, BEGINNING}
    )


def _files(attachments: tuple[Attachment, ...]) -> _Files:
    kept: list[File] = []
    named: list[_Named] = []
    total = 0
    is_lossy = False
    for each in attachments:
        reason = _left_out(each, len(kept), total)
        if not reason:
            kept.append(File(each.name, each.octets, each.name))
            total += len(each.octets)
        is_lossy |= each.is_damaged or bool(reason and each.octets)
        reason = reason or ("damaged on the way" if each.is_damaged else "")
        name = blocks.plain(each.name, FILE_NAME_UNITS)["text"]
        if each.is_quiet and not reason:
            continue
        named.append(_Named(name, blocks.size(len(each.octets)), reason))
    return _Files(tuple(kept), named, is_lossy)


def _left_out(attachment: Attachment, count: int, total: int) -> str:
    """Why an attachment is not uploaded, "" when it is."""
    if not attachment.octets:
        return "empty, so there is nothing to upload"
    if count >= FILES:
        return f"not uploaded: only {FILES} files are; see {ORIGINAL}"
    if total + len(attachment.octets) > FILES_OCTETS:
        return f"not uploaded: the files are over {blocks.size(FILES_OCTETS)} together; see {ORIGINAL}"
    return ""


def _listing(named: list[_Named]) -> Block:
    """The attachments; those that are not uploaded, or damaged, are named before the others run out of room."""
    lines = [each.said(with_size=len(named) <= BULLETS) for each in named]
    shown: set[int] = set()
    used = 0
    for at in sorted(range(len(lines)), key=lambda at: not named[at].reason):
        used += len(lines[at]) + 2
        if used > LISTED_UNITS:
            break
        shown.add(at)
    rows = [line for at, line in enumerate(lines) if at in shown]
    left = f" and {len(lines) - len(shown)} more" if len(shown) < len(lines) else ""
    title = "1 attachment" if len(lines) == 1 else f"{len(lines)} attachments"
    if 1 < len(lines) <= BULLETS:
        return rich_text.block([rich_text.section(title, Style.BOLD), rich_text.bullets(rows)])
    line = rich_text.section(f"{title}: ", Style.BOLD)
    line["elements"] += rich_text.section(", ".join(rows) + left)["elements"]
    return rich_text.block([line])


# Cards


def _too_large(message: Message, arrival: Arrival) -> Rendered:
    """The card of a message of which the server was asked for the first lines only."""
    words = (
        f"This message has {blocks.size(arrival.listed_octets)}. That is larger than the limit, so Mailbox has not fetched "
        "it; it stays on the mail server."
    )
    text = rich_text.whole(message)
    first = rich_text.fitted(text, FIRST_LINES_UNITS, FIRST_LINES_UNITS).blocks
    lines = [blocks.note("It begins:"), *first] if first else []
    found = [*heads.head(message, arrival), blocks.sentence(words), *lines]
    return Rendered(_text(message, words), found)


def _card(title: str, words: str, arrival: Arrival, files: tuple[File, ...]) -> Rendered:
    """A card about a message whose header is not known."""
    label = [blocks.plain(f"Mailbox: {arrival.mailbox_name}", 200)] if arrival.mailbox_name else []
    origin = blocks.context(blocks.date(arrival.received_at), *label)
    found = [blocks.header(title), origin, blocks.sentence(words)]
    return Rendered(blocks.escaped_within(f"{title}: {words}", blocks.TEXT_UNITS), found, files)


def _sentence(arrival: Arrival, original: bytes) -> str:
    if arrival.shape is Shape.REFUSED:
        return _REFUSED
    if not original:
        return _NOTHING
    if arrival.shape is Shape.TOP:
        return (
            "This message is larger than the limit and stays on the mail server. Its beginning is attached."
        )
    return _NOT_SHOWN


def _with_size(words: str, arrival: Arrival) -> str:
    return f"{words} Its size is {blocks.size(arrival.listed_octets)}." if arrival.listed_octets else words


def _original(arrival: Arrival, original: bytes) -> tuple[File, ...]:
    """The message as it came; Slack takes no empty file."""
    if not original or arrival.shape is Shape.REFUSED:
        return ()
    name = ORIGINAL if arrival.shape is Shape.WHOLE else BEGINNING
    return (File(name, original, name),)


# Notifications


def _text(message: Message, words: str) -> str:
    """What a notification and a screen reader get."""
    name = blocks.plain(heads.sender_name(message), 80)["text"]
    subject = blocks.plain(message.subject or heads.NO_SUBJECT, 120)["text"]
    rest = f": {' '.join(words.split())}" if words.strip() else ""
    return blocks.escaped_within(f"{name}: {subject}{rest}", blocks.TEXT_UNITS)


def _first_words(fold: Fold) -> str:
    """The first words that are the sender's own."""
    return " ".join(quotes.own_words(rich_text.joined(fold.shown).lines[: quotes.OWN_LINES]))[:1000]
