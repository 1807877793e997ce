"""The sandbox composes mails that hold messages, as mail programs send them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from bot.mail.message import parse
from bot.sandbox.mail.compose import compose


def test_messages_within() -> None:
    """A described mail may hold a report's status and a mail as a file, each as what it is."""
    status = b"Reporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.2.2\n"
    inner = b"From: c@d.example\nSubject: Inner\n\nHello"
    attachments = [
        {
            "name": "status.txt",
            "type": "message/delivery-status",
            "content_base64": base64.b64encode(status).decode(),
        },
        {"name": "inner.eml", "type": "message/rfc822", "content_base64": base64.b64encode(inner).decode()},
    ]
    described = {"to": "ada@local.test", "subject": "x", "text": "x", "attachments": attachments}

    message = parse(compose(described, datetime(2026, 11, 23, tzinfo=UTC)))

    assert message.special.delivery is not None
    assert message.special.delivery.recipients[0].status == "5.2.2"
    assert message.special.delivery.subject == "Inner"
