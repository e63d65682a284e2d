"""Real databases made by other people: loaded, dumped, and compared with where the dump came from. Nothing may differ."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.embedded_server import EmbeddedServer

DATABASES = [
    "plain/chinook-data.sql",
    "plain/netflix-data.sql",
    "plain/pagila-data.sql",
    "plain/periodic-table-data.sql",
    "plain/titanic-data.sql",
    "archives/dvdrental-pg11.tar",
]


def _load(server: EmbeddedServer, file: Path, url: str) -> None:
    if file.suffix == ".tar":
        command = ["pg_restore", "--exit-on-error", "--no-owner", "-d", url, str(file)]
    else:
        command = ["psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-f", str(file), url]
    subprocess.run([str(server.bin_folder / command[0]), *command[1:]], check=True, capture_output=True)


@pytest.mark.parametrize("name", DATABASES)
def test_a_dump_of_a_real_database_is_the_same_as_that_database(
    server: EmbeddedServer, corpus: Path, make_database: Callable[..., str], tmp_path: Path, name: str
) -> None:
    url = make_database()
    _load(server, corpus / name, url)
    for dump_format in ("plain", "custom", "directory", "tar"):
        file = tmp_path / dump_format
        subprocess.run([str(server.bin_folder / "pg_dump"), f"--format={dump_format}", "-f", str(file), url], check=True)
        with diff(str(file), url) as difference:
            assert difference.object_differences == ()
            assert difference.table_differences == ()
            assert difference.verdict == "same"
            rows = sum(t.rows_left or 0 for t in difference.all_tables)
            assert rows > 100, "a comparison of next to nothing proves next to nothing"
            assert difference.compared > len(difference.all_tables)
