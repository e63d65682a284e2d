"""All questions by id, and how to find one that was misspelt."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.questions import of_backups, of_contents, of_dumps, of_rehearsals, of_restores
from pgaudit_kit.records.questions.question import Question

_PARTS: Mapping[str, tuple[Question, ...]] = {
    "The dump": of_dumps.QUESTIONS,
    "What the database holds": of_contents.QUESTIONS,
    "Making a backup": of_backups.QUESTIONS,
    "Restoring it": of_restores.QUESTIONS,
    "Rehearsing that": of_rehearsals.QUESTIONS,
}
QUESTIONS: Mapping[str, Question] = {question.id: question for part in _PARTS.values() for question in part}
_HEAD = """# What each verdict proves, and what it does not

Every question is a check with an id. Its outcome is one of four:

- `passed`: it was looked at, and it is so. `compared` says how many things were looked at; over none nothing passes.
- `warned`: it was looked at, and something is worth a look; exit code 0 all the same.
- `failed`: it was looked at, and it is not so; exit code 1.
- `not_checked`: it could not be found out, and the check says why; exit code 3. It is never taken for passed, nor for failed.

The worst outcome is the verdict: failed, then not_checked, then warned, then passed. What stops one check stops no other.
What was not asked at all stands in `skipped`. `pgaudit verify --explain ID` (in Python `pk.explain("ID")`) says what follows of one check.

A backup that passes `verify` with its manifest holds what the database held when it was made. Only a rehearsal proves that it restores.

This page is written from the list in `pgaudit_kit/records/questions`, and a test holds it equal.
"""


def bare_id(check_id: str) -> str:
    """The id without what tells one database or ledger from another (`migrations.state#prisma public._prisma_migrations`)."""
    return check_id.partition("#")[0]


def explain(check_id: str) -> Question:
    """Return what is known of the check with that id: what it proves, and what not. Raises UsageError, with the nearest."""
    wanted = bare_id(check_id)
    if wanted in QUESTIONS:
        return QUESTIONS[wanted]
    near = get_close_matches(wanted, QUESTIONS, n=3, cutoff=0.5) or [i for i in QUESTIONS if wanted.lower() in i.split(".")]
    remedy = f"Did you mean {' or '.join(near)}?" if near else f"Known are: {', '.join(sorted(QUESTIONS))}."
    raise UsageError(f"there is no check {wanted!r}", resource="--explain", remedy=remedy)


def page() -> str:
    """The page of the documentation that has them all, as Markdown."""
    lines = [_HEAD]
    for title, part in _PARTS.items():
        lines += [f"## {title}", "", *(question.to_markdown() for question in part)]
    return "\n".join(lines)
