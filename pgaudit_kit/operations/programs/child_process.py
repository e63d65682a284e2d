"""Starting a program so that it ends with us, also when we are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from pgaudit_kit.operations.programs.server_binaries import Account

Stream = IO[bytes] | int | None


def tied_argv(argv: Sequence[str], *, parting_signal: signal.Signals, account: Account | None = None) -> list[str]:
    """Return the command line that runs *argv* as a direct child of this process, as *account*, and sends it *parting_signal* when we end.

    Linux sends that signal when the *thread* that started the child ends (prctl(2), PR_SET_PDEATHSIG). On Windows it is *argv* itself.
    """
    if sys.platform == "win32":
        return list(argv)
    shim = Path(__file__).with_name("tied_child.py")
    who = f"{account.uid}:{account.gid}" if account else "-"
    return [sys.executable, "-I", "-S", str(shim), str(os.getpid()), str(int(parting_signal)), who, *argv]


def start(
    argv: Sequence[str],
    *,
    environment: Mapping[str, str],
    stdin: Stream = subprocess.DEVNULL,
    stdout: Stream = subprocess.DEVNULL,
    stderr: Stream = subprocess.DEVNULL,
    folder: Path | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start *argv* out of reach of the terminal's Ctrl-C, which is for us: we decide when a child ends. Raises OSError."""
    return subprocess.Popen(
        argv,
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        cwd=folder,
        start_new_session=sys.platform != "win32",
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        pass_fds=pass_fds,
    )
