"""Every error of the package: one base, one line, survives pickling, shows no password."""

from __future__ import annotations

import pickle

import pytest

from pgaudit_kit import errors
from pgaudit_kit.errors import PgAuditError, hide_secrets

PASSWORD = "s3cr3t-pässwörd"


def _all_errors(base: type[PgAuditError] = PgAuditError) -> list[type[PgAuditError]]:
    return [base, *(e for child in base.__subclasses__() for e in _all_errors(child))]


@pytest.mark.parametrize("kind", _all_errors(), ids=lambda k: k.__name__)
def test_every_error_is_one_line_with_resource_and_remedy_and_without_password(kind: type[PgAuditError]) -> None:
    error = kind(
        f"could not use\npostgresql://me:{PASSWORD}@db.example/app (password={PASSWORD})",
        resource="db.example/app",
        remedy="Check the URL.",
        offset=7,
        line=2,
        table="public.users",
    )
    copy = pickle.loads(pickle.dumps(error))  # noqa: S301  our own bytes
    for e in (error, copy):
        assert "\n" not in str(e)
        assert "db.example/app" in str(e)
        assert str(e).endswith("Check the URL.")
        assert PASSWORD not in str(e) + repr(e) + repr(e.__dict__)
        assert (e.offset, e.line, e.table, type(e)) == (7, 2, "public.users", kind)
        assert e.exit_code == 1 if kind is errors.BadBackup else e.exit_code in (2, 3)


def test_the_tree_drawn_in_the_module_is_the_tree_that_is() -> None:
    assert errors.__doc__
    for kind in _all_errors():
        assert kind.__name__.startswith("_") or kind.__name__ in errors.__doc__, f"{kind.__name__} is not drawn"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://me:{PASSWORD}@host:5432/db?sslmode=require",
        f"postgresql+psycopg://me:{PASSWORD}@/db?host=/run",
        f"host=x password={PASSWORD} dbname=y",
        f"password='{PASSWORD}'",
        f"postgres://me:{PASSWORD}%40x@[::1]:5432/db",
        f"user and {PASSWORD} in plain",
    ],
)
def test_passwords_are_hidden_in_every_form(text: str) -> None:
    hidden = hide_secrets(text, secrets=(PASSWORD,))
    assert PASSWORD not in hidden
    assert hide_secrets(hidden) == hidden


def test_a_resource_whose_name_is_a_part_of_a_word_of_the_message_is_named_all_the_same() -> None:
    assert str(PgAuditError("it is a directory", resource="dir")) == "dir: it is a directory"
    assert str(PgAuditError("dir is a directory", resource="dir")) == "dir is a directory"
    assert str(PgAuditError("no file")) == "no file"
