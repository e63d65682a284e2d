"""The one way to a live server: a psycopg connection, whose COPY is used for rows; one of the user's SQLAlchemy Engine where that is given.

Without an Engine SQLAlchemy is not loaded: that takes a third of the time of a short command, and it asks a server things at each connect.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from pgaudit_kit.errors import CannotConnect, QueryFailed, TargetError, hide_secrets

if TYPE_CHECKING:
    import psycopg
    import sqlalchemy

    from pgaudit_kit.server.targets import Target

APPLICATION_NAME = "pgaudit_kit"
CONNECT_TIMEOUT_SECONDS = 10


class _Refusal(NamedTuple):
    """One way to fail: how libpq or the server words it (English; a server may speak another language), and what next."""

    pattern: str
    message: str
    remedy: str


# First match wins. Sources: src/backend/libpq/auth.c, utils/init/postinit.c, storage/lmgr/proc.c, tcop/backend_startup.c,
# What a standby says of a session that stands in the way of what its primary did (ProcessInterrupts in tcop/postgres.c)
CONFLICT = "conflict with recovery"
CONFLICT_REMEDY = "Set hot_standby_feedback = on, or a longer max_standby_streaming_delay, on that standby; or back up the primary."
# src/interfaces/libpq/fe-connect.c and fe-secure*.c; the last pattern of each line is what hosted poolers say.
_REFUSALS = (
    _Refusal(
        # libpq tries both ways when it may: only if the encrypted one was not refused too is it the encryption
        r"^(?!.*, SSL encryption).*no pg_hba\.conf entry.*, no encryption"
        r"|SSL connection is required|connection is insecure|SSL/TLS required|sslmode=require",
        "the server takes only encrypted connections from here",
        "Add sslmode=require to the URL.",
    ),
    _Refusal(
        r"server does not support SSL",
        "the server does not speak TLS, which sslmode demands",
        "Turn TLS on there, or take sslmode out of the URL if the way to the server is private.",
    ),
    _Refusal(
        r"certificate verify failed|root certificate file|server certificate for|SSL error|TLS",
        "no encrypted connection that can be trusted came about",
        "Check sslmode and sslrootcert in the URL.",
    ),
    _Refusal(
        r"password authentication failed|authentication failed for user|Wrong password|Tenant or user not found",
        "the password or the user is wrong",
        "Correct user and password in the target; percent-encode special characters.",
    ),
    _Refusal(
        r"no password supplied|empty password",
        "the server asks for a password and none was given",
        "Put it into the URL, PGPASSWORD or ~/.pgpass.",
    ),
    _Refusal(
        r"no pg_hba\.conf entry|pg_hba\.conf rejects",
        "the server lets no one in from this address as this user to this database",
        "Ask its administrator for a line in pg_hba.conf, or for this address to be allowed.",
    ),
    _Refusal(r"database .* does not exist", "there is no database of that name", "Correct the database name, or create it."),
    _Refusal(r"role .* does not exist", "the server has no role of that name", "Correct the user name, or create the role."),
    _Refusal(
        r"too many connections|too many clients|connection slots are reserved|max client connections|MaxClients",
        "the server has no connection free",
        "Wait or close idle connections, then try again.",
    ),
    _Refusal(
        r"not currently accepting connections|permission denied for database|not permitted to log in",
        "the server does not let this user into this database",
        "Grant LOGIN and CONNECT, or use another role.",
    ),
    _Refusal(
        r"starting up|shutting down|in recovery|not yet accepting connections",
        "the server is not taking connections yet",
        "Wait until it has started, then try again.",
    ),
    _Refusal(
        r"Connection refused|No such file or directory|could not connect|could not translate host name|resolve host"
        r"|[Nn]ame or service not known|nodename nor servname|No address associated|timeout expired|timed out|unreachable|No route to host"
        r"|closed the connection unexpectedly|Connection reset",
        "no server answers there",
        "Check host and port, and that the server runs and can be reached from here.",
    ),
)


def connect(target: Target, *, read_only: bool = True, autocommit: bool = False) -> psycopg.Connection[tuple[Any, ...]]:
    """Return an open psycopg connection to *target*; closing it (or leaving its `with` block) closes it for good.

    A read-only connection begins every transaction READ ONLY, so the server refuses every change. That holds per
    transaction and not as a setting of the session, which a pooler in transaction mode would hand on to the app; only
    with *autocommit*, where statements run without BEGIN, it is `default_transaction_read_only`. Statements are never
    prepared on the server, for the same reason. Raises CannotConnect, whose sentence says which of the usual causes it is.
    """
    import psycopg
    from psycopg.conninfo import make_conninfo

    try:
        connection = _taken_out_of(target.engine, target) if target.engine else psycopg.connect(make_conninfo(**_connect_arguments(target)))
        try:
            _prepare(connection, target, read_only=read_only, autocommit=autocommit)
        except BaseException:  # Ctrl-C included: no session stays behind
            connection.close()
            raise
    except psycopg.Error as error:
        raise _cannot_connect(target, str(error)) from None  # from None: the cause may show the URL
    return connection


def _taken_out_of(engine: sqlalchemy.Engine, target: Target) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection of the user's *engine* that never gets back into its pool: what is set on it stays with us."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    try:
        pooled = engine.raw_connection()
    except DBAPIError as error:
        raise _cannot_connect(target, str(error.orig)) from None
    connection = pooled.driver_connection
    pooled.detach()
    if not isinstance(connection, psycopg.Connection):
        raise TargetError("the Engine's connections are not psycopg's", resource=target.label, remedy="Give its URL instead.")
    return connection


def _connect_arguments(target: Target) -> dict[str, str]:
    given = {"application_name": APPLICATION_NAME, "connect_timeout": str(CONNECT_TIMEOUT_SECONDS), "client_encoding": "UTF8"}
    return given | dict(target.parameters)


def _prepare(connection: psycopg.Connection[Any], target: Target, *, read_only: bool, autocommit: bool) -> None:
    connection.rollback()
    connection.prepare_threshold = None
    connection.autocommit = True
    if target.engine is not None:
        connection.execute(
            "SELECT set_config('application_name', %s, false) WHERE current_setting('application_name') = ''", [APPLICATION_NAME]
        )
    if read_only and autocommit:
        connection.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
    connection.autocommit = autocommit
    connection.read_only = True if read_only else None


def _cannot_connect(target: Target, words: str) -> CannotConnect:
    """Say which of the usual causes *words* (libpq's, perhaps of several attempts) mean."""
    words = " ".join(words.split())
    for refusal in _REFUSALS:
        if re.search(refusal.pattern, words):
            return CannotConnect(f"cannot connect to {target.label}: {refusal.message}", resource=target.label, remedy=refusal.remedy)
    last = hide_secrets(words.rpartition("FATAL: ")[2].strip() or "no reason given", secrets=target.secrets)
    return CannotConnect(
        f"cannot connect to {target.label}: {last}", resource=target.label, remedy="Check host, port, user and database of the target."
    )


@contextmanager
def refused_queries(label: str, doing: str, *, remedy: str = "") -> Iterator[None]:
    """Turn what psycopg raises while *doing* (a phrase: `reading the catalog`) into QueryFailed; *remedy* replaces the usual ones."""
    import psycopg
    from psycopg import errors

    try:
        yield
    except psycopg.Error as error:
        words = (error.diag.message_primary or str(error)).strip() or type(error).__name__
        if isinstance(error, errors.InsufficientPrivilege):
            usual = "Use a role that may read everything, for example a member of pg_read_all_data."
        elif CONFLICT in words:
            usual = CONFLICT_REMEDY
        elif isinstance(error, psycopg.OperationalError):
            usual = "The connection was lost or cut short; try again."
        else:
            usual = "If the schema is being changed right now, try again."
        raise QueryFailed(f"{doing} failed: {hide_secrets(words)}", resource=label, remedy=remedy or usual) from None
