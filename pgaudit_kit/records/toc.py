"""One entry of a dump's table of contents, and one place where a dump is broken."""

from __future__ import annotations

from dataclasses import dataclass

# In every archive, made with -C or not (PGDUMP_FORMATS.md 1.5, 1.7); what pg_restore does with them is decided when it runs.
NOT_LISTED = frozenset({"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"})


@dataclass(frozen=True, slots=True)
class TocEntry:
    """What pg_dump says of one object, entry for entry as the file lists them.

    `desc` is the entry type (TABLE, FK CONSTRAINT …), `tag` its name, raw. Archives fill all fields
    (src/bin/pg_dump/pg_backup_archiver.h, struct _tocEntry); a plain script has only what its header
    comments say: desc, schema, tag, owner, tablespace. Empty strings are None.
    """

    desc: str
    tag: str
    schema: str | None = None
    owner: str | None = None
    dump_id: int | None = None
    section: str | None = None
    tablespace: str | None = None
    access_method: str | None = None
    relkind: str | None = None
    definition: str | None = None
    copy_statement: str | None = None
    has_data: bool = False
    dependencies: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is broken in a dump: a sentence, and where (byte offset in the file, 1-based line, table)."""

    what: str
    offset: int | None = None
    line: int | None = None
    table: str | None = None
