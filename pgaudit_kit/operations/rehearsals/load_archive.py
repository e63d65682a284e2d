"""An archive, loaded by pg_restore, which is what would load it in earnest; what fails is noted with its entry, and the rest goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pgaudit_kit.dumps.archives.tar_folder import TarFolder
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import PIECE, DumpFile
from pgaudit_kit.dumps.files.folders import Folder
from pgaudit_kit.operations.programs.client_programs import Program, pg_restore_into_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.rehearsals.loaded import Loaded
from pgaudit_kit.operations.rehearsals.problems import Problem
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.server.targets import Target

_MOST_JOBS = 8
# pg_backup_archiver.c, warn_or_exit_horribly and ahwrite: the entry on a line before the first error that it has
_SPEAKER = re.compile(r"pg_restore(?:\.exe)?: (?:\[[\w ()]+\] )?")
_ENTRY = re.compile(r"from TOC entry (\d+); ")
_COMMAND = re.compile(r"^Command was: (.*)", re.MULTILINE | re.DOTALL)
_ERROR = re.compile(r"(?:ERROR|FATAL):\s+(.*)")
_WENT_ON = "errors ignored on restore"


def load_archive(
    dump: Dump,
    archive: Path,
    target: Target,
    pg_restore: Program,
    *,
    scratch: Path,
    leave_out: Collection[int] = (),
    owners: bool = True,
    jobs: int | None = None,
) -> Loaded:
    """Load *archive*, which holds *dump*, into the empty database of *target*, without the entries *leave_out* (dump ids).

    *scratch*: a folder for temporary files. *jobs*: how many connections (None: one per processor, up to eight). Raises ProgramFailed when pg_restore cannot be started.
    """
    kept = [e for e in dump.toc_entries if e.dump_id not in leave_out]
    wanted = _list_of(kept, scratch) if leave_out else None
    many = 1 if dump.provenance.format == "tar" else jobs or min(os.cpu_count() or 1, _MOST_JOBS)
    argv = pg_restore_into_argv(pg_restore, archive=archive, database=target.database, owners=owners, jobs=many, use_list=wanted)
    with RunningProgram(argv, target.libpq_env()) as running:
        status, words = running.end(), running.words
    problems = tuple(_problems(words, {e.dump_id or 0: e for e in kept})) if status else ()
    if status and _WENT_ON not in words:
        last = words.splitlines()[-1] if words else f"exit status {status}"
        problems = (*problems, Problem(0, "the whole archive", last))
    failed = {p.place for p in problems}
    made = frozenset(e.tag.partition("(")[0] for e in kept if e.dump_id not in failed)
    without = frozenset(TableName(e.schema or "", e.tag) for e in kept if e.desc == "TABLE DATA" and e.dump_id in failed)
    return Loaded(problems, len(kept), made, without, (str(pg_restore),))


def _list_of(kept: list[TocEntry], scratch: Path) -> Path:
    """Write the list of entries that pg_restore is to take."""
    wanted = scratch / "list"
    wanted.write_text("".join(f"{e.dump_id};\n" for e in kept if e.dump_id), encoding="ascii")
    return wanted


def _problems(words: str, entries: dict[int, TocEntry]) -> Iterator[Problem]:
    """Read what pg_restore said. Of several connections the lines may be mixed; then the command tells the entry."""
    current = 0
    for said in _SPEAKER.split(words):
        if entry := _ENTRY.match(said):
            current = int(entry[1])
        elif said.startswith("error: "):
            error, command = _ERROR.search(said), _COMMAND.search(said)
            statement = command[1].strip() if command else ""
            place = _place(current, statement, entries)
            known = entries.get(place)
            what = f"{known.desc} {known.schema + '.' if known.schema else ''}{known.tag}" if known else statement.split("\n")[0][:100]
            yield Problem(place, what, error[1].strip() if error else said.removeprefix("error: ").strip(), statement=statement)


def _place(current: int, statement: str, entries: dict[int, TocEntry]) -> int:
    head = statement[:60]
    here = entries.get(current)
    if not head or (here and head in (here.definition or "")):
        return current
    return next((i for i, e in entries.items() if head in (e.definition or "")), current)


def local_archive(dump: Dump, folder: Path) -> Path:
    """Return a bare local copy of an archive in *folder*; the archive itself when it is one. Raises the errors of reading, OSError."""
    file = dump.file
    if not isinstance(file, DumpFile):
        return dump.path or _unfolded(file, folder)
    if dump.provenance.format == "directory":
        return _unfolded(TarFolder(file), folder)
    if dump.path and not (file.wrappings or file.skip):
        return dump.path
    _copy(file, folder / "archive")
    return folder / "archive"


def _unfolded(files: Folder | TarFolder, folder: Path) -> Path:
    copy = folder / "archive"
    copy.mkdir(mode=0o700)
    for name in sorted(files.names()):
        _copy(files.file(name), copy / Path(name).name)
    return copy


def _copy(file: DumpFile, to: Path) -> None:
    with file.open() as stream, to.open("xb") as out:
        while block := stream.read(PIECE):
            out.write(block)
