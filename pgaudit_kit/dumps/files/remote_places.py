"""Dumps behind a URL: over HTTP, or in any store that fsspec knows. No message names a credential."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

from pgaudit_kit.dumps.files.byte_stream import ByteStream
from pgaudit_kit.dumps.files.places import HandleStream, LocalPlace, Place, SpooledPlace, not_there
from pgaudit_kit.dumps.files.urls import shown_url
from pgaudit_kit.errors import DumpError, UsageError

WEB = re.compile(r"https?://", re.IGNORECASE)
"""What begins so is behind a web server, whose folders cannot be listed."""


def remote_place(url: str) -> tuple[Place | None, Any, str]:
    """Find what is behind *url*: a place, or for a folder None, the fsspec file system and the path in it.

    Raises DumpNotFound when there is nothing or it cannot be reached, UsageError for a scheme that nothing installed understands.
    """
    if WEB.match(url):
        from pgaudit_kit.dumps.files.http_place import http_place

        return http_place(url), None, ""
    shown = shown_url(url)
    try:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]
        from fsspec.implementations.local import LocalFileSystem  # type: ignore[import-untyped]

        system, path = url_to_fs(url)
        if isinstance(system, LocalFileSystem):
            return LocalPlace(Path(path)), None, ""
        facts = system.info(path)
        if facts.get("type") == "directory":
            return None, system, path
        return fsspec_place(system, path, shown), None, ""
    except ImportError as error:
        remedy = f"Install what fsspec needs for {url.partition(':')[0]}:// (s3fs, gcsfs, adlfs …), or fetch the file first."
        raise UsageError(f"{shown}: {error}", resource=shown, remedy=remedy) from None
    except ValueError:
        raise UsageError(f"{shown} is no URL of a known kind", resource=shown, remedy="Name a path, or a URL that fsspec knows.") from None
    except DumpError:
        raise
    except Exception as error:  # noqa: BLE001  # each store behind fsspec has exceptions of its own, which may name a credential
        raise not_there(shown, error) from None


def read_beside(url: str) -> bytes | None:
    """Return all bytes behind *url*, which stands beside a dump that was found; None when nothing is there. Raises DumpNotFound."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
        content: bytes = system.cat_file(path)
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001  # as above
        raise not_there(shown_url(url), error) from None
    return content


def names_beside(folder: str) -> list[str]:
    """Return the names of what lies in the folder behind the URL *folder*, in which a dump was found. Raises DumpNotFound."""
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(folder)
        return [str(name).rstrip("/").rpartition("/")[2] for name in system.ls(path, detail=False)]
    except Exception as error:  # noqa: BLE001  # as above
        raise not_there(shown_url(folder), error) from None


def fsspec_place(system: Any, path: str, shown: str) -> Place:
    """The file *path* of an fsspec file system; fetched first when it cannot seek. Raises DumpNotFound."""
    try:
        with system.open(path, "rb") as handle:
            if not handle.seekable():
                return SpooledPlace(handle.read, resource=shown)
            size = handle.seek(0, 2)
    except DumpError:
        raise
    except Exception as error:  # noqa: BLE001  # as above
        raise not_there(shown, error) from None
    return FsspecPlace(system, path, shown, size)


class FsspecPlace:
    """A file of an fsspec file system that can seek. It is opened anew for each stream."""

    path = None

    def __init__(self, system: Any, path: str, resource: str, size_bytes: int) -> None:
        self.resource = resource
        self.size_bytes = size_bytes
        self._system = system
        self._path = path
        self._lock = threading.Lock()

    @property
    def where(self) -> tuple[Any, str]:
        """The file system, and the path in it."""
        return self._system, self._path

    def open(self, offset: int) -> ByteStream:
        """A stream from *offset*. Raises DumpNotFound."""
        try:
            handle = self._system.open(self._path, "rb")
        except Exception as error:  # noqa: BLE001  # as above
            raise not_there(self.resource, error) from None
        return HandleStream(handle, min(offset, self.size_bytes), self.resource, lock=self._lock, owned=True)
