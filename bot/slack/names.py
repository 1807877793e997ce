"""Every command word, callback id, field, block id and action id, once.

A field of a form has a block id of its name and a generation: Slack keeps what was typed under an unchanged
block id, so a field gets a new generation whenever its content is to be replaced. No I/O, no words for people.
"""

from __future__ import annotations

from typing import Final

# The slash command and its words.

COMMAND: Final = "/mailbox"

ADD: Final = "add"
LIST: Final = "list"
EDIT: Final = "edit"
PASSWORD: Final = "password"  # noqa: S105 - an id, no password
ACTIVATE: Final = "activate"
PAUSE: Final = "pause"
RESUME: Final = "resume"
CHECK: Final = "check"
DOCTOR: Final = "doctor"
REMOVE: Final = "remove"
SHARE: Final = "share"
RULES: Final = "rules"
SHARED: Final = "shared"
SEND: Final = "send"
EXPORT: Final = "export"
ERASE: Final = "erase"
ADMIN: Final = "admin"
HELP: Final = "help"

COMMANDS: Final = (
    ADD,
    LIST,
    EDIT,
    PASSWORD,
    ACTIVATE,
    PAUSE,
    RESUME,
    CHECK,
    DOCTOR,
    SHARE,
    REMOVE,
    RULES,
    SHARED,
    SEND,
    EXPORT,
    ERASE,
    ADMIN,
    HELP,
)
"""In the order in which help names them; no word at all is the same as LIST."""

SYNONYMS: Final = {
    "status": LIST,
    "fetch": CHECK,
    "why": DOCTOR,
    "test": DOCTOR,
    "delete": REMOVE,
    "switch": ACTIVATE,
    "stop": PAUSE,
    "start": RESUME,
    "settings": EDIT,
    "setup": ADD,
    "new": ADD,
    "download": EXPORT,
    "forget": ERASE,
    "muted": RULES,
    "mute": RULES,
    "filters": RULES,
    "administration": ADMIN,
    "grants": ADMIN,
    "audit": ADMIN,
    "compose": SEND,
    "write": SEND,
    "mail": SEND,
}
"""Other words people try, and the one they mean."""

# Callback ids.

SHORTCUT_ADD: Final = "add_mailbox"
ADD_FORM: Final = "mailbox_add"
EDIT_FORM: Final = "mailbox_edit"
PASSWORD_FORM: Final = "mailbox_password"  # noqa: S105 - an id, no password
REMOVE_FORM: Final = "mailbox_remove"
ERASE_FORM: Final = "mailbox_erase"
TESTING: Final = "mailbox_testing"
RESULT: Final = "mailbox_result"
HOME: Final = "mailbox_home"

# Action ids of buttons. The value is a mailbox id, but for the first four, which have none.

OPEN_ADD: Final = "open_add"
OPEN_LIST: Final = "open_list"
EXPORT_BUTTON: Final = "export_data"
ERASE_BUTTON: Final = "erase_data"
EDIT_BUTTON: Final = "edit_mailbox"
PASSWORD_BUTTON: Final = "change_password"  # noqa: S105 - an id, no password
ACTIVATE_BUTTON: Final = "activate_mailbox"
PAUSE_BUTTON: Final = "pause_mailbox"
RESUME_BUTTON: Final = "resume_mailbox"
CHECK_BUTTON: Final = "check_mailbox"
DOCTOR_BUTTON: Final = "examine_mailbox"
REMOVE_BUTTON: Final = "remove_mailbox"
SHARE_BUTTON: Final = "share_mailbox"

STOP_OLD_MAIL: Final = "stop_old_mail"
"""The value is the delivery id of the post under which the old mail stands."""

BUTTONS: Final = {
    EDIT: EDIT_BUTTON,
    PASSWORD: PASSWORD_BUTTON,
    ACTIVATE: ACTIVATE_BUTTON,
    PAUSE: PAUSE_BUTTON,
    RESUME: RESUME_BUTTON,
    CHECK: CHECK_BUTTON,
    DOCTOR: DOCTOR_BUTTON,
    REMOVE: REMOVE_BUTTON,
    SHARE: SHARE_BUTTON,
}
"""The button that does what a command word does to one mailbox."""

