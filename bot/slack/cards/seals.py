"""What is said of encrypted and signed mail. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.special import Sealing
from bot.slack import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.mail.special import Seal
    from bot.slack.blocks import Block

FILES: Final = 3
_SENTENCES: Final = {
    Sealing.SMIME_ENCRYPTED: "🔒 This mail is encrypted with S/MIME. Mailbox cannot read it; open {} in a mail program that has your key.",
    Sealing.PGP_ENCRYPTED: "🔒 This mail is encrypted with PGP. Mailbox cannot read it; open {} in a program that has your key.",
    Sealing.SMIME_OPAQUE: "This mail is signed with S/MIME in a form that wraps what it says. Mailbox does not open it; {} holds all of it.",
    Sealing.SMIME_SIGNED: "Signed with S/MIME, the signature was not checked: {}",
    Sealing.PGP_SIGNED: "Signed with PGP, the signature was not checked: {}",
}


def notes(seals: Sequence[Seal]) -> Iterator[Block]:
    """One sentence for each way in which a mail is sealed."""
    for seal in seals:
        named = ", ".join(f"“{blocks.plain(name, 80)['text']}”" for name in seal.files[:FILES])
        more = f" and {len(seal.files) - FILES} more" if len(seal.files) > FILES else ""
        yield blocks.note(_SENTENCES[seal.sealing].format(named + more), 500)
