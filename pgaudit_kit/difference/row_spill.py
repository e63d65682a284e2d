"""Rows and numbers of two sides that belong together by a hash: in memory while they are few, else divided into temporary files.

The same hash goes to the same division on both sides, so that divisions can be looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pgaudit_kit.rows.fingerprint import Hashes

DIVISIONS = 64
_HELD_BYTES = 16 << 20  # of both sides together
_LINE_BYTES = 60  # what a line takes beside its text


class _Files:
    """A temporary file of each division of each side, opened when it is first written. Use it as a context manager: they go with it."""

    def __init__(self) -> None:
        self._files: list[list[IO[bytes]]] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def _of_both_sides(self) -> list[list[IO[bytes]]]:
        if not self._files:
            opened = self._open
            self._files = [[opened.enter_context(TemporaryFile()) for _ in range(DIVISIONS)] for _ in range(2)]  # noqa: SIM115  the stack closes them
        return self._files


class SpilledLines(_Files):
    """Lines of two sides (0, 1) by hash."""

    def __init__(self) -> None:
        super().__init__()
        self._held: list[list[tuple[Hashes, list[bytes]]]] = [[], []]
        self._bytes = 0

    def add(self, side: int, hashes: Hashes, lines: list[bytes]) -> None:
        """Take in *lines* of a side with the hashes that say where they belong."""
        self._held[side].append((hashes, lines))
        self._bytes += sum(map(len, lines)) + _LINE_BYTES * len(lines)
        if self._bytes > _HELD_BYTES:
            self._write()

    def divisions(self) -> Iterator[tuple[list[bytes], list[bytes]]]:
        """Yield the lines of both sides, one division after the other."""
        if not self._files:
            left, right = ([line for _, lines in held for line in lines] for held in self._held)
            yield left, right
            return
        self._write()
        for left_file, right_file in zip(*self._files, strict=True):
            yield _lines_of(left_file), _lines_of(right_file)

    def _write(self) -> None:
        import numpy as np

        for held, files in zip(self._held, self._of_both_sides(), strict=True):
            parts: list[list[bytes]] = [[] for _ in range(DIVISIONS)]
            for hashes, lines in held:
                for division, line in zip((hashes % np.uint64(DIVISIONS)).tolist(), lines, strict=True):
                    parts[division].append(line)
            for lines, file in zip(parts, files, strict=True):
                file.writelines(line + b"\n" for line in lines)
            held.clear()
        self._bytes = 0


class SpilledHashes(_Files):
    """Hashes of two sides (0, 1), each as often as it was added."""

    def __init__(self) -> None:
        super().__init__()
        self.counts = [0, 0]
        self._held: list[list[Hashes]] = [[], []]

    def add(self, side: int, hashes: Hashes) -> None:
        """Take in *hashes* of a side."""
        self.counts[side] += len(hashes)
        self._held[side].append(hashes)
        if sum(part.nbytes for held in self._held for part in held) > _HELD_BYTES:
            self._write()

    def in_both(self) -> int:
        """How many of one side have a partner on the other."""
        return sum(_pairs(left, right) for left, right in self._divisions())

    def _divisions(self) -> Iterator[Sequence[Hashes]]:
        import numpy as np

        if self._files:
            self._write()
            for files in zip(*self._files, strict=True):
                yield [np.frombuffer(_content(file), np.uint64) for file in files]
        else:
            yield [np.concatenate(held) if held else np.empty(0, np.uint64) for held in self._held]

    def _write(self) -> None:
        import numpy as np

        for held, files in zip(self._held, self._of_both_sides(), strict=True):
            hashes = np.concatenate(held) if held else np.empty(0, np.uint64)
            division = hashes % np.uint64(DIVISIONS)
            for number, file in enumerate(files):
                file.write(hashes[division == number].tobytes())
            held.clear()


def _pairs(left: Hashes, right: Hashes) -> int:
    """How many pairs of equal numbers there are, each number in one pair only."""
    import numpy as np

    (a, times_a), (b, times_b) = (np.unique(side, return_counts=True) for side in (left, right))
    _, at_a, at_b = np.intersect1d(a, b, assume_unique=True, return_indices=True)
    return int(np.minimum(times_a[at_a], times_b[at_b]).sum())


def _content(file: IO[bytes]) -> bytes:
    file.seek(0)
    return file.read()


def _lines_of(file: IO[bytes]) -> list[bytes]:
    return _content(file).split(b"\n")[:-1]
