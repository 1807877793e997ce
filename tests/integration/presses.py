"""What every listener is used with by people who may not: the owner's own ids, and forms that others opened. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from bot.slack import names, send_names
from tests.integration.viewing.conftest import INES, KENJI, MARTA

if TYPE_CHECKING:
    from storage.records import Person

MAILBOX: Final = ("{mailbox}",)
MESSAGE: Final = ("{message}",)
OUTGOING: Final = ("{outgoing}",)
NUMBER: Final = ("1",)
NOTHING: Final = ("",)


class Row(NamedTuple):
    """What a listener is used with.

    Attributes:
        values: of the button, or of the option that is chosen.
        within: the callback id of the form or modal in which it stands; "" for a post.
    """

    values: tuple[str, ...]
    within: str = ""


ACTIONS: Final = {
    **{action_id: Row(MAILBOX) for action_id in (*names.BUTTONS.values(), *names.PICKS.values())},
    names.OPEN_ADD: Row(NOTHING),
    names.OPEN_LIST: Row(NOTHING),
    names.HOME_PAGE: Row(NUMBER),
    names.HOME_PAGE_BACK: Row(NUMBER),
    names.EXPORT_BUTTON: Row(MAILBOX),
    names.ERASE_BUTTON: Row(MAILBOX),
    names.ADDRESS_TYPED: Row(NOTHING, names.EDIT_FORM),
    names.SHAPE_CHOSEN: Row(NOTHING, names.EDIT_FORM),
    names.SERVER_TYPED: Row(NOTHING, names.EDIT_FORM),
    names.STOP_OLD_MAIL: Row(("{old}",)),
    names.ARE_NEW_BUTTON: Row(MAILBOX),
    names.ARE_SEEN_BUTTON: Row(MAILBOX),
    names.ASK_LATER_BUTTON: Row(MAILBOX),
    names.DELETE_BUTTON: Row(MESSAGE),
    names.SHOW_ALL_BUTTON: Row(MESSAGE),
    names.GET_WHOLE_BUTTON: Row(MESSAGE),
    names.DONE_BUTTON: Row(MESSAGE),
    names.NOT_DONE_BUTTON: Row(MESSAGE),
    names.MORE_MENU: Row(
        tuple(
            f"{word}:{{message}}"
            for word in (
                names.MORE_HEADERS,
                names.MORE_ORIGINAL,
                names.MORE_MUTE_SENDER,
                names.MORE_MUTE_THREAD,
                names.MORE_DELETE,
                names.MORE_SHARE,
            )
        )
    ),
    names.NEXT_PAGE: Row(NUMBER, names.WHOLE_TEXT),
    names.PREVIOUS_PAGE: Row(("0",), names.HEADERS_SHOWN),
    names.OPEN_NOT_DONE: Row(MAILBOX),
    names.OPEN_RULES: Row(MAILBOX),
    names.REMOVE_RULE: Row(("{rule}",), names.RULES_SHOWN),
    names.UNMUTE_BUTTON: Row(("{second_rule}",)),
    names.SHARE_MESSAGE: Row(MESSAGE),
    names.SHARE_CHOSEN: Row(NOTHING, names.SHARE_FORM),
    names.REVOKE_SHARE: Row(("{share}",)),
    names.SHARED_LIST: Row(MAILBOX),
    names.SHARED_OPEN: Row(MESSAGE),
    names.SHARED_HEADERS: Row(MESSAGE),
    names.SHARED_MANAGE: Row(MAILBOX),
    names.SHARED_RETENTION: Row(MAILBOX),
    names.SHARED_RULES: Row(MAILBOX),
    names.SHARED_OLDER: Row(("{mailbox},{message}",), names.SHARED_LISTED),
    names.SHARED_NEWER: Row(MAILBOX, names.SHARED_LISTED),
    names.SHARED_SEND: Row(("{message}:0",), names.SHARED_MESSAGE),
    names.SHARED_MUTE: Row(("{message}:0",), names.SHARED_MESSAGE),
    names.SHARED_CHECK: Row(MAILBOX, names.SHARED_MANAGED),
    names.SHARED_PAUSE: Row(MAILBOX, names.SHARED_MANAGED),
    names.SHARED_RESUME: Row(MAILBOX, names.SHARED_MANAGED),
    names.SHARED_NEXT: Row(NUMBER, names.SHARED_MESSAGE),
    names.SHARED_PREVIOUS: Row(("0",), names.SHARED_FIELDS),
    names.SHARED_UNMUTE: Row(("{third_rule}",), names.SHARED_MUTED),
    names.REPLY_BUTTON: Row(MESSAGE),
    names.REPLY_ALL_BUTTON: Row(MESSAGE),
    names.FORWARD_BUTTON: Row(MESSAGE),
    names.COMPOSE_BUTTON: Row(MAILBOX),
    send_names.RECIPIENTS_TYPED: Row(NOTHING, send_names.FORM),
    send_names.SENDER_CHOSEN: Row(MAILBOX, send_names.FORM),
    names.OUTGOING_UNDO: Row(OUTGOING),
    names.OUTGOING_WRITE_ON: Row(OUTGOING),
    names.OUTGOING_AGAIN: Row(OUTGOING),
    names.OUTGOING_LEAVE: Row(OUTGOING),
    names.INVITATION_ACCEPT: Row(("{message}:uid",)),
    names.INVITATION_TENTATIVE: Row(("{message}:uid",)),
    names.INVITATION_DECLINE: Row(("{message}:uid",)),
    names.OUTGOING_PASSWORD_BUTTON: Row(MAILBOX),
    names.SENDING_BUTTON: Row(MAILBOX),
    names.OPEN_ADMIN: Row(NOTHING),
    names.EDIT_GRANT: Row(("role:member",)),
    names.GRANT_GROUP: Row(("S1",)),
    names.GRANT_PERSON: Row(NOTHING),
    names.GRANT_SHAPE: Row(NOTHING, names.ADMIN_GRANT_FORM),
    names.REMOVE_GRANT: Row(("role:member",), names.ADMIN_GRANT_FORM),
    names.BACK_TO_GRANT: Row(("{draft}",), names.ADMIN_PREVIEW),
    names.OPEN_ADMIN_MAILBOXES: Row(NOTHING),
    f"^{names.ADMIN_PAGE}:": Row(NUMBER, names.ADMIN_MAILBOXES),
    names.SUSPEND_MAILBOX: Row(MAILBOX, names.ADMIN_MAILBOXES),
    names.LIFT_MAILBOX: Row(MAILBOX, names.ADMIN_MAILBOXES),
    names.DELETE_MAILBOX: Row(MAILBOX),
    names.OPEN_ADMIN_AUDIT: Row(NOTHING),
    names.AUDIT_ACTOR: Row(NOTHING, names.ADMIN_AUDIT),
    names.AUDIT_OWNER: Row(NOTHING, names.ADMIN_AUDIT),
    names.AUDIT_ACT: Row(NOTHING, names.ADMIN_AUDIT),
    names.AUDIT_SINCE: Row(NOTHING, names.ADMIN_AUDIT),
    names.AUDIT_NEWEST: Row(NOTHING, names.ADMIN_AUDIT),
    names.AUDIT_OLDER: Row(NUMBER, names.ADMIN_AUDIT),
    names.AUDIT_CLEAR: Row(NOTHING, names.ADMIN_AUDIT),
    names.AUDIT_EXPORT: Row(NOTHING, names.ADMIN_AUDIT),
}
"""By action id, or by the pattern of several."""

OPENED: Final[dict[str, tuple[Person, str, str]]] = {
    names.ADD_FORM: (MARTA, names.OPEN_ADD, ""),
    names.EDIT_FORM: (MARTA, names.EDIT_BUTTON, "{mailbox}"),
    names.PASSWORD_FORM: (MARTA, names.PASSWORD_BUTTON, "{mailbox}"),
    names.REMOVE_FORM: (MARTA, names.REMOVE_BUTTON, "{mailbox}"),
    names.SHARE_FORM: (MARTA, names.SHARE_BUTTON, "{mailbox}"),
    names.WHOLE_TEXT: (MARTA, names.SHOW_ALL_BUTTON, "{message}"),
    names.HEADERS_SHOWN: (MARTA, names.MORE_MENU, "headers:{message}"),
    names.RULES_SHOWN: (MARTA, names.OPEN_RULES, ""),
    send_names.FORM: (MARTA, names.REPLY_BUTTON, "{message}"),
    send_names.SETTINGS: (MARTA, names.SENDING_BUTTON, "{mailbox}"),
    names.SHARED_LISTED: (KENJI, names.SHARED_LIST, "{mailbox}"),
    names.SHARED_MESSAGE: (KENJI, names.SHARED_OPEN, "{message}"),
    names.SHARED_FIELDS: (KENJI, names.SHARED_HEADERS, "{message}"),
    names.SHARED_MANAGED: (KENJI, names.SHARED_MANAGE, "{mailbox}"),
    names.SHARED_MUTED: (KENJI, names.SHARED_RULES, "{mailbox}"),
    names.SHARED_RETENTION_FORM: (KENJI, names.SHARED_RETENTION, "{mailbox}"),
    names.ADMIN_GRANT_FORM: (INES, names.EDIT_GRANT, "role:member"),
    names.ADMIN_MAILBOXES: (INES, names.OPEN_ADMIN_MAILBOXES, ""),
    names.ADMIN_DELETE_FORM: (INES, names.DELETE_MAILBOX, "{mailbox}"),
    names.ADMIN_AUDIT: (INES, names.OPEN_ADMIN_AUDIT, ""),
    names.ADMIN_PREVIEW: (INES, names.EDIT_GRANT, "role:member"),
    names.ERASE_FORM: (MARTA, names.ERASE_BUTTON, ""),
}
"""Who opens a form or a modal that is then used by others, by which button and with what value, by callback id."""

FORMS: Final = (
    names.ADD_FORM,
    names.EDIT_FORM,
    names.PASSWORD_FORM,
    names.REMOVE_FORM,
    names.SHARE_FORM,
    names.SHARED_RETENTION_FORM,
    send_names.FORM,
    send_names.SETTINGS,
    names.ADMIN_GRANT_FORM,
    names.ADMIN_PREVIEW,
    names.ADMIN_DELETE_FORM,
    names.ERASE_FORM,
)
"""Those that are sent off; erasing comes last, since it rightly takes what names whoever erases."""

THEIRS: Final = frozenset({"share", "entry of others", "telling of others", "dm of others"})
"""What goes with whoever erases everything about themselves: shares that name them, and what they are told."""

OTHERS: Final = {
    **{action_id: KENJI for action_id in ACTIONS if "shared" in action_id},
    names.DELETE_MAILBOX: INES,
}
"""Whose buttons in posts those are that are not the owner's."""

SLOW: Final = frozenset({names.DOCTOR_BUTTON, names.PICKS[names.DOCTOR], names.DELETE_BUTTON})
"""What waits for a mail server, which is not there."""

WITHOUT_EFFECT: Final = {
    "back_to_grant {draft}": "shows what an administrator wrote",
    "erase_data {mailbox}": "asks first",
    "invitation_accept {message}:uid": "the message is no invitation",
    "invitation_decline {message}:uid": "the message is no invitation",
    "invitation_tentative {message}:uid": "the message is no invitation",
    "more_of_message delete:{message}": "asks first",
    "more_of_message mute_thread:{message}": "the message has no conversation",
    "more_of_message original:{message}": "was asked for before",
    "outgoing_leave {outgoing}": "the mail has not gone out",
    "outgoing_send_again {outgoing}": "the mail has not gone out",
    "outgoing_write_on {outgoing}": "the mail has not gone out",
    "uids_are_new {mailbox}": "nothing was asked",
    "uids_are_seen {mailbox}": "nothing was asked",
    "uids_ask_later {mailbox}": "nothing was asked",
}
"""What shows and changes nothing of the owner's when the owner presses it here, and why."""
