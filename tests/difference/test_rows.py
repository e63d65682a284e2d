"""Row differences against the obvious way to find them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pgaudit_kit.difference import row_candidates, row_matching, row_spill
from pgaudit_kit.difference.keys import RowKey
from pgaudit_kit.difference.row_candidates import Candidates
from pgaudit_kit.difference.rows import RowResult, RowShape, differing_rows, match, tally
from pgaudit_kit.errors import RowsNotAvailable
from pgaudit_kit.records.difference import Change, RowDifference, Status
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.fingerprint import fingerprint_of
from tests.fakes import FakeSource

T = TableName("public", "t")
COLUMNS = ("id", "name", "n")
ID = RowKey(("id",))
ROW = st.tuples(st.integers(0, 40).map(str), st.sampled_from(["a", "b", "\\N", ""]), st.integers(0, 2).map(str))
MIRRORED: dict[Status, Status] = {"only_left": "only_right", "only_right": "only_left", "changed": "changed"}
Row = tuple[str, ...]


@pytest.fixture(params=["roomy", "cramped"])
def memory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All in memory; and every bound so low that lines are dropped, read again, hashes divided over readings, and files written."""
    if request.param == "cramped":
        monkeypatch.setattr(row_candidates, "_KEPT_LINES_BYTES", 200)
        monkeypatch.setattr(row_candidates, "_FEW", 3)
        monkeypatch.setattr(row_candidates, "_MANY", 4)
        monkeypatch.setattr(row_matching, "_WINDOW", 2)
        monkeypatch.setattr(row_matching, "_WIDEST_WINDOW", 8)
        monkeypatch.setattr(Candidates, "MOST", 15)
        monkeypatch.setattr(row_spill, "_HELD_BYTES", 300)


def compare(left: FakeSource, right: FakeSource, key: RowKey | None, *, limit: int = 10_000) -> RowResult:
    return tally(match(left, right, T, COLUMNS), RowShape(COLUMNS, key), limit=limit)


def compare_rows(left: FakeSource, right: FakeSource, key: RowKey | None) -> list[RowDifference]:
    """All differing rows, found in both ways, which must agree."""
    result = compare(left, right, key)
    pairs = list(differing_rows(left, right, T, COLUMNS, key))
    described = [RowShape(COLUMNS, key).described(pair) for pair in pairs]
    assert sorted(map(str, described)) == sorted(map(str, result.listed))
    counted = Counter(d.status for d in described)
    assert (result.counts.missing, result.counts.extra, result.counts.changed) == tuple(counted[status] for status in MIRRORED)
    return described


def _source(rows: Sequence[Row], *, at_once: int = 7) -> FakeSource:
    """Rows that come *at_once* in a block."""
    return FakeSource(copy_text={T: (COLUMNS, b"".join("\t".join(r).encode() + b"\n" for r in rows))}, rows_at_once=at_once)


def _keyed(rows: list[Row]) -> dict[str, Row]:
    return {r[0]: r for r in rows}


SETTINGS = settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SETTINGS
@given(st.lists(ROW, max_size=40), st.lists(ROW, max_size=40))
@pytest.mark.usefixtures("memory")
def test_keyed_differences_are_exactly_those_of_two_dictionaries(left: list[Row], right: list[Row]) -> None:
    a, b = _keyed(left), _keyed(right)
    found = compare_rows(_source(list(a.values())), _source(list(b.values()), at_once=5), ID)
    assert {(d.status, d.key["id"]) for d in found} == {
        *(("only_left", k) for k in a.keys() - b.keys()),
        *(("only_right", k) for k in b.keys() - a.keys()),
        *(("changed", k) for k in a.keys() & b.keys() if a[k] != b[k]),
    }
    assert len(found) == len({(d.status, d.key["id"]) for d in found})
    back = compare_rows(_source(list(b.values())), _source(list(a.values())), ID)
    assert Counter((MIRRORED[d.status], d.key["id"]) for d in back) == Counter((d.status, d.key["id"]) for d in found)


