"""Encodings of PostgreSQL (src/common/encnames.c) and what they are called in Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pgaudit_kit.dumps.files.codec_differences import decode_as_postgresql
from pgaudit_kit.errors import DamagedDump

UTF8 = "UTF8"
# Bytes of no encoding, which are not checked: a database of SQL_ASCII, and a script that does not say what it is in
UNCHECKED = "SQL_ASCII"
# COPY builds a row in one StringInfo, which ends at 1 GiB (src/include/utils/memutils.h, MaxAllocSize)
LONGEST_LINE = 1 << 30
_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
# SQL_ASCII has no encoding: its bytes pass as they are
_AS_THEY_ARE = frozenset({"utf8", "unicode", "sqlascii"})
_CODECS = {
    **{f"latin{n}": f"iso8859_{part}" for n, part in enumerate((1, 2, 3, 4, 9, 10, 13, 14, 15, 16), start=1)},
    **{f"iso8859{part}": f"iso8859_{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
    **{f"win{page}": f"cp{page}" for page in (866, 874, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)},
    **{f"windows{page}": f"cp{page}" for page in (866, 874, 932, 936, 949, 950, 1250, 1251, 1252, 1253, 1254, 1255, 1256, 1257, 1258)},
    "abc": "cp1258",
    "tcvn": "cp1258",
    "tcvn5712": "cp1258",
    "vscii": "cp1258",
    "alt": "cp866",
    "win": "cp1251",
    "koi8": "koi8_r",
    "koi8r": "koi8_r",
    "koi8u": "koi8_u",
    "eucjp": "euc_jp",
    "eucjis2004": "euc_jis_2004",
    "euccn": "gb2312",
    "euckr": "euc_kr",
    "sjis": "cp932",
    "mskanji": "cp932",
    "shiftjis": "cp932",
    "shiftjis2004": "shift_jis_2004",
    "big5": "cp950",
    "gbk": "gbk",
    "uhc": "cp949",
    "gb18030": "gb18030",
    "johab": "johab",
}
# Those whose trailing bytes may be a backslash, with the range of their leading bytes (src/common/wchar.c); no server stores them
_LEADING = {
    **dict.fromkeys(("sjis", "mskanji", "shiftjis", "win932", "windows932", "shiftjis2004"), rb"\x81-\x9f\xe0-\xfc"),
    **dict.fromkeys(("big5", "win950", "windows950", "gbk", "win936", "windows936"), rb"\x81-\xfe"),
    **dict.fromkeys(("uhc", "win949", "windows949", "gb18030", "johab"), rb"\x81-\xfe"),
}


def leading_bytes(encoding: str) -> bytes:
    r"""Return, for a character class, the bytes of *encoding* that are followed by one that may be a backslash; b"" when there are none."""
    return _LEADING.get(_NOT_ALPHANUMERIC.sub("", encoding.lower()), b"")


BLOCK = 1 << 17  # what stays in the processor's cache while it is checked, split and hashed: twice as fast as blocks of 1 MiB


@lru_cache
def is_utf8(encoding: str) -> bool:
    """Whether *encoding* is UTF-8 by one of its names."""
    return _NOT_ALPHANUMERIC.sub("", encoding.lower()) in ("utf8", "unicode")


@lru_cache
def codec_of(encoding: str) -> str | None:
    """Return Python's codec for *encoding*, "" when its bytes are UTF-8 or pass as they are, None when Python has none (EUC_TW …)."""
    plain = _NOT_ALPHANUMERIC.sub("", encoding.lower())
    return "" if plain in _AS_THEY_ARE else _CODECS.get(plain)


def decode_sql(text: bytes, encoding: str) -> str:
    """Return SQL text; bytes that are not of *encoding* survive as surrogates."""
    codec = codec_of(encoding)
    return decode_as_postgresql(text, codec, strict=False) if codec else text.decode("utf-8", "surrogateescape")


def to_utf8(text: bytes, encoding: str) -> bytes:
    """Return *text* in UTF-8; *encoding* is one that `codec_of` knows. Raises DamagedDump for bytes that are not of it.

    So does a restore: the server takes no text that is not of its encoding (pg_verify_mbstr), and none of the table's rows then.
    """
    codec = codec_of(encoding)
    try:
        if codec:
            return decode_as_postgresql(text, codec, strict=True).encode()
        if not text.isascii() and is_utf8(encoding):
            text.decode()
    except UnicodeDecodeError as error:
        raise DamagedDump(f"bytes that are not {encoding} ({error.reason})") from error
    return text


def not_utf8(text: str, encoding: str) -> str:
    """Say which bytes of *text*, from `decode_sql`, are no UTF-8 although *encoding* is that; "" when there are none."""
    if text.isascii() or not is_utf8(encoding):
        return ""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        some = text[error.start : error.end][:4].encode("utf-8", "surrogateescape").hex(" ")
        return f"bytes that are not {encoding} ({some})"
    return ""


def whole_lines(pieces: Iterable[bytes], *, encoding: str, crlf: bool = False, least: int = BLOCK) -> Iterator[bytes]:
    """Yield *pieces* of COPY text again as blocks of whole lines in UTF-8, of *least* bytes and little more unless one line is longer.

    No multi-byte encoding has the line end as a trailing byte, so cutting at line ends comes before decoding.
    Raises DamagedDump for bytes that are not of *encoding*, and for a line longer than the server could have written.
    """
    held: list[bytes] = []
    size = 0
    for piece in pieces:
        held.append(piece)
        size += len(piece)
        cut = piece.rfind(b"\n") + 1 if size >= least else 0
        if cut:
            held[-1] = piece[:cut]
            yield _block(held, encoding, crlf=crlf)
            held = [piece[cut:]]
            size = len(held[0])
        elif size > LONGEST_LINE:
            raise DamagedDump("a row of more than 1 GiB, which no server writes")
    if size:
        yield _block(held, encoding, crlf=crlf)


def _block(held: list[bytes], encoding: str, *, crlf: bool) -> bytes:
    block = b"".join(held)
    return to_utf8(block.replace(b"\r\n", b"\n") if crlf else block, encoding)
