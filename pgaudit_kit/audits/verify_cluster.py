"""A script of pg_dumpall: every database in it is asked by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pgaudit_kit.audits.expectations import ask_dump
from pgaudit_kit.audits.ledgers import ledger_states
from pgaudit_kit.audits.result import WITHOUT_MANIFEST, AuditResult
from pgaudit_kit.audits.verify_file import ask_file, ask_rows_held, things_in
from pgaudit_kit.checks.dump_whole import check_complete
from pgaudit_kit.dumps.scripts.cluster import ClusterDump
from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.config import Config


def verify_cluster(dump: ClusterDump, config: Config, of_one: Mapping[str, Any]) -> AuditResult:
    """Ask every database of *dump*. *of_one*: what was given that can only be asked of one; UsageError when any of it was."""
    asked = {**of_one, "a list of required tables is": config.required_tables, "a Prisma schema is": config.prisma_schema}
    for what, given in asked.items():
        if given not in (None, (), []):
            names = ", ".join(one.label for one in dump.databases.values()) or "none is in it"
            raise UsageError(f"{what} of one database", resource=dump.file.resource, remedy=f"Name one: {names}.")
    checks = [check_complete(complete=dump.provenance.complete, damage=dump.damage, entries=len(dump.databases))]
    checks += ask_dump(dump, None, config, None, ())
    # Nearly every cluster has template1 and postgres with nothing in them, and pg_dumpall writes them: their beginning and end are all
    # there is, and the first check has counted them. A script of nothing but such has nothing that could be green.
    empty = [name for name, one in dump.databases.items() if not things_in(one) and one.provenance.complete]
    empty = empty if len(empty) < len(dump.databases) else []
    for name, one in dump.databases.items():
        if name not in empty:
            checks += [replace(check, id=f"{check.id}#{name}") for check in (*ask_file(one), *ask_rows_held(one), *ledger_states(one))]
    skipped = [f"Nothing is in {', '.join(empty)}."] if empty else []
    return AuditResult("Is this backup whole?", dump.label, tuple(checks), (*skipped, WITHOUT_MANIFEST))
