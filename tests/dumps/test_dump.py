"""A dump as a source: what it promises to those who compare it, and to the machine that it runs on."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import DumpNotFound, RowsNotAvailable, UsageError
from pgaudit_kit.records.source import Source
from pgaudit_kit.records.table_data import TableName
from tests.dumps.archives import ENCODING, STRINGS, Entry, archive
from tests.dumps.conftest import NastyDatabase

Write = Callable[[bytes], Path]
HEAD = b"--\n-- PostgreSQL database dump\n--\n\nSET client_encoding = 'UTF8';\n\nCREATE TABLE public.big (a integer, b text);\n\n"
FOOT = b"--\n-- PostgreSQL database dump complete\n--\n\n"
BIG = TableName("public", "big")


def test_a_dump_is_a_source_like_any_other(nasty: NastyDatabase) -> None:
    source: Source = read_dump(nasty.dump("plain"))
    assert source.label == "plain.dump"
    assert source.fingerprint(TableName("app", "empty")).rows == 0


def test_row_blocks_may_be_asked_for_again(nasty: NastyDatabase) -> None:
    for name in ("plain", "plain-gzip", "custom-gzip", "plain-inserts"):
        dump = read_dump(nasty.dump(name))
        table = TableName("app", "every_type")
        assert list(dump.row_blocks(table)) == list(dump.row_blocks(table))


@pytest.mark.parametrize("options", [(), ("-v",), ("-1",), ("--no-owner",), ("-c", "--if-exists")])
def test_a_script_that_pg_restore_wrote_reads_like_its_archive(nasty: NastyDatabase, tmp_path: Path, options: tuple[str, ...]) -> None:
    script = tmp_path / "script"
    nasty.run("pg_restore", *options, "-f", str(script), str(nasty.dump("custom-gzip")))
    dump, original = read_dump(script), read_dump(nasty.dump("custom-gzip"))
    assert (dump.damage, dump.provenance.complete) == ((), True)
    assert {name: dump.fingerprint(name) for name in dump.table_data} == {name: original.fingerprint(name) for name in original.table_data}
    assert dump.inventory.by_key.keys() == original.inventory.by_key.keys()


def big_dumps() -> dict[str, Callable[[], bytes]]:
    rows = b"".join(b"%d\t%s\n" % (i, b"some text that is neither long nor short") for i in range(600_000))
    inserts = (
        HEAD + b"INSERT INTO public.big VALUES\n\t" + b",\n\t".join(b"(%d, 'some text')" % i for i in range(600_000)) + b";\n\n" + FOOT
    )
    script = HEAD + b"COPY public.big (a, b) FROM stdin;\n" + rows + b"\\.\n\n\n" + FOOT
    entry = Entry(5, "TABLE DATA", "big", copy="COPY public.big (a, b) FROM stdin;\n", data=rows + b"\\.\n\n\n")
    return {
        "plain": lambda: script,
        "plain gzip": lambda: gzip.compress(script, 1),
        "one INSERT": lambda: inserts,
        "custom gzip": lambda: archive([ENCODING, STRINGS, entry]),
        "custom none": lambda: archive([ENCODING, STRINGS, entry], compression="none"),
    }


@pytest.mark.skipif(sys.platform == "win32", reason="Windows tells no peak of memory this way")
@pytest.mark.parametrize("kind", ["plain", "plain gzip", "one INSERT", "custom gzip", "custom none"])
def test_a_big_table_is_never_held(written: Write, kind: str) -> None:
    path = written(big_dumps()[kind]())
    code = (
        "import resource, sys, numpy\nfrom pgaudit_kit.dumps.read_dump import read_dump\nimport pgaudit_kit.dumps.ddl.builder\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == 'darwin' else 10)\n"
        "before = peak()\ndump = read_dump(sys.argv[1])\n(name,) = dump.table_data\n"
        "assert sum(block.count(10) for block in dump.row_blocks(name)) == dump.table_data[name].rows\n"
        "print(dump.table_data[name].rows, peak() - before)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=True, capture_output=True, text=True)
    rows, mebibytes = map(int, done.stdout.split())
    assert rows == 600_000
    assert mebibytes < 20, f"{mebibytes} MiB for a table of {path.stat().st_size >> 20} MiB"


def test_a_table_is_found_by_its_name_as_sql_writes_it(nasty: NastyDatabase) -> None:
    for name in ("plain", "custom-gzip"):
        dump = read_dump(nasty.dump(name))
        assert list(dump.read_table('"Weird Sch;ema"."we""ird\ntab;le"').columns) == ["a\tb", 'c"d', "e,f)", "select"]
        assert list(dump.read_table("japanese")["a"]) == ["表", "能", "\n"]
        assert len(dump.read_table(TableName("app", "one_text"))) == 6
        with pytest.raises(RowsNotAvailable, match=r"app\.japanese"):
            dump.read_table("app.japanese")
        with pytest.raises(UsageError, match="not the name of a table"):
            dump.read_table("select * from x; --")


def test_a_name_whose_quotes_a_shell_has_eaten_is_found_letter_by_letter(written: Write) -> None:
    """Prisma's tables have capitals; what both readings find is refused, and what neither finds is missing."""
    rows = "".join(
        f"COPY public.{name} (a) FROM stdin;\n{value}\n\\.\n"
        for name, value in (('"User"', 1), ('"Post.x"', 2), ("post", 3), ('"Post"', 4))
    )
    dump = read_dump(written(HEAD + rows.encode() + FOOT))
    found = {name: dump.read_table(name)["a"].tolist() for name in ("User", "public.User", "Post.x", "public.Post.x", "post", '"Post"')}
    assert found == {"User": ["1"], "public.User": ["1"], "Post.x": ["2"], "public.Post.x": ["2"], "post": ["3"], '"Post"': ["4"]}
    with pytest.raises(RowsNotAvailable, match="no rows of USER"):
        dump.read_table("USER")
    with pytest.raises(RowsNotAvailable, match=r"""Post may be more than one table.*public."Post", public.post.*'public."Post"'"""):
        dump.read_table("Post")


def test_a_file_that_went_away_is_not_found_any_more(written: Write) -> None:
    path = written(HEAD + FOOT)
    dump = read_dump(path)
    path.unlink()
    with pytest.raises(DumpNotFound):
        _ = dump.toc_entries


def test_reading_dumps_loads_nothing_heavy_until_a_frame_is_asked_for(written: Write) -> None:
    path = written(HEAD + b"COPY public.big (a, b) FROM stdin;\n1\tx\n\\.\n\n\n" + FOOT)
    code = (
        "import sys\nfrom pgaudit_kit.dumps.read_dump import read_dump\n"
        "dump = read_dump(sys.argv[1])\nassert [t.rows for t in dump.table_data.values()] == [1]\n"
        "heavy = {'pandas', 'numpy', 'sqlalchemy', 'psycopg', 'isal'} & set(sys.modules)\nassert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=True)
