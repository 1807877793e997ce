"""What the bot tells an owner of how a mailbox fares: what is wrong, what to do, the button that does it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot.mail.content import Rendered
from bot.slack import blocks, names
from storage.delivery import Delivery
from storage.records import Notice

if TYPE_CHECKING:
    from storage.records import Mailbox

NAME_UNITS: Final = 200
TEXT_UNITS: Final = 3000

_CHECK: Final = ("Check now", names.CHECK_BUTTON)
_EDIT: Final = ("Edit", names.EDIT_BUTTON)
_TRIES: Final = "No mail is lost: Mailbox keeps trying, and tells you when it works again."

_WORDS: Final = {
    Notice.LOGIN_REFUSED: (
        "The mail server refuses the user name or the password of {name}. Mailbox has stopped trying, so that the "
        "account is not locked. No mail is lost: it waits on the server."
    ),
    Notice.UNREACHABLE: (
        "The mail server of {name} has not answered for a while. Mostly that passes; if your provider has moved its "
        "server, enter the new one with Edit. " + _TRIES
    ),
    Notice.CERTIFICATE_INVALID: (
        "The mail server of {name} cannot prove that it is the right one: its certificate is wrong or expired. Mailbox "
        "sends it nothing. Compare the server's name with what your provider says and correct it with Edit; if it is "
        "right, tell whoever runs the server. " + _TRIES
    ),
    Notice.MAILDROP_BUSY: (
        "Another mail program keeps the mailbox {name} open, so Mailbox does not get in. Close it there, or let it look "
        "for mail less often. " + _TRIES
    ),
    Notice.SERVER_FAULT: (
        "The mail server of {name} answers with an error. Mostly that passes; if not, look in your provider's settings "
        "whether POP is still switched on, or ask whoever runs the server. " + _TRIES
    ),
}
_BUTTONS: Final = {
    Notice.LOGIN_REFUSED: (("Fix password", names.PASSWORD_BUTTON), _EDIT),
    Notice.UNREACHABLE: (_CHECK, _EDIT),
    Notice.CERTIFICATE_INVALID: (_EDIT, _CHECK),
    Notice.MAILDROP_BUSY: (_CHECK,),
    Notice.SERVER_FAULT: (_CHECK, _EDIT),
}


def alarm(notice: Notice, mailbox: Mailbox) -> Rendered:
    """Something is wrong with a mailbox, and lasts or needs its owner."""
    words = _WORDS[notice].format(name=_named(mailbox))
    found = [blocks.sentence(words)]
    if mailbox.last_success_at is not None:
        found.append(
            blocks.context(blocks.plain("The last check that worked:"), blocks.date(mailbox.last_success_at))
        )
    found.append(blocks.buttons(mailbox.id, *_BUTTONS[notice]))
    return Rendered(blocks.escaped_within(words, TEXT_UNITS), found)


def all_clear(mailbox: Mailbox, count: int) -> Rendered:
    """A mailbox works again.

    Args:
        count: messages fetched since the owner was told; they were posted before this, or wait for their digest.
    """
    it_is, they_are = "it is above", "they are above"
    if mailbox.calm.delivery is not Delivery.EACH:
        it_is, they_are = "it comes with the digest", "they come with the digest"
    came = {0: "No mail came meanwhile.", 1: f"1 message came meanwhile; {it_is}."}
    caught_up = came.get(count, f"{count:,} messages came meanwhile; {they_are}.")
    words = f"✓ {_named(mailbox)} works again. {caught_up}"
    return Rendered(blocks.escaped_within(words, TEXT_UNITS), [blocks.sentence(words)])


def _named(mailbox: Mailbox) -> str:
    return f"“{blocks.plain(mailbox.profile.name, NAME_UNITS)['text']}”"
