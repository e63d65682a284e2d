"""Is this PostgreSQL backup whole, does it restore to the very same rows, and what did we lose?

    import pgaudit_kit as pk

    dump = pk.read_dump("backups/app.dump")
    live = pk.snapshot("env:DATABASE_URL")
    difference = pk.diff(dump, live)

Every name is imported when it is first used, so that `import pgaudit_kit` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pgaudit_kit.audits.drift import diff as diff
    from pgaudit_kit.audits.migrations import migrations as migrations
    from pgaudit_kit.audits.query import query as query
    from pgaudit_kit.audits.verify import verify as verify
    from pgaudit_kit.dumps.read_dump import read_dump as read_dump
    from pgaudit_kit.errors import PgAuditError as PgAuditError
    from pgaudit_kit.operations.backups.backup import backup as backup
    from pgaudit_kit.operations.extracts.export import export as export
    from pgaudit_kit.operations.extracts.extract import extract as extract
    from pgaudit_kit.operations.rehearsals.rehearse import rehearse as rehearse
    from pgaudit_kit.operations.restores.partial import restore_part as restore_part
    from pgaudit_kit.operations.restores.restore import restore as restore
    from pgaudit_kit.operations.restores.rollback import rollback as rollback
    from pgaudit_kit.operations.store.list_backups import backups as backups
    from pgaudit_kit.operations.store.prune import prune as prune
    from pgaudit_kit.operations.store.retention import Retention as Retention
    from pgaudit_kit.operations.store.verify_all import verify_all as verify_all
    from pgaudit_kit.records.config import load_config as load_config
    from pgaudit_kit.records.manifest import load_manifest as load_manifest
    from pgaudit_kit.records.questions.registry import explain as explain
    from pgaudit_kit.reporting.notebooks import run_report as run_report
    from pgaudit_kit.server.snapshot import snapshot as snapshot

_HOMES = {
    "PgAuditError": "errors",
    "Retention": "operations.store.retention",
    "backup": "operations.backups.backup",
    "backups": "operations.store.list_backups",
    "diff": "audits.drift",
    "export": "operations.extracts.export",
    "explain": "records.questions.registry",
    "extract": "operations.extracts.extract",
    "load_config": "records.config",
    "load_manifest": "records.manifest",
    "migrations": "audits.migrations",
    "prune": "operations.store.prune",
    "query": "audits.query",
    "read_dump": "dumps.read_dump",
    "rehearse": "operations.rehearsals.rehearse",
    "restore": "operations.restores.restore",
    "restore_part": "operations.restores.partial",
    "rollback": "operations.restores.rollback",
    "run_report": "reporting.notebooks",
    "snapshot": "server.snapshot",
    "verify": "audits.verify",
    "verify_all": "operations.store.verify_all",
}

__all__ = [
    "PgAuditError",
    "Retention",
    "backup",
    "backups",
    "diff",
    "explain",
    "export",
    "extract",
    "load_config",
    "load_manifest",
    "migrations",
    "prune",
    "query",
    "read_dump",
    "rehearse",
    "restore",
    "restore_part",
    "rollback",
    "run_report",
    "snapshot",
    "verify",
    "verify_all",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its room when it is first used (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version

        return version("pgaudit-kit")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """The public names, for tab completion."""
    return sorted([*__all__, "__version__"])