@SETTINGS
@given(st.lists(ROW, max_size=30), st.lists(ROW, max_size=30))
@pytest.mark.usefixtures("memory")
def test_without_a_key_tables_are_multisets(left: list[Row], right: list[Row]) -> None:
    found = compare_rows(_source(left), _source(right), None)
    counts = Counter((d.status, tuple("\\N" if v is None else v for v in d.key.values())) for d in found)
    assert counts == Counter(
        {
            **{("only_left", k): n for k, n in (Counter(left) - Counter(right)).items()},
            **{("only_right", k): n for k, n in (Counter(right) - Counter(left)).items()},
        }
    )
    times = {pair.left: pair.times for pair in differing_rows(_source(left), _source(right), T, COLUMNS, None) if pair.left}
    lines = Counter("\t".join(row).encode() for row in left)
    assert times == {line: lines[line] for line in times}


@SETTINGS
@given(st.lists(ROW, max_size=60), st.randoms(use_true_random=False))
@pytest.mark.usefixtures("memory")
def test_the_same_rows_in_any_order_are_the_same(rows: list[Row], random: Random) -> None:
    shuffled = rows.copy()
    random.shuffle(shuffled)
    for key in (None, ID):
        matching = match(_source(rows), _source(shuffled, at_once=4), T, COLUMNS)
        assert matching.fingerprints[0] == matching.fingerprints[1] == fingerprint_of(_source(rows).row_blocks(T))
        assert tally(matching, RowShape(COLUMNS, key)).listed == ()


@pytest.mark.usefixtures("memory")
def test_a_changed_row_names_the_column_and_both_values() -> None:
    found = compare_rows(_source([("1", "a\\tb", "5")]), _source([("1", "\\N", "5")]), ID)
    assert found == [RowDifference("changed", {"id": "1"}, (Change("name", "a\tb", None),))]


@pytest.mark.usefixtures("memory")
def test_a_row_whose_unique_key_is_null_is_equal_to_no_other_unless_the_index_says_so() -> None:
    left = _source([("\\N", "a", "1"), ("1", "a", "2"), ("\\N", "b", "3")])
    right = _source([("\\N", "a", "1"), ("1", "a", "9"), ("\\N", "b", "4")])
    found = compare_rows(left, right, RowKey(("id",), "distinct"))
    assert Counter((d.status, d.key["id"]) for d in found) == {("changed", "1"): 1, ("only_left", None): 1, ("only_right", None): 1}
    one, other = (_source([("\\N", "a", n)]) for n in "12")
    assert [d.status for d in compare_rows(one, other, RowKey(("id",), "equal"))] == ["changed"]


@pytest.mark.usefixtures("memory")
@pytest.mark.parametrize(
    ("kind", "left", "right"),
    [
        ("numeric", b"10.50", b"10.5"),
        ("numeric", b"-7.00", b"-7"),
        ("citext", "Ä@b".encode(), "ä@B".encode()),
        ("character", b"a  ", b"a "),
    ],
)
def test_keys_that_are_equal_and_printed_otherwise_are_one_row(kind: str, left: bytes, right: bytes) -> None:
    key = RowKey(("a", "id"), kinds=("", kind))
    rows = [[b"x\t" + left + b"\t1\n", b"x\t100\t1\n"], [b"x\t100\t1\n", b"x\t" + right + b"\t1\n"]]
    matching = row_matching.match_rows(lambda: iter(rows[0]), lambda: iter(rows[1]))
    (found,) = tally(matching, RowShape(("a", "id", "v"), key)).listed
    assert (found.status, found.columns) == ("changed", (Change("id", left.decode(), right.decode()),))


