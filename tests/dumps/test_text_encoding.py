"""The bytes of every client encoding, read as the server itself reads them."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from pgaudit_kit.dumps.text_encoding import decode_sql, not_utf8, to_utf8
from pgaudit_kit.errors import DamagedDump

SINGLE = [
    "LATIN1",
    "LATIN2",
    "LATIN5",
    "LATIN9",
    "ISO_8859_5",
    "KOI8R",
    "KOI8U",
    "WIN866",
    "WIN874",
    "WIN1250",
    "WIN1251",
    "WIN1252",
    "WIN1258",
]
MULTIPLE = ["EUC_JP", "EUC_CN", "EUC_KR", "EUC_JIS_2004", "SJIS", "SHIFT_JIS_2004", "BIG5", "GBK", "UHC", "GB18030", "JOHAB"]
# PostgreSQL's own tables say "unknown" (U+FFFD) for these although Unicode has them; it never writes them.
UNKNOWN = "\ufffd"

CONVERT = """
CREATE FUNCTION pg_temp.read(given bytea, encoding text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN RETURN convert_from(given, encoding); EXCEPTION WHEN OTHERS THEN RETURN NULL; END $$"""


@pytest.mark.parametrize("encoding", SINGLE + MULTIPLE)
def test_every_sequence_of_bytes_is_the_character_that_the_server_says(make_database: Callable[..., str], encoding: str) -> None:
    sequences = [bytes([a]) for a in range(1, 256)]
    if encoding in MULTIPLE:
        sequences += [bytes([a, b]) for a in range(0x80, 256) for b in range(0x30, 256)]
    if encoding.startswith("EUC_J"):
        sequences += [bytes([0x8F, a, b]) for a in range(0xA1, 256) for b in range(0xA1, 256)]
    with psycopg.connect(make_database()) as connection:
        connection.execute(CONVERT)
        said = connection.execute("SELECT s, pg_temp.read(s, %s) FROM unnest(%s::bytea[]) s", (encoding, sequences)).fetchall()
    known = [(bytes(given), text) for given, text in said if text not in (None, UNKNOWN)]
    assert len(known) > (200 if encoding in SINGLE else 7000)
    for given, text in known:
        assert to_utf8(given + b"x\n", encoding) == f"{text}x\n".encode(), given
        assert decode_sql(given + b"x", encoding) == f"{text}x", given


def test_bytes_that_the_server_does_not_know_are_damage_in_rows_and_survive_in_sql() -> None:
    with pytest.raises(DamagedDump, match="EUC_JP"):
        to_utf8(b"\xad\xff", "EUC_JP")
    assert decode_sql(b"-- \xad\xa1 \xad\xff", "EUC_JP").encode("utf-8", "surrogateescape") == "-- ① ".encode() + b"\xad\xff"


def test_bytes_that_are_no_utf_8_are_damage_where_the_dump_says_that_it_is_utf_8() -> None:
    for encoding in ("UTF8", "unicode", "utf-8"):
        with pytest.raises(DamagedDump, match="bytes that are not"):
            to_utf8(b"caf\xe9", encoding)
        assert "(e9)" in not_utf8(decode_sql(b"-- caf\xe9", encoding), encoding)
    assert to_utf8("café".encode(), "UTF8").decode() == "café"
    assert to_utf8(b"caf\xe9", "SQL_ASCII") == b"caf\xe9"
    assert not not_utf8(decode_sql(b"-- caf\xe9", "SQL_ASCII"), "SQL_ASCII")
