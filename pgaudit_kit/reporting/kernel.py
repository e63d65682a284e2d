"""The kernel that runs a report: this very interpreter, whatever kernels the account has installed.

Imports jupyter_client, so it is imported only when a report runs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import zmq
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

from pgaudit_kit.display.progress import UNWATCHED


def own_kernel_manager(private: Path) -> type[AsyncKernelManager]:
    """Return a class of kernel managers whose kernel is `sys.executable`, without the account's IPython profile.

    A kernel called python3 in the account's Jupyter folder would win over ours (jupyter_client looks there first), and a
    profile's startup files would run inside the report. The connection file and everything that IPython writes go to the
    folder *private*, which the caller removes.
    """

    class OwnKernelManager(AsyncKernelManager):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.connection_file = str(private / "connection.json")
            # jupyter_client 8.9 and later; without it a recent ipykernel warns on stderr that others could listen
            if self.has_trait("transport_encryption") and zmq.has("curve"):
                self.set_trait("transport_encryption", "auto")

        @property
        def kernel_spec(self) -> KernelSpec:
            described = get_kernel_dict()
            # pydevd checks file names for a debugger that nobody attaches here, and warns on stderr
            quiet = {"IPYTHONDIR": str(private / "ipython"), "PYDEVD_DISABLE_FILE_VALIDATION": "1", UNWATCHED: "1"}
            # an interrupt is how jupyter_client begins to end an idle kernel, which logs that as an error on our stderr
            argv = [sys.executable, *described["argv"][1:], "--log-level=CRITICAL"]
            return KernelSpec(**{**described, "argv": argv, "env": quiet})

    return OwnKernelManager
