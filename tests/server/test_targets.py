from __future__ import annotations

import copy
import pickle
from pathlib import Path

import pytest
import sqlalchemy

from pgaudit_kit.errors import TargetError
from pgaudit_kit.server.targets import find_app_targets, resolve_target, targets_under_other_keys

SECRET = "hunter2-Zx9"


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        ("postgresql://u:p@h:1/d", {"user": "u", "password": "p", "host": "h", "port": "1", "dbname": "d"}),
        ("postgres://h/d", {"host": "h", "dbname": "d"}),
        ("postgresql+psycopg://u@h/d", {"user": "u", "host": "h", "dbname": "d"}),
        ("postgresql+asyncpg://u@h/d", {"user": "u", "host": "h", "dbname": "d"}),
        ("postgresql://u:p%40%2F%3A%25@h/d", {"user": "u", "password": "p@/:%", "host": "h", "dbname": "d"}),
        ("postgresql://u:p#?x@h/d", {"user": "u", "password": "p#?x", "host": "h", "dbname": "d"}),
        ("postgresql://u@[::1]:5/d", {"user": "u", "host": "::1", "port": "5", "dbname": "d"}),
        ("postgresql://u@/d?host=/var/run/pg", {"user": "u", "host": "/var/run/pg", "dbname": "d"}),
        ("postgresql://u@localhost/d?host=%2Fvar%2Frun%2Fpg&port=7", {"user": "u", "host": "/var/run/pg", "port": "7", "dbname": "d"}),
        ("postgresql://a:1,b:2/d?target_session_attrs=any", {"host": "a,b", "port": "1,2", "dbname": "d", "target_session_attrs": "any"}),
        ("postgresql://h/my%20db", {"host": "h", "dbname": "my db"}),
        ("postgresql://h/d?options=-c%20a%3Db+c", {"host": "h", "dbname": "d", "options": "-c a=b+c"}),
        ('  "postgresql://h/d"  ', {"host": "h", "dbname": "d"}),
    ],
)
def test_a_url_becomes_the_parameters_of_libpq(url: str, parameters: dict[str, str]) -> None:
    assert dict(resolve_target(url).parameters) == parameters


def test_parameters_of_prisma_never_reach_libpq_and_those_of_libpq_all_do() -> None:
    prisma = (
        "schema=billing&connection_limit=5&pool_timeout=3&pgbouncer=true&socket_timeout=9&statement_cache_size=0"
        "&sslaccept=accept_invalid_certs&max_idle_connection_lifetime=1&single_use_connections=true"
    )
    libpq = "sslmode=require&connect_timeout=30&application_name=web&options=-csearch_path%3Dx"
    target = resolve_target(f"postgresql://u:{SECRET}@h/d?{prisma}&{libpq}")
    assert target.prisma_schema == "billing"
    assert set(target.parameters) == {"user", "password", "host", "dbname", "sslmode", "connect_timeout", "application_name", "options"}
    assert "connection_limit" in target.dropped


def test_prisma_looks_in_public_unless_told() -> None:
    assert resolve_target("postgresql://h/d").prisma_schema == "public"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("ssl=true", {"sslmode": "require"}),
        ("ssl=false", {"sslmode": "disable"}),
        ("ssl=verify-full", {"sslmode": "verify-full"}),
        ("ssl=true&sslmode=verify-full", {"sslmode": "verify-full"}),
        ("sslmode=no-verify", {"sslmode": "require"}),
        ("sslmode=require&sslaccept=strict&sslcert=/ca.pem", {"sslmode": "verify-full", "sslrootcert": "/ca.pem"}),
        ("sslidentity=/id.p12&sslpassword=x&sslcert=/ca.pem", {"sslrootcert": "/ca.pem"}),
        ("sslcert=/client.crt&sslkey=/client.key", {"sslcert": "/client.crt", "sslkey": "/client.key"}),
    ],
)
def test_the_wish_to_encrypt_survives_whatever_driver_it_was_written_for(query: str, expected: dict[str, str]) -> None:
    target = resolve_target(f"postgresql://h/d?{query}")
    assert {k: v for k, v in target.parameters.items() if k.startswith("ssl")} == expected


