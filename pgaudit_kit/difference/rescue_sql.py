"""The SQL of a rescue for one table: rows into temporary tables, from there into the live one, and the check that they are there.

Values are compared as text: every type has one, and no operator of an extension is needed. Keys of which values that print otherwise
are equal are compared by the server's own `=`, which all of their types have in pg_catalog. What writes runs under the search_path of
the application, so its operators are those that pg_catalog has for the very types; what judges runs under an empty one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pgaudit_kit.difference.equal_values import Kind
from pgaudit_kit.difference.rows import RowPair
from pgaudit_kit.difference.sequence_feeds import SequenceFeed
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.rows.copy_text import decode_line

_ROWS_PER_INSERT = 500
_BYTES_PER_INSERT = 1 << 20
NO_PATH = "SELECT pg_catalog.set_config('search_path', '', true);\n"


@dataclass(frozen=True, slots=True)
class UniqueValues:
    """Columns of which each row has other values, and what one of them, `column`, can be `meanwhile` (SQL): a value that no row has."""

    columns: tuple[str, ...]
    column: str
    meanwhile: str


@dataclass(frozen=True)
class TableRescue:
    """How the rows of `table` come back, over `columns`, told apart by `key` (() for a multiset of rows); `number` makes names unique.

    `unset` are columns that no UPDATE may set (GENERATED ALWAYS AS IDENTITY); `retyped` those whose type is not that of the dump any
    more, with the type they have now: a value that this type would change is refused. With *may_be_null*, only changed rows are told by
    their key, which is not NULL unless NULLs are one value there (*nulls_equal*). *kinds*: those of the key (`keys.RowKey`).
    *unique*: other keys, whose values rows may have exchanged. Without *is_key* the live table lets several rows have the same key.
    *partitioned*: its rows lie in partitions, into which the server puts them.
    """

    table: TableName
    columns: tuple[str, ...]
    key: tuple[str, ...]
    number: int
    unset: frozenset[str] = frozenset()
    retyped: tuple[tuple[str, str], ...] = ()
    may_be_null: bool = False
    nulls_equal: bool = False
    kinds: tuple[Kind, ...] = ()
    unique: tuple[UniqueValues, ...] = ()
    is_key: bool = True
    partitioned: bool = False

    @property
    def _by_key(self) -> bool:
        """Whether lost rows are looked for by key: not by one that can be NULL, which is equal to nothing when the script runs again."""
        return bool(self.key) and not self.may_be_null

    def stage(self, pairs: Iterable[RowPair]) -> Iterator[str]:
        """Yield the statements that bring the old values of *pairs* into the temporary tables `lost` and `changed`."""
        waiting: dict[str, list[str]] = {self._lost: [], self._changed: []}
        sizes = dict.fromkeys(waiting, 0)
        texts = (f"NULL::text AS {self._text_of(number)}" for number in range(len(self.retyped)))
        times = () if self._by_key else (f"1::bigint AS {self._times}",)  # a table can have no more than 1,600 columns, and may have them
        held = ", ".join([*map(quoted, self.columns), *times, *texts])
        shape = f"SELECT {held} FROM {self._rows} WITH NO DATA"
        yield from (f"CREATE TEMPORARY TABLE {place} ON COMMIT DROP AS {shape};\n" for place in waiting)
        for pair in pairs:
            place = self._lost if pair.right is None else self._changed
            waiting[place].append(self._row(pair))
            sizes[place] += len(waiting[place][-1])
            if len(waiting[place]) == _ROWS_PER_INSERT or sizes[place] > _BYTES_PER_INSERT:
                yield _insert(place, waiting[place])
                waiting[place], sizes[place] = [], 0
        yield from (_insert(place, rows) for place, rows in waiting.items() if rows)
        for number, (column, kind) in enumerate(self.retyped):
            rows = " UNION ALL ".join(f"SELECT {quoted(column)}::text AS now, {self._text_of(number)} AS old FROM {p}" for p in waiting)
            message = f"column {column} of {self.table} is {kind} now, which would change"
            yield _refusing(f"SELECT FROM ({rows}) AS v WHERE v.now IS DISTINCT FROM v.old", message, "values, so nothing was changed")

    def put_back(self) -> str:
        """The statement that inserts the lost rows that are not there now."""
        columns = f" ({_list(self.columns)})" if self.columns else ""
        into = f"INSERT INTO {qualified(self.table)}{columns} OVERRIDING SYSTEM VALUE\n  SELECT {_list(self.columns, 'lost')}"
        if self._by_key:
            return f"{into} FROM {self._lost} AS lost\n  WHERE NOT EXISTS (SELECT {self._live} WHERE {self._same_key});\n"
        times = f"lost.{self._times} - coalesce(there.times, 0)"
        return f"{into} FROM {self._lost} AS lost {self._there},\n    LATERAL pg_catalog.generate_series(1, {times});\n"

    def revert(self) -> Iterator[str]:
        """Yield the statements that give changed rows their old values, if the table has a key and other columns."""
        if self.key and not self.is_key:
            there = f"SELECT {self._live} JOIN {self._changed} AS lost ON {self._same_key}"
            several = f"{there} GROUP BY lost.ctid HAVING pg_catalog.count(*) > 1"
            yield _refusing(several, f"rescue of {self.table}:", "changed rows share their key with others now, so nothing was changed")
        if self.key:
            yield from map(self._give_way, self.unique)
        printed_otherwise = {c for c, kind in zip(self.key, self.kinds, strict=False) if kind}
        if self.key and (columns := [c for c in self._settable if c not in self.key or c in printed_otherwise]):
            values = ", ".join(f"{quoted(c)} = lost.{quoted(c)}" for c in columns)
            different = f"{self._same_key} AND NOT {_same_text(columns)}"
            yield f"UPDATE {self._rows} AS live SET {values}\n  FROM {self._changed} AS lost WHERE {different};\n"

    def _give_way(self, unique: UniqueValues) -> str:
        """The statement by which changed rows let go of unique values that others of them had: indexes are asked row by row."""
        have, want, wanted = (f"ROW({_list(unique.columns, of)})::text" for of in ("live", "lost", "other"))
        return (
            f"WITH given AS (\n  SELECT live.tableoid AS part, live.ctid AS place, pg_catalog.row_number() OVER () AS number\n"
            f"    {self._live} JOIN {self._changed} AS lost ON {self._same_key} WHERE {have} <> {want}\n"
            f"    AND {have} IN (SELECT {wanted} FROM {self._changed} AS other)\n"
            f") UPDATE {self._rows} AS live SET {quoted(unique.column)} = {unique.meanwhile}\n"
            f"  FROM given WHERE live.tableoid = given.part AND live.ctid = given.place;\n"
        )

    def check(self, *, reverted: bool) -> str:
        """The statement that fails unless every row is there: with its old values when this transaction wrote it.

        Of rows that were back already, somebody may have changed one since: that is no fault of this script.
        """
        there = f"SELECT {self._live} WHERE {self._same_key} AND" if self.key else ""
        if self._by_key:
            own = "live.xmin::text = (pg_catalog.txid_current() % 4294967296)::text"
            wrong = f"SELECT FROM {self._lost} AS lost WHERE NOT EXISTS ({there} ({_same_text(self.columns)} OR NOT {own}))"
        else:
            wrong = f"SELECT FROM {self._lost} AS lost {self._there} WHERE lost.{self._times} > coalesce(there.times, 0)"
        if self.key and reverted:
            wrong += f"\n    UNION ALL SELECT FROM {self._changed} AS lost WHERE NOT EXISTS ({there} {_same_text(self.columns)})"
        return _refusing(wrong, f"rescue of {self.table}:", "rows are not as they were, so nothing was changed")

    @property
    def _settable(self) -> list[str]:
        return [c for c in self.columns if c not in self.unset]

    @property
    def _live(self) -> str:
        return f"FROM {self._rows} AS live"

    @property
    def _rows(self) -> str:
        return rows_of(self.table, partitioned=self.partitioned)

    @property
    def _there(self) -> str:
        """How often each row is there now, joined to `lost`."""
        text = f"ROW({_list(self.columns, 'live')})::text"
        counted = f"SELECT {text} AS row_text, pg_catalog.count(*) AS times {self._live} GROUP BY 1"
        return f"LEFT JOIN ({counted}) AS there ON there.row_text = ROW({_list(self.columns, 'lost')})::text"

    @property
    def _times(self) -> str:
        """The column that says how often a row without a key must be there."""
        return self._own("pgaudit times")

    def _text_of(self, number: int) -> str:
        """The column that keeps a value as the dump has it."""
        return self._own(f"pgaudit text {number}")

    def _own(self, name: str) -> str:
        """A column beside those of the table, whatever theirs are called."""
        while name in self.columns:
            name += "+"
        return quoted(name)

    @property
    def _lost(self) -> str:
        return f"pg_temp.pgaudit_lost_{self.number}"

    @property
    def _changed(self) -> str:
        return f"pg_temp.pgaudit_changed_{self.number}"

    @property
    def _same_key(self) -> str:
        kinds = self.kinds or ("",) * len(self.key)
        return " AND ".join(_same_value(c, kind, nulls_equal=self.nulls_equal) for c, kind in zip(self.key, kinds, strict=True))

    def _row(self, pair: RowPair) -> str:
        values = dict(zip(self.columns, decode_line(pair.left or b"") if self.columns else (), strict=True))
        texts = (values[column] for column, _ in self.retyped)
        times = [] if self._by_key else [str(pair.times)]
        return f"({', '.join([*map(_value, values.values()), *times, *map(_value, texts)])})"


def forward(feed: SequenceFeed, then: str | None) -> str:
    """The statement that sets the sequence of *feed* to the furthest value in use, if that is beyond where it stands and within its bounds.

    One that cycles goes no further than where it stood *then*: beyond that it has begun anew.
    """
    furthest, beyond = ("min", "<") if feed.descends else ("max", ">")
    if feed.cycles and then is None:
        return f"-- {feed.name} begins anew at its end, and where it stood is not known: it is left alone\n".replace("\n", " ") + "\n"
    used = " UNION ALL ".join(f"SELECT pg_catalog.{furthest}({quoted(c)})::numeric AS value FROM {qualified(t)}" for t, c in feed.columns)
    name = f"{literal(qualified(feed.name))}::pg_catalog.regclass"
    not_anew = f"\n  AND NOT used.value {beyond} {then}" if feed.cycles else ""
    return (
        f"SELECT pg_catalog.setval({name}, used.value::bigint, true)\n"
        f"  FROM (SELECT pg_catalog.{furthest}(value) AS value FROM ({used}) AS each) AS used, {qualified(feed.name)} AS state,\n"
        f"    pg_catalog.pg_sequence AS bounds WHERE bounds.seqrelid = {name} AND used.value BETWEEN bounds.seqmin AND bounds.seqmax\n"
        f"  AND (used.value {beyond} state.last_value OR (used.value = state.last_value AND NOT state.is_called)){not_anew};\n"
    )


def _same_text(columns: Sequence[str]) -> str:
    return f"ROW({_list(columns, 'live')})::text = ROW({_list(columns, 'lost')})::text"


def _same_value(column: str, kind: Kind, *, nulls_equal: bool) -> str:
    """Whether a column of a key has the same value, which may be printed otherwise now."""
    live, lost = (f"{side}.{quoted(column)}" for side in ("live", "lost"))
    if not kind and nulls_equal:
        return f"ROW({live})::text = ROW({lost})::text"  # unlike IS NOT DISTINCT FROM, hashes can answer it
    same = "IS NOT DISTINCT FROM" if nulls_equal else "="
    if kind == "citext":
        return f"pg_catalog.lower({live}::text) {same} pg_catalog.lower({lost}::text)"
    if kind and kind != "character":
        neither = f" OR pg_catalog.num_nulls({live}, {lost}) = 2" if nulls_equal else ""
        return f"({live} OPERATOR(pg_catalog.=) {lost}{neither})"
    return f"{live}::text {same} {lost}::text"  # of character(n) without the blanks at its end


def _refusing(wrong: str, before: str, after: str) -> str:
    """Return the statement that fails, saying how many, when the query *wrong* finds rows."""
    message = f"{before.replace('%', '%%')} % {after}"
    body = (
        "DECLARE wrong bigint; path text := pg_catalog.current_setting('search_path'); BEGIN\n"
        f"  PERFORM pg_catalog.set_config('search_path', '', true);\n  SELECT pg_catalog.count(*) INTO wrong FROM ({wrong}) AS w;\n"
        f"  IF wrong > 0 THEN RAISE EXCEPTION {literal(message)}, wrong; END IF;\n"
        f"  PERFORM pg_catalog.set_config('search_path', path, true);\nEND"
    )
    return f"DO LANGUAGE plpgsql {literal(body)};\n"


def _value(value: str | None) -> str:
    return "NULL" if value is None else literal(value)


def _insert(place: str, rows: Sequence[str]) -> str:
    return f"INSERT INTO {place} VALUES\n  " + ",\n  ".join(rows) + ";\n"


def _list(columns: Sequence[str], of: str = "") -> str:
    return ", ".join((f"{of}." if of else "") + quoted(c) for c in columns)


def rows_of(table: TableName, *, partitioned: bool) -> str:
    """The table in a FROM: without those that inherit from it, whose rows are their own."""
    return ("" if partitioned else "ONLY ") + qualified(table)


def qualified(table: TableName) -> str:
    """Schema and name, both quoted."""
    return f"{quoted(table.schema)}.{quoted(table.name)}"


def quoted(name: str) -> str:
    """A name in double quotes, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string as standard_conforming_strings = on reads it."""
    return "'" + text.replace("'", "''") + "'"
