"""Reports as mail servers write them."""

from __future__ import annotations


def dsn(
    text: str,
    status: str,
    original: str = "",
    sender: str = "MAILER-DAEMON@mx.example",
    subject: str = "Undelivered",
) -> bytes:
    """A report as RFC 3464 wants it."""
    parts = [f"Content-Type: text/plain\n\n{text}", f"Content-Type: message/delivery-status\n\n{status}"]
    parts += [f"Content-Type: text/rfc822-headers\n\n{original}"] if original else []
    body = "".join(f"--b\n{part}\n" for part in parts)
    head = f"From: {sender}\nTo: ada@home.example\nSubject: {subject}\n"
    kind = "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    return (head + kind + body + "--b--\n").encode()


def prose(
    text: str, sender: str = "MAILER-DAEMON@mx.example", subject: str = "failure notice", more: str = ""
) -> bytes:
    """A report of a server that follows no standard."""
    return f"From: {sender}\nTo: ada@home.example\nSubject: {subject}\n{more}\n{text}".encode()


POSTFIX = dsn(
    "This is the mail system at host mx.example.\n\nI'm sorry to have to inform you that your message could not\nbe delivered.\n\n"
    "<bob@x.example>: host mx.x.example[192.0.2.1] said: 552 5.2.2 <bob@x.example>: Mailbox full (in reply to RCPT TO command)\n",
    "Reporting-MTA: dns; mx.example\nX-Postfix-Queue-ID: 3B1C\nArrival-Date: Mon, 23 Nov 2026 09:00:00 +0000 (UTC)\n\n"
    "Final-Recipient: rfc822; bob@x.example\nOriginal-Recipient: rfc822;bob@x.example\nAction: failed\nStatus: 5.2.2\n"
    "Remote-MTA: dns; mx.x.example\nDiagnostic-Code: smtp; 552 5.2.2 <bob@x.example>: Mailbox full\n",
    "From: ada@home.example\nTo: bob@x.example\nSubject: =?utf-8?q?Caf=C3=A9?= at noon\nMessage-ID: <1@home.example>\n",
)
POSTFIX_DELAY = dsn(
    "THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n",
    "Reporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; bob@x.example\nAction: delayed\nStatus: 4.4.1\n"
    "Diagnostic-Code: X-Postfix; connect to mx.x.example[192.0.2.1]:25: Connection timed out\n"
    "Will-Retry-Until: Sat, 28 Nov 2026 09:00:00 +0000 (UTC)\n",
)
GMAIL = dsn(
    "** Address not found **\n\nYour message wasn't delivered to nobody@x.example because the address couldn't be found.\n",
    "Reporting-MTA: dns; googlemail.com\n\nFinal-Recipient: rfc822; nobody@x.example\nAction: failed\nStatus: 5.1.1\n"
    "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.\n",
    sender="Mail Delivery Subsystem <mailer-daemon@googlemail.com>",
)
EXCHANGE = dsn(
    "Delivery has failed to these recipients or groups:\n\ncarol@x.example\n",
    "Reporting-MTA: dns;EX1.x.example\n\nFinal-recipient: RFC822;carol@x.example\nAction: failed\nStatus: 5.0.0\n"
    "Diagnostic-code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup\n"
    "X-Display-Name: carol@x.example\n",
    sender="postmaster@x.example",
    subject="Undeliverable: Plans",
)
EXIM = prose(
    "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or "
    "more of its\nrecipients. This is a permanent error. The following address(es) failed:\n\n  bob@x.example\n    SMTP error from "
    "remote mail server after RCPT TO:<bob@x.example>:\n    host mx.x.example [192.0.2.1]: 550 No such user here\n\n"
    "------ This is a copy of the message, including all the headers. ------\n\nSubject: Plans\nMessage-Id: <2@home.example>\n",
    sender="Mail Delivery System <Mailer-Daemon@exim.example>",
    subject="Mail delivery failed: returning message to sender",
    more="X-Failed-Recipients: bob@x.example\n",
)
QMAIL = prose(
    "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n<bob@x.example>:\n"
    "192.0.2.1 does not like recipient.\nRemote host said: 550 5.7.1 Message rejected as spam\nGiving up on 192.0.2.1.\n\n"
    "--- Below this line is a copy of the message.\n\nSubject: Plans\n"
)
SENDMAIL_DELAY = prose(
    "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n"
    "    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n\n   ----- Transcript of session follows -----\n"
    "<bob@x.example>... Deferred: Connection timed out with mx.x.example.\nMessage could not be delivered for 4 hours\n"
    "Message will be deleted from queue\n",
    subject="Warning: could not send message for past 4 hours",
)
RECEIPT = (
    b"From: Bob <bob@x.example>\nSubject: Read: Plans\n"
    b"Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n"
    b"--b\nContent-Type: text/plain\n\nYour message was read.\n--b\nContent-Type: message/disposition-notification\n\n"
    b"Reporting-UA: x.example; Mail 1\nFinal-Recipient: rfc822;bob@x.example\nOriginal-Message-ID: <1@home.example>\n"
    b"Disposition: manual-action/MDN-sent-manually; displayed\n--b--\n"
)
