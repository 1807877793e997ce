"""What administrators see: grants, previews, the mailboxes' health, the audit. Never what somebody's mail says."""

from __future__ import annotations

from bot.slack.views.admin.audit import AuditFilter, audit_view, exported, not_exported
from bot.slack.views.admin.grant_form import GrantSheet, grant_form
from bot.slack.views.admin.mailboxes import (
    MAILBOXES_A_PAGE,
    MailboxState,
    delete_form,
    deleted,
    mailboxes_view,
    owner_told,
    switched,
)
from bot.slack.views.admin.overview import Overview, admin_blocks, overview_view, refused
from bot.slack.views.admin.preview import Preview, preview_view, written_view

__all__ = [
    "MAILBOXES_A_PAGE",
    "AuditFilter",
    "GrantSheet",
    "MailboxState",
    "Overview",
    "Preview",
    "admin_blocks",
    "audit_view",
    "delete_form",
    "deleted",
    "exported",
    "grant_form",
    "mailboxes_view",
    "not_exported",
    "overview_view",
    "owner_told",
    "preview_view",
    "refused",
    "switched",
    "written_view",
]
