"""A custom archive read while it is written: what is found is that of the finished file, or nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.archives.growing_archive import read_while_written
from pgaudit_kit.dumps.read_dump import read_dump
from tests.dumps.archives import ENCODING, STRINGS, Entry, archive

LINES = b"".join(b"%d\trow %d\n" % (n, n) for n in range(5_000))
TABLE = Entry(3, "TABLE", "t", definition="CREATE TABLE public.t (id integer, body text);\n")
OTHER = Entry(4, "TABLE", "u", definition="CREATE TABLE public.u (id integer, body text);\n")
ROWS = Entry(5, "TABLE DATA", "t", copy="COPY public.t (id, body) FROM stdin;\n", data=LINES + b"\\.\n\n\n")
MORE = Entry(6, "TABLE DATA", "u", copy="COPY public.u (id, body) FROM stdin;\n", data=b"1\tx\n\\.\n\n\n")
BLOBS = Entry(7, "BLOBS", "BLOBS", None, objects=[(16_500, b"content"), (16_501, b"")])
ENTRIES = [ENCODING, STRINGS, TABLE, OTHER, ROWS, MORE, BLOBS]
EARLY, FINISHED = archive(ENTRIES, offsets=False), archive(ENTRIES)
# Where the data begin: with the first block, that of table t
HEAD = FINISHED.index(b"\1\0\5\0\0\0", FINISHED.index(b"BLOBS"))
PIECE = 997


class Writer:
    """Writes *early* to *path* as pg_dump does, and then does *at_end*: a piece whenever it is asked whether it still writes.

    Whoever reads asks that when he has read all that is there, so it is he who sets the pace.
    """

    def __init__(self, path: Path, early: bytes, at_end: Callable[[Path], object]) -> None:
        self._path, self._rest, self._at_end = path, early, at_end
        self._writes = True
        path.touch()

    def is_written(self) -> bool:
        if self._rest:
            with self._path.open("ab") as file:
                file.write(self._rest[:PIECE])
            self._rest = self._rest[PIECE:]
        elif self._writes:
            self._writes = False
            self._at_end(self._path)
        return self._writes


def over(content: bytes) -> Callable[[Path], object]:
    """Give what writes *content* over the beginning of a file, whose end stays."""

    def write(path: Path) -> None:
        with path.open("r+b") as file:
            file.write(content)

    return write


def test_what_was_read_on_the_way_is_what_the_finished_file_holds(tmp_path: Path) -> None:
    path = tmp_path / "growing.dump"
    writer = Writer(path, EARLY, over(FINISHED[:HEAD]))
    dump = read_while_written(path, writer.is_written)
    assert dump is not None
    again = read_dump(path)
    assert (path.read_bytes(), again.damage) == (FINISHED, ())
    assert dump.provenance == again.provenance
    expected = (again.toc_entries, again.inventory, again.table_data, again.fingerprints())
    path.unlink()  # all of it has been read
    assert (dump.toc_entries, dump.inventory, dump.table_data, dump.fingerprints()) == expected
    assert sorted(t.rows or 0 for t in dump.table_data.values()) == [1, 2, 5_000]


def flipped(content: bytes, at: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


@pytest.mark.parametrize(
    ("early", "at_end"),
    [
        pytest.param(EARLY, Path.exists, id="no places were written"),
        pytest.param(EARLY[:-40], Path.exists, id="the writer ended too early"),
        pytest.param(EARLY[:60], Path.exists, id="not even its head"),
        pytest.param(EARLY, lambda path: path.write_bytes(flipped(FINISHED, len(FINISHED) - 100)), id="a byte has changed since"),
        pytest.param(EARLY, lambda path: path.write_bytes(FINISHED[:-1]), id="a byte is lost"),
        pytest.param(EARLY, lambda path: path.write_bytes(FINISHED + b"\0"), id="a byte too many"),
        pytest.param(EARLY, lambda path: path.write_bytes(FINISHED.replace(b"public.u (id i", b"public.u (ix i")), id="another definition"),
        pytest.param(flipped(EARLY, len(EARLY) - 60), over(FINISHED[:HEAD]), id="its data are broken"),
    ],
)
def test_anything_odd_is_left_to_who_reads_the_finished_file(early: bytes, at_end: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "growing.dump"
    assert read_while_written(path, Writer(path, early, at_end).is_written) is None


def test_places_that_are_not_those_of_the_data_are_not_taken(tmp_path: Path) -> None:
    longer = Entry(5, "TABLE DATA", "t", copy=ROWS.copy, data=LINES + LINES + b"\\.\n\n\n")
    elsewhere = archive([*ENTRIES[:4], longer, *ENTRIES[5:]])[:HEAD]
    assert elsewhere != FINISHED[:HEAD]
    path = tmp_path / "growing.dump"
    assert read_while_written(path, Writer(path, EARLY, over(elsewhere)).is_written) is None
