"""Where the kernel cannot tie a server to its parent: wait for the parent to end, then end the server.

Run as `python -I -S server_watcher.py SERVER_PID DATA_FOLDER PG_CTL`, with a pipe from the parent as standard input. The pipe
closes when the parent ends, however it ends; a byte sent before that means "stopped already".
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path


def main(pid: str, data_folder: str, pg_ctl: str) -> None:
    """End server *pid* when standard input closes, if that number still is the server of *data_folder*."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in the terminal is for the parent
    if sys.stdin.buffer.read(1):
        return
    try:
        running = (Path(data_folder) / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0]
    except OSError:
        return
    if running.strip() != pid:
        return
    if sys.platform == "win32":
        subprocess.run([pg_ctl, "kill", "INT", pid], check=False)
    else:
        os.kill(int(pid), signal.SIGINT)


if __name__ == "__main__":
    main(*sys.argv[1:])
