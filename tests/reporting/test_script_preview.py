"""A script's preview shows how it begins, says what it leaves out, and makes no more of it than it shows."""

from __future__ import annotations

from collections.abc import Iterator

from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.reporting import preview


def test_long_scripts_statements_and_lines_are_shortened_and_it_is_said() -> None:
    made: list[int] = []

    def script() -> Iterator[str]:
        for number in range(1_000_000):
            made.append(number)
            yield "INSERT INTO t VALUES\n" + "\n".join(f"  ({number}, '{'x' * 900}')" for _ in range(500)) + ";\n"

    shown = preview(script(), "The script", limit=3)
    assert len(made) == 4
    assert shown.text.count("INSERT INTO") == 3
    assert "-- … 496 more lines of this statement" in shown.text
    assert shown.text.endswith("-- … and so on")
    assert len(shown._repr_html_()) < 10_000


def test_what_stands_in_it_is_escaped() -> None:
    assert "<b>" not in preview(["SELECT '<b>';"], "A <b>")._repr_html_().partition("</style>")[2]


def test_a_script_that_cannot_be_made_is_its_reason() -> None:
    def script() -> Iterator[str]:
        raise RowsNotAvailable("public.t is gone", table="t")
        yield ""

    assert preview(script(), "The script").text == "-- no script: public.t is gone"
