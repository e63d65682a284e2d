"""A database as an object of its cluster: what it is made with, and what a swap has to carry over to the one that takes its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from pgaudit_kit.records.objects import Attributes
from pgaudit_kit.records.settings import LISTS
from pgaudit_kit.records.verdict import Check, Outcome

if TYPE_CHECKING:
    import psycopg
    from psycopg import sql

_PREFIX = "database."
_KNOWS_PROVIDERS = 150_000
_PROVIDERS = {"c": "libc", "i": "icu", "b": "builtin"}

_FACTS = """
SELECT to_jsonb(d) AS row, pg_catalog.pg_get_userbyid(d.datdba) AS owner, pg_catalog.pg_encoding_to_char(d.encoding) AS encoding,
       CASE WHEN d.dattablespace <> template.dattablespace THEN t.spcname END, pg_catalog.shobj_description(d.oid, 'pg_database') AS comment
  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
  JOIN pg_catalog.pg_database template ON template.datname = 'template0'
 WHERE d.datname = %s"""  # naming even the default tablespace takes a privilege that an ordinary owner lacks
_GRANTS = """
SELECT CASE WHEN a.grantee = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(a.grantee) END, a.privilege_type, a.is_grantable
  FROM pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) a
 WHERE d.datname = %s"""
_SETTINGS = """
SELECT CASE WHEN s.setrole = 0 THEN NULL ELSE pg_catalog.pg_get_userbyid(s.setrole) END, setting
  FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) setting
 WHERE d.datname = %s"""
_LABELS = """
SELECT s.provider, s.label FROM pg_catalog.pg_shseclabel s JOIN pg_catalog.pg_database d ON d.oid = s.objoid
 WHERE s.classoid = 'pg_catalog.pg_database'::pg_catalog.regclass AND d.datname = %s ORDER BY 1"""


@dataclass(frozen=True, slots=True)
class Grant:
    """A privilege on the database; `grantee` None is PUBLIC."""

    grantee: str | None
    privilege: str
    grantable: bool


@dataclass(frozen=True, slots=True)
class Locale:
    """Encoding and order of text of a database. `provider` is libc, icu or builtin; `locale` the one of icu or builtin. None: not known."""

    encoding: str | None = None
    provider: str | None = None
    collate: str | None = None
    ctype: str | None = None
    locale: str | None = None
    icu_rules: str | None = None

    def to_settings(self) -> dict[str, str]:
        """The known facts as entries of `Provenance.settings`, where a manifest keeps them."""
        return {f"{_PREFIX}{key}": value for key, value in asdict(self).items() if value is not None}

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> Locale:
        """What `to_settings` wrote."""
        return cls(**{f.name: settings.get(f"{_PREFIX}{f.name}") for f in fields(cls)})

    @classmethod
    def of_database(cls, attributes: Attributes) -> Locale:
        """What an archive, or a script made with --create, says of its database (`records.objects.DATABASE_ATTRIBUTES`)."""
        return cls(
            encoding=attributes.get("encoding"),
            provider=attributes.get("locale_provider"),
            collate=attributes.get("lc_collate"),
            ctype=attributes.get("lc_ctype"),
            locale=attributes.get("locale"),
            icu_rules=attributes.get("icu_rules"),
        )

    def options(self, server_version: int) -> Iterator[sql.Composed]:
        """Yield the options of CREATE DATABASE that fix it, for a server of that number (150018); what is None is left to the server."""
        from psycopg import sql

        # template0's own is the default, so libc has to be said too, where the server knows the word
        if self.provider is not None and (self.provider != "libc" or server_version >= _KNOWS_PROVIDERS):
            yield sql.SQL("LOCALE_PROVIDER {}").format(sql.Identifier(self.provider))
        values = {"ENCODING": self.encoding, "LC_COLLATE": self.collate, "LC_CTYPE": self.ctype, "ICU_RULES": self.icu_rules}
        if self.locale is not None:
            values["BUILTIN_LOCALE" if self.provider == "builtin" else "ICU_LOCALE"] = self.locale
        for word, value in values.items():
            if value is not None:
                yield sql.SQL("{} {}").format(sql.SQL(word), sql.Literal(value))


@dataclass(frozen=True, slots=True)
class DatabaseFacts:
    """A row of pg_database and what hangs on it; `grants` None means the default privileges, `tablespace` None template0's.

    `settings` are (role or None, `name`, stored value) of ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET; `labels` are the
    security labels (provider, label).
    """

    name: str
    owner: str
    locale: Locale
    tablespace: str | None
    connection_limit: int
    is_template: bool
    comment: str | None
    grants: tuple[Grant, ...] | None
    settings: tuple[tuple[str | None, str, str], ...]
    takes_connections: bool = True
    labels: tuple[tuple[str, str], ...] = ()


def read_database(connection: psycopg.Connection[Any], name: str) -> DatabaseFacts | None:
    """Return the facts of database *name*, None when there is none."""
    found = connection.execute(_FACTS, [name]).fetchone()
    if found is None:
        return None
    row, owner, encoding, tablespace, comment = found
    grants = [Grant(*grant) for grant in connection.execute(_GRANTS, [name])]
    settings = [(role, *setting.split("=", 1)) for role, setting in connection.execute(_SETTINGS, [name])]
    return DatabaseFacts(
        name=name,
        owner=owner,
        locale=Locale(
            encoding=encoding,
            provider=_PROVIDERS.get(row.get("datlocprovider", "c"), "libc"),
            collate=row.get("datcollate"),
            ctype=row.get("datctype"),
            locale=row.get("datlocale") or row.get("daticulocale"),  # 17+ | 15, 16
            icu_rules=row.get("daticurules"),
        ),
        tablespace=tablespace,
        connection_limit=row["datconnlimit"],
        is_template=row["datistemplate"],
        comment=comment,
        grants=None if row["datacl"] is None else tuple(grants),
        settings=tuple(settings),
        takes_connections=row["datallowconn"],
        labels=tuple((provider, label) for provider, label in connection.execute(_LABELS, [name])),
    )


def create_like(
    name: str, facts: DatabaseFacts, server_version: int, *, locale: Locale | None = None, connection_limit: int = -1
) -> sql.Composed:
    """Return the CREATE DATABASE of an empty database *name* with owner and tablespace of *facts*, and with *locale* or else its locale."""
    from psycopg import sql

    options = [
        sql.SQL("TEMPLATE template0"),
        sql.SQL("OWNER {}").format(sql.Identifier(facts.owner)),
        *(locale or facts.locale).options(server_version),
        sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(connection_limit)),
    ]
    if facts.tablespace is not None:
        options.append(sql.SQL("TABLESPACE {}").format(sql.Identifier(facts.tablespace)))
    return sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), sql.SQL(" ").join(options))


def create_new(name: str, locale: Locale, server_version: int, *, connection_limit: int = -1) -> sql.Composed:
    """Return the CREATE DATABASE of an empty database *name* with *locale*."""
    from psycopg import sql

    limit = sql.SQL("CONNECTION LIMIT {}").format(sql.Literal(connection_limit))
    options = [sql.SQL("TEMPLATE template0"), *locale.options(server_version), limit]
    return sql.SQL("CREATE DATABASE {} {}").format(sql.Identifier(name), sql.SQL(" ").join(options))


def carry_over(facts: DatabaseFacts, name: str) -> Iterator[sql.Composed]:
    """Yield the statements that give database *name* what *facts* has beside its content.

    Owner, privileges, settings (also per role), comment, security labels, connection limit, template mark, whether it takes
    connections.
    """
    from psycopg import sql

    database = sql.Identifier(name)
    yield sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, sql.Identifier(facts.owner))
    if facts.grants is not None:
        yield sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}").format(database, sql.Identifier(facts.owner))
        for grant in facts.grants:
            to = sql.SQL("PUBLIC") if grant.grantee is None else sql.Identifier(grant.grantee)
            option = sql.SQL(" WITH GRANT OPTION" if grant.grantable else "")
            privilege = sql.SQL(grant.privilege)  # a keyword, from aclexplode
            yield sql.SQL("GRANT {} ON DATABASE {} TO {}{}").format(privilege, database, to, option)
    for role, setting, value in facts.settings:
        whose = sql.SQL("ROLE {} IN ").format(sql.Identifier(role)) if role is not None else sql.SQL("")
        yield sql.SQL("ALTER {}DATABASE {} SET {} TO {}").format(whose, database, _setting_name(setting), _setting_value(setting, value))
    yield sql.SQL("COMMENT ON DATABASE {} IS {}").format(database, sql.Literal(facts.comment))  # NULL takes our mark off
    for provider, label in facts.labels:
        yield sql.SQL("SECURITY LABEL FOR {} ON DATABASE {} IS {}").format(sql.Identifier(provider), database, sql.Literal(label))
    yield sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(database, sql.Literal(facts.connection_limit))  # ours was a mark
    if facts.is_template:
        yield sql.SQL("ALTER DATABASE {} IS_TEMPLATE true").format(database)
    if not facts.takes_connections:
        yield sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(database)


def check_carried(before: DatabaseFacts, connection: psycopg.Connection[Any]) -> Check:
    """`restore.carried`: the new database has owner, privileges, settings, limit and comment of the one it replaced."""
    after = read_database(connection, before.name)
    wanted, found = _surroundings(before), _surroundings(after) if after else {}
    wrong = [word for word, value in wanted.items() if found.get(word) != value]
    return Check(
        id="restore.carried",
        question="Does it have the owner, privileges and settings of the database that it replaced?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=", ".join(wanted),
        found=f"different: {', '.join(wrong)}" if wrong else "all the same",
        compared=len(wanted),
        remedy="Set them by hand with ALTER DATABASE and GRANT; the kept database still has them." if wrong else "",
    )


def _surroundings(facts: DatabaseFacts) -> dict[str, object]:
    return {
        "owner": facts.owner,
        "privileges": None if facts.grants is None else frozenset(facts.grants),
        "settings": frozenset(facts.settings),
        "connection limit": facts.connection_limit,
        "comment": facts.comment,
        "template mark": facts.is_template,
        "security labels": facts.labels,
        "whether it takes connections": facts.takes_connections,
    }


def _setting_name(setting: str) -> sql.Composable:
    from psycopg import sql

    return sql.Identifier(*setting.split("."))  # extensions' settings have a dotted name


def _setting_value(setting: str, value: str) -> sql.Composable:
    from psycopg import sql

    if setting.lower() not in LISTS:
        return sql.Literal(value)
    return sql.SQL(", ").join(map(sql.Literal, _list_items(value))) if value else sql.Literal("")


def _list_items(value: str) -> list[str]:
    """Split a stored list of names as SplitGUCList does (src/backend/utils/adt/varlena.c): commas, double quotes doubled inside."""
    items, item, quoted = [], "", False
    for character in value:
        if character == '"':
            quoted = not quoted
            item += character
        elif character == "," and not quoted:
            items.append(item)
            item = ""
        else:
            item += character
    items.append(item)
    return [i[1:-1].replace('""', '"') if i.startswith('"') else i for i in (part.strip() for part in items)]