PICKS: Final = {word: f"pick_{word}" for word in BUTTONS}
"""Action id of the select that asks which mailbox a command word is for; the option's value is a mailbox id."""

# What can be done to a message from its post. The value is a message id; an option's begins with one of the words.

MAIL_ACTIONS: Final = "mail_actions"
MAIL_STATE: Final = "mail_state"
"""Block ids of a post's row of actions, and of the line that says what came of them."""

SHOW_ALL_BUTTON: Final = "show_all"
GET_WHOLE_BUTTON: Final = "get_whole"
DONE_BUTTON: Final = "mark_done"
NOT_DONE_BUTTON: Final = "mark_not_done"
MORE_MENU: Final = "more_of_message"
MORE_HEADERS: Final = "headers"
MORE_ORIGINAL: Final = "original"
MORE_MUTE_SENDER: Final = "mute_sender"
MORE_MUTE_THREAD: Final = "mute_thread"
MORE_DELETE: Final = "delete"
MORE_SHARE: Final = "share"

WHOLE_TEXT: Final = "mail_whole_text"
HEADERS_SHOWN: Final = "mail_headers"
RULES_SHOWN: Final = "mail_rules"
"""Callback ids of modals; the metadata of the first two is a message id."""

NEXT_PAGE: Final = "next_page"
PREVIOUS_PAGE: Final = "previous_page"
"""Buttons within them; the value is the number of the page they lead to."""

OPEN_RULES: Final = "open_rules"
REMOVE_RULE: Final = "remove_rule"
UNMUTE_BUTTON: Final = "unmute"
"""The value of the last two is a rule id."""

OPEN_NOT_DONE: Final = "open_not_done"
"""The value is a mailbox id."""

# Buttons about mail on the server. The value of the first three is a mailbox id, that of the last a message id.

ARE_NEW_BUTTON: Final = "uids_are_new"
ARE_SEEN_BUTTON: Final = "uids_are_seen"
ASK_LATER_BUTTON: Final = "uids_ask_later"
DELETE_BUTTON: Final = "delete_from_server"

# Sharing. The value of a button is a share id, but for the first one, whose value is a message id.

SHARE_MESSAGE: Final = "share_message"
REVOKE_SHARE: Final = "revoke_share"
SHARE_FORM: Final = "mailbox_share"
"""Callback id; the metadata names the mailbox and, where it is about one, the message."""

SHARE_KIND: Final = "share_kind"
SHARE_PEOPLE: Final = "share_people"
SHARE_GROUP: Final = "share_group"
SHARE_ROLE: Final = "share_role"
SHARE_CHANNEL: Final = "share_channel"
SHARE_LEVEL: Final = "share_level"
SHARE_UNTIL: Final = "share_until"
SHARE_HISTORY: Final = "share_history"
"""Fields of the form; the add form has the second and the one of the level."""

SHARE_SEERS: Final = "share_seers"
SHARE_WORDS: Final = "share_words"
"""Block ids of what is said in a form: who will see it, and what is allowed."""

SHARING: Final = frozenset({SHARE_PEOPLE, SHARE_LEVEL, SHARE_SEERS, SHARE_WORDS})
"""What the add form holds of it."""

SHARE_CHOSEN: Final = "share_chosen"
"""Action id of a choice that changes who will see it, or shows other fields."""

# Sending. The value of the first three buttons is a message id; the next ones have an outgoing id, and the password's
# and the settings' ones a mailbox id.

REPLY_BUTTON: Final = "reply_to_message"
REPLY_ALL_BUTTON: Final = "reply_all_to_message"
FORWARD_BUTTON: Final = "forward_message"
COMPOSE_BUTTON: Final = "compose_message"
"""Without a value, or with the id of the mailbox to send from."""

