"""Dumps behind a URL of HTTP, read by ranges of bytes with the standard library: fsspec's own way needs aiohttp."""

from __future__ import annotations

import base64
import http.client
import urllib.error
import urllib.request
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote, urlsplit, urlunsplit

from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.dumps.files.compression import PIECE
from pgaudit_kit.dumps.files.places import Place, SpooledPlace, not_there, unreachable
from pgaudit_kit.dumps.files.urls import shown_url
from pgaudit_kit.errors import DumpNotFound

_TRIES = 4
_TIMEOUT = 60  # seconds without a byte
_PARTIAL = 206


def http_place(url: str) -> Place:
    """What is behind a URL of HTTP: read by ranges where the server can, fetched into an anonymous file where not. Raises DumpNotFound.

    A fragment never reaches a server, so it is no part of a file's name: a URL with one names no file.
    """
    shown = shown_url(url)
    if "#" in url:
        raise DumpNotFound(f"{shown}: what stands behind a # names no file", resource=shown, remedy="Give the URL of a file.")
    with _request(url, 0, shown) as answer:
        total = answer.headers.get("Content-Range", "").rpartition("/")[2]
        if answer.status == _PARTIAL and total.isdecimal() and not answer.headers.get("Content-Encoding"):
            return _HttpPlace(url, shown, int(total))
    with _request(url, None, shown) as answer:
        return SpooledPlace(_whole(answer, shown), resource=shown)


class _HttpPlace:
    path = None

    def __init__(self, url: str, resource: str, size_bytes: int) -> None:
        self.resource = resource
        self.size_bytes = size_bytes
        self._url = url

    def __repr__(self) -> str:
        return f"<{self.resource}>"

    def open(self, offset: int) -> ByteStream:
        return _HttpStream(self._url, self.resource, min(offset, self.size_bytes), self.size_bytes)


class _HttpStream:
    """The bytes of one answer after another: a connection that breaks is made again where it broke."""

    def __init__(self, url: str, resource: str, position: int, end: int) -> None:
        self._url = url
        self._resource = resource
        self._position = position
        self._end = end
        self._answer: http.client.HTTPResponse | None = None

    def read(self, size: int) -> bytes:
        problem: Exception = EOFError()
        for _ in range(_TRIES):
            if self._position >= self._end:
                return b""
            try:
                if self._answer is None:
                    self._answer = _request(self._url, self._position, self._resource)
                    if self._answer.status != _PARTIAL:
                        break
                given = self._answer.read(min(size, self._end - self._position))
            except (OSError, http.client.HTTPException) as error:
                problem, given = error, b""
            if given:
                self._position += len(given)
                return given
            self._close()
        raise unreachable(self._resource, self._position, problem)

    def readinto(self, view: memoryview) -> int:
        given = self.read(len(view))
        view[: len(given)] = given
        return len(given)

    def _close(self) -> None:
        if self._answer is not None:
            self._answer.close()
            self._answer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close()

    def __del__(self) -> None:
        self._close()


def _whole(answer: http.client.HTTPResponse, shown: str) -> Any:
    """A read function over the whole answer, which has to be as long as it says."""
    got = 0

    def read(size: int) -> bytes:
        nonlocal got
        try:
            piece = answer.read(min(size, PIECE))
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(shown, got, error) from None
        got += len(piece)
        if not piece and answer.length:
            raise unreachable(shown, got, EOFError())
        return piece

    return read


def _request(url: str, offset: int | None, shown: str) -> http.client.HTTPResponse:
    """Ask for the bytes from *offset* on (None: for all). Raises DumpNotFound."""
    try:
        split = urlsplit(url)
        user, _, host = split.netloc.rpartition("@")
        request = urllib.request.Request(urlunsplit((split.scheme, host, split.path, split.query, "")))  # noqa: S310  # http or https
        request.add_header("Accept-Encoding", "identity")
        if offset is not None:
            request.add_header("Range", f"bytes={offset}-")
        if user:
            name, _, password = user.partition(":")
            token = base64.b64encode(f"{unquote(name)}:{unquote(password)}".encode()).decode()
            request.add_unredirected_header("Authorization", f"Basic {token}")
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=_TIMEOUT)  # noqa: S310  # as above
    except urllib.error.HTTPError as error:
        error.close()
        if offset == 0 and error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _request(url, None, shown)  # an empty file has no byte 0
        what = f"{shown} answers {error.code} {error.reason}"
        raise DumpNotFound(what, resource=shown, remedy="Check the URL and who may read it.") from None
    except urllib.error.URLError as error:
        reason = error.reason if isinstance(error.reason, Exception) else error
        raise not_there(shown, reason) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise not_there(shown, error) from None
    return answer
