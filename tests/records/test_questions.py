"""The list of questions is that of the code: no check without one, none without a check, and the page is written from it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pgaudit_kit
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.questions.question import Question
from pgaudit_kit.records.questions.registry import QUESTIONS, explain, page

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = PROJECT / "pgaudit_kit"
FAMILIES = {i.partition(".")[0] for i in QUESTIONS}
ID = re.compile(rf"(?:{'|'.join(sorted(FAMILIES))})\.[a-z_]+\Z")
NO_CHECKS = {"restore.sql"}  # a file that pg_restore leaves in its tar archives
# made of a word that is handed in: migrations.py and target_place.py
BY_WORD = {"migrations.state", "migrations.files", "migrations.catalog", "rehearsal.roles", "rehearsal.tablespaces"}


def _literals() -> Iterator[tuple[str, Path]]:
    for file in PACKAGE.rglob("*.py"):
        if "questions" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and ID.match(node.value):
                yield node.value, file


def test_every_id_in_the_code_is_in_the_list_and_the_other_way_round() -> None:
    found = {text for text, _ in _literals()} - NO_CHECKS
    assert found | BY_WORD == set(QUESTIONS)


def test_no_family_of_ids_is_missing() -> None:
    """By the ids that checks are made with, whatever their family: the test above knows only those of the list."""
    made = {
        keyword.value.value
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Check"
        for keyword in node.keywords
        if keyword.arg == "id" and isinstance(keyword.value, ast.Constant)
    }
    assert len(made) > 50
    assert made <= set(QUESTIONS)


def test_every_check_that_the_code_makes_asks_the_sentence_of_its_id() -> None:
    compared = 0
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or getattr(node.func, "id", "") not in ("Check", "ask", "_check"):
                continue
            named = {k.arg: k.value for k in node.keywords}
            given = [named.get("id"), named.get("question")]
            given = [one or (node.args[place] if len(node.args) > place else None) for place, one in enumerate(given)]
            texts = [g.value if isinstance(g, ast.Constant) else None for g in given]
            if isinstance(texts[0], str) and isinstance(texts[1], str):
                compared += 1
                assert texts[1] == QUESTIONS[texts[0]].sentence, file
    assert compared > 50


@pytest.mark.parametrize("question", QUESTIONS.values(), ids=lambda q: q.id)
def test_each_question_says_what_it_proves_and_what_not(question: Question) -> None:
    for attribute in ("proves", "not_proves", "looks_at", "remedy"):
        text = getattr(question, attribute)
        assert text[0].isupper() or text.startswith(("pg_", "hot_", "ALTER")), text
        assert text.endswith("."), text
    assert question.sentence.endswith("?")


def test_the_page_of_the_documentation_is_the_list() -> None:
    assert (PROJECT / "docs" / "verdicts.md").read_text(encoding="utf-8") == page(), (
        "python -m pgaudit_kit.records.questions > docs/verdicts.md"
    )


def test_an_id_of_one_database_or_ledger_is_explained_by_its_bare_one() -> None:
    assert explain("migrations.state#prisma public._prisma_migrations") is QUESTIONS["migrations.state"]
    assert pgaudit_kit.explain("rows.count").sentence == "Does every table hold as many rows?"
    assert "does not prove: " in str(explain("rows.count"))


@pytest.mark.parametrize(
    ("wrong", "remedy"), [("row.count", "rows.count"), ("fingerprint", "rows.fingerprint"), ("zzz", "Known are: backup.")]
)
def test_a_misspelt_id_is_refused_with_the_nearest(wrong: str, remedy: str) -> None:
    with pytest.raises(UsageError, match="there is no check") as refused:
        explain(wrong)
    assert remedy in refused.value.remedy


def test_every_check_is_spoken_of_in_some_test() -> None:
    """That what is made is in the list, `_checks_as_listed` holds (conftest.py)."""
    here = Path(__file__)
    told = "\n".join(file.read_text(encoding="utf-8") for file in (PROJECT / "tests").rglob("*.py") if file != here)
    assert not [i for i in QUESTIONS if i not in told]
