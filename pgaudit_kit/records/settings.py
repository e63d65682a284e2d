"""Named values that may hold secrets: OPTIONS of foreign data wrappers and the like, and settings of databases and roles.

Anyone who reads a report may see these texts, so a value is shown, and compared, only under a name that is known to hold
no secret. Under any other name, and there are extensions without number, the value is `•••` on both sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pgaudit_kit.errors import HIDDEN, hide_secrets
from pgaudit_kit.records.table_data import quote_identifier

# postgres_fdw, dblink, libpq, file_fdw, and the words that most other wrappers share; never credentials or whole URLs
_OPEN_OPTIONS = frozenset(
    re.findall(
        r"\w+",
        """
    host hostaddr port dbname database service dbserver server catalog schema schema_name table table_name tablename column column_name
    remote_schema remote_table remote_column sslmode sslcompression sslrootcert sslsni target_session_attrs load_balance_hosts gssencmode
    channel_binding connect_timeout keepalives keepalives_idle keepalives_interval keepalives_count tcp_user_timeout client_encoding
    application_name fallback_application_name fetch_size batch_size use_remote_estimate fdw_startup_cost fdw_tuple_cost extensions
    updatable truncatable async_capable keep_connections parallel_commit parallel_abort analyze_sampling import_collate import_default
    import_generated import_not_null restore_stats filename format header delimiter quote escape null default encoding force_not_null
    force_null on_error log_verbosity reject_limit readonly max_rows row_estimate_method prefetch compression region wrapper
    character_set charset isolation_level nchar collection object rowid_column version
    """,
    )
)

# Lists of identifiers, printed one by one (src/bin/pg_dump/dumputils.c, variable_is_guc_list_quote)
LISTS = frozenset(
    {
        "local_preload_libraries",
        "search_path",
        "session_preload_libraries",
        "shared_preload_libraries",
        "temp_tablespaces",
        "unix_socket_directories",
    }
)
_LIST_ITEM = re.compile(r'"((?:[^"]|"")*)"|([^",\s]+)')
# A name with a dot is an extension's or the application's own (app.jwt_secret); these are of the former
_OPEN_PREFIXES = (
    *("plpgsql.", "auto_explain.", "pg_stat_statements.", "pg_trgm.", "pg_prewarm.", "postgres_fdw.", "pg_hint_plan."),
    *("timescaledb.", "postgis.", "pg_partman_bgw.", "cron.", "citus.", "hnsw.", "ivfflat.", "pgaudit."),
)

LARGE_OBJECTS_TOGETHER = 1000  # in one object of an inventory: a change can be read, and millions do not fill the memory


def options_text(options: Iterable[tuple[str, str]]) -> str | None:
    """Return OPTIONS (…) as `name 'value'` joined by ', ' in the order of the names, secrets hidden; None without any."""
    shown = (
        f"{quote_identifier(name)} {_literal(hide_secrets(value) if is_open_option(name) else HIDDEN)}" for name, value in sorted(options)
    )
    return ", ".join(shown) or None


def is_open_option(name: str) -> bool:
    """Whether the value of the option *name* of a foreign server or table may be shown."""
    return name in _OPEN_OPTIONS


def setting_text(name: str, values: Iterable[str]) -> str:
    """Return what SET name TO has behind it, as pg_dump writes it: literals joined by ', ', hidden when they may be secret."""
    if "." in name and not name.lower().startswith(_OPEN_PREFIXES):
        return _literal(HIDDEN)
    return ", ".join(map(_literal, values))


def stored_values(name: str, value: str) -> list[str]:
    """Return the values of a setting as the catalog stores it: a list of identifiers in parts (makeAlterConfigCommand), others whole."""
    if name.lower() not in LISTS:
        return [value]
    return [(quoted.replace('""', '"') if quoted else bare) for quoted, bare in _LIST_ITEM.findall(value)] or [""]


def compact_numbers(numbers: Iterable[int]) -> str:
    """Return sorted distinct numbers as `5, 7-9`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def by_number(values: Mapping[int, str | None]) -> str | None:
    """Return one text for what many numbered things have each: the value when all have the same, else `5, 7-9: value` in lines."""
    distinct = {*values.values()}
    if len(distinct) == 1:
        return distinct.pop()
    having: dict[str, list[int]] = {}
    for number, value in values.items():
        if value is not None:
            having.setdefault(value, []).append(number)
    lines = sorted((min(numbers), f"{compact_numbers(numbers)}: {value}") for value, numbers in having.items())
    return "\n".join(line for _, line in lines) or None


def large_objects_name(bucket: int) -> str:
    """Return the name of the BLOB object that holds the large objects of the *bucket*-th thousand."""
    first = bucket * LARGE_OBJECTS_TOGETHER
    return f"{first}..{first + LARGE_OBJECTS_TOGETHER - 1}"


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
