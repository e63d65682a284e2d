"""A transaction looked at from inside, before it is committed."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.snapshot import Snapshot, snapshot
from pgaudit_kit.server.targets import resolve_target


def test_it_sees_what_is_not_committed_writes_nothing_and_is_not_closed(make_database: Callable[..., str]) -> None:
    url = make_database()
    target = resolve_target(url)
    with connect(target, read_only=False) as connection:
        connection.execute("CREATE TABLE t (a int); INSERT INTO t SELECT generate_series(1, 7)")
        with Snapshot(target, within=connection) as inside:
            assert inside.fingerprint(TableName("public", "t")).rows == 7
            assert "t" in {o.key.name for o in inside.inventory.objects}
            with pytest.raises(UsageError, match="cannot be seen over another connection"):
                inside.view()
            with snapshot(url) as outside:
                assert TableName("public", "t") not in outside.table_data
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), connection.transaction():
            connection.execute("INSERT INTO public.t VALUES (8)")
        connection.commit()
    with snapshot(url) as after:
        assert after.fingerprint(TableName("public", "t")).rows == 7
