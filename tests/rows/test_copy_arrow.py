"""COPY text through Arrow gives what one field after another gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgaudit_kit.rows.copy_arrow import AS_BYTES, AS_TEXT, DIRECT, Batch, BrokenRows, CannotConvert, CopyColumn, CopyParser
from pgaudit_kit.rows.copy_text import decode_line
from pgaudit_kit.rows.frame_columns import text_array
from pgaudit_kit.rows.pg_types import TEXT, PgType

ESCAPES = {"\\": r"\\", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
values = st.one_of(
    st.none(),
    st.sampled_from(["", "\\N", "\\.", "\\", "\\\\n", '"', "\ufeff", "NULL", "nan", "\x01", "a\\tb", "\\x41", "\\101"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)


def copied(value: str | None) -> str:
    """As src/backend/commands/copyto.c, CopyAttributeOutText."""
    return r"\N" if value is None else "".join(ESCAPES.get(c, c) for c in value)


def batches(data: bytes, columns: list[CopyColumn], width: int) -> list[Batch]:
    """The rows, each column at the lowest level that holds it."""
    while True:
        try:
            return list(CopyParser(width, columns).batches([data]))
        except CannotConvert as error:
            for index in error.columns:
                columns[index].level += 1


@settings(deadline=None)
@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=20)))
def test_any_text_comes_back(rows: list[list[str | None]]) -> None:
    data = "".join("\t".join(map(copied, row)) + "\n" for row in rows).encode()
    columns = [CopyColumn(i, TEXT) for i in range(len(rows[0]))]
    (batch,) = batches(data, columns, len(columns))
    assert [list(row) for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)] == rows
    assert [list(decode_line(line)) for line in data[:-1].split(b"\n")] == rows
    assert {column.level for column in columns} == {DIRECT}


lines = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"\t", b"").removesuffix(b"\\"))


@settings(deadline=None)
@given(st.lists(lines, min_size=1, max_size=10))
def test_any_bytes_come_back_as_one_field_after_another_gives_them(lines: list[bytes]) -> None:
    (batch,) = batches(b"".join(line + b"\n" for line in lines), [CopyColumn(0, TEXT)], 1)
    found = text_array(batch.columns)
    assert [None if missing else value for value, missing in zip(found, found.isna(), strict=True)] == [
        decode_line(line)[0] for line in lines
    ]


@pytest.mark.parametrize(
    ("kind", "text", "level"),
    [
        ("int2", "32767", DIRECT),
        ("int2", "32768", AS_TEXT),
        ("bool", "t", DIRECT),
        ("bool", "true", AS_TEXT),
        ("float8", "-Infinity", DIRECT),
        ("date", "0001-01-01", DIRECT),
        ("date", "infinity", AS_TEXT),
        ("time", "24:00:00", AS_TEXT),
        ("timestamp", "9999-12-31 23:59:59.999999", DIRECT),
        ("timestamptz", "9999-12-31 23:59:59-01", AS_TEXT),
        ("timestamptz", "0001-01-01 00:00:00+01", AS_TEXT),
        ("timestamptz", "1890-01-01 00:00:00+00:19:32", AS_TEXT),
        ("text", "\xff", AS_BYTES),
        ("int4", "\xff", AS_BYTES),
    ],
)
def test_a_value_that_does_not_fit_is_read_one_level_higher(kind: str, text: str, level: int) -> None:
    column = CopyColumn(0, PgType(kind))  # type: ignore[arg-type]
    if kind == "text":
        column.level = AS_TEXT  # a text is read as text from the first
    (batch,) = batches(text.encode("latin-1") + b"\n\\N\n", [column], 1)
    assert column.level == level
    assert batch.columns[0].null_count == 1


def test_rows_of_another_width_are_broken() -> None:
    for data in (b"1\n", b"1\t2\t3\n", b"1\t2\n1\n"):
        with pytest.raises(BrokenRows, match="instead of 2"):
            batches(data, [CopyColumn(0, TEXT), CopyColumn(1, TEXT)], 2)


def test_columns_may_be_left_out_and_put_in_any_order() -> None:
    (batch,) = batches(b"1\tx\ty\n", [CopyColumn(2, TEXT), CopyColumn(0, PgType("int4"))], 3)
    assert [column.to_pylist() for column in batch.columns] == [["y"], [1]]
    (empty,) = batches(b"1\tx\n2\ty\n", [], 2)
    assert empty.rows == 2
    assert batches(b"", [CopyColumn(0, TEXT)], 1) == []
