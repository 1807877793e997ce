"""Use case part: what the post of an outbox entry says, and which files belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.slack import actions, notices, questions
from storage.errors import NotFound
from storage.records import Notice

if TYPE_CHECKING:
    from datetime import datetime

    from bot.copies import CopyPosts
    from bot.digest import DigestPosts
    from bot.mail.content import Rendered
    from bot.mail_posts import MailPosts
    from bot.old_mail import OldMailPosts
    from bot.original_posts import OriginalPosts
    from bot.outgoing_posts import SentPosts
    from storage.mailboxes import Mailboxes
    from storage.messages import Messages
    from storage.outbox import Outbox
    from storage.records import Entry, Mailbox


class Contents:
    """Makes what is posted."""

    def __init__(
        self,
        outbox: Outbox,
        messages: Messages,
        mailboxes: Mailboxes,
        mails: MailPosts,
        *,
        old_mail: OldMailPosts,
        digests: DigestPosts,
        originals: OriginalPosts,
        copies: CopyPosts,
        sent_posts: SentPosts,
    ) -> None:
        self._outbox = outbox
        self._messages = messages
        self._mailboxes = mailboxes
        self._mails = mails
        self._old_mail = old_mail
        self._digests = digests
        self._originals = originals
        self._copies = copies
        self._sent_posts = sent_posts

    async def said(self, entry: Entry) -> tuple[Rendered, bool]:
        """The post of an entry, and whether files belong to it.

        Raises:
            NotFound: what it is about is gone.
        """
        if entry.notice is Notice.ORIGINAL:
            return await self._originals.said(entry.id)
        rendered = await self.rendered(entry)
        return rendered, bool(rendered.files)

    async def stand_in(self, entry: Entry, now: datetime) -> None:
        """Owe the message itself in place of a post that Slack takes in no form; once is enough.

        Raises:
            NotFound: its mailbox is gone.
        """
        if entry.message_id is not None and entry.mailbox_id is not None:
            mailbox = await self._mailboxes.get(entry.owner, entry.mailbox_id)
            await self._originals.stand_in(mailbox, entry.message_id, now)

    async def rendered(self, entry: Entry) -> Rendered:
        """The post of an entry with its files.

        Raises:
            NotFound: what it is about is gone.
            NotAllowed: it is a copy that may not be posted, or not any more.
            NotKnown: it is a copy of which nobody can say now whether it may be posted.
        """
        if entry.notice in {Notice.TOLD, Notice.COPY}:
            return await self._copies.said(entry)
        if entry.notice in {Notice.OUTGOING, Notice.OUTGOING_REFUSED, Notice.OUTGOING_NEWS}:
            return await self._sent_posts.rendered(entry)
        return await self._own(entry)

    async def _own(self, entry: Entry) -> Rendered:
        """What is the owner's: a mail, or a notice about their mailbox."""
        assert entry.mailbox_id is not None
        if entry.notice is Notice.OLD_MAIL:
            return await self._old_mail.rendered(entry.id)
        if entry.notice is Notice.DIGEST:
            return await self._digests.rendered(entry)
        if entry.notice is Notice.ORIGINAL:
            return await self._originals.rendered(entry.id)
        if entry.notice is not None:
            return await self._notice(entry, await self._mailboxes.get(entry.owner, entry.mailbox_id))
        return await self._mail(entry)

    async def _notice(self, entry: Entry, mailbox: Mailbox) -> Rendered:
        assert entry.notice is not None
        if entry.notice is Notice.ASKED:
            return questions.asked(
                mailbox.profile.name, mailbox.id, await self._messages.count_asked(mailbox.id)
            )
        if entry.notice is Notice.ALL_CLEAR:
            return notices.all_clear(mailbox, await self._outbox.caught_up(entry))
        return notices.alarm(entry.notice, mailbox)

    async def _mail(self, entry: Entry) -> Rendered:
        assert entry.message_id is not None
        mailboxes = {mailbox.id: mailbox for mailbox in await self._mailboxes.of(entry.owner)}
        mailbox = mailboxes.get(entry.mailbox_id or "")
        if mailbox is None:
            raise NotFound("This person has no such mailbox.")
        message, rendered = await self._mails.rendered(
            mailbox,
            entry.message_id,
            mailbox_name=mailbox.profile.name if len(mailboxes) > 1 else None,
            plain=entry.plain,
        )
        return actions.offered(rendered, message, mailbox.retention)
