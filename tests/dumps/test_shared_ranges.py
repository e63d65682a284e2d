"""Fingerprints made by several processes: the same as by one, without any trace of the processes, whatever happens to them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.dumps import row_ranges
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.dumps.row_ranges import RowRange
from pgaudit_kit.dumps.shared_ranges import fingerprints_of
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows import worker_processes
from pgaudit_kit.rows.fingerprint import fingerprint_of
from pgaudit_kit.rows.worker_processes import LEAST_BYTES, process_count

TABLES = ("t", "u", "empty")
Write = Callable[[bytes], Path]


def script(rows: int, *, encoding: str = "UTF8", crlf: bool = False) -> bytes:
    text = f"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = '{encoding}';\n"
    for table in TABLES:
        text += f"CREATE TABLE public.{table} (\n    a integer,\n    b text\n);\n"
    for table in TABLES:
        lines = "".join(f"{i}\tÜ{table} {'x' * (i % 97)}\n" for i in range(0 if table == "empty" else rows))
        text += f"COPY public.{table} (a, b) FROM stdin;\n{lines}\\.\n\n"
    text += "--\n-- PostgreSQL database dump complete\n--\n\n"
    return text.replace("\n", "\r\n" if crlf else "\n").encode("latin-1" if encoding == "LATIN1" else "utf-8")


@pytest.fixture
def shared_soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two processes for anything, in ranges of 4 KiB."""
    monkeypatch.setattr(worker_processes, "LEAST_BYTES", 2)
    monkeypatch.setattr(row_ranges, "RANGE_BYTES", 1 << 12)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: {0, 1}, raising=False)
    yield
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("encoding", ["UTF8", "LATIN1"])
@pytest.mark.parametrize("crlf", [False, True])
def test_several_processes_give_what_one_gives(written: Write, shared_soon: None, encoding: str, crlf: bool) -> None:
    path = written(script(2000, encoding=encoding, crlf=crlf))
    one = read_dump(path)
    expected = {name: fingerprint_of(one.row_blocks(name)) for name in one.table_data}
    assert [found.rows for found in expected.values()] == [2000, 2000, 0]
    dump = read_dump(path)
    assert dump.fingerprints() == expected
    name = TableName("public", "t")
    assert dump.fingerprint(name, ["b"]) == fingerprint_of(one.row_blocks(name, ["b"])) != expected[name]


def test_rows_that_turn_out_broken_raise_as_ever_and_the_other_tables_are_there(written: Write, shared_soon: None) -> None:
    content = script(2000, encoding="LATIN1").replace(b"'LATIN1'", b"'EUC_JP'")
    dump = read_dump(written(content))
    assert list(dump.fingerprints()) == [TableName("public", "empty")]


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"")), max_size=60), st.integers(1, 64), st.integers(0, 20))
def test_cut_ranges_hold_every_row_once(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, before: int) -> None:
    rows = b"".join(line + b"\n" for line in lines)
    path = tmp_path_factory.getbasetemp() / "ranges"
    path.write_bytes(b"?" * before + rows + b"\\.\n")
    whole = RowRange(str(path), before, len(rows), "SQL_ASCII", ("a",))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(row_ranges, "RANGE_BYTES", size)
        parts = list(whole.cut())
    assert [part.offset for part in parts] == [before + sum(p.size_bytes for p in parts[:i]) for i in range(len(parts))]
    assert sum(part.size_bytes for part in parts) == len(rows)
    assert sum((part.fingerprint(("a",)) for part in parts), Fingerprint()) == fingerprint_of([rows])


def test_a_worker_that_dies_costs_nothing_but_time(written: Write, shared_soon: None, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(script(3000))
    monkeypatch.setattr(worker_processes, "_serve", _serve_and_die)
    assert read_dump(path).fingerprints()[TableName("public", "t")].rows == 3000
    content = path.read_bytes()
    start, end = content.find(b"0\t"), content.find(b"\\.\n")
    ranges = {"t": [RowRange(str(path), start, end - start, "UTF8", ("a", "b"))]}
    assert fingerprints_of(ranges, {"t": ("a", "b")}, processes=2) == {}


def _serve_and_die(connection: object) -> None:
    connection.recv()  # type: ignore[attr-defined]
    os._exit(9)


def test_few_rows_and_places_without_processes_stay_in_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(64)), raising=False)
    assert process_count(LEAST_BYTES - 1) == 0
    assert process_count(LEAST_BYTES) == 2
    assert process_count(LEAST_BYTES * 100) == 4
    monkeypatch.setenv("PGAUDIT_PROCESSES", "3")
    assert process_count(LEAST_BYTES * 100) == 3
    monkeypatch.setenv("PGAUDIT_PROCESSES", "1")
    assert process_count(LEAST_BYTES * 100) == 0
    monkeypatch.delenv("PGAUDIT_PROCESSES")
    monkeypatch.setattr(multiprocessing.current_process(), "_config", {"daemon": True})
    assert process_count(LEAST_BYTES * 100) == 0


UNGUARDED = """
import sys
print("the script runs", flush=True)
from pgaudit_kit.dumps import row_ranges
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.rows import worker_processes
worker_processes.LEAST_BYTES = 2
row_ranges.RANGE_BYTES = 1 << 12
worker_processes.os.sched_getaffinity = lambda pid: {0, 1}
worker_processes.process_count(100) == 2 or sys.exit("no processes")
print([found.rows for found in read_dump(sys.argv[1]).fingerprints().values()], flush=True)
"""


def test_a_script_without_a_guard_is_run_once_and_says_nothing_of_workers(written: Write, tmp_path: Path) -> None:
    (tmp_path / "unguarded.py").write_text(UNGUARDED)
    done = subprocess.run(
        [sys.executable, "-W", "error", tmp_path / "unguarded.py", written(script(1000))], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("the script runs\n[1000, 1000, 0]\n", "", 0)


WAITING = """
import time
from pgaudit_kit.rows import worker_processes
if __name__ == "__main__":
    with worker_processes.workers(2) as connections:
        import multiprocessing
        print(*(child.pid for child in multiprocessing.active_children()), flush=True)
        time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_workers_end_with_the_process_that_started_them(tmp_path: Path, how: str) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    command = [sys.executable, str(tmp_path / "waiting.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout
        assert process.stderr
        children = [int(pid) for pid in process.stdout.readline().split()]
        assert len(children) == 2
        if how == "SIGKILL":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.wait(120)
        deadline = time.monotonic() + 120
        while any(map(_is_running, children)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(map(_is_running, children))
        assert process.stderr.read().count("Traceback") == (how == "SIGINT")  # the caller's own


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
