"""Where a dump may lie: files, folders, URLs, streams; and streams that are read forward, once, by whoever comes next."""

from __future__ import annotations

import bz2
import gc
import gzip
import io
import itertools
import os
import subprocess
import sys
import tempfile
import threading
import traceback
import tracemalloc
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import fsspec  # type: ignore[import-untyped]
import pytest
from fsspec.implementations.memory import MemoryFileSystem  # type: ignore[import-untyped]

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.audits.verify import verify
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.dumps.files.folders import FsspecFolder, LocalFolder
from pgaudit_kit.dumps.files.locating import locate
from pgaudit_kit.dumps.files.places import LocalPlace
from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DamagedDump, DumpNotFound, NotADump, UsageError
from pgaudit_kit.records.table_data import TableName
from tests.dumps.conftest import NastyDatabase

Write = Callable[[bytes], Path]
SECRET = "hunter2"
PGAUDIT = (sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()")


def script(tables: int = 1, rows: int = 2) -> bytes:
    head = "--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\nSET standard_conforming_strings = on;\n\n"
    made = "".join(
        f"--\n-- Name: t{t}; Type: TABLE; Schema: public; Owner: me\n--\n\nCREATE TABLE public.t{t} (\n    a integer,\n    b text\n);\n\n"
        for t in range(tables)
    )
    data = "".join(
        f"--\n-- Data for Name: t{t}; Type: TABLE DATA; Schema: public; Owner: me\n--\n\nCOPY public.t{t} (a, b) FROM stdin;\n"
        + "".join(f"{row}\tvalue {row * 7919 % 10007} of {t}\n" for row in range(rows))
        + "\\.\n\n"
        for t in range(tables)
    )
    return (head + made + data + "--\n-- PostgreSQL database dump complete\n--\n\n").encode()


def named(table: int) -> TableName:
    return TableName("public", f"t{table}")


TINY = script()


@pytest.fixture
def memory() -> Iterator[MemoryFileSystem]:
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True)


# ---- streams that are left and taken up again


