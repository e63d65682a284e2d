"""Types of PostgreSQL by the way their values are read, and the names that `format_type` gives the built-in ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "int2",
    "int4",
    "int8",
    "uint8",
    "bool",
    "float4",
    "float8",
    "decimal",  # numeric with a declared precision that Arrow can hold
    "numeric",  # any other numeric
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "bytea",
    "json",
    "enum",
    "array",
    "text",  # everything else: the text that PostgreSQL prints
]

_MOST_DIGITS = 38  # of a 128-bit decimal, in Arrow as in DuckDB


@dataclass(frozen=True, slots=True)
class PgType:
    """How the values of a column are read.

    `precision` and `scale` belong to `decimal`, `labels` (in their order) to `enum`; `element` is what an `array` holds,
    `delimiter` stands between its elements. `zoned`: in the text stand timestamps of a session's zone.
    """

    kind: Kind
    precision: int = 0
    scale: int = 0
    labels: tuple[str, ...] = ()
    element: PgType | None = None
    delimiter: str = ","
    zoned: bool = False

    @property
    def has_odd_labels(self) -> bool:
        """Whether labels hold bytes that are no UTF-8, as surrogates, which neither Arrow nor DuckDB can have."""
        return any(_SURROGATE.search(label) for label in self.labels)


TEXT = PgType("text")

# The names of format_type (src/backend/utils/adt/format_type.c) and the ones that people write. An oid is unsigned, so it needs 64 bits.
_KINDS: dict[str, Kind] = {
    "smallint": "int2",
    "int2": "int2",
    "smallserial": "int2",
    "integer": "int4",
    "int": "int4",
    "int4": "int4",
    "serial": "int4",
    "bigint": "int8",
    "int8": "int8",
    "bigserial": "int8",
    "oid": "int8",
    "xid": "int8",
    "cid": "int8",
    "xid8": "uint8",
    "boolean": "bool",
    "bool": "bool",
    "real": "float4",
    "float4": "float4",
    "double precision": "float8",
    "float8": "float8",
    "numeric": "numeric",
    "decimal": "numeric",
    "date": "date",
    "time": "time",
    "time without time zone": "time",
    "timetz": "timetz",
    "time with time zone": "timetz",
    "timestamp": "timestamp",
    "timestamp without time zone": "timestamp",
    "timestamptz": "timestamptz",
    "timestamp with time zone": "timestamptz",
    "interval": "interval",
    "uuid": "uuid",
    "bytea": "bytea",
    "json": "json",
    "jsonb": "json",
}
# All other types of pg_catalog that columns have; a type of these names in another schema is another type.
# fmt: off
_TEXTS = frozenset({
    "text", "character varying", "varchar", "character", "char", "bpchar", "name", "bit", "bit varying", "varbit", "money", "xml",
    "inet", "cidr", "macaddr", "macaddr8", "point", "line", "lseg", "box", "path", "polygon", "circle", "tsvector", "tsquery",
    "pg_lsn", "pg_snapshot", "txid_snapshot", "jsonpath", "tid", "refcursor", "regproc", "regprocedure", "regoper", "regoperator",
    "regclass", "regtype", "regrole", "regnamespace", "regconfig", "regdictionary", "regcollation", "int2vector", "oidvector",
    "aclitem", "int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange", "int4multirange", "int8multirange",
    "nummultirange", "tsmultirange", "tstzmultirange", "datemultirange",
})
# fmt: on
_SURROGATE = re.compile("[\ud800-\udfff]")
_MODIFIER = re.compile(r"\s*\(\s*([^)]*)\)")
_INTERVAL_FIELDS = re.compile(r"interval\s+(?:year|month|day|hour|minute|second).*")
_ZONED = frozenset({"timestamptz", "timestamp with time zone", "tstzrange", "tstzmultirange"})
_SEMICOLONS = frozenset({"box"})  # pg_type.typdelim of all others is a comma


def built_in_type(name: str) -> PgType | None:
    """Return the type that *name* is in pg_catalog, None when none: as format_type prints it, quotes taken off, without `[]`."""
    modifier = _MODIFIER.search(name)
    bare = " ".join(_MODIFIER.sub("", name).lower().split())
    if _INTERVAL_FIELDS.match(bare):
        return PgType("interval")
    kind = _KINDS.get(bare)
    if kind == "numeric" and modifier:
        return _numeric(modifier[1])
    if kind:
        return PgType(kind, zoned=bare in _ZONED)
    if bare in _ZONED:
        return PgType("text", zoned=True)
    return TEXT if bare in _TEXTS else None


def array_of(element: PgType, name: str) -> PgType:
    """Return the type of arrays of *element*, whose name is *name*."""
    return PgType("array", element=element, delimiter=";" if name.lower() in _SEMICOLONS else ",", zoned=element.zoned)


def _numeric(modifier: str) -> PgType:
    """A scale below 0 or above the precision (15 and later) is left to unlimited numbers."""
    precision, _, scale = modifier.partition(",")
    try:
        digits, decimals = int(precision), int(scale or 0)
    except ValueError:
        return PgType("numeric")
    if 0 < digits <= _MOST_DIGITS and 0 <= decimals <= digits:
        return PgType("decimal", precision=digits, scale=decimals)
    return PgType("numeric")