def test_an_unknown_wish_about_encryption_is_refused_and_not_dropped() -> None:
    with pytest.raises(TargetError, match="sslmod"):
        resolve_target("postgresql://h/d?sslmod=require")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (f"mysql://u:{SECRET}@h/d", "mysql:"),
        (f"file:./{SECRET}.db", "file:"),
        (f"prisma://accelerate.example/?api_key={SECRET}", "DIRECT_URL"),
        (f"prisma+postgres://accelerate.example/?api_key={SECRET}", "DIRECT_URL"),
        (f"postgresql://u:{SECRET}@x@h/d", "%40"),
        (f"postgresql://u:{SECRET}/x@h/d", "%2F"),
        (f"postgresql://u:{SECRET}/d", "port"),
        (f"postgresql://u:{SECRET}%zz@h/d", "Percent-encode"),
        (f"postgresql:{SECRET}", "postgresql://"),
        (SECRET, "postgresql://"),
    ],
)
def test_what_is_no_url_of_postgresql_is_refused_without_repeating_it(value: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_DB", value)
    for text in ("env:APP_DB", value):
        with pytest.raises(TargetError) as caught:
            resolve_target(text)
        assert SECRET not in str(caught.value)
        assert SECRET.encode() not in pickle.dumps(caught.value)
        assert caught.value.remedy
    with pytest.raises(TargetError, match=says):
        resolve_target("env:APP_DB")


@pytest.mark.parametrize("text", ["", "app", "backups/app.dump", "env:", "service:"])
def test_a_text_that_names_nothing_is_a_target_error(text: str) -> None:
    with pytest.raises(TargetError) as caught:
        resolve_target(text)
    assert caught.value.exit_code == 2


def test_an_environment_variable_that_is_missing_or_empty_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOT_THERE", raising=False)
    with pytest.raises(TargetError, match="NOT_THERE is not set"):
        resolve_target("env:NOT_THERE")
    monkeypatch.setenv("NOT_THERE", " ")
    with pytest.raises(TargetError, match="NOT_THERE is empty"):
        resolve_target("env:NOT_THERE")


def test_a_dotenv_target_takes_its_key_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "a.env").write_text("DATABASE_URL='postgresql://h/one'\nexport OTHER=\"postgresql://h/two\" # comment\n", encoding="utf-8")
    assert resolve_target("dotenv:a.env", folder=tmp_path).database == "one"
    assert resolve_target("dotenv:a.env#OTHER", folder=tmp_path).database == "two"
    assert resolve_target(f"dotenv:{tmp_path / 'a.env'}").label == f"dotenv:{tmp_path / 'a.env'} (h/one)"


@pytest.mark.parametrize(
    ("content", "text", "says"),
    [
        (None, "dotenv:.env", "no file"),
        (b"A=1\n", "dotenv:.env", "does not set DATABASE_URL"),
        (b"DATABASE_URL=\n", "dotenv:.env", "leaves DATABASE_URL empty"),
        (b"DATABASE_URL\n", "dotenv:.env", "leaves DATABASE_URL empty"),
        (b"DATABASE_URL=postgresql://h/d\n", "dotenv:.env#NOPE", "does not set NOPE"),
        ("DATABASE_URL=postgresql://h/d".encode("utf-16"), "dotenv:.env", "not UTF-8"),
    ],
)
def test_what_is_missing_in_a_dotenv_file_is_named(tmp_path: Path, content: bytes | None, text: str, says: str) -> None:
    if content is not None:
        (tmp_path / ".env").write_bytes(content)
    with pytest.raises(TargetError, match=says):
        resolve_target(text, folder=tmp_path)


def test_who_names_no_database_is_told_the_target_that_was_meant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text(f"POSTGRES_URL=postgresql://u:{SECRET}@h/d\nREDIS_URL=redis://h\nNAME=x\n", encoding="utf-8")
    monkeypatch.setenv("SOME_URL", f"postgresql://u:{SECRET}@h/d")
    for text, told in {
        "SOME_URL": "Write env:SOME_URL.",
        ".env": "Write dotenv:.env.",
        "HOME": "Give ",
        ".env.nope": "Give ",
        "dotenv:.env": "Name the key that has it: dotenv:.env#POSTGRES_URL.",
    }.items():
        with pytest.raises(TargetError) as caught:
            resolve_target(text, folder=tmp_path)
        assert caught.value.remedy.startswith(told), text
        assert SECRET not in str(caught.value)
    assert targets_under_other_keys(tmp_path) == ["dotenv:.env#POSTGRES_URL"]


