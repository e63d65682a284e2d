from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg

from pgaudit_kit.operations.backups.backup import Backup, backup
from pgaudit_kit.operations.store.open_store import open_store
from pgaudit_kit.records.verdict import Outcome

MakeApp = Callable[..., str]


def run(url: str, script: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(script.encode())


def incremental(url: str, store: Path, **options: object) -> Backup:
    return backup(url, store=store, incremental=True, **options)  # type: ignore[arg-type]


def test_an_incremental_backup_is_verified_and_listed(make_app: MakeApp, store: Path) -> None:
    url = make_app("inc_first")
    made = incremental(url, store)
    assert made.verdict is Outcome.PASSED, made.checks.to_string()
    [kept] = open_store(store).backups()
    assert (kept.format, kept.rows, kept.is_proven) == ("incremental", 2500, True)
    again = incremental(url, store)
    assert again.verdict is Outcome.PASSED, again.checks.to_string()
    assert again.incremental
    print(again.incremental)
    assert again.incremental["tables_reused"] == ["public.messages", "public.users"]
    assert again.incremental["new_bytes"] == 0
