"""`postgresql://…` as apps write it → the parameters of libpq.

libpq refuses a URL with a parameter it does not know (PQconninfoParse, src/interfaces/libpq/fe-connect.c). Apps put the
parameters of Prisma, node-postgres, JDBC or SQLAlchemy there, so those are translated or dropped first. No message of
this module repeats any part of a URL: what libpq complains about may be half a password.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from pgaudit_kit.errors import TargetError

_SCHEME = re.compile(r"[\s'\"]*([A-Za-z][A-Za-z0-9+.-]*):")
_POSTGRES = re.compile(r"postgres(ql)?(\+[a-z0-9_]+)?\Z")
_ACCELERATE = ("prisma", "prisma+postgres", "prisma+postgresql")
_FORM = "Give it the form postgresql://user@host:port/database."

# Whether to encrypt is never dropped silently, and these are the ways other drivers say it
_SSL_WORDS = {"false": "disable", "0": "disable"} | {m: m for m in ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")}
_DEFAULT_SCHEMA = "public"
_POOLER_PORT = "6543"


@dataclass(frozen=True, slots=True)
class ParsedUrl:
    """`parameters`: for libpq. `pooled`: it leads to a pooler in transaction mode. `dropped`: names of foreign parameters."""

    parameters: Mapping[str, str] = field(repr=False)
    prisma_schema: str = _DEFAULT_SCHEMA
    pooled: bool = False
    dropped: tuple[str, ...] = ()


def scheme_of(text: str) -> str | None:
    """Return the scheme of *text* in lower case (`postgresql`, `mysql`, `file` …), None when it has none."""
    match = _SCHEME.match(text)
    return match[1].lower() if match else None


def is_accelerate(text: str) -> bool:
    """Say whether *text* is the URL of Prisma's own proxy, which PostgreSQL clients cannot speak to."""
    return scheme_of(text) in _ACCELERATE


def parse_url(text: str, *, resource: str) -> ParsedUrl:
    """Return what *text* says. Raises TargetError, naming *resource* and no part of *text* but its scheme."""
    text = text.strip().strip("\"'").strip()
    _check_scheme(text, resource)
    rest = text.partition("://")[2]
    address, query = _split_query(rest, resource)
    given = dict(parse_qsl(query.replace("+", "%2B"), keep_blank_values=True))
    kept, dropped = _for_libpq(given, resource)
    parameters = {**_parse_with_libpq(f"postgresql://{address}", resource), **kept}
    _check_port(parameters, resource)
    return ParsedUrl(
        parameters={k: v for k, v in parameters.items() if v != ""},
        prisma_schema=given.get("schema") or _DEFAULT_SCHEMA,
        pooled=given.get("pgbouncer", "").lower() == "true" or _leads_to_pooler(parameters),
        dropped=dropped,
    )


def _leads_to_pooler(parameters: Mapping[str, str]) -> bool:
    """Whether host or port are those that hosts give to poolers in transaction mode: Supabase the port, Neon the first part of the name."""
    first = parameters.get("host", "").partition(".")[0]
    return parameters.get("port") == _POOLER_PORT or first.endswith("-pooler")


def _check_scheme(text: str, resource: str) -> None:
    scheme = scheme_of(text)
    if is_accelerate(text):
        raise TargetError(
            f"it is a {scheme}:// URL: Prisma's proxy, not a PostgreSQL server",
            resource=resource,
            remedy="Set DIRECT_URL to the database's own postgresql:// URL and use that.",
        )
    if scheme is None or not _POSTGRES.match(scheme) or "://" not in text:
        found = f"it begins with {scheme}:" if scheme and not _POSTGRES.match(scheme) else "it has no postgresql://"
        raise TargetError(f"not the URL of a PostgreSQL database: {found}", resource=resource, remedy=_FORM)


def _split_query(rest: str, resource: str) -> tuple[str, str]:
    """Split `user@host/database?query`; refuse what cannot be split with certainty instead of guessing."""
    head = rest.split("/", 1)[0]
    credentials, at, after = rest.partition("@") if "@" in head else ("", "", rest)
    address, _, query = after.partition("?")
    if "@" in address:
        raise TargetError(
            "the URL has more than one @ before its parameters, or a / before it",
            resource=resource,
            remedy="Percent-encode these characters in user and password: @ is %40, / is %2F, : is %3A, ? is %3F, # is %23.",
        )
    return credentials + at + address, query


def _for_libpq(given: Mapping[str, str], resource: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Sort *given* into what libpq takes and the names of what it does not."""
    known = _libpq_keywords()
    kept = {name: value for name, value in given.items() if name in known}
    dropped = {name for name in given if name not in known}
    if "ssl" in given or kept.get("sslmode") == "no-verify":  # node-postgres
        kept["sslmode"] = _SSL_WORDS.get(kept.get("sslmode", given.get("ssl", "")).lower(), "require")
    if {"sslaccept", "sslidentity"} & dropped:
        # Prisma's sslcert is the certificate of the authority, and sslidentity a PKCS 12 file that libpq cannot read
        kept.pop("sslpassword", None)
        if "sslcert" in kept:
            kept["sslrootcert"] = kept.pop("sslcert")
            if given.get("sslaccept") == "strict":
                kept["sslmode"] = "verify-full"
    unknown_wishes = {name for name in dropped if name.lower().startswith("ssl") and name not in ("ssl", "sslaccept", "sslidentity")}
    if unknown_wishes:
        raise TargetError(
            f"the URL parameter {min(unknown_wishes)} is not one of libpq",
            resource=resource,
            remedy="Say how to encrypt with sslmode, sslrootcert, sslcert and sslkey; dropping it could leave the connection open.",
        )
    return kept, tuple(sorted(dropped))


def _libpq_keywords() -> frozenset[str]:
    from psycopg import pq

    return frozenset(option.keyword.decode() for option in pq.Conninfo.get_defaults())


def _parse_with_libpq(url: str, resource: str) -> dict[str, str]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        return {k: str(v) for k, v in conninfo_to_dict(url).items() if v is not None}
    except psycopg.ProgrammingError:
        # from None: libpq quotes the part that it could not read
        raise TargetError(
            "libpq cannot read this URL", resource=resource, remedy=f"{_FORM} Percent-encode special characters in user and password."
        ) from None


def _check_port(parameters: Mapping[str, str], resource: str) -> None:
    ports = parameters.get("port", "").split(",")
    if not all(port == "" or (port.isascii() and port.isdigit() and int(port) < 1 << 16) for port in ports):
        raise TargetError(
            "what stands between : and / is no port number",
            resource=resource,
            remedy="Percent-encode special characters in user and password (/ is %2F, : is %3A), or correct the port.",
        )
