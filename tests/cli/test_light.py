"""Nothing heavy is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ["pandas", "numpy", "sqlalchemy", "psycopg", "matplotlib", "papermill", "nbconvert", "rich.table"]


@pytest.mark.parametrize("code", ["import pgaudit_kit", "from pgaudit_kit.cli.app import app", "import pgaudit_kit.reporting.notebooks"])
def test_import_loads_nothing_heavy(code: str) -> None:
    script = f"{code}\nimport sys\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_help_loads_no_pandas() -> None:
    script = (
        "import sys\nfrom pgaudit_kit.cli.app import main\nsys.argv = ['pgaudit', '--help']\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print([m for m in ('pandas', 'numpy', 'sqlalchemy', 'psycopg', 'matplotlib') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "backup" in done.stdout
    assert done.stderr.strip() == "[]"


def test_what_all_commands_share_needs_no_records_of_databases() -> None:
    rooms = ("pgaudit_kit.display", "pgaudit_kit.records.objects", "pgaudit_kit.records.difference")
    script = f"import sys, pgaudit_kit.cli.app\nprint([m for m in sys.modules if m.startswith({rooms!r})])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip() == "[]"
