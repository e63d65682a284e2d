"""A table of three million rows: backed up, changed in one of them, and brought back, each row proven."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pgaudit_kit as pk
from pgaudit_kit.operations.backups.backup import backup
from pgaudit_kit.operations.restores.restore import restore
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.verdict import Outcome

ROWS = 3_000_000
TABLE = f"""
CREATE TABLE numbers AS SELECT n AS id, 'row ' || n AS word FROM generate_series(1, {ROWS}) n;
ALTER TABLE numbers ADD PRIMARY KEY (id);
"""


def test_three_million_rows_come_back_all(make_app: Callable[..., str], store: Path, ask: Callable[[str, str], object]) -> None:
    url = make_app("millions", TABLE)
    made = backup(url, store=store, compression="gzip:1")
    name = TableName("public", "numbers")
    assert (made.verdict, made.manifest.table_data[name].rows) == (Outcome.PASSED, ROWS)
    ask(url, "WITH changed AS (UPDATE numbers SET word = 'other' WHERE id = 2999999 RETURNING 1) SELECT count(*) FROM changed")
    with pk.diff(made.path, url) as difference:
        (row,) = difference.rows(name).to_dict("records")
    assert (row["status"], row["key"]) == ("changed", "id=2999999")
    done = restore(made.path, url, confirm=lambda _: True, drop_old=True)
    assert (done.verdict, done.replaced) == (Outcome.PASSED, True), done.checks.to_string()
    assert {c.id for c in done.check_list} >= {"rows.count", "rows.fingerprint"}
    assert ask(url, "SELECT word FROM numbers WHERE id = 2999999") == "row 2999999"
