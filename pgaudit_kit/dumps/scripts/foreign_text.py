"""Text that is no SQL and got into a script: messages of a program whose errors went into the same file, a prompt, log lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pgaudit_kit.dumps.scripts.script_pieces import Foreign, Statement
from pgaudit_kit.records.toc import Damage

# The first words of all commands of PostgreSQL (src/include/tcop/cmdtaglist.h, and those that tag as another)
_VERBS = (
    "ABORT ALTER ANALYZE ANALYSE BEGIN CALL CHECKPOINT CLOSE CLUSTER COMMENT COMMIT COPY CREATE DEALLOCATE DECLARE DELETE DISCARD DO DROP "
    "END EXECUTE EXPLAIN FETCH GRANT IMPORT INSERT LISTEN LOAD LOCK MERGE MOVE NOTIFY PREPARE REASSIGN REFRESH REINDEX RELEASE RESET "
    "REVOKE ROLLBACK SAVEPOINT SECURITY SELECT SET SHOW START TABLE TRUNCATE UNLISTEN UPDATE VACUUM VALUES WITH"
)
VERB = re.compile(rf"\s*(?:{_VERBS.replace(' ', '|')})\b".encode(), re.IGNORECASE)
# Lines that no command can begin with: what pg_dump and psql say on standard error, what a server says, psql's prompt
MESSAGE = re.compile(
    rb"(?:[^\s;'\"]*[/\\])?(?:pg_dump|pg_dumpall|pg_restore|psql)(?:\.exe)?:"
    rb"|(?:DEBUG|LOG|INFO|NOTICE|WARNING|ERROR|FATAL|PANIC|HINT|DETAIL): "
    rb"|[\w.-]+[=\-(*'\"!^][#>](?:\s|\Z)"
)
_QUOTE = re.compile(r"['\"$;\r\n]")
_SHOWN = 60


def glimpse(text: bytes) -> str:
    """The beginning of *text* for a message; it ends before anything in quotes, which may be a value or a password."""
    return _QUOTE.split(text[:_SHOWN].decode("utf-8", "replace"), maxsplit=1)[0].strip()


def foreign_damage(piece: Foreign | Statement) -> Iterator[Damage]:
    """The damage that *piece* is; a blank one is none."""
    if piece.text.strip():
        yield Damage(f"text that is no SQL: {glimpse(piece.text) or '…'}", offset=piece.offset, line=piece.line)