class CountingPlace(LocalPlace):
    """A local file that knows how often it was opened."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.opened = 0

    def open(self, offset: int):  # type: ignore[no-untyped-def]  # noqa: ANN201
        self.opened += 1
        return super().open(offset)


def test_tables_visited_in_the_order_of_the_file_are_one_pass_over_a_wrapped_script(written: Write) -> None:
    path = written(gzip.compress(script(tables=20, rows=5000)))
    dump = read_dump(path)
    expected = list(dump.table_data)
    place = CountingPlace(path)
    object.__setattr__(dump.file, "place", place)
    for table in expected:
        assert dump.fingerprint(table).rows == 5000
    assert place.opened == 1
    dump.fingerprint(expected[0], ["a"])
    assert place.opened == 2


def test_a_stream_that_was_left_half_way_goes_on_and_gives_the_right_bytes(written: Write) -> None:
    content = script(tables=3, rows=40_000)
    bare = DumpFile(LocalPlace(written(gzip.compress(content))))
    place = CountingPlace(bare.path or Path())
    file = DumpFile(place).unpacked("gzip")
    for offset in (0, 10, 10, 100_000, 100_001, len(content) - 5, len(content), len(content) + 99):
        with file.open(offset) as stream:
            assert stream.read(50) == content[offset : offset + 50]
    assert place.opened == 5  # at first, each time that it stood behind where the next one begins, and after it came to the end
    with file.open(50_000) as late, file.open(7) as early:
        assert early.read(100) == content[7:107]
        assert late.read(100) == content[50_000:50_100]
    buffer = bytearray(2 * PIECE)
    with file.open(3) as stream:
        size = stream.readinto(memoryview(buffer))
        assert buffer[:size] == content[3 : 3 + size]
    skipped = file.without_first(5)
    with skipped.open(2) as stream:
        assert stream.read(10) == content[7:17]
    with file.part(100, 30, resource="part").open(10) as stream:
        assert stream.read(100) + stream.read(100) == content[110:130]


def test_a_part_of_a_file_is_read_alone_wherever_the_whole_lies(written: Write) -> None:
    content = script(rows=100)
    for file in (DumpFile(LocalPlace(written(content))), DumpFile(LocalPlace(written(gzip.compress(content)))).unpacked("gzip")):
        if file.wrappings:
            written(gzip.compress(content))
        else:
            written(content)
        part = file.part(50, 20, resource="part")
        assert part.size_bytes == 20
        for offset, expected in ((0, content[50:70]), (15, content[65:70]), (20, b""), (99, b"")):
            with part.open(offset) as stream:
                view = bytearray(100)
                size = stream.readinto(memoryview(view))
                assert bytes(view[:size]) == expected


def test_many_threads_may_read_one_wrapped_file(written: Write) -> None:
    dump = read_dump(written(gzip.compress(script(tables=8, rows=5000))))
    expected = {table: read_dump(dump.file.path or "").fingerprint(table) for table in dump.table_data}

    def read(table: TableName) -> bool:
        return b"".join(dump.row_blocks(table)).count(b"\n") == expected[table].rows

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(read, list(expected) * 5))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_readers_on_both_sides_of_a_fork_do_not_disturb_each_other(written: Write) -> None:
    path = written(script(tables=2, rows=200_000))
    code = (
        "import os, sys, gzip\nfrom pgaudit_kit.dumps.read_dump import read_dump\n"
        "stream = open(sys.argv[1], 'rb')\n"
        "dump = read_dump(stream)\ntables = list(dump.table_data)\n"
        "blocks = dump.row_blocks(tables[0])\nfirst = next(blocks)\n"
        "child = os.fork()\nrest = b''.join(blocks)\n"
        "good = (first + rest).count(b'\\n') == 200_000 and (first + rest).endswith(b' of 0\\n')\n"
        "if not child:\n    os._exit(0 if good else 1)\n"
        "assert good and os.waitpid(child, 0)[1] == 0\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)


def open_files() -> int:
    gc.collect()
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no /proc on this system")
def test_no_file_stays_open_behind_a_dump_that_is_gone(tmp_path: Path) -> None:
    before = open_files()
    for content in (script(rows=300_000), gzip.compress(script(rows=300_000)), bz2.compress(gzip.compress(script(rows=1000)))):
        (tmp_path / "file").write_bytes(content)
        for given in (tmp_path / "file", io.BytesIO(content), Pipe(content)):
            dump = read_dump(given)  # type: ignore[arg-type]
            blocks = dump.row_blocks(named(0))
            next(blocks)
            del blocks
            blocks = dump.row_blocks(named(0))
            next(blocks)
            blocks.close()  # type: ignore[attr-defined]
            del blocks, dump
    assert open_files() == before


# ---- streams that are given


class Pipe(io.RawIOBase):
    """A stream that cannot seek."""

    def __init__(self, content: bytes) -> None:
        self._content = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # noqa: ANN001
        return self._content.readinto(memoryview(buffer)[:7777])


def test_an_open_stream_is_read_from_its_beginning_and_left_open(written: Write) -> None:
    content = script(tables=2, rows=1000)
    buffered = written(content).open("rb")
    temporary = tempfile.TemporaryFile()  # noqa: SIM115  # closed below
    temporary.write(content)
    for stream in (io.BytesIO(content), buffered, temporary, io.BytesIO(gzip.compress(content))):
        stream.seek(0, os.SEEK_END)
        dump = read_dump(stream)
        assert [data.rows for data in dump.table_data.values()] == [1000, 1000]
        first, second = dump.row_blocks(named(0)), dump.row_blocks(named(1))
        stream.seek(5)
        for block, other in zip(first, second, strict=True):
            assert (block.count(b"\n"), other[-6:]) == (1000, b" of 1\n")
        assert dump.path is None
        assert not stream.closed
        stream.close()


def test_a_stream_that_was_closed_says_so(written: Write) -> None:
    for stream in (io.BytesIO(TINY), written(TINY).open("rb")):
        dump = read_dump(stream)
        stream.close()
        with pytest.raises(DumpNotFound, match="cannot be read any more"):
            _ = dump.table_data
        with pytest.raises(DumpNotFound, match="closed already"):
            read_dump(stream)


def test_a_stream_that_cannot_seek_is_kept_on_disk_and_not_in_memory() -> None:
    content = script(rows=1_000_000)
    pipe = Pipe(content)
    tracemalloc.start()
    dump = read_dump(pipe)  # type: ignore[arg-type]
    assert dump.table_data[named(0)].rows == 1_000_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < len(content) / 2
    assert b"".join(dump.row_blocks(named(0))).count(b"\n") == 1_000_000
    assert dump.label == "the given stream"


class Broken:
    """An object that can be read from, and gives one thing and then another."""

    def __init__(self, *given: object) -> None:
        self._given = iter(given)

    def read(self, _size: int) -> object:
        item = next(self._given, b"")
        if isinstance(item, Exception):
            raise item
        return item


def test_a_stream_that_breaks_while_it_is_copied_says_so_and_not_its_secrets() -> None:
    assert read_dump(Broken(TINY[:50], bytearray(TINY[50:]))).table_data[named(0)].rows == 2  # type: ignore[arg-type]
    for broken, kind, what in (
        (Broken(TINY, OSError(5, "Input/output error")), DumpNotFound, f"cannot be read at byte {len(TINY)}: Input/output error"),
        (Broken(RuntimeError(f"https://me:{SECRET}@host refused")), DumpNotFound, "cannot be read at byte 0: RuntimeError"),
        (Broken(TINY[:99], None), DumpNotFound, "has nothing yet"),
        (Broken("text"), UsageError, "gives no bytes but str"),
    ):
        with pytest.raises(kind, match=what) as caught:
            read_dump(broken)  # type: ignore[arg-type]
        assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_full_disk_under_a_copy_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(DumpNotFound, match=r"No space left on device.*TMPDIR"):
        read_dump(Pipe(TINY))  # type: ignore[arg-type]


def test_what_is_no_binary_stream_is_refused(written: Write) -> None:
    with written(TINY).open(encoding="utf-8") as text, pytest.raises(UsageError, match="opened as text"):
        read_dump(text)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="opened as text"):
        read_dump(io.StringIO("x"))  # type: ignore[arg-type]
    for nothing in (None, 5, b"bytes", object()):
        with pytest.raises(UsageError, match="names no dump"):
            read_dump(nothing)  # type: ignore[arg-type]


def test_a_dump_comes_in_through_a_pipe_on_the_command_line(written: Write, tmp_path: Path) -> None:
    def pgaudit(*arguments: str, content: bytes | None = None, code: int = 0) -> str:
        command = [*PGAUDIT, *arguments]
        done = subprocess.run(command, input=content, capture_output=True, check=False, cwd=tmp_path)
        assert done.returncode == code, done.stderr.decode()
        return (done.stdout + done.stderr).decode()

    path = written(TINY)
    assert '"rows": 2' in pgaudit("inspect", "-", "--json", content=gzip.compress(TINY))
    assert "passed" in pgaudit("verify", "-", content=TINY)
    assert '"same"' in pgaudit("diff", "-", str(path), "--json", content=bz2.compress(TINY))
    assert "empty file" in pgaudit("inspect", "-", content=b"", code=2)
    with path.open("rb") as opened:
        command = [*PGAUDIT, "inspect", "-", "--json"]
        assert '"rows": 2' in subprocess.run(command, stdin=opened, capture_output=True, check=True, text=True).stdout


# ---- URLs


def test_a_dump_is_read_behind_a_url(memory: MemoryFileSystem, written: Write) -> None:
    content = script(tables=2, rows=1000)
    memory.pipe("/backups/app.dump.gz", gzip.compress(content))
    dump = read_dump("memory://backups/app.dump.gz")
    assert [data.rows for data in dump.table_data.values()] == [1000, 1000]
    assert (dump.path, dump.label, dump.provenance.compression) == (None, "app.dump.gz", "gzip")
    assert read_dump(f"file://{written(content)}").path == written(content)
    with diff(dump, read_dump(written(content))) as difference:
        assert difference.verdict == "same"
    with diff("memory://backups/app.dump.gz", str(written(content))) as difference:
        assert difference.verdict == "same"
    assert verify("memory://backups/app.dump.gz").verdict.value == "passed"


def test_a_directory_archive_is_read_behind_a_url(memory: MemoryFileSystem, nasty: NastyDatabase, tmp_path: Path) -> None:
    nasty.run("pg_dump", "-Fd", "-f", str(tmp_path / "folder"), "-d", nasty.url)
    memory.put(str(tmp_path / "folder"), "/store/app", recursive=True)
    found, expected = read_dump("memory://store/app"), read_dump(tmp_path / "folder")
    assert found.damage == ()
    assert dict(found.table_data) == dict(expected.table_data)
    assert found.label == "app"
    memory.rm(next(name for name in memory.ls("/store/app", detail=False) if name.endswith(".dat.gz")))
    assert any("is missing" in damage.what for damage in read_dump("memory://store/app").damage)


def test_what_is_not_behind_a_url_is_said_without_a_credential() -> None:
    for url in (
        f"memory://user:{SECRET}@bucket/missing.dump",
        f"nonsense://user:{SECRET}@host/app.dump",
        f"http://user:{SECRET}@127.0.0.1:1/app.dump?signature={SECRET}",
        f"http://[::1:{SECRET}",
        f"ftp://user:{SECRET}@127.0.0.1:1/app.dump",
        f"s3://user:{SECRET}@bucket/app.dump?token={SECRET}",
        f"simplecache::ftp://user:{SECRET}@127.0.0.1:1/app.dump",
    ):
        with pytest.raises((DumpNotFound, UsageError)) as caught:
            read_dump(url)
        shown = "".join(traceback.format_exception(caught.value)) + caught.value.resource + repr(caught.value)
        assert SECRET not in shown.replace(repr(url), ""), url
        assert caught.value.remedy


class Store(BaseHTTPRequestHandler):
    """A store over HTTP, in four ways: /ranges, /whole (no ranges), /breaks (cuts every answer), /private (asks who is there)."""

    content = gzip.compress(script(rows=200_000))
    asked: list[str] = []  # noqa: RUF012  # one store per test run

    def do_GET(self) -> None:
        first = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").rstrip("-")
        self.asked.append(first)
        kind = self.path.partition("?")[0].strip("/").partition("/")[0]
        if kind == "private" and self.headers.get("Authorization") != "Basic " + b64encode(f"me:{SECRET}".encode()).decode():
            self.send_error(403)
            return
        if kind not in ("ranges", "whole", "breaks", "private", "empty", "short"):
            self.send_error(404)
            return
        body = b"" if kind == "empty" else self.content
        if kind in ("whole", "empty", "short"):
            self.send_response(200)
        else:
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
            body = body[int(first) :]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:100_000] if kind in ("breaks", "short") else body)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", ["ranges", "whole", "breaks"])
def test_a_dump_is_read_over_http_whatever_the_server_can(store: str, kind: str) -> None:
    dump = read_dump(f"http://{store}/{kind}/app.dump?signature={SECRET}")
    assert dump.table_data[named(0)].rows == 200_000
    assert dump.damage == ()
    assert b"".join(dump.row_blocks(named(0))).count(b"\n") == 200_000
    assert (dump.label, dump.path) == ("app.dump", None)
    assert SECRET not in repr(dump) + repr(dump.file) + dump.file.resource


def test_a_password_in_a_url_is_sent_and_never_shown(store: str) -> None:
    dump = read_dump(f"http://me:{SECRET}@{store}/private/app.dump")
    assert dump.table_data[named(0)].rows == 200_000
    assert SECRET not in repr(dump) + repr(dump.file) + repr(dump.file.__dict__) + dump.file.resource
    with pytest.raises(DumpNotFound, match="answers 403") as caught:
        read_dump(f"http://me:wrong{SECRET}@{store}/private/app.dump")
    assert SECRET not in f"{caught.value} {caught.value.resource}"
    with pytest.raises(DumpNotFound, match="answers 404"):
        read_dump(f"http://{store}/nothing")


def test_what_a_server_does_not_give_is_no_damage_of_the_dump(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DumpNotFound, match="cannot be read at byte"):
        read_dump(f"http://{store}/short/app.dump")
    with pytest.raises(NotADump, match="empty file"):
        read_dump(f"http://{store}/empty/app.dump")
    dump = read_dump(f"http://{store}/ranges/app.dump")
    monkeypatch.setattr(Store, "do_GET", lambda self: self.send_error(500))
    with pytest.raises(DumpNotFound, match="answers 500"):
        _ = dump.table_data


# ---- folders


def test_a_folder_gives_no_file_outside_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (folder / "toc.dat").write_bytes(b"toc")
    (folder / "link").symlink_to("toc.dat")
    (folder / "out").symlink_to("../secret")
    (folder / "gone").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    opened = LocalFolder(folder)
    assert opened.names() == {"toc.dat", "link"}
    with opened.file("link").open() as stream:
        assert stream.read(10) == b"toc"
    assert opened.size_bytes == 6
    for name in ("out", "gone", "circle", "inner", "missing", "../secret", "..", ".", "", "a/b", "/etc/passwd", "a\\b", "a\0b"):
        with pytest.raises(DamagedDump):
            opened.file(name)


def test_a_folder_in_a_store_gives_no_file_outside_of_it(memory: MemoryFileSystem) -> None:
    memory.pipe("/store/app/toc.dat", b"toc")
    memory.pipe("/store/secret", b"secret")
    opened = locate("memory://store/app")
    assert isinstance(opened, FsspecFolder)
    assert opened.names() == {"toc.dat"}
    assert (opened.size_bytes, opened.label, opened.path) == (3, "app", None)
    for name in ("../secret", "secret", "", "/store/secret"):
        with pytest.raises(DamagedDump):
            opened.file(name)


def test_every_offset_of_a_place_gives_the_bytes_from_there(written: Write, memory: MemoryFileSystem) -> None:
    content = bytes(range(256)) * 40
    memory.pipe("/file", content)
    places = [
        locate(written(content)),
        locate("memory://file"),
        locate(io.BytesIO(content)),
        locate(Pipe(content)),  # type: ignore[arg-type]
    ]
    for place, offset in itertools.product(places, (0, 1, 1000, len(content) - 1, len(content), 10**6, 2**70)):
        assert isinstance(place, DumpFile)
        assert place.size_bytes == len(content)
        with place.open(offset) as stream:
            assert stream.read(100) == content[offset : offset + 100]
            view = bytearray(50)
            size = stream.readinto(memoryview(view))
            assert bytes(view[:size]) == content[offset + 100 : offset + 150]
