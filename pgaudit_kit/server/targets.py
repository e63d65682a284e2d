"""Where a database is: `postgresql://…`, `env:NAME`, `dotenv:PATH[#KEY]`, `service:NAME`, or a SQLAlchemy Engine or URL."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from pgaudit_kit.errors import TargetError
from pgaudit_kit.server.target_hints import hint_for, keys_with_urls
from pgaudit_kit.server.url_parameters import ParsedUrl, is_accelerate, parse_url, scheme_of

if TYPE_CHECKING:
    import sqlalchemy

DEFAULT_KEY = "DATABASE_URL"
DIRECT_KEYS = ("DIRECT_URL", "DIRECT_DATABASE_URL", "directUrl")
# The files of an app, best first: of two that claim a role for different databases the first has it. Others follow by their names.
_APP_FILES: Mapping[str, str] = {
    ".env.production.local": "production",
    ".env.production": "production",
    ".env": "production",
    ".env.local": "local",
}
_TEMPLATES = frozenset({"example", "sample", "template", "dist", "defaults", "schema", "vault", "keys", "bak", "swp"})
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FORMS = "Give postgresql://user@host/database, env:NAME, dotenv:PATH or service:NAME."


@dataclass(frozen=True)
class Target:
    """One database to talk to. Neither `repr` nor `str` nor `label` shows a password.

    `label`: for people (`host:port/database`, `env:NAME (host:port/database)`). `parameters`: libpq's, the password
    among them. `engine`: the user's own Engine, when one was given. `role`: of an app's env file (`production`, `local`,
    `staging`). `prisma_schema`: the schema that Prisma looks in. `dropped`: names of URL parameters that mean nothing to
    PostgreSQL. `pooled`: its URL looks like one of a pooler in transaction mode.
    """

    label: str
    parameters: Mapping[str, str] = field(repr=False, hash=False)
    engine: sqlalchemy.Engine | None = field(default=None, repr=False, compare=False)
    role: str | None = None
    prisma_schema: str = "public"
    dropped: tuple[str, ...] = ()
    origin: str = field(default="", repr=False)
    pooled: bool = False

    def __str__(self) -> str:
        return self.label

    @property
    def database(self) -> str:
        """Name of the database; where none is named, what libpq would take (PGDATABASE, else the user's name)."""
        return self.parameters.get("dbname") or os.environ.get("PGDATABASE") or self.user

    @property
    def user(self) -> str:
        """Name of the role; "" when it is left to libpq."""
        return self.parameters.get("user") or os.environ.get("PGUSER") or ""

    @property
    def place(self) -> str:
        """What tells databases apart, without a secret: `host:port/database`, however the host is named and whoever connects."""
        return "{}:{}/{}".format(*_place(self))

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret string of this target, also percent-encoded, for scrubbing texts made by other programs."""
        held = [self.parameters.get(name, "") for name in ("password", "sslpassword", "oauth_client_secret", "scram_client_key")]
        if not held[0]:
            held.append(os.environ.get("PGPASSWORD", ""))
        return tuple(dict.fromkeys(form for secret in held if secret for form in (secret, quote(secret, safe=""), quote(secret))))

    @property
    def url(self) -> sqlalchemy.URL:
        """The target as a SQLAlchemy URL of the psycopg driver. Its `str` hides the password; its query may name files."""
        from sqlalchemy import URL

        p = dict(self.parameters)
        user, password, database = p.pop("user", None), p.pop("password", None), p.pop("dbname", None)
        host, port = p.get("host", ""), p.get("port", "")
        if host and not host.startswith("/") and "," not in host and "," not in port:
            del p["host"]
            p.pop("port", None)
            return URL.create("postgresql+psycopg", user, password, host, int(port) if port else None, database, p)
        return URL.create("postgresql+psycopg", user, password, database=database, query=p)

    def libpq_env(self) -> dict[str, str]:
        """Environment variables that lead a client program (pg_dump, psql …) here, so that no secret is in its argv.

        libpq knows a variable for most parameters; those without (keepalives …) only tune and are left out.
        """
        from psycopg import pq

        variables = {o.keyword.decode(): o.envvar.decode() for o in pq.Conninfo.get_defaults() if o.envvar}
        return {variables[name]: value for name, value in self.parameters.items() if name in variables}

    def with_database(self, name: str) -> Target:
        """Return the same server and role with another database. An Engine is not carried over: it belongs to one database."""
        moved = replace(self, parameters={**self.parameters, "dbname": name}, engine=None)
        return replace(moved, label=_label(self.origin, moved.parameters))


def resolve_target(text: str | sqlalchemy.Engine | sqlalchemy.URL | Target, *, folder: Path | None = None) -> Target:
    """Return the database that *text* names; nothing is connected to. Paths are relative to *folder* (default: the current one).

    Raises TargetError when a variable, file, key or service is missing or empty or holds no URL of PostgreSQL. The
    message names the place and never the value.
    """
    if isinstance(text, Target):
        return text
    if not isinstance(text, str):
        return _from_sqlalchemy(text)
    kind, _, rest = text.strip().partition(":")
    if kind == "env":
        return _target(_variable(rest), origin=text.strip())
    if kind == "dotenv":
        return _from_dotenv(rest, folder or Path.cwd())
    if kind == "service":
        return _from_service(rest)
    if scheme_of(text) is None or "://" not in text:
        raise TargetError("this names no database", resource="the target", remedy=hint_for(text, folder or Path.cwd()) or _FORMS)
    return _target(text, origin="")


def find_app_targets(folder: Path, *, refused: list[TargetError] | None = None) -> list[Target]:
    """Return the databases of the app in *folder*, named by its env files; each database once.

    `.env` is production and `.env.local` is local; `.env.production` is production, too, and goes before `.env`, which then has the role
    `env` if it names another database. Any other `.env.NAME` has the role NAME; templates (`.env.example`) are left out. A file counts when
    it sets DATABASE_URL. Where that leads to a pooler or to Prisma's proxy, DIRECT_URL is taken if there is one.
    A file that counts and names no PostgreSQL database, or that cannot be read, is put into *refused*; without that list it is raised,
    as a TargetError.
    """
    found: list[Target] = []
    for name in _app_files(folder):
        try:
            if DEFAULT_KEY not in _dotenv_values(folder / name, f"dotenv:{name}"):
                continue
            target = _from_dotenv(name, folder)
        except TargetError as error:
            if refused is None:
                raise
            refused.append(error)
            continue
        if _place(target) in map(_place, found):
            continue
        if target.role in {other.role for other in found}:
            target = replace(target, role=name.removeprefix(".").replace(".", "-"))
        found.append(target)
    return found


def targets_under_other_keys(folder: Path) -> list[str]:
    """How to name the databases that env files in *folder* have under keys other than DATABASE_URL, as Vercel's POSTGRES_URL."""
    found = []
    for name in _app_files(folder):
        with suppress(TargetError):
            found += [f"dotenv:{name}#{key}" for key in keys_with_urls(_dotenv_values(folder / name, f"dotenv:{name}"))]
    return found


def _app_files(folder: Path) -> list[str]:
    others = sorted(path.name for path in folder.glob(".env.*") if path.name not in _APP_FILES and not _is_template(path.name))
    return [name for name in (*_APP_FILES, *others) if (folder / name).is_file()]


def _is_template(name: str) -> bool:
    return not _TEMPLATES.isdisjoint(name.split("."))


def _role_of(name: str) -> str | None:
    """The role of the env file *name*: `.env.staging.local` is staging's. None for a file of another name."""
    if name in _APP_FILES:
        return _APP_FILES[name]
    first, _, rest = name.partition(".env.")
    return rest.removesuffix(".local").replace(".", "-") if rest and not first else None


def _target(url: str, *, origin: str, role: str | None = None) -> Target:
    parsed = parse_url(url, resource=origin or "the target")
    return _of_parsed(parsed, origin=origin, role=role)


def _of_parsed(parsed: ParsedUrl, *, origin: str, role: str | None) -> Target:
    return Target(
        label=_label(origin, parsed.parameters),
        parameters=parsed.parameters,
        role=role,
        prisma_schema=parsed.prisma_schema,
        dropped=parsed.dropped,
        origin=origin,
        pooled=parsed.pooled,
    )


def _label(origin: str, parameters: Mapping[str, str]) -> str:
    host = parameters.get("host") or parameters.get("hostaddr") or os.environ.get("PGHOST") or "local"
    if host.startswith(("/", "@")):
        host = "local"  # a socket folder says nothing to people
    if ":" in host and "," not in host:
        host = f"[{host}]"
    port = parameters.get("port", "")
    database = parameters.get("dbname") or os.environ.get("PGDATABASE") or parameters.get("user") or ""
    place = f"{host}{':' + port if port and ',' not in port else ''}/{database}"
    return f"{origin} ({place})" if origin else place


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value.strip():
        raise TargetError(
            f"the environment variable {name or '(no name)'} is {'empty' if name in os.environ else 'not set'}",
            resource=f"env:{name}",
            remedy="Set it to postgresql://user@host/database, or name another target.",
        )
    return value


def _from_dotenv(rest: str, folder: Path) -> Target:
    path_text, _, key = rest.partition("#")
    origin = f"dotenv:{rest}"
    path = folder / path_text
    values = _dotenv_values(path, origin)
    wanted = key or DEFAULT_KEY
    value = (values.get(wanted) or "").strip()
    direct = next((k for k in DIRECT_KEYS if (values.get(k) or "").strip()), None)
    role = _role_of(path.name)
    if not value:
        others = [f"dotenv:{path_text}#{k}" for k in keys_with_urls(values)]
        add = f"Add {wanted}=postgresql://user@host/database to it, or name another key as dotenv:{path_text}#KEY."
        raise TargetError(
            f"{path_text} {'leaves ' + wanted + ' empty' if wanted in values else 'does not set ' + wanted}",
            resource=origin,
            remedy=f"Name the key that has it: {' or '.join(others)}." if others else add,
        )
    if not key and direct and is_accelerate(value):
        return _target(values[direct] or "", origin=f"dotenv:{path_text}#{direct}", role=role)
    parsed = parse_url(value, resource=origin)
    if not key and direct and parsed.pooled:
        # a pooler in transaction mode can hold no session, so neither a snapshot nor pg_dump works through it
        through = parse_url(values[direct] or "", resource=f"dotenv:{path_text}#{direct}")
        return _of_parsed(replace(through, prisma_schema=parsed.prisma_schema), origin=f"dotenv:{path_text}#{direct}", role=role)
    return _of_parsed(parsed, origin=origin, role=role)


def _dotenv_values(path: Path, origin: str) -> dict[str, str | None]:
    from dotenv import dotenv_values

    try:
        with path.open(encoding="utf-8-sig") as stream:
            return dotenv_values(stream=stream)
    except FileNotFoundError:
        raise TargetError(f"there is no file {path}", resource=origin, remedy="Correct the path, or run in the app's folder.") from None
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise TargetError(f"cannot read {path}: {reason}", resource=origin, remedy="Make it readable by this account.") from None
    except UnicodeDecodeError:
        # from None: the exception carries the file's bytes
        raise TargetError(f"{path} is not UTF-8 text", resource=origin, remedy="Save it as UTF-8.") from None


def _from_service(name: str) -> Target:
    """Let libpq read its service file (pg_service.conf), by asking for the defaults under PGSERVICE with and without it."""
    if not name:
        raise TargetError("no service is named", resource="service:", remedy="Give service:NAME, with NAME from pg_service.conf.")
    before = os.environ.pop("PGSERVICE", None)
    try:
        without = _libpq_defaults()
        os.environ["PGSERVICE"] = name
        with_it = _libpq_defaults()
    finally:
        os.environ.pop("PGSERVICE", None)
        if before is not None:
            os.environ["PGSERVICE"] = before
    parameters = {k: v for k, v in with_it.items() if v and v != without.get(k) and k != "service"}
    if not parameters:
        raise TargetError(
            f"libpq finds no service {name}, or an empty one",
            resource=f"service:{name}",
            remedy="Add it to ~/.pg_service.conf, or set PGSERVICEFILE to the file that has it.",
        )
    return Target(label=_label(f"service:{name}", parameters), parameters=parameters, origin=f"service:{name}")


def _libpq_defaults() -> dict[str, str]:
    from psycopg import pq

    return {o.keyword.decode(): o.val.decode() for o in pq.Conninfo.get_defaults() if o.val is not None}


def _from_sqlalchemy(given: sqlalchemy.Engine | sqlalchemy.URL) -> Target:
    import sqlalchemy

    given = getattr(given, "sync_engine", given)  # an AsyncEngine wraps one
    url = given.url if isinstance(given, sqlalchemy.Engine) else given
    if not isinstance(url, sqlalchemy.URL):
        raise TargetError(f"a {type(given).__name__} names no database", resource="the target", remedy=_FORMS)
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise TargetError(f"SQLAlchemy says this is {url.get_backend_name()}, not PostgreSQL", resource="the target", remedy=_FORMS)
    target = _target(_as_libpq_url(url), origin="")
    own = isinstance(given, sqlalchemy.Engine) and given.dialect.driver == "psycopg" and not given.dialect.is_async
    return replace(target, engine=given) if own and isinstance(given, sqlalchemy.Engine) else target


def _as_libpq_url(url: sqlalchemy.URL) -> str:
    """Return *url* in libpq's form. For several hosts SQLAlchemy has one of its own: ?host=a:1&host=b:2."""
    query = {k: v if isinstance(v, str) else ",".join(v) for k, v in url.query.items()}
    several = url.query.get("host")
    if isinstance(several, tuple):
        hosts = [h.rpartition(":") if h.rpartition(":")[2].isdigit() else (h, "", "") for h in several]
        query |= {"host": ",".join(h[0] for h in hosts), "port": ",".join(h[2] for h in hosts)}
    user = quote(url.username or "", safe="")
    password = f":{quote(str(url.password), safe='')}" if url.password else ""
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or ""
    place = f"{host}:{url.port}" if url.port else host
    return f"postgresql://{user}{password}@{place}/{quote(url.database or '', safe='')}?{urlencode(query, quote_via=quote)}"


def _place(target: Target) -> tuple[str, str, str]:
    """What tells databases apart, whatever the role and the way of naming the host."""
    p = target.parameters
    host = (p.get("host") or p.get("hostaddr") or os.environ.get("PGHOST") or "local").lower()
    port = p.get("port") or os.environ.get("PGPORT") or "5432"
    return ("localhost" if host in _LOOPBACK else host, port, target.database)
