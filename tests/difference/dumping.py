"""A dump of a database, made by the server's own pg_dump."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer


def pg_dump(server: EmbeddedServer, url: str, path: Path, *options: str) -> Path:
    """Dump *url* into *path* with these options; return *path*."""
    subprocess.run([server.bin_folder / "pg_dump", *options, "-f", path, url], check=True)
    return path
