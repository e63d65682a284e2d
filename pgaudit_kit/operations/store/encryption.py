"""To whom the incremental backups of a store are encrypted: all of one store to the same keys, since they share their chunks."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path

from pgaudit_kit.dumps.files.age import IDENTITY_VARIABLE, MAGIC, can_open, is_sealed, recipients_of, sealed, unsealed
from pgaudit_kit.errors import UnsupportedDump, UsageError
from pgaudit_kit.operations.store.local_store import LocalStore
from pgaudit_kit.operations.store.packs import INDEX
from pgaudit_kit.operations.store.store import Store

RECIPIENTS = "recipients.txt"


def encrypt_to(store: Store, given: Sequence[str], *, begin: bool = True) -> None:
    """Have *store* encrypt what is written into its packs from now on to the keys *given* (as `recipients_of` takes them).

    *begin*: a store that holds no packs yet becomes one that is encrypted to them. Raises UsageError when it is encrypted to others, or
    is not and has backups; when the secret key is not there, without which nothing could be shared or read back; StoreFailed.
    """
    recipients = recipients_of(given)
    recorded = _recorded(store)
    packs = store.packs.ids() if recorded is None else frozenset()
    if _is_sealed_one(store, packs):
        raise UsageError(
            f"the packs of {store.label} are encrypted, and packs/{RECIPIENTS}, which says to whom, is missing",
            resource=store.label,
            remedy="Write it anew: the public keys, each on a line of its own.",
        )
    if recipients and recorded is None and begin and not packs:
        _see_that_it_can_be_read(store, recipients)
        store.packs.folder.write(RECIPIENTS, "".join(f"{key}\n" for key in recipients).encode("ascii"))
    elif recipients != (recorded or ()):
        raise _other_keys(store, recorded)
    elif recipients:
        _see_that_it_can_be_read(store, recipients)
    store.packs.recipients = recipients


def is_encrypted(store: Store) -> bool:
    """Whether the packs of *store* are encrypted, also when nobody knows any more to whom."""
    return _recorded(store) is not None or _is_sealed_one(store, store.packs.ids())


def _is_sealed_one(store: Store, packs: Collection[str]) -> bool:
    """Whether one of *packs* is encrypted, and so all are."""
    for pack in sorted(packs):
        with suppress(FileNotFoundError):  # swept meanwhile
            return is_sealed(store.packs.folder.read(f"{pack}{INDEX}", 0, len(MAGIC)))
    return False


def see_that_it_is_not_encrypted(store: Store) -> None:
    """Raise UsageError when it is: what is to be written would lie in it as it is."""
    if is_encrypted(store):
        remedy = "Add --incremental and --encrypt-to, or use another store."
        raise UsageError(f"the store {store.label} is encrypted, and an ordinary backup would not be", resource=store.label, remedy=remedy)


def _recorded(store: Store) -> tuple[str, ...] | None:
    try:
        return tuple(store.packs.folder.read(RECIPIENTS).decode("ascii").splitlines())
    except FileNotFoundError:
        return None


def _see_that_it_can_be_read(store: Store, recipients: Sequence[str]) -> None:
    identity = os.environ.get(IDENTITY_VARIABLE, "")
    if not can_open():
        remedy = f"Give the file with the secret key: --identity FILE, or {IDENTITY_VARIABLE}=FILE; never keep it beside the backups."
        raise UsageError(
            "an encrypted incremental backup reads back what it writes, and shares what is there", resource="age", remedy=remedy
        )
    if isinstance(store, LocalStore) and Path(identity).expanduser().resolve().is_relative_to(store.folder.resolve()):
        raise UsageError("the secret key lies in the store that it is to protect", resource=identity, remedy="Keep it elsewhere.")
    try:
        unsealed(sealed(b"?", recipients), resource=identity)
    except UnsupportedDump:
        remedy = "Encrypt to the public key of that file, too (age-keygen -y FILE)."
        raise UsageError(
            "the secret key that is given does not open what is encrypted to these keys", resource=identity, remedy=remedy
        ) from None


def _other_keys(store: Store, recorded: tuple[str, ...] | None) -> UsageError:
    if recorded is None:
        what, remedy = "holds incremental backups that are not encrypted", "Leave --encrypt-to out, or use another store."
    else:
        what = f"is encrypted to {len(recorded)} key{'s' if len(recorded) != 1 else ''}, which are not those given with --encrypt-to"
        remedy = f"Give the keys in packs/{RECIPIENTS} with --encrypt-to when you trust that file, or use another store."
    return UsageError(f"the store {store.label} {what}", resource=store.label, remedy=remedy)
