"""Fingerprints of rows that lie bare in a local file, shared out between processes."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from pgaudit_kit.dumps.row_ranges import RowRange
from pgaudit_kit.records.fingerprint import Fingerprint
from pgaudit_kit.rows.worker_processes import workers

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_Key = TypeVar("_Key")


def fingerprints_of(
    ranges: Mapping[_Key, Sequence[RowRange]], wanted: Mapping[_Key, tuple[str, ...]], *, processes: int
) -> dict[_Key, Fingerprint]:
    """Return the fingerprint of all *ranges* of each key, over the columns *wanted* of it, made by that many other processes.

    What one of them could not read, or did not live to tell, is left out: whoever reads it again gets the error, or the result.
    """
    from multiprocessing.connection import wait

    waiting = deque((key, part) for key, whole in ranges.items() for stretch in whole for part in stretch.cut())
    totals = dict.fromkeys(ranges, Fingerprint())
    with workers(processes) as idle:
        busy: dict[Connection, _Key] = {}
        while (idle and waiting) or busy:
            while idle and waiting:
                connection = idle.pop()
                key, part = waiting.popleft()
                busy[connection] = key
                with suppress(OSError):  # it is gone: reading from it says so
                    connection.send(partial(part.fingerprint, wanted[key]))
            for ready in wait(list(busy)):
                connection = ready  # type: ignore[assignment]  # only connections were waited for
                key = busy.pop(connection)
                try:
                    found = connection.recv()
                except (EOFError, OSError):
                    totals.pop(key, None)
                    continue
                idle.append(connection)
                if found is None:
                    totals.pop(key, None)
                elif key in totals:
                    totals[key] += found
    for key, _ in waiting:  # no worker is left
        totals.pop(key, None)
    return totals
