"""Compressed streams: every algorithm, in any slices, whole, joined, cut, changed, and made to explode."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import lzma
import tracemalloc
import zlib
from collections.abc import Callable, Iterator, Mapping

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pgaudit_kit.dumps.files.compression import PIECE, Algorithm, decoded
from pgaudit_kit.errors import DamagedDump, UnsupportedDump

COMPRESS: Mapping[Algorithm, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zlib": zlib.compress,
    "lz4": lambda data: lz4.frame.compress(data, block_linked=False, content_checksum=True),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress,
    "xz": lambda data: lzma.compress(data, preset=0),
    "bzip2": bz2.compress,
}
SKIPPABLE = b"\x53\x2a\x4d\x18\x05\0\0\0abcde"
every_algorithm = pytest.mark.parametrize("algorithm", COMPRESS)


def rows(count: int) -> bytes:
    return b"".join(b"%d\tname of %d\t%d\n" % (i, i * 7919 % 10007, i * i * 31 % 65521) for i in range(count))


SMALL, LARGE = rows(200), rows(60_000)


def slices(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def read(packed: bytes, algorithm: Algorithm, size: int = 1 << 18) -> tuple[bytes, str]:
    """What is decoded, and what is said against it."""
    pieces: list[bytes] = []
    try:
        for piece in decoded(slices(packed, size), algorithm, resource="file"):
            assert 0 < len(piece) <= 2 * PIECE
            pieces.append(piece)
    except DamagedDump as error:
        return b"".join(pieces), error.message
    return b"".join(pieces), ""


@every_algorithm
def test_a_stream_is_decoded_whatever_the_slices_it_comes_in(algorithm: Algorithm) -> None:
    pack = COMPRESS[algorithm]
    for size in (1, 2, 3, 7, 100):
        assert read(pack(SMALL), algorithm, size) == (SMALL, "")
    for size in (1000, 1 << 18):
        assert read(pack(LARGE), algorithm, size) == (LARGE, "")
    assert read(pack(b""), algorithm) == (b"", "")
    assert read(b"", algorithm) == (b"", "")


@pytest.mark.parametrize("algorithm", [a for a in COMPRESS if a != "zlib"])
@pytest.mark.parametrize("size", [1, 5, 1000])
def test_members_follow_one_another_as_when_files_are_joined(algorithm: Algorithm, size: int) -> None:
    pack = COMPRESS[algorithm]
    assert read(pack(SMALL) + pack(b"") + pack(b"end"), algorithm, size) == (SMALL + b"end", "")


@pytest.mark.parametrize("algorithm", ["lz4", "zstd"])
@pytest.mark.parametrize("size", [1, 3, 9, 1000])
def test_frames_that_hold_no_data_are_skipped(algorithm: Algorithm, size: int) -> None:
    packed = SKIPPABLE + COMPRESS[algorithm](SMALL) + SKIPPABLE + SKIPPABLE + COMPRESS[algorithm](b"end") + SKIPPABLE
    assert read(packed, algorithm, size) == (SMALL + b"end", "")
    assert "cut short" in read(packed[:-2], algorithm, size)[1]


@pytest.mark.parametrize("level", [1, 3, 12])
def test_every_shape_of_a_zstd_frame_is_understood(level: int) -> None:
    for write_checksum in (True, False):
        packer = zstandard.ZstdCompressor(level=level, write_checksum=write_checksum)
        for data in (b"", b"a", bytes(255), SMALL, SMALL * 20, bytes(PIECE), LARGE):
            assert read(packer.compress(data), "zstd", 11 if len(data) < PIECE else 1000) == (data, "")
            stream = packer.compressobj()  # the size is not known when it begins
            packed = (
                stream.compress(data[:100]) + stream.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK) + stream.compress(data[100:]) + stream.flush()
            )
            assert read(packed, "zstd") == (data, "")


@pytest.mark.parametrize("block_size", range(4, 8))
def test_every_block_size_of_lz4_is_understood(block_size: int) -> None:
    for linked in (True, False):
        packed = lz4.frame.compress(LARGE * 3, block_size=block_size, block_linked=linked, block_checksum=True)
        assert read(packed, "lz4") == (LARGE * 3, "")


def test_zeros_after_gzip_and_xz_are_padding_and_anything_else_is_damage() -> None:
    for algorithm, pack in COMPRESS.items():
        if algorithm in ("gzip", "xz", "zlib"):
            assert read(pack(SMALL) + bytes(1000), algorithm, 100) == (SMALL, "")
        if algorithm in ("gzip", "xz"):
            assert read(pack(SMALL) + bytes(1000) + pack(b"end"), algorithm, 100) == (SMALL + b"end", "")
        good, problem = read(pack(SMALL) + b"xyz", algorithm)
        assert (good, "followed by other bytes" in problem) == (SMALL, True), algorithm


@every_algorithm
def test_a_stream_that_was_cut_anywhere_gives_what_is_there_and_then_says_so(algorithm: Algorithm) -> None:
    packed = COMPRESS[algorithm](SMALL)
    for cut in range(1, len(packed)):
        good, problem = read(packed[:cut], algorithm)
        assert SMALL.startswith(good)
        assert "cut short" in problem
    packed = COMPRESS[algorithm](LARGE)
    good, problem = read(packed[: len(packed) // 2], algorithm)
    assert LARGE.startswith(good)
    assert "cut short" in problem
    assert algorithm == "bzip2" or len(good) > len(LARGE) * 0.3  # a block of bzip2 is 900 kB


@every_algorithm
def test_a_changed_byte_is_found_or_means_nothing(algorithm: Algorithm) -> None:
    packed = COMPRESS[algorithm](SMALL)
    for at in range(len(packed)):
        good, problem = read(packed[:at] + bytes([packed[at] ^ 1 << at % 8]) + packed[at + 1 :], algorithm)
        assert problem or good == SMALL


@pytest.mark.parametrize("algorithm", ["gzip", "zlib", "lz4", "zstd", "xz"])
def test_the_good_bytes_before_a_break_are_all_given_but_for_the_last_ones(algorithm: Algorithm) -> None:
    packed = bytearray(COMPRESS[algorithm](LARGE))
    whole = len(read(bytes(packed[: len(packed) // 2]), algorithm)[0])
    packed[len(packed) // 2 :] = b"\xff" * (len(packed) // 2)
    good, problem = read(bytes(packed), algorithm)
    assert problem
    assert len(good) >= whole - (1 << 17)
    same = next((at for at in range(0, len(good), 1000) if good[at : at + 1000] != LARGE[at : at + 1000]), len(good))
    assert same >= whole - (1 << 17)


def bomb(algorithm: Algorithm) -> bytes:
    if algorithm == "zstd":  # blocks of one repeated byte, the strongest there are
        head = b"\x28\xb5\x2f\xfd\x00\x58"  # a window of 2 MiB
        return head + ((131072 << 3 | 1 << 1).to_bytes(3, "little") + b"\0") * 2048
    return COMPRESS[algorithm](bytes(1 << 28))


@every_algorithm
def test_what_explodes_takes_no_memory(algorithm: Algorithm) -> None:
    packed = bomb(algorithm)
    tracemalloc.start()
    size = 0
    try:
        for piece in decoded([packed], algorithm, resource="file"):
            size += len(piece)
    except DamagedDump:
        assert algorithm == "zstd"  # the bomb has no last block
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 1 << 28
    assert peak < len(packed) + 16 * PIECE


def test_a_stream_that_asks_for_too_much_memory_is_refused_and_not_called_damaged() -> None:
    def refused(packed: bytes, algorithm: Algorithm) -> None:
        with pytest.raises(UnsupportedDump, match="more than 128 MiB of memory"):
            read(packed, algorithm)

    refused(lzma.compress(b"x", filters=[{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 30}]), "xz")
    refused(b"\x28\xb5\x2f\xfd\x00\xa0" + b"\x09\0\0a", "zstd")  # a window of 1 GiB
    assert read(lzma.compress(SMALL, preset=9), "xz") == (SMALL, "")
    assert read(zstandard.ZstdCompressor(level=22).compress(SMALL), "zstd") == (SMALL, "")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(COMPRESS)), st.binary(max_size=300), st.integers(0, 40), st.integers(1, 50))
def test_random_bytes_end_in_a_sentence(algorithm: Algorithm, noise: bytes, keep: int, size: int) -> None:
    for packed in (noise, COMPRESS[algorithm](SMALL)[:keep] + noise, COMPRESS[algorithm](SMALL) + noise):
        with contextlib.suppress(UnsupportedDump):  # a window as large as never was
            good, problem = read(packed, algorithm, size)
            assert problem or not packed or good == read(packed, algorithm)[0]