OUTGOING_UNDO: Final = "outgoing_undo"
OUTGOING_AGAIN: Final = "outgoing_send_again"
OUTGOING_LEAVE: Final = "outgoing_leave"
OUTGOING_WRITE_ON: Final = "outgoing_write_on"
OUTGOING_PASSWORD_BUTTON: Final = "change_outgoing_password"  # noqa: S105 - an id, no password
SENDING_BUTTON: Final = "sending_settings"

INVITATION: Final = "invitation_answers"
INVITATION_ACCEPT: Final = "invitation_accept"
INVITATION_TENTATIVE: Final = "invitation_tentative"
INVITATION_DECLINE: Final = "invitation_decline"
"""A row of a post and its buttons; their value is a message id and the event's UID, with a colon between them."""

# What others opened. The value of each is a mailbox id, that of the next ones a message id, but where a line says more.

SHARED_LIST: Final = "open_shared_mailbox"
SHARED_OLDER: Final = "shared_older"
SHARED_NEWER: Final = "shared_newer"
"""Pages of a list; the value is a mailbox id and the ids behind which the pages begin, with commas between them."""

SHARED_MANAGE: Final = "shared_manage"
SHARED_CHECK: Final = "shared_check"
SHARED_PAUSE: Final = "shared_pause"
SHARED_RESUME: Final = "shared_resume"
SHARED_RETENTION: Final = "shared_retention"
SHARED_RULES: Final = "shared_rules"
SHARED_UNMUTE: Final = "shared_unmute"
"""The value is a rule id."""

SHARED_OPEN: Final = "open_shared_message"
SHARED_SEND: Final = "shared_send"
SHARED_MUTE: Final = "shared_mute"
"""The value of the last two is a message id and the number of the page they stand on, with a colon between them."""

SHARED_HEADERS: Final = "shared_headers"
SHARED_NEXT: Final = "shared_next"
SHARED_PREVIOUS: Final = "shared_previous"
"""Pages of a message; the value is the number of the page they lead to."""

SHARED_LISTED: Final = "shared_listed"
SHARED_MESSAGE: Final = "shared_message"
SHARED_FIELDS: Final = "shared_fields"
SHARED_MANAGED: Final = "shared_managed"
SHARED_MUTED: Final = "shared_muted"
SHARED_RETENTION_FORM: Final = "shared_retention_form"
"""Callback ids; the metadata is a mailbox id, of the second and third a message id."""

HOME_PAGE: Final = "home_page"
HOME_PAGE_BACK: Final = "home_page_back"
"""Pages of one's own mailboxes in App Home; the value is the number of the page they lead to."""

# Fields of the forms.

NAME: Final = "account_name"
ADDRESS: Final = "address"
INCOMING_SERVER: Final = "incoming_server"
INCOMING_PORT: Final = "incoming_port"
INCOMING_SECURITY: Final = "incoming_security"
USERNAME: Final = "username"
INCOMING_PASSWORD: Final = "incoming_password"  # noqa: S105 - an id, no password
SAME_CREDENTIALS: Final = "same_credentials"
OUTGOING_SERVER: Final = "outgoing_server"
OUTGOING_PORT: Final = "outgoing_port"
OUTGOING_SECURITY: Final = "outgoing_security"
OUTGOING_USERNAME: Final = "outgoing_username"
OUTGOING_PASSWORD: Final = "outgoing_password"  # noqa: S105 - an id, no password
RECENT: Final = "recent"
RETENTION: Final = "retention"
DELETE_DAYS: Final = "delete_days"
OLD_MAIL: Final = "old_mail"
DELIVERY: Final = "delivery"
DAILY_HOUR: Final = "daily_hour"
QUIET_FROM: Final = "quiet_from"
QUIET_TO: Final = "quiet_to"
MAKE_ACTIVE: Final = "make_active"
RECEIVING_ONLY: Final = "receiving_only"
CONFIRMATION: Final = "confirmation"

PASSWORDS: Final = frozenset({INCOMING_PASSWORD, OUTGOING_PASSWORD})

YES: Final = "yes"
NO: Final = "no"

