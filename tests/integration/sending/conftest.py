"""Marta's mailbox, the people of the sandbox who may send as it or not, and their files in Slack."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import pytest

from bot import limits
from bot.filled import Filled
from bot.mail.letters import LetterKind
from bot.saving import Saving
from bot.sending import Sending
from bot.sending_rights import SendingRights
from bot.slack.mentions import Names
from storage.attempts import Full
from storage.counting import Counted
from storage.outgoing import Outgoings
from storage.sending import Submission
from storage.submissions import Submissions
from tests.integration.viewing.conftest import MARTA, Hall, hall

if TYPE_CHECKING:
    from storage.records import Person
    from storage.sending import Outgoing
    from storage.vault import Vault

__all__ = ["hall"]  # the fixture everything here stands on

ADDRESS: Final = "anna@example.org"
"""The mailbox's."""

MAIL: Final = (
    b"From: Ada <ada@elsewhere.example>\r\nTo: anna@example.org, Bob <bob@third.example>\r\n"
    b"Cc: carol@third.example\r\nSubject: Offer\r\nMessage-ID: <first@elsewhere.example>\r\n"
    b"Date: Mon, 23 Nov 2026 09:00:00 +0100\r\n\r\nThe offer stands until Friday.\r\n"
)


@dataclass
class Bureau:
    """The use case and what it stands on."""

    hall: Hall
    sending: Sending
    outgoings: Outgoings
    submissions: Submissions
    uploads: int = 0

    async def octets(self, outgoing: Outgoing) -> bytes:
        """What would go to the server."""
        return await self.submissions.octets(Submission(outgoing, 0))

    async def wrote(self, person: Person, count: int) -> None:
        """Somebody sent so many mails just now."""
        counted = Counted(limits.OF_A_SENDER, (person.workspace, person.user), count)
        assert not isinstance(await self.hall.stores.attempts.take([counted], self.hall.clock()), Full)

    def upload(self, name: str, octets: bytes, user: str = MARTA.user, **record: Any) -> str:
        """The id of a file that somebody gave to Slack."""
        workspace = self.hall.sandbox.workspace
        self.uploads += 1
        file_id = f"F0UPLOAD{self.uploads:03}"
        file = workspace.files.add(file_id, name, octets, int(workspace.now()), user)
        for key, value in record.items():
            setattr(file, key, value)
        return file_id


def words(text: str) -> dict[str, Any]:
    """Rich text as a form gives it."""
    section = {"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}
    return {"type": "rich_text", "elements": [section]}


def filled(mailbox_id: str, **more: Any) -> Filled:
    """A new mail to Ada."""
    new = Filled(
        mailbox_id=mailbox_id,
        kind=LetterKind.NEW,
        message_id=None,
        to="Ada <ada@elsewhere.example>",
        cc="",
        bcc="",
        subject="Hello",
        text=words("Hello Ada"),
        draft='{"draft":1}',
    )
    return replace(new, **more)


@pytest.fixture
async def bureau(hall: Hall, vault: Vault) -> Bureau:
    """Everything to send with."""
    hall.sandbox.manifest = replace(
        hall.sandbox.manifest, scopes=hall.sandbox.manifest.scopes | {"files:read"}
    )
    slack, kept, database = hall.people._slack, hall.viewing._kept, hall.stores.database
    outgoings = Outgoings(database, vault)
    rights = SendingRights(hall.door, hall.shares, hall.people, mailboxes=hall.stores.mailboxes, kept=kept)
    saving = Saving(outgoings, hall.stores.attempts, rights, Names(slack, hall.people))
    sending = Sending(rights, saving, outgoings, hall.stores.mailboxes, kept=kept, slack=slack)
    return Bureau(hall, sending, outgoings, Submissions(database, vault))
