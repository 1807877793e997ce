"""Passwords typed into a form whose test failed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.typed import LIFETIME, MOST_KEPT, TypedPasswords
from storage.records import Passwords, Person, Secret
from storage.vault import MasterKeys, Vault, new_master_key
from tests.fakes.clock import Clock

ADA, MALLORY = Person("T1", "U1"), Person("T1", "U2")
TYPED = Passwords(Secret("incoming"), Secret("outgoing"))


@pytest.fixture
def clock() -> Clock:
    """A clock of its own for each test."""
    return Clock()


@pytest.fixture
def typed(clock: Clock) -> TypedPasswords:
    """An empty memory."""
    return TypedPasswords(Vault(MasterKeys.parse(new_master_key())), clock)


def test_what_was_typed_is_found_for_ten_minutes(typed: TypedPasswords, clock: Clock) -> None:
    """An empty field means the same password, until its time is over."""
    draft_id = typed.keep(ADA, TYPED)

    assert typed.find(ADA, draft_id) == TYPED
    clock.ahead += LIFETIME
    assert typed.find(ADA, draft_id) is None


def test_nobody_else_finds_it(typed: TypedPasswords) -> None:
    """A draft id from another person's form gives nothing."""
    draft_id = typed.keep(ADA, TYPED)

    assert typed.find(MALLORY, draft_id) is None
    assert typed.find(Person("T2", "U1"), draft_id) is None


def test_it_is_sealed_in_memory_and_forgotten_on_request(typed: TypedPasswords) -> None:
    """No clear text stands in the object, and nothing after it was used."""
    draft_id = typed.keep(ADA, TYPED)

    assert all(b"coming" not in kept.incoming for kept in typed._kept.values())
    typed.forget(draft_id)
    assert typed.find(ADA, draft_id) is None


def test_the_memory_is_bounded(typed: TypedPasswords, clock: Clock) -> None:
    """The oldest goes when the bound is reached."""
    first = typed.keep(ADA, TYPED)
    clock.ahead += timedelta(seconds=1)

    for _ in range(MOST_KEPT):
        newest = typed.keep(ADA, TYPED)

    assert typed.find(ADA, first) is None
    assert typed.find(ADA, newest) == TYPED
