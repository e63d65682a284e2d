"""What psql is given of a script, so that it runs its SQL and nothing else."""

from __future__ import annotations

import secrets
from typing import IO

from pgaudit_kit.dumps.scripts.safe_script import safe_pieces
from pgaudit_kit.dumps.scripts.script_pieces import CopyData
from pgaudit_kit.dumps.scripts.sql_script import Readable


def feed_locked(psql: IO[bytes], script: Readable, *, resource: str) -> None:
    r"""Write to *psql* what of *script* may be run, locked against every command but the end of the lock.

    The reader here and psql's may disagree on where a literal ends, when a function of the script changes how psql reads it; what it then
    takes for a command, it refuses. Lines keep their numbers. Raises UnsupportedDump, DamagedDump; then psql must be ended.
    """
    token = secrets.token_hex(32).encode()
    psql.write(b"\\restrict %b \\\\" % token)
    for piece in safe_pieces(script, resource=resource, on_rows=psql.write):
        psql.write(b"\\.\n" if isinstance(piece, CopyData) else piece.text)
    psql.write(b"\n\\unrestrict %b\n" % token)
