"""What can go wrong in storage, as values the layers above may catch.

No error holds a parameter, a secret or an address; the cause stays chained for the debugger only.
"""

from __future__ import annotations


class StorageError(Exception):
    """Root of the family. `temporary`: the same call may work later without a person."""

    temporary = False


class StorageBusy(StorageError):
    """The database is locked, restarting or unreachable."""

    temporary = True


class TooMany(StorageError):
    """There are as many of these as there may be."""


class NotFound(StorageError):
    """There is no such record for this owner."""


class NotPermitted(StorageError):
    """The judge that was handed in said no; nothing was written."""


class Changed(StorageError):
    """What is stored is not what was asked about any more; nothing was written."""


class LeaseLost(StorageError):
    """Another worker holds the lease now: stop, write nothing more."""


class OutcomeUnknown(StorageError):
    """A COMMIT got no answer: read back by key before repeating it."""

    temporary = True


class KeyUnknown(StorageError):
    """The database holds data sealed under a master key that was not given, or a given key is not the one it names."""


class SealBroken(StorageError):
    """Sealed octets do not open here: changed, moved to another row, or sealed under another key."""
