"""What the shell offers when Tab is pressed: backups, tables, targets, reports. Nothing is connected to, no row is read, no error is shown.

A table is told by the manifest beside the dump, else by the table of contents of an archive; other dumps would have to be read.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import typer

Completion = Callable[[typer.Context, str], list[str]]

_REPORTS = ("backup", "explore", "incident", "migrations", "rehearse", "restore", "verify")
_FORMATS = ("custom", "directory", "plain", "tar")
_EXPORTED = ("custom", "directory", "plain")
_COMPRESSIONS = ("none", "gzip", "lz4", "zstd")
_STORE = "backups"
_LARGEST_TOC_BYTES = 2**33  # the table of contents stands at the beginning, but of a tar archive it must be looked for
_MANIFEST = ".manifest.json"
_NO_DUMPS = (_MANIFEST, ".verified.json", ".rehearsed.json", ".globals.sql")


def _dumps(ctx: typer.Context, incomplete: str) -> list[str]:  # noqa: ARG001  typer asks for both by name
    """Files and folders, those of the store first."""
    stored = [f"{_STORE}/{path.name}" for path in _in_folder(Path(_STORE)) if not path.name.endswith(_NO_DUMPS)]
    return list(dict.fromkeys(word for word in [*sorted(stored, reverse=True), *_paths(incomplete)] if word.startswith(incomplete)))


def _targets(ctx: typer.Context, incomplete: str) -> list[str]:  # noqa: ARG001  typer asks for both by name
    """Variables that hold the URL of a PostgreSQL, env files that name one, services."""
    variables = [f"env:{name}" for name, value in sorted(os.environ.items()) if value.startswith(("postgres://", "postgresql://"))]
    files = [f"dotenv:{path.name}" for path in _in_folder(Path()) if path.name.startswith(".env") and not path.name.endswith(".example")]
    return [word for word in [*variables, *files, "service:"] if word.startswith(incomplete)]


def _sources(ctx: typer.Context, incomplete: str) -> list[str]:
    return [*_dumps(ctx, incomplete), *_targets(ctx, incomplete)]


def _tables(ctx: typer.Context, incomplete: str) -> list[str]:
    """The tables of the dump that stands before on the line, in full, and bare where that is short for it and for no other."""
    given = next((value for name in ("dump", "backup", "source") if isinstance(value := ctx.params.get(name), str)), None) or _file_before()
    names: list[str] = []
    if given:
        with suppress(Exception):  # whatever is wrong with the dump is told when the command runs
            names = list(_tables_of(Path(given)))
    alike = Counter(name.rpartition(".")[2] for name in names)
    bare = [name.removeprefix("public.") for name in names if name.startswith("public.") and alike[name.rpartition(".")[2]] == 1]
    return [name for name in [*bare, *names] if name.startswith(incomplete)]


def _file_before() -> str | None:
    """The first file on the line: an option that still waits for its value keeps the words before it from being taken in."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
    return next((word for word in line.split()[2:] if Path(word).exists()), None)


def _tables_of(dump: Path) -> Iterator[str]:
    from pgaudit_kit.records.manifest import load_manifest, manifest_beside

    recorded = manifest_beside(dump)
    if recorded.is_file():
        yield from (str(name) for name in load_manifest(recorded).table_data if name.schema != "pg_catalog")
        return
    from pgaudit_kit.dumps.dump import Dump
    from pgaudit_kit.dumps.read_dump import read_dump

    if dump.is_file() and dump.stat().st_size > _LARGEST_TOC_BYTES:
        return
    opened = read_dump(dump)
    if isinstance(opened, Dump) and opened.told.format in {"custom", "directory", "tar"}:
        yield from (str(name) for name in opened.table_names if name.schema != "pg_catalog")


def _one_of(words: Sequence[str]) -> Completion:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:  # noqa: ARG001  typer asks for both by name
        return [word for word in words if word.startswith(incomplete)]

    return complete


def _formats(ctx: typer.Context, incomplete: str) -> list[str]:
    words = _EXPORTED if ctx.info_name == "export" else _FORMATS
    return [word for word in words if word.startswith(incomplete)]


def _checks(ctx: typer.Context, incomplete: str) -> list[str]:  # noqa: ARG001  typer asks for both by name
    from pgaudit_kit.records.questions.registry import QUESTIONS

    return [check_id for check_id in QUESTIONS if check_id.startswith(incomplete)]


def _folders(ctx: typer.Context, incomplete: str) -> list[str]:  # noqa: ARG001  typer asks for both by name
    return [path for path in _paths(incomplete) if path.endswith("/")]


def _paths(incomplete: str) -> list[str]:
    """Files, and folders with a slash, that begin so; hidden ones only when asked for."""
    before, slash, begun = incomplete.rpartition("/")
    folder = Path(f"{before}{slash}" or ".")
    shown = (path for path in _in_folder(folder) if path.name.startswith(begun) and (begun or not path.name.startswith(".")))
    return [f"{before}{slash}{path.name}{'/' if path.is_dir() else ''}" for path in shown]


def _in_folder(folder: Path) -> list[Path]:
    with suppress(OSError):
        return sorted(folder.expanduser().iterdir())
    return []


def _files(ctx: typer.Context, incomplete: str) -> list[str]:  # noqa: ARG001  typer asks for both by name
    return _paths(incomplete)


OF_ARGUMENTS = {
    "DUMP": _dumps,
    "BACKUP": _dumps,
    "A": _sources,
    "B": _sources,
    "SOURCE": _sources,
    "SOURCE… SQL": _sources,
    "TARGET": _targets,
    "TABLE": _tables,
    "NAME": _one_of(_REPORTS),
}
OF_OPTIONS = {
    "--store": _folders,
    "--folder": _folders,
    "--table": _tables,
    "--require": _tables,
    "--manifest": _files,
    "--output": _files,
    "--into": _targets,
    "--server": _targets,
    "--format": _formats,
    "--compress": _one_of(_COMPRESSIONS),
    "--explain": _checks,
    "--config": _files,
    "--file": _files,
    "--prisma-schema": _files,
    "--encrypt-to": _files,
    "--identity": _files,
}
