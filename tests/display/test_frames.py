"""Frames have the columns and dtypes that are written down, filled or empty."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pgaudit_kit.display.frames import SCHEMAS, SPAN, TIME, frame


@pytest.mark.parametrize("schema", SCHEMAS)
@pytest.mark.parametrize("rows", [0, 2])
def test_columns_and_dtypes_do_not_depend_on_the_content(schema: str, rows: int) -> None:
    columns = SCHEMAS[schema]
    samples = {"Int64": 5, "Float64": 0.5, "boolean": True, TIME: datetime(2026, 1, 2, tzinfo=UTC), SPAN: timedelta(hours=3)}
    values = [samples.get(dtype, "x") for dtype in columns.values()]
    made = frame(schema, [values] * rows)
    assert list(made.columns) == list(columns)
    assert [str(t) for t in made.dtypes] == list(columns.values())
    assert len(made) == rows