def test_keys_that_are_printed_alike_are_paired_before_those_that_may_be_equal() -> None:
    """Under lc_ctype C, citext tells letters of no ASCII apart, and both rows may be there."""
    rows = [["Ä\t1\n".encode() + "ä\t1\n".encode()], ["ä\t2\n".encode()]]
    left, right = (FakeSource(copy_text={T: (("id", "v"), b"".join(side))}) for side in rows)
    key = RowKey(("id",), kinds=("citext",))
    pairs = {(p.key, p.status) for p in differing_rows(left, right, T, ["id", "v"], key)}
    assert pairs == {(("ä",), "changed"), (("Ä",), "only_left")}


def test_a_key_that_is_all_of_a_row_pairs_it_too() -> None:
    left, right = (FakeSource(copy_text={T: (("id",), text)}) for text in (b"1\n7\n", b"1.0\n7\n"))
    (pair,) = differing_rows(left, right, T, ["id"], RowKey(("id",), kinds=("numeric",)))
    assert (pair.status, pair.left, pair.right) == ("changed", b"1", b"1.0")


def test_keys_of_several_columns_in_any_place() -> None:
    left = _source([("1", "a", "x"), ("1", "b", "x"), ("2", "a", "x")])
    right = _source([("1", "b", "x"), ("1", "a", "y"), ("3", "a", "x")])
    found = compare_rows(left, right, RowKey(("name", "id")))
    assert {(d.status, *d.key.items()) for d in found} == {
        ("changed", ("name", "a"), ("id", "1")),
        ("only_left", ("name", "a"), ("id", "2")),
        ("only_right", ("name", "a"), ("id", "3")),
    }


@pytest.mark.usefixtures("memory")
def test_every_row_is_counted_and_some_are_listed_with_their_partners() -> None:
    left = [(str(i), "a", "0") for i in range(200)]
    right = [(str(i), "b", "0") for i in range(100, 300)]
    result = compare(_source(left, at_once=30), _source(right, at_once=20), ID, limit=50)
    assert (result.counts.missing, result.counts.changed, result.counts.extra) == (100, 100, 100)
    assert len(result.listed) == 50
    for row in result.listed:
        at = int(row.key["id"] or "")
        assert row.status == ("only_left" if at < 100 else "changed" if at < 200 else "only_right")
        assert row.columns == ((Change("name", "a", "b"),) if row.status == "changed" else ())
    without_key = compare(_source(left, at_once=30), _source(right, at_once=20), None, limit=50)
    assert (without_key.counts.missing, without_key.counts.changed, without_key.counts.extra) == (200, 0, 200)
    assert len(without_key.listed) == 50


def test_rows_in_the_same_order_are_read_once_and_none_is_held_as_long_as_few_differ() -> None:
    left = [(str(i), "a", "0") for i in range(50_000)]
    right = [(i, "b" if i == "777" else n, z) for i, n, z in left if i not in ("3", "40000")] + [("x", "y", "z")]
    sources = _source(left, at_once=3000), _source(right, at_once=250)
    result = compare(*sources, ID)
    assert [(d.status, d.key["id"]) for d in result.listed] == [
        ("only_left", "3"),
        ("changed", "777"),
        ("only_left", "40000"),
        ("only_right", "x"),
    ]
    assert [source.readings for source in sources] == [1, 1]
    lefts, rights = Candidates(), Candidates()
    row_matching._read(lambda: sources[0].row_blocks(T), lambda: sources[1].row_blocks(T), lefts, rights, None)
    assert len(lefts) + len(rights) < 20


def test_a_table_that_is_rewritten_between_two_readings_is_no_difference_but_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_candidates, "_KEPT_LINES_BYTES", 0)
    left, right = _source([("1", "a", "0"), ("2", "a", "0")]), _source([("1", "b", "0")])
    matching = match(left, right, T, COLUMNS)
    left.copy_text[T] = (COLUMNS, b"2\ta\t0\n1\ta\t0\n")
    with pytest.raises(RowsNotAvailable, match="changed while they were compared"):
        list(matching.unmatched())
