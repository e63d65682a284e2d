"""Bytes that are unpacked while those before them are looked at: both let go of Python's lock, so two cores work."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

# So many pieces, of about 1 MiB, come without a thread, whose start costs more than they do; and so many wait at most.
_WITHOUT_THREAD = 8
_WAITING = 4


def read_ahead(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield *pieces*, made by a thread that is a few ahead. What they raise is raised behind the last one.

    When this ends or is closed, the thread has ended, too, and nobody else touches *pieces* any more.
    """
    for count, piece in enumerate(pieces, start=1):
        yield piece
        if count == _WITHOUT_THREAD:
            yield from _threaded(pieces)
            return


def _threaded(pieces: Iterator[bytes]) -> Iterator[bytes]:
    ready: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    room = threading.Semaphore(_WAITING)
    stop = threading.Event()
    raised: list[BaseException] = []

    def make() -> None:
        try:
            for piece in pieces:
                ready.put(piece)
                room.acquire()
                if stop.is_set():
                    return
        except BaseException as error:  # noqa: BLE001  # whatever it is, it belongs to the one who reads
            raised.append(error)
        finally:
            ready.put(None)

    thread = threading.Thread(target=make, name="pgaudit-read-ahead", daemon=True)
    thread.start()
    try:
        while (piece := ready.get()) is not None:
            room.release()
            yield piece
    finally:
        stop.set()
        room.release()
        thread.join()
    if raised:
        raise raised[0]