def test_a_byte_order_mark_does_not_hide_the_first_key(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfDATABASE_URL=postgresql://h/d\r\n")
    assert resolve_target("dotenv:.env", folder=tmp_path).database == "d"


def test_an_app_has_production_in_env_and_local_in_env_local(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL=postgresql://u:{SECRET}@prod.example/app?schema=x\n", encoding="utf-8")
    (tmp_path / ".env.local").write_text("DATABASE_URL=postgresql://u@localhost/app\n", encoding="utf-8")
    found = find_app_targets(tmp_path)
    assert [(t.role, t.parameters["host"]) for t in found] == [("production", "prod.example"), ("local", "localhost")]
    assert SECRET not in repr(found)


def test_the_same_database_in_both_files_is_one_target_and_counts_as_production(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://a@localhost/app\n", encoding="utf-8")
    (tmp_path / ".env.local").write_text("DATABASE_URL=postgresql://b@127.0.0.1:5432/app\n", encoding="utf-8")
    assert [t.role for t in find_app_targets(tmp_path)] == ["production"]


def test_every_env_file_of_an_app_is_a_target_named_by_its_file(tmp_path: Path) -> None:
    for name, database in {
        ".env": "prod",
        ".env.local": "dev",
        ".env.staging": "stage",
        ".env.development.local": "dev",
        ".env.test": "t",
        ".env.example": "placeholder",
        ".env.local.example": "placeholder2",
    }.items():
        (tmp_path / name).write_text(f"DATABASE_URL=postgresql://u@h/{database}?schema=app&connection_limit=1\n", encoding="utf-8")
    found = find_app_targets(tmp_path)
    assert [(t.role, t.database) for t in found] == [("production", "prod"), ("local", "dev"), ("staging", "stage"), ("test", "t")]
    assert {t.prisma_schema for t in found} == {"app"}


def test_the_file_of_production_goes_before_env(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://u@h/shared\n", encoding="utf-8")
    (tmp_path / ".env.production").write_text("DATABASE_URL=postgresql://u@h/real\n", encoding="utf-8")
    assert [(t.role, t.database) for t in find_app_targets(tmp_path)] == [("production", "real"), ("env", "shared")]


@pytest.mark.parametrize(
    ("url", "pooled"),
    [
        ("postgresql://u@aws-0-eu.pooler.supabase.com:6543/postgres", True),
        ("postgresql://u@ep-cool-name-123-pooler.eu-central-1.aws.neon.tech/neondb", True),
        ("postgresql://u@h/d?pgbouncer=true", True),
        ("postgresql://u@aws-0-eu.pooler.supabase.com:5432/postgres", False),
        ("postgresql://u@ep-cool-name-123.eu-central-1.aws.neon.tech/neondb", False),
    ],
)
def test_the_url_of_a_pooler_is_known_by_what_hosts_call_it(url: str, pooled: bool) -> None:
    assert resolve_target(url).pooled is pooled


def test_one_database_has_one_place_however_it_is_named() -> None:
    same = ["postgresql://a:secret@localhost/d", "postgresql://b@127.0.0.1:5432/d?sslmode=disable"]
    assert {resolve_target(url).place for url in same} == {"localhost:5432/d"}


def test_files_that_are_missing_or_do_not_speak_of_a_database_do_not_count(tmp_path: Path) -> None:
    assert find_app_targets(tmp_path) == []
    (tmp_path / ".env").write_text("OTHER=1\n", encoding="utf-8")
    (tmp_path / ".env.local").write_text("DATABASE_URL=postgresql://h/d\n", encoding="utf-8")
    assert [t.role for t in find_app_targets(tmp_path)] == ["local"]


def test_an_app_file_that_names_another_kind_of_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=file:./dev.db\n", encoding="utf-8")
    with pytest.raises(TargetError, match="file:"):
        find_app_targets(tmp_path)


@pytest.mark.parametrize("key", ["DIRECT_URL", "directUrl"])
@pytest.mark.parametrize("database_url", ["postgresql://h:6543/d?pgbouncer=true&schema=s", "prisma://proxy/?api_key=k"])
def test_the_direct_url_is_taken_before_a_pooler_or_a_proxy(tmp_path: Path, key: str, database_url: str) -> None:
    (tmp_path / ".env").write_text(f"DATABASE_URL={database_url}\n{key}=postgresql://direct:5432/d\n", encoding="utf-8")
    (target,) = find_app_targets(tmp_path)
    assert target.parameters["host"] == "direct"
    assert target.label == f"dotenv:.env#{key} (direct:5432/d)"
    assert target.prisma_schema == ("s" if "schema" in database_url else "public")


def test_a_direct_url_beside_an_ordinary_one_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATABASE_URL=postgresql://plain/d\nDIRECT_URL=postgresql://direct/d\n", encoding="utf-8")
    assert find_app_targets(tmp_path)[0].parameters["host"] == "plain"


def test_no_form_of_a_target_shows_its_password() -> None:
    target = resolve_target(f"postgresql://u:{SECRET}@h:1/d")
    for shown in (repr(target), str(target), target.label, f"{target}", repr([target]), str(target.url), repr(target.url)):
        assert SECRET not in shown
    assert SECRET in target.secrets
    assert target.label == "h:1/d"


def test_secrets_hold_the_password_as_it_is_and_as_urls_have_it() -> None:
    secrets = resolve_target("postgresql://u:a%40b%2F@h/d").secrets
    assert {"a@b/", "a%40b%2F"} <= set(secrets)


def test_client_programs_are_led_by_environment_variables() -> None:
    target = resolve_target(f"postgresql://u:{SECRET}@h:1/d?sslmode=require&keepalives=1&host=/sock")
    assert target.libpq_env() == {
        "PGHOST": "/sock", "PGPORT": "1", "PGUSER": "u", "PGPASSWORD": SECRET, "PGDATABASE": "d", "PGSSLMODE": "require"
    }  # fmt: skip


def test_another_database_of_the_same_server_keeps_everything_else(tmp_path: Path) -> None:
    (tmp_path / ".env.local").write_text(f"DATABASE_URL=postgresql://u:{SECRET}@h/d?schema=s&sslmode=require\n", encoding="utf-8")
    moved = resolve_target("dotenv:.env.local", folder=tmp_path).with_database('odd "name/')
    assert moved.database == 'odd "name/'
    assert moved.label == 'dotenv:.env.local (h/odd "name/)'
    assert (moved.role, moved.prisma_schema, moved.parameters["sslmode"]) == ("local", "s", "require")
    assert moved.url.database == 'odd "name/'


@pytest.mark.parametrize(
    "url", ["postgresql://u:p%40@h:1/d?sslmode=require", "postgresql://u@/d?host=/sock&port=7", "postgresql://u@[::1]/d", "postgresql://"]
)
def test_the_url_of_a_target_leads_to_the_same_target(url: str) -> None:
    target = resolve_target(url)
    assert resolve_target(target.url).parameters == target.parameters


def test_sqlalchemy_urls_and_engines_are_targets() -> None:
    url = sqlalchemy.make_url(f"postgresql+psycopg://u:{SECRET}@h:1/d")
    own = sqlalchemy.create_engine(url)
    assert resolve_target(url).parameters["password"] == SECRET
    assert resolve_target(own).engine is own
    assert SECRET not in repr(resolve_target(own))
    several = sqlalchemy.make_url("postgresql+psycopg://u@/d?host=a:1&host=b:2")
    assert resolve_target(several).parameters["host"] == "a,b"
    assert resolve_target(several).parameters["port"] == "1,2"


def test_an_engine_of_another_database_is_refused() -> None:
    with pytest.raises(TargetError, match="sqlite"):
        resolve_target(sqlalchemy.create_engine("sqlite://"))


def test_a_target_stays_itself() -> None:
    target = resolve_target("postgresql://h/d")
    assert resolve_target(target) is target
    assert copy.copy(target) == target
    assert hash(target) == hash(resolve_target("postgresql://h/d"))


def test_a_service_is_read_by_libpq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "services.conf"
    file.write_text(f"[shop]\nhost=h\nport=5433\nuser=u\ndbname=d\npassword={SECRET}\n", encoding="utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(file))
    monkeypatch.setenv("PGSERVICE", "another")
    target = resolve_target("service:shop")
    assert target.label == "service:shop (h:5433/d)"
    assert target.libpq_env()["PGPASSWORD"] == SECRET
    assert target.with_database("e").libpq_env()["PGDATABASE"] == "e"
    assert SECRET not in repr(target)
    with pytest.raises(TargetError, match="no service nowhere"):
        resolve_target("service:nowhere")
