"""kill -9 of a backup: what is listed is whole, what is not whole is not listed, and the next one cleans up."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.kill_backups import kill_backups

KILLS = 30


@pytest.mark.skipif(sys.platform == "win32", reason="forks, and locks that end with their holder")
def test_backups_killed_at_random_moments_leave_a_whole_one_or_none(tmp_path: Path) -> None:
    with EmbeddedServer() as server:
        result = kill_backups(server, tmp_path / "store", KILLS, seed=20260131)
    assert not result.wrong, result
    assert result.ends["nothing"], result  # some were killed on their way, so it was worth while
    assert result.left["abandoned"] > 0, result
