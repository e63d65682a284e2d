"""The first moments of a child process: tie it to its parent, stop being root if told so, become the program.

Run as `python -I -S tied_child.py PARENT_PID SIGNAL UID:GID|- PROGRAM ARGUMENT…`, by path, with the standard library only. It
replaces itself (exec), so the program is a direct child of whoever started this; a `preexec_fn` would do the same but is unsafe
beside threads.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Become `PROGRAM ARGUMENT…`; return only by exception."""
    parent, parting_signal, account, program, *rest = arguments
    set_process_attribute = _prctl()  # before the change of account: the new one may not be able to read the standard library
    if account != "-":
        uid, gid = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of account, which clears it (kernel/cred.c, commit_creds).
    set_process_attribute(PR_SET_PDEATHSIG, int(parting_signal), 0, 0, 0)
    if os.getppid() != int(parent):  # it died before we were tied to it
        sys.exit("the process that started this one is gone")
    os.execv(program, [program, *rest])  # noqa: S606  # no shell, and the list of arguments is ours


def _prctl() -> Callable[[int, int, int, int, int], object]:
    if sys.platform != "linux":
        return lambda *_: None
    import ctypes

    function: Callable[[int, int, int, int, int], object] = ctypes.CDLL(None).prctl
    return function


if __name__ == "__main__":
    main(sys.argv[1:])