# Administration. The value of a button is `kind:id` of a grant's subject, a mailbox id, a page, or an audit entry's id.

ADMIN_OVERVIEW: Final = "admin_overview"
ADMIN_GRANT_FORM: Final = "admin_grant"
ADMIN_PREVIEW: Final = "admin_preview"
ADMIN_DELETE_FORM: Final = "admin_delete"
ADMIN_MAILBOXES: Final = "admin_mailboxes"
ADMIN_AUDIT: Final = "admin_audit"
"""Callback ids; the metadata of the second is the subject, of the third a draft id, of the fourth a mailbox id."""

OPEN_ADMIN: Final = "open_admin"
OPEN_ADMIN_MAILBOXES: Final = "open_admin_mailboxes"
OPEN_ADMIN_AUDIT: Final = "open_admin_audit"
EDIT_GRANT: Final = "edit_grant"
GRANT_GROUP: Final = "grant_for_group"
GRANT_PERSON: Final = "grant_for_person"
REMOVE_GRANT: Final = "remove_grant"
GRANT_SHAPE: Final = "grant_shape"
BACK_TO_GRANT: Final = "back_to_grant"
ADMIN_PAGE: Final = "admin_page"
SUSPEND_MAILBOX: Final = "suspend_mailbox"
LIFT_MAILBOX: Final = "lift_mailbox"
DELETE_MAILBOX: Final = "delete_mailbox"
AUDIT_FILTER: Final = "audit_filter"
AUDIT_ACTOR: Final = "audit_actor"
AUDIT_OWNER: Final = "audit_owner"
AUDIT_ACT: Final = "audit_act"
AUDIT_SINCE: Final = "audit_since"
AUDIT_OLDER: Final = "audit_older"
AUDIT_NEWEST: Final = "audit_newest"
AUDIT_CLEAR: Final = "audit_clear"
AUDIT_EXPORT: Final = "audit_export"

GRANT_KIND: Final = "grant_kind"
GRANT_LEVEL: Final = "grant_level"
GRANT_REACH: Final = "grant_reach"
GRANT_CHANNELS: Final = "grant_channels"
AUDIENCE_KIND: Final = "audience_kind"
AUDIENCE_PERSON: Final = "audience_person"
AUDIENCE_GROUP: Final = "audience_group"
AUDIENCE_ROLE: Final = "audience_role"
AUDIENCE_CHANNEL: Final = "audience_channel"
MAY_HOLD: Final = "may_hold"
MOST_MAILBOXES: Final = "most_mailboxes"
MOST_ACTIVE: Final = "most_active"
MAY_VIEW: Final = "may_view"
EXCLUDED: Final = "excluded_domains"
ALLOWS_PLAIN: Final = "allows_plain"
"""Fields of the form of a grant."""

# Action ids of inputs.

VALUE: Final = "value"
ADDRESS_TYPED: Final = "address_typed"
"""Sent with every character typed into the e-mail address."""

SHAPE_CHOSEN: Final = "shape_chosen"
"""Sent with a choice that shows or hides other fields."""

SERVER_TYPED: Final = "server_typed"
"""Sent with every change in a field that an address fills in: an answer that comes late must not undo it."""

APP_PASSWORD_LINK: Final = "open_app_password_page"  # noqa: S105 - an id, no password
POP_LINK: Final = "open_pop_page"
UNSUBSCRIBE_LINK: Final = "open_unsubscribe_page"
"""Buttons that open a page of others; Slack reports the press, which needs no answer."""


def block_id(field: str, generation: int = 0) -> str:
    """The block id under which a field is shown."""
    return f"{field}:{generation}" if generation else field


def field_of(block_id: str) -> str:
    """The field that a block id shows, whatever its generation."""
    return block_id.partition(":")[0]


def generation_of(block_id: str) -> int:
    """The generation within a block id; 0 when it names none."""
    return number_in(block_id.partition(":")[2]) or 0


def number_in(text: str) -> int | None:
    """The number that an id, a button or a view's metadata carries, such as a page's; None where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None
