"""Encryption with age (pyrage): what is encrypted is a file that `age -d` opens, too. Keys come from files, never from arguments."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from queue import Full, Queue
from threading import Event, Thread
from typing import Any

from pgaudit_kit.errors import DamagedDump, UnsupportedDump, UsageError

MAGIC = b"age-encryption.org/v1\n"
IDENTITY_VARIABLE = "PGAUDIT_AGE_IDENTITY"
_INSTALL = "pip install 'pgaudit-kit[encryption]'"
_NO_KEY = "No matching keys"
_GIVE = f"Give the file with the secret key: --identity FILE, or {IDENTITY_VARIABLE}=FILE; or decrypt it first (age -d)."
_HELD = 4  # pieces that wait for their reader
_PIECE_BYTES = 1 << 18
_LOOKED_AT_SECONDS = 0.2


def is_sealed(head: bytes) -> bool:
    """Whether what begins with *head* is encrypted with age."""
    return head.startswith(MAGIC)


def can_open() -> bool:
    """Whether anybody has said which key opens what is encrypted."""
    return bool(os.environ.get(IDENTITY_VARIABLE))


def unsealed(content: bytes, *, resource: str) -> bytes:
    """Return *content*, decrypted when it is encrypted. Raises UnsupportedDump without its key, DamagedDump, UsageError."""
    if not is_sealed(content):
        return content
    identities = _needed_identities(resource)
    try:
        opened: bytes = _pyrage().decrypt(content, identities)
    except _pyrage().DecryptError as error:
        raise _not_opened(error, resource) from error
    return opened


def sealed(content: bytes, recipients: Sequence[str]) -> bytes:
    """Return *content* encrypted to *recipients*; as it is, when there are none. Raises UsageError."""
    if not recipients:
        return content
    encrypted: bytes = _pyrage().encrypt(content, [_recipient(text) for text in recipients])
    return encrypted


def decrypted(chunks: Iterable[bytes], *, resource: str) -> Iterator[bytes]:
    """Yield what is inside. Raises UnsupportedDump without its key, DamagedDump after the good bytes when it is cut short or changed."""
    identities = _needed_identities(resource)
    pipe = _Pipe(chunks, identities)
    try:
        yield from pipe.pieces()
    finally:
        pipe.stop()
    if pipe.of_source:
        raise pipe.of_source
    if pipe.error is None:
        return
    if not isinstance(pipe.error, (_pyrage().DecryptError, OSError)):  # what is changed behind its head is told as an OSError
        raise pipe.error
    raise _not_opened(pipe.error, resource) from pipe.error


def _needed_identities(resource: str) -> list[Any]:
    if identities := _identities():
        return identities
    raise UnsupportedDump("it is encrypted with age", resource=resource, remedy=_GIVE)


def _not_opened(error: BaseException, resource: str) -> UnsupportedDump | DamagedDump:
    if _NO_KEY in str(error):
        return UnsupportedDump("it is encrypted with age, to other keys than the one given", resource=resource, remedy=_GIVE)
    return DamagedDump(f"what is encrypted with age is cut short or was changed ({error})", resource=resource)


class _Pipe:
    """pyrage reads from one file-like object and writes to another, 8 KiB at a time: a thread does it, some pieces ahead."""

    def __init__(self, chunks: Iterable[bytes], identities: Sequence[Any]) -> None:
        self.error: BaseException | None = None
        self.of_source: BaseException | None = None
        self._chunks = iter(chunks)
        self._held = memoryview(b"")
        self._opened = bytearray()
        self._pieces: Queue[bytes] = Queue(_HELD)
        self._stopped = Event()
        self._identities = identities
        self._thread = Thread(target=self._run, name="pgaudit-age", daemon=True)
        self._thread.start()

    def pieces(self) -> Iterator[bytes]:
        return iter(self._pieces.get, b"")

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def read(self, size: int = -1) -> bytes:
        if not self._held and not self._stopped.is_set():
            try:
                self._held = memoryview(next(self._chunks, b""))
            except BaseException as error:  # it passes through pyrage, which makes another of it: who reads is to get this one
                self.of_source = error
                raise
        given, self._held = (self._held, memoryview(b"")) if size < 0 else (self._held[:size], self._held[size:])
        return bytes(given)

    def write(self, data: bytes) -> int:
        self._opened += data
        if len(self._opened) >= _PIECE_BYTES:
            self._put(bytes(self._opened))
            self._opened.clear()
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def _run(self) -> None:
        try:
            _pyrage().decrypt_io(self, self, self._identities)
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the one who reads
            self.error = error
        if self._opened:
            self._put(bytes(self._opened))
        self._put(b"")

    def _put(self, piece: bytes) -> None:
        while not self._stopped.is_set():
            try:
                return self._pieces.put(piece, timeout=_LOOKED_AT_SECONDS)
            except Full:
                continue
        return None


def recipients_of(given: Iterable[str]) -> tuple[str, ...]:
    """The public keys that *given* names, each a key (`age1…`, `ssh-ed25519 …`) or a file of keys, sorted. Raises UsageError."""
    found: set[str] = set()
    for text in given:
        if text.startswith(("age1", "ssh-")):
            found.add(text.strip())
        else:
            found.update(_lines_of(text, "recipients"))
    for text in found:
        _recipient(text)
    return tuple(sorted(found))


def _recipient(text: str) -> Any:
    pyrage = _pyrage()
    try:
        return pyrage.ssh.Recipient.from_str(text) if text.startswith("ssh-") else pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError as error:
        raise UsageError(
            f"{text[:20]}… is no public key of age: {error}",
            resource="--encrypt-to",
            remedy="Give age1…, ssh-ed25519 …, or a file of them.",
        ) from None


def _identities() -> list[Any]:
    file = os.environ.get(IDENTITY_VARIABLE)
    if not file:
        return []
    pyrage = _pyrage()
    text = _text_of(file, "identity")
    try:
        if text.lstrip().startswith("-----BEGIN"):
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        found = [pyrage.x25519.Identity.from_str(line) for line in _without_comments(text)]
    except pyrage.IdentityError as error:
        raise _no_key(file, str(error)) from None
    if not found:
        raise _no_key(file, "it is empty")
    return found


def _no_key(file: str, why: str) -> UsageError:
    remedy = "Give a file with AGE-SECRET-KEY-1… lines (age-keygen), or a private key of ssh without a passphrase."
    return UsageError(f"no secret key can be read from {file}: {why}", resource=file, remedy=remedy)


def _lines_of(file: str, what: str) -> list[str]:
    if not (lines := _without_comments(_text_of(file, what))):
        raise UsageError(f"the {what} file {file} holds none", resource=file, remedy="Give a file with one key on each line.")
    return lines


def _without_comments(text: str) -> list[str]:
    return [line for raw in text.splitlines() if (line := raw.strip()) and not line.startswith("#")]


def _text_of(file: str, what: str) -> str:
    try:
        return Path(file).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UsageError(f"the {what} file {file} cannot be read: {why}", resource=file, remedy="Check the path and its rights.") from None


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError:
        raise UsageError("encryption needs pyrage, which is not installed", resource="age", remedy=f"Install it: {_INSTALL}.") from None
    return pyrage


class OpenedFiles:
    """Reads of files that may be encrypted: what is asked for is a part of what is inside. *read*: of the files as they lie there."""

    def __init__(self, read: Callable[[str, int, int | None], bytes], label: str) -> None:
        self._read = read
        self._label = label
        self._bare: set[str] = set()
        self._last: tuple[str, bytes] = ("", b"")

    def read(self, file: str, offset: int = 0, size: int | None = None) -> bytes:
        """The bytes of a file, or some of them. Raises what *read* raises, and the errors of `unsealed`."""
        if file == self._last[0]:
            return _part(self._last[1], offset, size)
        if size is None and not offset:
            content = self._read(file, 0, None)
            return self._opened(file, content) if is_sealed(content) else content
        if can_open() and file not in self._bare:
            if is_sealed(self._read(file, 0, len(MAGIC))):
                return _part(self._opened(file, self._read(file, 0, None)), offset, size)
            self._bare.add(file)
        return self._read(file, offset, size)

    def _opened(self, file: str, content: bytes) -> bytes:
        inside = unsealed(content, resource=f"{self._label}/{file}")
        self._last = (file, inside)
        return inside


def _part(content: bytes, offset: int, size: int | None) -> bytes:
    return content[offset:] if size is None else content[offset : offset + size]
