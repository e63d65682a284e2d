"""One database object: its identity and what is comparable about it.

`kind` is the `desc` that pg_dump gives the object in its table of contents (src/bin/pg_dump/pg_dump.c).
Everything comparable is in `attributes`: a flat mapping of attribute name to text, the same names whatever
the source, so that comparing two objects is comparing two mappings. The vocabulary is `ATTRIBUTES` below;
readers of dumps and of catalogs both write it, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

Attributes = Mapping[str, str | None]
NO_ATTRIBUTES: Attributes = MappingProxyType({})  # given by a factory below: Python 3.11 cannot hash it, so refuses it as a default


@dataclass(frozen=True, slots=True)
class ObjectKey:
    """What makes an object this one and no other. All names raw (unquoted).

    `parent` is the bare name of the table (or domain) that a constraint, index, trigger, rule or policy belongs to;
    it is in the same schema. Functions are named with their identity arguments, as
    pg_get_function_identity_arguments prints them: `notify(channel text, VARIADIC args text[])`.
    """

    kind: str
    schema: str | None
    name: str
    parent: str | None = None

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        """Schema, parent, kind, name: the order of every list of objects."""
        return (self.schema or "", self.parent or "", self.kind, self.name)

    def __str__(self) -> str:
        on = f" on {self.parent}" if self.parent else ""
        return f"{self.kind} {self.schema + '.' if self.schema else ''}{self.name}{on}"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a TABLE or composite TYPE, in attribute order; `attributes` as `COLUMN_ATTRIBUTES`."""

    name: str
    attributes: Attributes = field(default_factory=lambda: NO_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class DatabaseObject:
    """One object of an inventory. `definition` is SQL for people to read, `dependencies` the objects that have to be there before it.

    Neither is compared. `dependencies` are None where they are not known: a dump has them in its table of contents.
    """

    key: ObjectKey
    attributes: Attributes = field(default_factory=lambda: NO_ATTRIBUTES)
    columns: tuple[Column, ...] = ()
    definition: str | None = None
    dependencies: tuple[ObjectKey, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Unmodelled:
    """Something seen and not understood: kept by name with its text, never dropped silently."""

    kind: str
    schema: str | None
    name: str
    reason: str
    definition: str | None = field(default=None, compare=False)


# Reasons of `Unmodelled` for which the object itself is there, and the other source's cannot be called missing
STATEMENT_NOT_COMPARED = "this setting is not compared yet"
NOT_UNDERSTOOD = "this statement could not be understood"
NOT_READABLE = "this role may not read it"
INVALID_INDEX = "invalid index; pg_dump leaves it out"
THERE_ALL_THE_SAME = frozenset({NOT_UNDERSTOOD, NOT_READABLE, INVALID_INDEX})

# An attribute that is absent or None means "none / the default". Those in KNOWN_BY_SOME are the exception:
# absent there means "this source cannot know", and the attribute is then not compared.
KNOWN_BY_SOME = frozenset(
    {"owner", "version", "valid", "populated", "tablespace", "access_method", "last_value", "is_called", "multirange_type_name"}
    | {"option_names"}
)
# Attributes that pg_dump can be told to leave out of a dump as a whole (--no-privileges, --no-security-labels, and large objects
# by --schema-only, --no-large-objects and any selection). A dump that holds none of them anywhere does not know them
# (`Inventory.not_told`); where it holds some, absent is the default, or none.
LARGE_OBJECTS = "oids"
# ALTER … DEPENDS ON EXTENSION, of what can: quoted names of extensions, sorted, joined by ', '
DEPENDS_ON_EXTENSIONS = "depends_on_extensions"
LEFT_OUT_AS_A_WHOLE = frozenset({"acl", "security_label", LARGE_OBJECTS})

COLUMN_ATTRIBUTES = {
    "type": "format_type(atttypid, atttypmod)",
    "collation": "qualified collation, only when it is not the type's default",
    "not_null": "'true', or absent",
    "not_null_name": "raw name of its constraint, from 18 on, when it is not <table>_<column>_not_null",
    "not_null_no_inherit": "'true', from 18 on",
    "not_null_comment": "text of the comment on that constraint, from 18 on",
    "default": "pg_get_expr(adbin, adrelid) of a plain default",
    "generated": "'<expression> STORED' or '<expression> VIRTUAL', expression without the outer parentheses of GENERATED ALWAYS AS (…)",
    "identity": "'ALWAYS' or 'BY DEFAULT'",
    "storage": "'PLAIN', 'EXTERNAL', 'MAIN' or 'EXTENDED', only when it is not the type's default",
    "compression": "'pglz' or 'lz4', when set",
    "statistics": "statistics target, when set",
    "options": "attribute options as stored, joined by ', '",
    "foreign_options": "OPTIONS of a foreign table's column, as settings.options_text writes them",
    "comment": "text of the comment",
    "acl": "privileges on the column, as acl below",
    "security_label": "as security_label below",
}

NOT_NULL_DETAILS = frozenset({"not_null_name", "not_null_no_inherit", "not_null_comment"})

_COMMON = ("owner", "comment")
_RELATION = (*_COMMON, "tablespace", "access_method", "options")
_RANGE = ("subtype", "multirange_type_name", "subtype_opclass", "collation", "canonical", "subtype_diff")
_BASE_TYPE = (
    *("internallength", "input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze", "subscript", "collatable"),
    *("default", "element", "category", "preferred", "delimiter", "alignment", "storage", "passedbyvalue"),
)

# Texts are pg_dump's: what the server functions print under search_path = '' (PGDUMP_FORMATS.md 6.1), without the
# wrapper that pg_dump puts around them and without the final semicolon.
_OWN_ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "SCHEMA": _COMMON,
    # extension_schema: raw schema name; version: catalog only
    "EXTENSION": ("extension_schema", "version", "comment"),
    # form: 'enum', 'composite', 'range', 'base' or 'shell'; labels: the enum's labels in order as SQL literals joined by ', ';
    # the others: the values of CREATE TYPE's options of those names; multirange_type_name: known from 14 on
    "TYPE": (*_COMMON, "form", "labels", *_RANGE, *_BASE_TYPE),
    # not_null_name, not_null_comment: as of a column, from 17 on
    "DOMAIN": (*_COMMON, "base_type", "collation", "default", "not_null", "not_null_name", "not_null_comment"),
    # persistence: 'unlogged' or absent; partition_key: pg_get_partkeydef; partition_of: qualified, quoted as SQL;
    # partition_bound: pg_get_expr(relpartbound); inherits: qualified parents joined by ', ';
    # options: reloptions as pg_dump prints them, joined by ', '; row_security: 'enabled' / 'forced' / 'enabled, forced';
    # replica_identity: 'FULL', 'NOTHING', 'USING INDEX <raw name>' or absent; of_type: typed table
    "TABLE": (
        *_RELATION,
        "persistence",
        "partition_key",
        "partition_of",
        "partition_bound",
        "inherits",
        "row_security",
        "replica_identity",
        "of_type",
    ),
    # data_type: absent when bigint; minimum / maximum: absent when at the type's default; cache absent when 1;
    # cycle: 'true'; owned_by: 'schema.table.column' quoted as SQL, also for identity sequences;
    # last_value / is_called: the state, as SEQUENCE SET stores it
    "SEQUENCE": (
        *_COMMON,
        "data_type",
        "start",
        "increment",
        "minimum",
        "maximum",
        "cache",
        "cycle",
        "owned_by",
        "persistence",
        "last_value",
        "is_called",
    ),
    # definition: the query as pg_get_viewdef prints it, no final semicolon; check_option: 'LOCAL' / 'CASCADED'
    "VIEW": (*_COMMON, "definition", "options", "check_option"),
    # populated: 'true' / 'false'; a dump knows it of those that it refreshes, and of others only where it can be told (dumps/populated.py)
    "MATERIALIZED VIEW": (*_RELATION, "definition", "populated", DEPENDS_ON_EXTENSIONS),
    # arguments: with defaults and modes (pg_get_function_arguments); body: prosrc, or the SQL body of 14+, or for C the link symbol;
    # volatility: 'IMMUTABLE' / 'STABLE'; parallel: 'SAFE' / 'RESTRICTED'; the flags are 'true' or absent;
    # config: 'SET name TO value' lines joined by newline; cost, rows: only when not the default
    "FUNCTION": (
        *_COMMON,
        "arguments",
        "result",
        "language",
        "body",
        "object_file",
        "volatility",
        "strict",
        "security_definer",
        "leakproof",
        "parallel",
        "cost",
        "rows",
        "support",
        "window",
        "transforms",
        "config",
        DEPENDS_ON_EXTENSIONS,
    ),
    "PROCEDURE": (
        *_COMMON,
        *("arguments", "language", "body", "object_file", "security_definer", "transforms", "config", DEPENDS_ON_EXTENSIONS),
    ),
    # Primary key, unique, exclusion; definition as pg_get_constraintdef prints it; options: the index's WITH (…) content
    # index_comment: the comment on the index behind it
    "CONSTRAINT": ("definition", "comment", "index_comment", "options", "tablespace", "attached_to", "clustered", DEPENDS_ON_EXTENSIONS),
    # All CHECKs of tables and domains, whether pg_dump prints them inline or apart; inherited ones are not listed
    "CHECK CONSTRAINT": ("definition", "comment"),
    "FK CONSTRAINT": ("definition", "comment"),
    # definition: pg_get_indexdef; attached_to: qualified parent index; valid: 'true' / 'false', one in a dump is, but on a partitioned
    # table that is known to the catalog only; clustered: 'true'
    "INDEX": ("definition", "comment", "tablespace", "attached_to", "valid", "clustered", DEPENDS_ON_EXTENSIONS),
    # definition: pg_get_triggerdef(oid, false) / pg_get_ruledef; enabled: 'DISABLE', 'REPLICA', 'ALWAYS' or absent
    "TRIGGER": ("definition", "comment", "enabled", DEPENDS_ON_EXTENSIONS),
    "RULE": ("definition", "comment", "enabled"),
    # Named `name(identity arguments)`, `name(*)` without any; attributes are the options of CREATE AGGREGATE, flags 'true' or absent
    "AGGREGATE": (
        *_COMMON,
        *("sfunc", "stype", "sspace", "initcond", "finalfunc", "finalfunc_extra", "finalfunc_modify", "combinefunc"),
        *("serialfunc", "deserialfunc", "msfunc", "minvfunc", "mstype", "msspace", "minitcond", "mfinalfunc"),
        *("mfinalfunc_extra", "mfinalfunc_modify", "sortop", "hypothetical", "parallel"),
    ),
    # Named `name (left type, right type)`, NONE for a missing one; commutator, negator: OPERATOR(schema.name)
    "OPERATOR": (*_COMMON, "function", "commutator", "negator", "merges", "hashes", "restrict", "join"),
    # Both named `name USING method`; family: qualified; storage: absent when it is for_type; operators, functions: members as
    # pg_dump prints them, by number, one in a line
    "OPERATOR CLASS": (*_COMMON, "default", "for_type", "family", "storage", "operators", "functions"),
    "OPERATOR FAMILY": (*_COMMON, "operators", "functions"),
    # Named as pg_dump's tag; method: 'WITH FUNCTION f(args)', 'WITH INOUT' or 'WITHOUT FUNCTION'; context: 'ASSIGNMENT', 'IMPLICIT'
    "CAST": ("comment", "method", "context"),
    "TRANSFORM": ("comment", "from_sql", "to_sql"),
    # lc_collate, lc_ctype only when they differ, else both are the locale; deterministic: 'false' or absent
    "COLLATION": (*_COMMON, "provider", "locale", "lc_collate", "lc_ctype", "deterministic", "rules"),
    "CONVERSION": (*_COMMON, "default", "for_encoding", "to_encoding", "function"),
    "ACCESS METHOD": ("comment", "type", "handler"),
    # handler, inline, validator, trusted: absent when pg_dump leaves them to the server, which has the handler itself
    "PROCEDURAL LANGUAGE": (*_COMMON, "trusted", "handler", "inline", "validator"),
    "TEXT SEARCH PARSER": ("comment", "start", "gettoken", "end", "headline", "lextypes"),
    "TEXT SEARCH TEMPLATE": ("comment", "init", "lexize"),
    # options: dictinitoption as stored
    "TEXT SEARCH DICTIONARY": (*_COMMON, "template", "options"),
    # mappings: `token type: dictionary, dictionary`, one in a line, by token type
    "TEXT SEARCH CONFIGURATION": (*_COMMON, "parser", "mappings"),
    # definition: pg_get_statisticsobjdef; statistics: the target, when set
    "STATISTICS": (*_COMMON, "definition", "statistics"),
    # tags: as SQL literals joined by ', '; enabled as for triggers
    "EVENT TRIGGER": (*_COMMON, "event", "tags", "function", "enabled"),
    # restrictive: 'true'; command: 'SELECT', 'INSERT', 'UPDATE', 'DELETE', absent for all; roles: quoted, sorted, joined by ', ', absent
    # for PUBLIC; using, check: pg_get_expr(polqual / polwithcheck)
    "POLICY": ("comment", "restrictive", "command", "roles", "using", "check"),
    # publish: 'insert, update, delete, truncate'; all_tables, via_partition_root: 'true'; generated_columns: 'stored'
    "PUBLICATION": (*_COMMON, "all_tables", "publish", "via_partition_root", "generated_columns", "options"),
    # Named as the publication, parent: the table. columns: quoted names joined by ', '; where: pg_get_expr(prqual)
    "PUBLICATION TABLE": ("columns", "where"),
    # Named as the publication, schema: that schema
    "PUBLICATION TABLES IN SCHEMA": (),
    # Never the connection string. publications: quoted, joined by ', '; the others as in WITH (…), absent at their default
    # (streaming has none: 'off' is absent, whatever CREATE SUBSCRIPTION takes it for)
    "SUBSCRIPTION": (
        *(*_COMMON, "publications", "slot_name", "binary", "streaming", "two_phase", "disable_on_error", "password_required"),
        *("run_as_owner", "failover", "origin", "synchronous_commit", "options"),
    ),
    # options: settings.options_text: a value that may be a secret is hidden, and so not compared
    "FOREIGN DATA WRAPPER": (*_COMMON, "handler", "validator", "options"),
    "SERVER": (*_COMMON, "server_type", "server_version", "wrapper", "options"),
    # Named as its role, or `public`; parent: the server. option_names: sorted, joined by ', '; their values are never read
    "USER MAPPING": ("option_names",),
    # as of a table; its rows are somewhere else and are not compared
    "FOREIGN TABLE": (*_COMMON, "server", "options", "partition_of", "partition_bound", "inherits"),
    # Named `TABLES of <role>` and so on, schema: of IN SCHEMA; owner: the role; acl: what differs from the built-in default, or,
    # IN SCHEMA, what is added
    "DEFAULT ACL": ("owner",),
    # Large objects by their OIDs, a thousand in one object named `<first>..<last>`, because there may be millions: oids as
    # settings.compact_numbers, owner and acl as settings.by_number; what few have is an attribute `<oid> comment`,
    # `<oid> security_label`. Their contents are rows (records.large_objects).
    "BLOB": ("owner", "oids"),
    # Privileges changed on what no dump holds, because the server or an extension brings it: named `TABLE pg_authid`,
    # `FUNCTION hstore(text, text)`, `COLUMN t.c` as pg_dump's tags; acl: privileges.acl_change_text
    "ACL": (),
}
# acl: privileges.acl_text; security_label: `provider: label` in lines
_WITH_ACL = frozenset(
    {"SCHEMA", "TYPE", "DOMAIN", "TABLE", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "FUNCTION", "PROCEDURE", "AGGREGATE"}
    | {"PROCEDURAL LANGUAGE", "FOREIGN DATA WRAPPER", "SERVER", "DEFAULT ACL", "BLOB", "ACL"}
)
_WITH_LABEL = frozenset(
    {"SCHEMA", "TYPE", "DOMAIN", "TABLE", "SEQUENCE", "VIEW", "MATERIALIZED VIEW", "FOREIGN TABLE", "FUNCTION", "PROCEDURE", "AGGREGATE"}
    | {"PROCEDURAL LANGUAGE", "EVENT TRIGGER", "PUBLICATION", "SUBSCRIPTION"}
)
ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    kind: (*own, *(("acl",) if kind in _WITH_ACL else ()), *(("security_label",) if kind in _WITH_LABEL else ()))
    for kind, own in _OWN_ATTRIBUTES.items()
}
# The database itself is no object of an inventory but its container (`Inventory.database`): whether a dump holds it depends on
# its format and on --create, and a restore without that leaves the database as somebody else made it. Its other attributes are
# `setting <name>` and `setting <name> of <role>`, values as settings.setting_text writes them. tablespace: '' is the default
# one; connection_limit: absent without any; template: 'true'.
DATABASE = "DATABASE"
PUBLIC_SCHEMA = ObjectKey("SCHEMA", None, "public")
SETTING = "setting {name}"
SETTING_OF_ROLE = "setting {name} of {role}"
DATABASE_ATTRIBUTES = (
    *(*_COMMON, "encoding", "locale_provider", "lc_collate", "lc_ctype", "locale", "icu_rules", "tablespace", "connection_limit"),
    *("template", "acl", "security_label"),
)
# What is said of the columns of views, materialized views and indexes (these numbered) has no Column to stand on: it is an
# attribute "column <name> comment", "… default", "… statistics" and so on, as in COLUMN_ATTRIBUTES.
COLUMN_ATTRIBUTE = "column {name} {attribute}"
