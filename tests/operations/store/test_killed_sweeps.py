"""A hundred sweeps that are killed, while a backup runs: no backup that is kept loses a row."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.kill_sweeps import kill_sweeps

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forks")


@pytest.mark.slow
def test_a_hundred_killed_sweeps_lose_nothing(tmp_path: Path) -> None:
    result = kill_sweeps(str(tmp_path / "store"), 100, seed=3)
    assert result.wrong == []
    assert result.kills >= 100
    assert result.backups_read > 100
    assert result.left[".condemned"] > 5  # some were killed in the middle


def test_killed_sweeps_of_a_bucket_lose_nothing(s3_url: str) -> None:
    result = kill_sweeps(s3_url, 4, seed=4, longest=2)
    assert result.wrong == []
    assert result.backups_read
