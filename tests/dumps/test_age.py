"""Files that are encrypted with age: opened with their key, refused without it, told when they were changed."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from pgaudit_kit.dumps.files.age import IDENTITY_VARIABLE, OpenedFiles, decrypted, recipients_of, sealed, unsealed
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, UnsupportedDump, UsageError

DUMP = b"""--
-- PostgreSQL database dump
--

CREATE TABLE public.t (a integer);

COPY public.t (a) FROM stdin;
1
2
\\.

--
-- PostgreSQL database dump complete
--
"""
LARGE = bytes(range(256)) * 20_000


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The public key whose secret one the environment names."""
    identity = pyrage.x25519.Identity.generate()
    (tmp_path / "key.txt").write_text(f"# created: today\n# public key: {identity.to_public()}\n{identity}\n")
    monkeypatch.setenv(IDENTITY_VARIABLE, str(tmp_path / "key.txt"))
    return str(identity.to_public())


def slices(content: bytes, size: int) -> Iterator[bytes]:
    return (content[at : at + size] for at in range(0, len(content), size))


def test_what_is_sealed_is_opened_in_whatever_slices_it_comes(key: str) -> None:
    for content in (b"", b"a few words that nobody may read", LARGE):
        hidden = sealed(content, [key])
        assert not content or content[:50] not in hidden
        assert unsealed(hidden, resource="x") == content
        for size in (1000, 65_536, 1 << 20):
            assert b"".join(decrypted(slices(hidden, size), resource="x")) == content
    assert unsealed(b"bare", resource="x") == b"bare"
    assert sealed(b"bare", []) == b"bare"


def test_a_dump_that_is_encrypted_is_read_as_one_that_is_compressed(key: str, tmp_path: Path) -> None:
    for name, content in {"bare": DUMP, "packed": gzip.compress(DUMP)}.items():
        path = tmp_path / f"{name}.age"
        path.write_bytes(sealed(content, [key]))
        dump = read_dump(path)
        assert [row.rows for row in dump.tables.itertuples()] == [2]


def test_without_its_key_it_is_refused_with_what_to_do(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "dump.age"
    path.write_bytes(sealed(DUMP, [key]))
    other = tmp_path / "other.txt"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    monkeypatch.setenv(IDENTITY_VARIABLE, str(other))
    with pytest.raises(UnsupportedDump, match=r"to other keys.*--identity"):
        unsealed(path.read_bytes(), resource="x")
    with pytest.raises(UnsupportedDump, match="to other keys"):
        read_dump(path)
    monkeypatch.delenv(IDENTITY_VARIABLE)
    for open_it in (lambda: unsealed(path.read_bytes(), resource="x"), lambda: read_dump(path)):
        with pytest.raises(UnsupportedDump, match=r"encrypted with age.*--identity"):
            open_it()


@pytest.mark.parametrize("at", [30, 200, 100_000, 3_000_000, -1])
def test_every_changed_byte_and_every_cut_is_told(key: str, at: int) -> None:
    hidden = bytearray(sealed(LARGE, [key]))
    cut = bytes(hidden[:at])
    hidden[at] ^= 1
    for content in (bytes(hidden), cut):
        with pytest.raises((DamagedDump, UnsupportedDump)):
            b"".join(decrypted([content], resource="x"))


def test_a_stream_that_is_left_ends_its_thread(key: str) -> None:
    pieces = decrypted(slices(sealed(LARGE * 4, [key]), 1 << 16), resource="x")
    assert next(pieces)
    pieces.close()  # type: ignore[attr-defined]  # it is a generator
    assert not [t for t in threading.enumerate() if t.name == "pgaudit-age"]


def test_what_reading_raises_comes_out_of_it(key: str) -> None:
    def broken() -> Iterator[bytes]:
        yield sealed(LARGE, [key])[:100_000]
        raise DamagedDump("the disk is gone", resource="x")

    with pytest.raises(DamagedDump, match="the disk is gone"):
        b"".join(decrypted(broken(), resource="x"))


def test_recipients_are_keys_or_files_of_keys(key: str, tmp_path: Path) -> None:
    ssh = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK5QdUpRiRzXvV9n1+oXceo5Mrg0WP9O4f/+8A1ywd+9 me"
    file = tmp_path / "team.txt"
    file.write_text(f"# the team\n{key}\n\n")
    assert recipients_of([str(file), key]) == (key,)
    assert set(recipients_of([key, ssh])) == {key, ssh}
    assert recipients_of([]) == ()
    (tmp_path / "empty.txt").write_text("# nobody\n")
    for wrong in ("age1nonsense", str(tmp_path / "missing"), str(tmp_path / "empty.txt")):
        with pytest.raises(UsageError):
            recipients_of([wrong])


@pytest.mark.parametrize("content", ["", "nonsense", "AGE-SECRET-KEY-1NONSENSE", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n", None])
def test_a_file_without_a_key_is_told_without_showing_it(
    content: str | None, key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "broken.txt"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv(IDENTITY_VARIABLE, str(file))
    with pytest.raises(UsageError, match=r"broken\.txt") as caught:
        unsealed(sealed(b"x", [key]), resource="x")
    assert not content or content not in str(caught.value)


def test_parts_of_files_are_read_whether_they_are_encrypted_or_not(key: str) -> None:
    files = {"open": LARGE, "hidden": sealed(LARGE, [key])}
    asked: list[str] = []

    def read(file: str, offset: int, size: int | None) -> bytes:
        asked.append(file)
        return files[file][offset:] if size is None else files[file][offset : offset + size]

    opened = OpenedFiles(read, "x")
    for file in ("open", "hidden", "open"):
        assert opened.read(file, 1000, 50) == LARGE[1000:1050]
        assert opened.read(file, 5000) == LARGE[5000:]
        assert opened.read(file) == LARGE
    assert asked.count("hidden") == 2  # what it begins with, and all of it, once


def test_what_is_opened_comes_in_pieces_that_are_worth_their_while(key: str) -> None:
    pieces = list(decrypted([sealed(LARGE, [key])], resource="x"))  # pyrage itself reads and writes 8 KiB at a time
    assert b"".join(pieces) == LARGE
    assert len(pieces) <= len(LARGE) // 200_000
