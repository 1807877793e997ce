"""Callback ids, fields, block ids and action ids of the forms of sending; its buttons stand in `names`."""

from __future__ import annotations

from typing import Final

FORM: Final = "mailbox_send"
RESULT: Final = "mailbox_sent"
SETTINGS: Final = "mailbox_sending"
"""Callback ids; the metadata of the first is ids in JSON, of the second an outgoing id, of the third a mailbox id."""

FROM: Final = "send_from"
TO: Final = "send_to"
CC: Final = "send_cc"
BCC: Final = "send_bcc"
SUBJECT: Final = "send_subject"
TEXT: Final = "send_text"
FILES: Final = "send_files"
KEPT: Final = "send_kept_files"
QUOTES: Final = "send_quotes"
PASSES_ON: Final = "send_passes_on"
"""Fields of the form of a mail."""

SAID: Final = "send_said"
SENDER: Final = "send_sender"
CHECKED: Final = "send_checked"
SIGNED: Final = "send_signature"
"""Block ids of what the form says: what was in the way, who sends, to how many, what is added below."""

SENDER_NAME: Final = "sender_name"
SIGNATURE: Final = "signature"
UNDO_SECONDS: Final = "undo_seconds"
"""Fields of how a mailbox sends."""

RECIPIENTS_TYPED: Final = "recipients_typed"
"""Sent with every character typed into a field of recipients."""

SENDER_CHOSEN: Final = "sender_chosen"
"""Sent with the choice of another mailbox to send from."""
