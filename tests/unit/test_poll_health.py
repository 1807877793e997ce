"""Which state a failed poll leaves a mailbox in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot import errors
from bot.poll import health_after
from storage.records import Health, Mailbox
from tests.unit.samples import MAILBOX

FRESH = replace(MAILBOX, health=Health.NEW, last_success_at=None)
PROVEN = replace(MAILBOX, health=Health.OK, last_success_at=datetime(2026, 11, 22, tzinfo=UTC))
DOUBTED = replace(PROVEN, health=Health.LOGIN_DOUBTED)


@pytest.mark.parametrize(
    ("mailbox", "error", "health"),
    [
        (PROVEN, errors.LoginRejected(is_certain=True), Health.LOGIN_REFUSED),
        (PROVEN, errors.LoginRejected(), Health.LOGIN_DOUBTED),
        (DOUBTED, errors.LoginRejected(), Health.LOGIN_REFUSED),
        (FRESH, errors.LoginRejected(), Health.LOGIN_REFUSED),
        (PROVEN, errors.MaildropBusy(), Health.MAILDROP_BUSY),
        (PROVEN, errors.ServerUnreachable(), Health.UNREACHABLE),
        (PROVEN, errors.ConnectionLost(), Health.UNREACHABLE),
        (PROVEN, errors.CertificateInvalid(), Health.CERTIFICATE_INVALID),
        (PROVEN, errors.TlsUnavailable(), Health.CERTIFICATE_INVALID),
        (PROVEN, errors.ServerBusy(), Health.SERVER_FAULT),
        (PROVEN, errors.RemoteProtocolError(), Health.SERVER_FAULT),
        (PROVEN, errors.ServerRefused(), Health.SERVER_FAULT),
    ],
)
def test_each_failure_has_its_own_state(mailbox: Mailbox, error: errors.BotError, health: Health) -> None:
    """A refused login, a busy maildrop, a silent server and a wrong certificate are four different things.

    A refusal that names no reason may be throttling: after it has worked, the login is tried once more.
    """
    assert health_after(mailbox, error) is health
