"""`pgaudit`, and `python -m pgaudit_kit`: Ctrl-C ends it in one line also while Python is still importing the commands."""

from __future__ import annotations

import sys

_INTERRUPTED = 130


def main() -> None:
    """Import the commands, and run the one that was asked for."""
    try:
        from pgaudit_kit.cli.app import main as run

        run()
    except KeyboardInterrupt:  # one that comes while a command runs is told by `run`, which knows how things stand
        sys.stderr.write("pgaudit: interrupted\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
