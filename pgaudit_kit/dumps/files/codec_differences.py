"""Where a codec of Python differs from PostgreSQL's own conversion to UTF-8 (src/backend/utils/mb/Unicode/*.map).

A dump made with `-E EUC_JP` holds ① as the bytes AD A1, which Python's euc_jp calls illegal; under SHIFT_JIS_2004 Python takes the
backslash for a yen sign. The tables were found by asking a server for every sequence of bytes, and a test asks again.
"""

from __future__ import annotations

import codecs

# Code points that only PostgreSQL knows, as runs: the first sequence of bytes, then the characters from there on.
_ONLY_POSTGRESQL: dict[str, tuple[tuple[bytes, str], ...]] = {
    "euc_jp": (
        (
            b"\xad\xa1",
            (
                "\u2460\u2461\u2462\u2463\u2464\u2465\u2466\u2467\u2468\u2469\u246a\u246b\u246c\u246d\u246e\u246f\u2470\u2471"
                "\u2472\u2473\u2160\u2161\u2162\u2163\u2164\u2165\u2166\u2167\u2168\u2169"
            ),
        ),
        (
            b"\xad\xc0",
            (
                "\u3349\u3314\u3322\u334d\u3318\u3327\u3303\u3336\u3351\u3357\u330d\u3326\u3323\u332b\u334a\u333b\u339c\u339d"
                "\u339e\u338e\u338f\u33c4\u33a1"
            ),
        ),
        (
            b"\xad\xdf",
            (
                "\u337b\u301d\u301f\u2116\u33cd\u2121\u32a4\u32a5\u32a6\u32a7\u32a8\u3231\u3232\u3239\u337e\u337d\u337c\u2252"
                "\u2261\u222b\u222e\u2211\u221a\u22a5\u2220\u221f\u22bf\u2235\u2229\u222a"
            ),
        ),
        (b"\x8f\xf3\xf3", "\u2170\u2171\u2172\u2173\u2174\u2175\u2176\u2177\u2178\u2179\u2160\u2161"),
        (
            b"\x8f\xf4\xa1",
            (
                "\u2162\u2163\u2164\u2165\u2166\u2167\u2168\u2169\uff07\uff02\u3231\u2116\u2121\u70bb\u4efc\u50f4\u51ec\u5307"
                "\u5324\ufa0e\u548a\u5759\ufa0f\ufa10\u589e\u5bec\u5cf5\u5d53\ufa11\u5fb7\u6085\u6120\u654e\u663b\u6665\ufa12"
                "\uf929\u6801\ufa13\ufa14\u6a6b\u6ae2\u6df8\u6df2\u7028\ufa15\ufa16\u7501\u7682\u769e\ufa17\u7930\ufa18\ufa19"
                "\ufa1a\ufa1b\u7ae7\ufa1c\ufa1d\u7da0\u7dd6\ufa1e\u8362\ufa1f\u85b0\ufa20\ufa21\u8807\ufa22\u8b7f\u8cf4\u8d76"
                "\ufa23\ufa24\ufa25\u90de\ufa26\u9115\ufa27\ufa28\u9592\uf9dc\ufa29\u973b\u974d\u9751\ufa2a\ufa2b\ufa2c\u999e"
                "\u9ad9\u9b72\ufa2d\u9ed1"
            ),
        ),
    ),
    "euc_kr": (
        (b"\xa2\xe8", "\u327e"),
        (b"\xa4\xd4", "\u3164"),
    ),
    "cp949": (
        (b"\xa2\xe8", "\u327e"),
        (b"\xc9\xa1", "".join(map(chr, range(0xE000, 0xE05E)))),
        (b"\xfe\xa1", "".join(map(chr, range(0xE05E, 0xE0BC)))),
    ),
    "johab": ((b"\xd9\xe8", "\u327e"),),
}

# Code points for which Python has one character (first line) and PostgreSQL another (second line).
_OTHER_IN_POSTGRESQL = {
    "euc_jp": str.maketrans(
        "\u301c\u2016\u2212\u00a2\u00a3\u00ac\u00a6",
        "\uff5e\u2225\uff0d\uffe0\uffe1\uffe2\uffe4",
    ),
    "euc_jis_2004": str.maketrans(
        "\uffe3\u2015\uffe5\u2985\u2986",
        "\u203e\u2014\u00a5\uff5f\uff60",
    ),
    "shift_jis_2004": str.maketrans(
        "\u00a5\u203e\u2015\u2985\u2986",
        "\u005c\u007e\u2014\uff5f\uff60",
    ),
    "cp950": str.maketrans(
        "\u2027\ufe51\u00af\uff5e\u2295\u2299\u2215\ufe68\uffe5\uffe0\uffe1",
        "\u2022\uff64\u203e\u223c\u2641\u2609\uff0f\uff3c\u00a5\u00a2\u00a3",
    ),
}


def decode_as_postgresql(text: bytes, codec: str, *, strict: bool) -> str:
    """Return *text*, which is in the encoding that Python calls *codec*, as PostgreSQL would convert it.

    Raises UnicodeDecodeError for other bytes when *strict*; else they survive as surrogates.
    """
    errors = _HANDLERS.get((codec, strict), "strict" if strict else "surrogateescape")
    decoded = text.decode(codec, errors)
    table = _OTHER_IN_POSTGRESQL.get(codec)
    return decoded.translate(table) if table else decoded


def _register(codec: str, runs: tuple[tuple[bytes, str], ...], *, strict: bool) -> str:
    """Register an error handler of decoding that knows the runs of *codec*; return its name."""
    known = {first[:-1] + bytes([first[-1] + i]): letter for first, letters in runs for i, letter in enumerate(letters)}

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeDecodeError):
            raise error
        for size in (2, 3):
            if letter := known.get(error.object[error.start : error.start + size]):
                return letter, error.start + size
        if strict:
            raise error
        return error.object[error.start : error.end].decode("ascii", "surrogateescape"), error.end

    name = f"postgresql-{codec}-{'strict' if strict else 'surrogateescape'}"
    codecs.register_error(name, handle)
    return name


_HANDLERS = {(codec, strict): _register(codec, runs, strict=strict) for codec, runs in _ONLY_POSTGRESQL.items() for strict in (True, False)}
