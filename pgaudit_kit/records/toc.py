"""One entry of a dump's table of contents, and one place where a dump is broken."""

from __future__ import annotations

from dataclasses import dataclass

# In every archive, made with -C or not; what pg_restore does with them is decided when it runs.
_NOT_LISTED = frozenset({"ENCODING", "STDSTRINGS", "SEARCHPATH", "DATABASE", "DATABASE PROPERTIES"})
_OF_THE_DATABASE = frozenset({"COMMENT", "ACL", "SECURITY LABEL"})


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

    @property
    def is_listed(self) -> bool:
        """Whether `pg_restore -l` lists it: what sets the session is not, nor what belongs to the database itself, which only -C restores.

        (pg_backup_archiver.c, _tocEntryRequired.)
        """
        return self.desc not in _NOT_LISTED and not (self.desc in _OF_THE_DATABASE and self.tag.startswith("DATABASE "))


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is broken in a dump: a sentence, and where (byte offset in the file, 1-based line, table).

    `member` is the file inside of a directory or tar archive; the offset is then that in this file.
    """

    what: str
    offset: int | None = None
    line: int | None = None
    table: str | None = None
    member: str | None = None
