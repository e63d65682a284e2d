"""An archive, loaded by pg_restore, which is what would load it in earnest; what fails is noted with its entry, and the rest goes on."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pgaudit_kit.dumps.archives.tar_folder import TarFolder
from pgaudit_kit.dumps.dump import Dump
from pgaudit_kit.dumps.files.decompression import DumpFile
from pgaudit_kit.operations.programs.client_programs import Program, pg_restore_argv
from pgaudit_kit.operations.programs.run_program import RunningProgram
from pgaudit_kit.operations.rehearsals.loaded import Loaded
from pgaudit_kit.operations.rehearsals.problems import Problem, is_interrupted, made_by, shown_statement, went_away
from pgaudit_kit.operations.restores.local_dump import copy_file, is_incremental, put_together, unfolded
from pgaudit_kit.records.identifiers import read_name
from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.toc import TocEntry
from pgaudit_kit.server.connection import connect
from pgaudit_kit.server.copy_statement import quoted
from pgaudit_kit.server.targets import Target

_MOST_JOBS = 8
# pg_backup_archiver.c, warn_or_exit_horribly and ahwrite: the entry on a line before the first error that it has
_SPEAKER = re.compile(r"^pg_restore(?:\.exe)?: (?:\[[\w ()]+\] )?", re.MULTILINE)
_ENTRY = re.compile(r"from TOC entry (\d+); ")
_COMMAND = re.compile(r"^Command was: (.*)", re.MULTILINE | re.DOTALL)
_ERROR = re.compile(r"(?:ERROR|FATAL):\s+(.*)")
_COPY = re.compile(r'COPY failed for table "(.*?)": ')
_INSERT = re.compile(r"INSERT INTO ")
_HEAD = 100
_ROWS = "TABLE DATA"
_WITH_DATA = frozenset({_ROWS, "BLOBS", "BLOB COMMENTS"})
_BEFORE_ROWS = "pre-data"
_NOT_TOLD = "an entry that is not told"
_WENT_ON = "errors ignored on restore"


@dataclass(frozen=True)
class ArchiveLoad:
    """How an archive is loaded into the empty database of `target`.

    `archive` is a bare file or folder that holds `dump`, `scratch` a folder for temporary files. Without `owners` also without
    privileges, without `tablespaces` all is in the default one. `jobs`: connections; None: one per processor, up to eight. With
    `own_rows` rows are read by us and sent by COPY: this pg_restore cannot unpack them.
    """

    dump: Dump
    archive: Path
    target: Target
    pg_restore: Program
    scratch: Path
    owners: bool = True
    tablespaces: bool = True
    jobs: int | None = None
    own_rows: bool = False

    def run(self, *, leave_out: Collection[int] = ()) -> Loaded:
        """Load it without the entries *leave_out* (dump ids).

        Raises ProgramFailed when pg_restore cannot be started, OperationError when the server went away.
        """
        kept = [e for e in self.dump.toc_entries if e.dump_id not in leave_out]
        if not self.own_rows:
            problems = list(self._restore(kept, all_of_them=not leave_out))
        else:
            problems = list(self._restore([e for e in kept if e.section == _BEFORE_ROWS]))
            problems += self._send_rows(kept)
            problems += self._restore([e for e in kept if e.section != _BEFORE_ROWS and e.desc not in _WITH_DATA])
        failed = {p.place for p in problems}
        made = (made_by(e.definition) for e in kept if e.definition and e.dump_id not in failed)
        without = frozenset(_table_of(e) for e in kept if e.desc == _ROWS and e.dump_id in failed)
        programs = (str(self.pg_restore), *(["rows unpacked by pgaudit"] if self.own_rows else []))
        return Loaded(tuple(problems), len(kept), frozenset(filter(None, made)), without, programs)

    def _restore(self, entries: list[TocEntry], *, all_of_them: bool = False) -> Iterator[Problem]:
        """Have pg_restore restore *entries*."""
        wanted = None if all_of_them else self.scratch / "list"
        if wanted:
            wanted.write_text("".join(f"{e.dump_id};\n" for e in entries if e.dump_id), encoding="ascii")
        jobs = 1 if self.dump.provenance.format == "tar" else self.jobs or min(os.cpu_count() or 1, _MOST_JOBS)
        argv = pg_restore_argv(
            self.pg_restore,
            archive=self.archive,
            database=self.target.database,
            owners=self.owners,
            tablespaces=self.tablespaces,
            jobs=jobs,
            use_list=wanted,
            goes_on=True,
        )
        with RunningProgram(argv, self.target.libpq_env()) as running:
            status, words = running.end(), running.words
        if not status:
            return
        for problem in problems_in(words, {e.dump_id or 0: e for e in entries}, mixed=jobs > 1):
            if is_interrupted(problem):
                raise went_away(f"at {problem.what or 'its beginning'}: {problem.message}")
            yield problem
        if _WENT_ON not in words:
            yield Problem(0, "the whole archive", words.splitlines()[-1] if words else f"exit status {status}")

    def _send_rows(self, entries: list[TocEntry]) -> Iterator[Problem]:
        import psycopg

        with connect(self.target, read_only=False, autocommit=True) as connection:
            for entry in entries:
                if entry.desc != _ROWS or not entry.has_data:
                    continue
                name = _table_of(entry)
                try:
                    with connection.cursor().copy(self._copy_statement(entry).encode()) as copy:
                        for block in self.dump.row_blocks(name):
                            copy.write(block)
                except psycopg.Error as error:
                    message = (error.diag.message_primary or str(error)).strip()
                    yield Problem(entry.dump_id or 0, _words(entry), message, error.sqlstate)

    def _copy_statement(self, entry: TocEntry) -> str:
        if entry.copy_statement:
            return entry.copy_statement
        name = _table_of(entry)
        columns = ", ".join(map(quoted, self.dump.table_data[name].columns))
        return f"COPY {quoted(name.schema)}.{quoted(name.name)} ({columns}) FROM stdin"


def _table_of(entry: TocEntry) -> TableName:
    return TableName(entry.schema or "", entry.tag)


def _words(entry: TocEntry) -> str:
    return f"{entry.desc} {entry.schema + '.' if entry.schema else ''}{entry.tag}"


def problems_in(words: str, entries: dict[int, TocEntry], *, mixed: bool = False) -> Iterator[Problem]:
    """Read what pg_restore said. *mixed*: it had several connections, whose lines may be; then what failed tells the entry, if anything."""
    current = 0
    for said in _SPEAKER.split(words):
        if entry := _ENTRY.match(said):
            current = int(entry[1])
        elif said.startswith("error: "):
            error, command = _ERROR.search(said), _COMMAND.search(said)
            statement = command[1].strip() if command else ""
            place = _place(current, said, statement, entries, mixed=mixed)
            known = entries.get(place)
            what = _words(known) if known else shown_statement(statement) or _NOT_TOLD
            yield Problem(place, what, error[1].strip() if error else said.removeprefix("error: ").strip())


def _place(current: int, said: str, statement: str, entries: dict[int, TocEntry], *, mixed: bool) -> int:
    """The dump id of the entry that an error is about: the one that was told last, unless the error itself says another.

    0 where the lines are *mixed* and the error fits no entry, or several: another one would be blamed for it. What comes before the rows
    is restored over one connection in any case (pg_backup_archiver.c, restore_toc_entries_prefork).
    """
    here = entries.get(current)
    trusted = not mixed or (here is not None and here.section == _BEFORE_ROWS)
    if copied := _COPY.search(said):
        fitting = [i for i, e in entries.items() if (e.desc, e.tag) == (_ROWS, copied[1])]
    else:
        fitting = [i for i, e in entries.items() if statement and _holds(e, statement[:_HEAD])]
        whole = [i for i in fitting if statement in (entries[i].definition or "")]
        fitting = whole or fitting
    if len(fitting) == 1 or (fitting and not trusted):
        return fitting[0] if len(fitting) == 1 else 0
    if trusted:
        return current if not fitting or current in fitting else fitting[0]
    return 0


def _holds(entry: TocEntry, head: str) -> bool:
    """Whether a statement that begins with *head* is of that entry."""
    if insert := _INSERT.match(head):
        name = read_name(head, insert.end())
        return name is not None and (entry.desc, entry.schema, entry.tag) == (_ROWS, name[0], name[1])
    return head in (entry.definition or "") or head in (entry.copy_statement or "")


def local_archive(dump: Dump, folder: Path) -> Path:
    """Return a bare local copy of an archive in *folder*; the archive itself when it is one. Raises the errors of reading, OSError."""
    if is_incremental(dump):
        return put_together(dump, folder / "archive")
    file = dump.file
    if not isinstance(file, DumpFile):
        return dump.path or unfolded(file, folder)
    if dump.provenance.format == "directory":
        return unfolded(TarFolder(file), folder)
    if dump.path and not (file.wrappings or file.skip):
        return dump.path
    copy_file(file, folder / "archive")
    return folder / "archive"
