"""Operations need a dump that is a file of this machine."""

from __future__ import annotations

import gzip

import fsspec  # type: ignore[import-untyped]
import pytest

from pgaudit_kit.dumps.read_dump import read_dump
from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.restores.local_dump import local_path
from pgaudit_kit.operations.restores.restore import restore

SCRIPT = (
    b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE public.t (\n    a integer\n);\n\n--\n-- PostgreSQL database dump complete\n--\n\n"
)


def test_a_dump_behind_a_url_is_not_restored_and_says_what_to_do() -> None:
    system = fsspec.filesystem("memory")
    system.pipe("/app.sql.gz", gzip.compress(SCRIPT))
    with pytest.raises(UsageError, match=r"app\.sql\.gz is no local file.*Fetch it to this machine first"):
        local_path(read_dump("memory://app.sql.gz"))
    with pytest.raises(UsageError, match="is no local file"):
        restore(
            "memory://app.sql.gz", "postgresql://nobody@127.0.0.1:1/app", confirm=lambda _: True
        )  # refused before anything is connected to
    system.rm("/app.sql.gz")
