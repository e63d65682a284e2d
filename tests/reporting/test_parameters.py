from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from pgaudit_kit.errors import ParameterError, UsageError
from pgaudit_kit.reporting.parameters import Parameter, check_given, check_parameters, load_notebook, notebook_parameters, report_names

KNOWN = (
    Parameter("dump", "str", '""', "required: the path of the dump"),
    Parameter("force", "bool", "False", "end the sessions of others"),
    Parameter("limit", "int", "50", "rows to list"),
    Parameter("ratio", "float", "0.5", "of what"),
)


def check(**given: Any) -> dict[str, Any]:
    return check_parameters("restore", KNOWN, {"dump": "a.dump", **given})


def test_an_unknown_parameter_is_refused_with_the_list_of_those_there_are() -> None:
    with pytest.raises(ParameterError, match=r"no parameter dumb.*dump \(str\), force \(bool\), limit \(int\), ratio \(float\)"):
        check(dumb="x")


@pytest.mark.parametrize(
    "given", [{"force": "perhaps"}, {"force": 1}, {"limit": "many"}, {"limit": True}, {"limit": 1.5}, {"ratio": "x"}, {"dump": 3}]
)
def test_a_value_of_another_type_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ParameterError, match=f"parameter {next(iter(given))} is to be"):
        check(**given)


def test_a_command_lines_text_is_read_as_the_value_it_spells_and_a_path_as_its_text() -> None:
    assert check(force="yes", limit="7", ratio="2", dump=Path("b.dump")) == {"force": True, "limit": 7, "ratio": 2.0, "dump": "b.dump"}


def test_a_required_parameter_cannot_be_left_out_or_left_empty() -> None:
    for given in ({}, {"dump": ""}):
        with pytest.raises(ParameterError, match="needs dump, the path of the dump"):
            check_parameters("restore", KNOWN, given)


@pytest.mark.parametrize(
    "value",
    [
        "postgresql://app:hunter2-secret@db/app",
        "postgresql+psycopg://app:hunter2-secret@/app",
        "postgres://app:hunter2/secret@db/app",
        "postgresql://db/app?password=hunter2-secret",
        "host=db password='hunter2-secret'",
        "https://user:hunter2-secret@files/backup.dump",
    ],
)
def test_a_value_with_a_password_is_refused_without_being_repeated(value: str) -> None:
    with pytest.raises(ParameterError) as caught:
        check(dump=value)
    assert "hunter2" not in repr(caught.value) + str(caught.value) + repr(caught.value.__cause__)
    assert "env:DATABASE_URL" in caught.value.remedy
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "value", ["env:DATABASE_URL", "postgresql://app@db:5432/app", "backups/2025-01-01T10:00@noon.dump", r"C:\backups\app.dump"]
)
def test_an_address_without_a_password_is_taken(value: str) -> None:
    assert check(dump=value)["dump"] == value


def test_an_unknown_report_is_refused_with_the_names_of_those_there_are() -> None:
    for name in ("nonsense", "../../etc/passwd", "no/such.ipynb"):
        with pytest.raises(UsageError, match="backup, explore, incident, migrations, rehearse, restore, verify"):
            load_notebook(name)


def test_the_reports_of_the_package_are_found() -> None:
    assert {"backup", "incident", "migrations", "rehearse", "restore", "verify"} <= set(report_names())
    assert [p.name for p in notebook_parameters(load_notebook("restore"))] == ["dump", "target", "confirm", "force", "accept_partial"]


def test_a_text_of_yaml_that_looks_like_something_else_is_refused_with_what_to_do() -> None:
    with pytest.raises(ParameterError, match=r"parameter dump is to be a text, but was given a bool.*in quotes"):
        check(dump=False)


def test_a_notebook_that_papermill_runs_itself_takes_no_text_for_true_and_no_password() -> None:
    check_given(bool, force=False)
    check_given(str, dump="a.dump")
    with pytest.raises(ParameterError, match=r"parameter force is to be true or false, but was given a str.*True or False"):
        check_given(bool, force="no")
    with pytest.raises(ParameterError, match=r"parameter confirm is to be a text, but was given an int.*-r NAME VALUE"):
        check_given(str, dump="a", confirm=2024)
    with pytest.raises(ParameterError, match="holds a password") as caught:
        check_given(str, target="postgresql://app:hunter2-secret@db/app")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", report_names())
def test_every_notebook_checks_all_of_its_parameters_before_anything_else(name: str) -> None:
    notebook = load_notebook(name)
    first = next(c.source for c in notebook.cells if c.cell_type == "code" and "parameters" not in c.metadata.get("tags", ()))
    checked = {
        n: kind for kind, names in re.findall(r"^check_given\((\w+), (.*)\)$", first, re.MULTILINE) for n in re.findall(r"(\w+)=", names)
    }
    assert checked == {p.name: p.type for p in notebook_parameters(notebook)}
    before = first.partition("check_given(")[0]
    assert all(line.startswith(("import ", "from ")) or not line for line in before.splitlines())
