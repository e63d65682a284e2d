"""Random schemas and rows for hypothesis: names, values and texts that a reader can stumble over."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from psycopg import sql

# pieces of which names and texts are made beside ordinary letters
_PIECES = [
    *(
        '"',
        "'",
        "\\",
        "\\.",
        "\n",
        "\r",
        "\r\n",
        "\t",
        "\x01",
        "\x07",
        "\x08",
        "\x0b",
        "\x0c",
        "\x1b",
        "\x7f",
        "\x85",
        "\u2028",
        " ",
        ";",
        "--",
    ),
    *(
        "$$",
        "$_$",
        "$",
        "(",
        ")",
        ",",
        "{",
        "}",
        "/*",
        "*/",
        "\\N",
        "NULL",
        "\n\\.\n",
        "COPY x (a) FROM stdin;\n",
        "; Type: TABLE; Schema: s; Owner: o",
    ),
    *(
        "\n--\n-- Name: evil; Type: TABLE; Schema: public; Owner: me\n--\n",
        "INSERT INTO x VALUES (1);\n",
        "E'",
        "\\connect x\n",
        "select",
        "Ü",
        "漢字",
        "😀",
    ),
    *("ﬁ", "\u0301", "\ufeff", "\u200b", "a", "b", "A", "0", "_", "é", "\n\n", "\\x41", "\\101", "'';", "public.", "."),
]
_LETTERS = st.one_of(st.sampled_from(_PIECES), st.characters(exclude_characters="\x00", exclude_categories=["Cs"]))


def _within_bytes(limit: int) -> st.SearchStrategy[str]:
    def cut(text: str) -> str:
        return text.encode()[:limit].decode("utf-8", "ignore")

    return st.lists(_LETTERS, min_size=1, max_size=12).map("".join).map(cut)


# NAMEDATALEN - 1 bytes; a name that begins with pg_ is refused for schemas
names = _within_bytes(63).filter(lambda name: bool(name) and not name.startswith("pg_"))
texts = st.one_of(
    st.lists(_LETTERS, max_size=12).map("".join),
    st.sampled_from(["", "\\.", "\\N", "\n", "\\", "\t"]),
    st.builds(lambda piece, times: piece * times, st.sampled_from(_PIECES), st.integers(1, 3000)),
)
_moments = st.datetimes().map(lambda moment: moment.isoformat(sep=" "))
_numbers = st.decimals(allow_nan=False, allow_infinity=False)
_arrays = st.lists(st.one_of(st.none(), texts), max_size=4)

# type → strategy of values as parameters
VALUES: dict[str, st.SearchStrategy[object]] = {
    "text": texts,
    "character varying(200)": _within_bytes(200),
    "character(7)": _within_bytes(7),
    '"char"': st.sampled_from(["", "a", "\\", "\t", "\x7f"]),
    "name": _within_bytes(63),
    "bytea": st.binary(max_size=60),
    "text[]": _arrays,
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "numeric": st.one_of(
        st.decimals(allow_nan=False, allow_infinity=False), st.just("NaN"), st.decimals(places=30, min_value=-1, max_value=1)
    ),
    "real": st.floats(width=32),
    "double precision": st.floats(),
    "boolean": st.booleans(),
    "bit varying": st.text("01", max_size=70),
    "bit(5)": st.text("01", min_size=5, max_size=5),
    "date": st.one_of(st.dates().map(str), st.sampled_from(["infinity", "-infinity", "4713-01-01 BC"])),
    "timestamp without time zone": st.one_of(_moments, st.just("infinity")),
    "timestamp with time zone": st.one_of(_moments, st.sampled_from(["-infinity", "294276-12-31 23:59:59+00"])),
    "time without time zone": st.times().map(str),
    "interval": st.timedeltas().map(lambda span: f"{span.days} days {span.seconds} seconds {span.microseconds} microseconds"),
    "uuid": st.uuids().map(str),
    "jsonb": st.sampled_from(['{"a": [1, null, "\\\\"]}', "[]", '"\\n\\u0041"', "null", '{"\\"": {}}']),
    "json": st.sampled_from(['{"a":  1}', '"\\u0041\\n"', "[\n1]", "{}"]),
    "inet": st.ip_addresses().map(str),
    "int4range": st.sampled_from(["empty", "[1,3)", "(,)", "[,5)"]),
    "point": st.sampled_from(["(1,2)", "(1e100,-0)", "(Infinity,NaN)"]),
    "xml": st.sampled_from(["<a b='1'>x &amp; \\\n</a>", "plain"]),
    "oid": st.integers(0, 2**32 - 1),
    "money": st.decimals(min_value=-(10**12), max_value=10**12, places=2).map(str),
}


@dataclass(frozen=True)
class Column:
    """One column. `role`: plain, identity, generated (of nothing but constants); `default`: a text, for text columns."""

    name: str
    type: str
    role: str = "plain"
    default: str | None = None


@dataclass(frozen=True)
class Table:
    """One table with its rows (values of the plain columns), and the texts that hang on it."""

    schema: str
    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[object, ...], ...]
    comment: str | None
    text: str | None

    @property
    def copied(self) -> list[str]:
        """The columns that COPY prints."""
        return [column.name for column in self.columns if column.role != "generated"]

    def statements(self) -> list[sql.Composed]:
        """What makes it; its schema is there. Values are literals: a % in a name would count as the mark of a parameter."""
        table = sql.Identifier(self.schema, self.name)
        made = [sql.SQL("CREATE TABLE {} ({})").format(table, sql.SQL(", ").join(self._definitions()))]
        plain = [column for column in self.columns if column.role == "plain"]
        listed = sql.SQL(", ").join(sql.Identifier(column.name) for column in plain)
        for row in self.rows:
            values = [
                sql.SQL("CAST({} AS " + column.type + ")").format(sql.Literal(value)) for column, value in zip(plain, row, strict=True)
            ]
            if plain:
                made.append(sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(table, listed, sql.SQL(", ").join(values)))
            else:
                made.append(sql.SQL("INSERT INTO {} DEFAULT VALUES").format(table))
        if self.comment is not None:
            made.append(sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(self.comment)))
        if self.text is not None and "text" in {column.type for column in self.columns}:
            column = next(column.name for column in self.columns if column.type == "text")
            made.append(sql.SQL("CREATE INDEX ON {} ((left({}, 100) || {}))").format(table, sql.Identifier(column), sql.Literal(self.text)))
        return made

    def _definitions(self) -> list[sql.Composable]:
        parts: list[sql.Composable] = []
        for column in self.columns:
            how: sql.Composable = sql.SQL("")
            if column.role == "identity":
                how = sql.SQL(" GENERATED ALWAYS AS IDENTITY")
            elif column.role == "generated":
                how = sql.SQL(" GENERATED ALWAYS AS ({}::text) STORED").format(sql.Literal(column.default or ""))
            elif column.default is not None:
                how = sql.SQL(" DEFAULT {}").format(sql.Literal(column.default))
            parts.append(sql.SQL("{} " + column.type).format(sql.Identifier(column.name)) + how)
        if self.text is not None:
            check = sql.SQL("CONSTRAINT {} CHECK ({} <> '')")
            parts.append(check.format(sql.Identifier(self.text), sql.Literal(self.text)))
        return parts


def _literal(kind: str, value: object) -> sql.Composed:
    return sql.SQL("CAST({} AS " + kind + ")").format(sql.Literal(value))


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    """A column called *name*."""
    role = draw(st.sampled_from(["plain"] * 8 + ["identity", "generated"]))
    if role == "identity":
        return Column(name, draw(st.sampled_from(["smallint", "integer", "bigint"])), role)
    if role == "generated":
        return Column(name, "text", role, draw(texts))
    kind = draw(st.sampled_from(sorted(VALUES)))
    return Column(name, kind, role, draw(st.one_of(st.none(), texts)) if kind == "text" else None)


@st.composite
def tables(draw: st.DrawFn, schema: str, name: str) -> Table:
    """A table called *schema*.*name*."""
    listed = tuple(draw(columns(column)) for column in draw(st.lists(names, max_size=6, unique=True)) if column not in _SYSTEM)
    plain = [column for column in listed if column.role == "plain"]
    row = st.tuples(*(st.one_of(st.none(), VALUES[column.type]) for column in plain))
    rows = tuple(draw(st.lists(row, max_size=6)))
    return Table(schema, name, listed, rows, draw(st.one_of(st.none(), texts.filter(bool))), draw(st.one_of(st.none(), names)))


_SYSTEM = {"tableoid", "ctid", "xmin", "cmin", "xmax", "cmax"}


@st.composite
def databases(draw: st.DrawFn) -> tuple[Table, ...]:
    """One to four tables in one or two schemas."""
    schemas = draw(st.lists(names.filter(lambda name: name != "information_schema"), min_size=1, max_size=2, unique=True))
    keys = draw(st.lists(st.tuples(st.sampled_from(schemas), names), min_size=1, max_size=4, unique=True))
    return tuple(draw(tables(schema, name)) for schema, name in keys)
