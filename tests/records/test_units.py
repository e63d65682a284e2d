"""Counts as people write them."""

from __future__ import annotations

import pytest

from pgaudit_kit.records.units import many


@pytest.mark.parametrize(
    ("count", "thing", "things", "said"),
    [
        (0, "row", "", "0 rows"),
        (1, "row", "", "1 row"),
        (2000, "foreign key", "", "2,000 foreign keys"),
        (1, "index", "indexes", "1 index"),
        (2, "index", "indexes", "2 indexes"),
    ],
)
def test_one_thing_is_not_several(count: int, thing: str, things: str, said: str) -> None:
    assert many(count, thing, things) == said
