"""Does a server fit what was dumped: its version, its encoding, its locale, the versions of its collations?"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pgaudit_kit.records.verdict import Check, Outcome

_MAJOR = re.compile(r"\d+")


def check_versions(dumped: str | None, server: str) -> Check:
    """`restore.versions`: the *server* is at least as new as the one that was *dumped*; an older one is warned of, not refused."""
    before, here = major_of(dumped), major_of(server)
    older = before is not None and here is not None and here < before
    return Check(
        id="restore.versions",
        question="Is the server as new as the one that was dumped?",
        outcome=Outcome.WARNED if older or before is None else Outcome.PASSED,
        expected=f"PostgreSQL {dumped or 'unknown'} or newer",
        found=f"PostgreSQL {server}",
        compared=1,
        remedy="What the older server does not know makes the restore fail, before anything is replaced." if older else "",
    )


def major_of(version: str | None) -> int | None:
    """The first number of a version; None of none."""
    match = _MAJOR.match(version or "")
    return int(match[0]) if match else None


def check_encoding(dumped: str | None, here: str | None) -> Check:
    """`database.encoding`: the database stores text as the one that was *dumped* did."""
    known = dumped and here
    other = known and dumped != here
    return Check(
        id="database.encoding",
        question="Has the database the encoding of the one that was backed up?",
        outcome=Outcome.NOT_CHECKED if not known else Outcome.FAILED if other else Outcome.PASSED,
        expected=dumped or "not recorded",
        found=here or "not known",
        compared=1 if known else 0,
        remedy="Restore into a database with the encoding of the dump: pgaudit restore makes one." if other else "",
    )


def check_locale(dumped: Mapping[str, str], here: Mapping[str, str]) -> Check:
    """`database.locale`: each attribute of *dumped* is the same *here*; another one is a warning: text may be ordered otherwise."""
    both = [name for name in dumped if name in here]
    other = [name for name in both if _plain(dumped[name]) != _plain(here[name])]
    return Check(
        id="database.locale",
        question="Has the database the locale of the one that was backed up?",
        outcome=Outcome.WARNED if other else Outcome.PASSED if both else Outcome.NOT_CHECKED,
        expected=", ".join(f"{name} {dumped[name]}" for name in both) or "not recorded",
        found="; ".join(f"{name}: {dumped[name]} → {here[name]}" for name in other) or ("the same" if both else "the backup does not say"),
        compared=len(both),
        remedy="Where the order of text matters, restore into a database with that locale: pgaudit restore makes one."
        if other
        else ""
        if both
        else "Make backups with pgaudit: the manifest beside them records the locale.",
        evidence=tuple({"attribute": name, "left": dumped[name], "right": here[name]} for name in other),
    )


def _plain(locale: str) -> str:
    """en_US.utf8 and en_US.UTF-8 are one locale of the system."""
    return locale.lower().replace("-", "")


def check_collation_versions(recorded: Mapping[str, str], here: Mapping[str, str]) -> Check:
    """`collations.version`: each collation that was in use when it was backed up is of the same version *here*; another is a warning."""
    both = [name for name in recorded if name in here]
    other = [name for name in both if recorded[name] != here[name]]
    return Check(
        id="collations.version",
        question="Does the server order text by the same versions of its collations?",
        outcome=Outcome.WARNED if other else Outcome.PASSED if both else Outcome.NOT_CHECKED,
        expected=f"{len(recorded)} collations in their recorded versions",
        found="; ".join(f"{name}: {recorded[name]} → {here[name]}" for name in other)
        or ("the same" if both else "the server does not tell the versions of any of them"),
        compared=len(both),
        remedy="Indexes are built anew by a restore; look at partitions by ranges of text, and at what relies on an order."
        if other
        else "",
        evidence=tuple({"collation": name, "left": recorded[name], "right": here[name]} for name in other),
    )


def check_collations_current(recorded: Mapping[str, str], actual: Mapping[str, str]) -> Check:
    """`collations.current`: what the system provides now is the version by which the indexes of a live database were built."""
    stale = [name for name in recorded if name in actual and recorded[name] != actual[name]]
    looked = [name for name in recorded if name in actual]
    return Check(
        id="collations.current",
        question="Are its indexes ordered by the collations that the system has now?",
        outcome=Outcome.FAILED if stale else Outcome.PASSED,
        expected=f"{len(looked)} collations as they were",
        found="; ".join(f"{name}: {recorded[name]} → {actual[name]}" for name in stale)
        or ("as they were" if looked else "none has a version"),
        compared=len(looked),
        remedy="REINDEX what orders text by it, then ALTER COLLATION or ALTER DATABASE … REFRESH COLLATION VERSION." if stale else "",
        evidence=tuple({"collation": name, "recorded": recorded[name], "actual": actual[name]} for name in stale),
    )
