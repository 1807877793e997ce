"""What an outgoing server's answers mean, and what is kept of its words."""

from __future__ import annotations

import pytest

from bot.mail import smtp_replies
from bot.sending_errors import MessageRefused, NotTaken, SenderRefused, TooLargeToSend


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.1.5 Ok", "2.1.5 Ok"),
        ("5.1.1 The account\n5.1.1 is\r\nnot  here\t", "5.1.1 The account 5.1.1 is not here"),
        ("a\x00b\x1b[31mc\x7fd\x85e\u2028f", "a b [31mc d e f"),
        ("abc \u202egpj.exe\u2066", "abc gpj.exe"),
        ("lone \ud83d\udcff surrogates", "lone surrogates"),
        ("jörg 漢字", "jörg 漢字"),
        ("x" * 300, "x" * 199 + "…"),
        ("\x00" * 100_000 + "late", ""),
        ("", ""),
    ],
)
def test_words_are_one_bounded_line_that_steers_nothing(text: str, expected: str) -> None:
    """Of a server's words one line of at most 200 characters is kept, nothing in it controls a screen."""
    assert smtp_replies.words_of(text) == expected


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (250, "2.1.5 ok", (True, False)),
        (251, "user not local, will forward", (True, False)),
        (252, "cannot verify, will try", (True, False)),
        (450, "4.2.1 busy", (False, True)),
        (452, "4.5.3 too many recipients", (False, True)),
        (550, "5.1.1 no such user", (False, False)),
        (550, "5.7.1 rate limit reached", (False, True)),
        (550, "5.2.1 Try again later", (False, True)),
        (552, "5.5.3 recipients", (False, True)),
        (552, "Recipient limit exceeded", (False, True)),
        (550, "5.5.3 RESOLVER.ADR.RecipLimit", (False, True)),
        (550, "maximum number of recipients reached", (False, True)),
        (550, "5.1.1 recipient rejected: over the limit", (False, False)),
        (550, "5.7.1 one or more recipients are not allowed", (False, False)),
        (552, "5.2.2 mailbox full", (False, False)),
        (553, "5.1.3 bad address", (False, False)),
    ],
)
def test_each_answer_to_a_recipient_has_its_meaning(
    code: int, text: str, expected: tuple[bool, bool]
) -> None:
    """Taken, refused for now, refused for good: by the code, and by words that ask to come back."""
    reply = smtp_replies.recipient_reply("a@b.example", code, text)

    assert (reply.is_taken, reply.is_temporary) == expected
    assert "a@b.example" not in repr(reply)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (552, "5.3.4 Message size exceeds fixed limit", TooLargeToSend),
        (552, "Message size exceeds maximum permitted", TooLargeToSend),
        (552, "5.2.3 Your message exceeded the limits", TooLargeToSend),
        (554, "5.3.4 too big", TooLargeToSend),
        (552, "sorry, that message is too large", TooLargeToSend),
        (552, "5.7.0 This message was blocked because of its content", MessageRefused),
        (552, "5.2.2 over quota", MessageRefused),
        (554, "5.6.0 a line of that size", MessageRefused),
        (452, "4.3.1 insufficient system storage", MessageRefused),
        (550, "5.7.60 SMTP; Client does not have permissions to send as this sender", SenderRefused),
        (554, "5.2.252 SendAsDenied; a@b.example not allowed to send as c@b.example", SenderRefused),
    ],
)
def test_what_a_refusal_is_about_is_told(code: int, text: str, expected: type[NotTaken]) -> None:
    """The size or the sender, by the enhanced code, and where a server has none, by its words; else the mail itself."""
    assert type(smtp_replies.message_refusal(code, text, "DATA", ())) is expected
