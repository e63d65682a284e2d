"""COPY text, against a server and against itself."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.rows.copy_text import decode_line, lines_of, project
from pgaudit_kit.rows.fingerprint import fingerprint_of

AWKWARD = ["", "\\N", "\\.", "\t", "\n", "\r\n", "\\", "\\\\", "'\"", "🐘", "a\tb\nc\\d", "\x01\x08\x0b\x0c\x7f", "x" * 5000, None]


def test_every_awkward_value_reads_back_as_the_server_stored_it(make_database: Callable[..., str]) -> None:
    with psycopg.connect(make_database()) as connection:
        connection.execute("CREATE TABLE t (id int, v text)")
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO t VALUES (%s, %s)", list(enumerate(AWKWARD)))
            with cursor.copy("COPY (SELECT * FROM t ORDER BY id) TO STDOUT") as copy:
                text = b"".join(bytes(block) for block in copy)
    assert [decode_line(line) for line in lines_of([text])] == [(str(i), value) for i, value in enumerate(AWKWARD)]


LINES = st.lists(st.binary(max_size=8).filter(lambda b: b"\n" not in b), max_size=30)


@given(LINES, st.randoms(use_true_random=False))
def test_a_fingerprint_ignores_order_and_division_but_not_content(lines: list[bytes], random: object) -> None:
    whole = b"".join(line + b"\n" for line in lines)
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a Random
    one = fingerprint_of([whole] if whole else [])
    assert one == fingerprint_of(line + b"\n" for line in shuffled)
    assert one.rows == len(lines)
    assert one != fingerprint_of([whole, b"one more\n"])
    if lines:
        assert one != fingerprint_of([whole, lines[0] + b"\n"]), "a duplicate must count"


@pytest.mark.parametrize(
    ("wanted", "expected"), [(["b", "a"], b"1\tx\n2\ty\n"), (["a"], b"x\ny\n"), ([], b"\n\n"), (["a", "b"], b"x\t1\ny\t2\n")]
)
def test_projection_picks_and_orders_columns(wanted: list[str], expected: bytes) -> None:
    assert b"".join(project([b"x\t1\n", b"y\t2\n"], ["a", "b"], wanted)) == expected
