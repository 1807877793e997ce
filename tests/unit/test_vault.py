"""The vault: what it seals opens in its own place and nowhere else."""

from __future__ import annotations

import base64
import traceback
from dataclasses import replace

import pytest

from storage.errors import KeyUnknown, SealBroken
from storage.vault import DataKey, MasterKeys, Place, Vault, master_key_id, new_master_key

PLACE = Place("T1", "mailbox", "m1", "password_incoming")
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.fixture
def data_key(vault: Vault) -> DataKey:
    """The data key of a mailbox."""
    return vault.data_key(vault.new_data_key("T1", "m1"), "T1", "m1")


def test_sealed_opens_in_its_place(data_key: DataKey) -> None:
    """What was sealed comes back as it was, the empty value too."""
    for octets in (b"", b"secret", bytes(300_000)):
        assert data_key.open(data_key.seal(octets, PLACE), PLACE) == octets


@pytest.mark.parametrize("part", ["workspace", "table", "row", "column"])
def test_moved_does_not_open(data_key: DataKey, part: str) -> None:
    """A sealed value copied to another workspace, table, row or column does not open there."""
    sealed = data_key.seal(b"secret", PLACE)

    with pytest.raises(SealBroken):
        data_key.open(sealed, replace(PLACE, **{part: "other"}))


def test_parts_of_a_place_do_not_run_into_each_other(data_key: DataKey) -> None:
    """A row whose name takes a letter from the column's is another place."""
    sealed = data_key.seal(b"secret", Place("T1", "mailbox", "m1p", "assword"))

    with pytest.raises(SealBroken):
        data_key.open(sealed, Place("T1", "mailbox", "m1", "password"))


def test_flipped_does_not_open(data_key: DataKey) -> None:
    """A change of any single bit is noticed."""
    sealed = data_key.seal(b"secret", PLACE)

    for position in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[position // 8] ^= 1 << position % 8
        with pytest.raises(SealBroken):
            data_key.open(bytes(changed), PLACE)


def test_cut_does_not_open(data_key: DataKey) -> None:
    """A value cut short anywhere, or with octets added, is noticed."""
    sealed = data_key.seal(b"secret", PLACE)

    for changed in [*(sealed[:length] for length in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(SealBroken):
            data_key.open(changed, PLACE)


def test_other_mailbox_does_not_open(vault: Vault, data_key: DataKey) -> None:
    """A value sealed under one mailbox's key does not open under another's."""
    other = vault.data_key(vault.new_data_key("T1", "m2"), "T1", "m2")

    with pytest.raises(SealBroken):
        other.open(data_key.seal(b"secret", PLACE), PLACE)


def test_same_value_seals_differently(data_key: DataKey) -> None:
    """Nobody sees from the sealed octets that two values are equal."""
    assert len({data_key.seal(b"secret", PLACE) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(("workspace", "mailbox_id"), [("T2", "m1"), ("T1", "m2")])
def test_wrapped_key_stays_with_its_mailbox(vault: Vault, workspace: str, mailbox_id: str) -> None:
    """A data key copied to another mailbox or workspace does not unwrap there."""
    wrapped = vault.new_data_key("T1", "m1")

    with pytest.raises(SealBroken):
        vault.data_key(wrapped, workspace, mailbox_id)


def test_first_master_key_seals_and_all_open() -> None:
    """After a new key was put first, what the old one wrapped still opens."""
    old, new = new_master_key(), new_master_key()
    wrapped = Vault(MasterKeys.parse(old)).new_data_key("T1", "m1")
    both = Vault(MasterKeys.parse(f"{new}, {old}"))

    assert (
        both.data_key(wrapped, "T1", "m1").open(both.data_key(wrapped, "T1", "m1").seal(b"x", PLACE), PLACE)
        == b"x"
    )
    assert master_key_id(both.new_data_key("T1", "m1")) == new.partition(":")[0]


def test_unknown_master_key_is_named() -> None:
    """A data key under a master key that was not given says which one is missing."""
    wrapped = Vault(MasterKeys.parse(f"lost:{KEY}")).new_data_key("T1", "m1")

    with pytest.raises(KeyUnknown, match="lost"):
        Vault(MasterKeys.parse(new_master_key())).data_key(wrapped, "T1", "m1")


def test_wrong_master_key_under_the_right_id_does_not_open() -> None:
    """Another key given under the same id opens nothing and does not pass the check."""
    right, wrong = (Vault(MasterKeys.parse(f"k1:{key}")) for key in (KEY, new_master_key().partition(":")[2]))

    with pytest.raises(SealBroken):
        wrong.data_key(right.new_data_key("T1", "m1"), "T1", "m1")
    with pytest.raises(KeyUnknown):
        wrong.check("k1", right.check_value("k1"))


def test_fingerprint_is_keyed_and_incremental(vault: Vault, data_key: DataKey) -> None:
    """The same content gives the same fingerprint in any pieces, another under another mailbox's key."""
    whole, pieces = data_key.fingerprint(), data_key.fingerprint()
    other = vault.data_key(vault.new_data_key("T1", "m2"), "T1", "m2").fingerprint()

    whole.update(b"abcdef")
    other.update(b"abcdef")
    pieces.update(b"abc")
    pieces.update(b"def")

    assert whole.digest() == pieces.digest() != other.digest()


def test_keys_are_parsed_with_commas_and_white_space() -> None:
    """Keys may be separated as people separate things; padding may be missing."""
    text = f"a:{KEY}, b:{KEY.rstrip('=')}\n c:{KEY},"

    assert MasterKeys.parse(text).ids == ("a", "b", "c")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ,\n",
        KEY,
        f":{KEY}",
        f"a b:{KEY}",
        f"a/b:{KEY}",
        f"a:{KEY[:-4]}",
        f"a:{KEY}AAAA",
        "a:*",
        f"a:{KEY},a:{KEY}",
    ],
)
def test_unusable_keys_are_refused_without_showing_them(text: str) -> None:
    """A key that cannot be used is refused in a sentence that holds nothing of it."""
    with pytest.raises(ValueError, match="key") as caught:
        MasterKeys.parse(text)

    assert KEY[:8] not in "".join(traceback.format_exception(caught.value))


def test_nothing_shows_a_key(vault: Vault) -> None:
    """No text of a vault object holds octets of a key."""
    keys = MasterKeys.parse(f"a:{KEY}")
    data_key = vault.data_key(vault.new_data_key("T1", "m1"), "T1", "m1")

    for thing in (keys, Vault(keys), data_key, vault):
        assert "…" in repr(thing)
        assert KEY[:8] not in f"{thing} {thing!r}"
