"""Every code block of the README and of docs/ is run, or says in the page why it is not and is understood all the same."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

import pgaudit_kit as pk
from pgaudit_kit.demo.sample_app import APPLICATION, create_sample_app
from pgaudit_kit.difference.diff import Difference
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.config import Config
from pgaudit_kit.reporting.parameters import load_notebook, notebook_parameters
from pgaudit_kit.server.snapshot import Snapshot
from tests.conftest import missing
from tests.docs.blocks import Block, blocks_of, commands_of, differs, parse_command_line, pgaudit_lines

PROJECT = Path(__file__).resolve().parent.parent.parent
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
EACH_PAGE = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(PROJECT)))
RUNS = ("python", "sh", "bash", "console", "sql")
VALIDATED = ("yaml", "ini", "cron", "toml")
SHOWN = ("text",)  # output that no command stands above of
ASKS = re.compile(
    r"^pgaudit (?:restore|rollback|prune)\b(?!.*--(?:yes|list|dry-run|table|schema|drop\b))|^pgaudit rescue\b.*--apply(?!.*--yes)"
)


@pytest.fixture(scope="session")
def app_backup(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder as the pages speak of: backups/app.dump, with its manifest, of a small sample application; the application's files."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE docs_app TEMPLATE template0")
        create_sample_app(server.url("docs_app"), scale=0)
        folder = tmp_path_factory.mktemp("docs")
        made = pk.backup(server.url("docs_app"), store=folder / "made")
        (folder / "backups").mkdir()
        for suffix in (".dump", ".manifest.json"):
            shutil.copy(folder / "made" / f"{made.path.stem}{suffix}", folder / "backups" / f"app{suffix}")
        yield folder
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'docs_')").fetchall()
        for (name,) in found:
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


class Page:
    """A folder, a database and a namespace of Python for the blocks of one page."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url
        self.names: dict[str, Any] = {"pk": pk}

    def close(self) -> None:
        """End the sessions that the page's code has left to its reader's end of Python."""
        for thing in self.names.values():
            if isinstance(thing, Difference | Snapshot):
                thing.close()

    def run(self, block: Block) -> str:
        """Run *block*; "" when it did what the page says, else what is wrong."""
        if block.language == "sql":
            with psycopg.connect(self.url, autocommit=True) as connection:
                connection.execute(block.text.encode())
            return ""
        if block.language == "python":
            return self._python(block)
        return next(filter(None, (self._command(command, shown) for command, shown in commands_of(block))), "")

    def _python(self, block: Block) -> str:
        try:
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block.text, "block", "exec"), self.names)  # noqa: S102  the page's own code
        except Exception as error:  # noqa: BLE001  whatever it is, the page is wrong
            return f"{type(error).__name__}: {error}"
        return ""

    def _command(self, command: str, shown: list[str]) -> str:
        code = re.sub(r"\s+#.*$", "", command)
        if ASKS.match(code):
            code += " --yes"  # nobody is there to type the name
        done = subprocess.run(
            ["bash", "-eu", "-c", code], cwd=self.folder, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL
        )
        allowed = {0, 1} if "exit code 1" in command or shown else {0}
        if done.returncode not in allowed:
            return f"`{code}` ended with {done.returncode}: {done.stdout[-800:]}{done.stderr[-800:]}"
        printed = done.stdout.replace(self.url.rpartition("/")[2].partition("?")[0], "app")
        said = differs(shown, printed.splitlines()) if shown else ""
        return f"`{code}`: {said}; it printed:\n{printed}" if said else ""


@pytest.fixture
def place(server: EmbeddedServer, app_backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    """A fresh copy of the folder and of the database."""
    name = f"docs_{abs(hash(tmp_path)) % 10**8}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE docs_app").format(psycopg.sql.Identifier(name)))
    url = server.url(name)
    shutil.copytree(app_backup / "backups", tmp_path / "backups")
    shutil.copytree(APPLICATION / "prisma", tmp_path / "prisma")
    (tmp_path / ".env").write_text(f"DATABASE_URL='{url}'\nDIRECT_URL='{url}'\n", encoding="utf-8")
    (tmp_path / ".env.local").write_text(f"DATABASE_URL='{url}'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    with contextlib.closing(Page(tmp_path, url)) as page:
        yield page


@pytest.mark.slow
@EACH_PAGE
def test_every_block_does_what_the_page_says(page: Path, place: Page) -> None:
    wrong = []
    for block in blocks_of(page):
        where = f"{page.relative_to(PROJECT)}:{block.line}"
        if block.exempt:
            print(f"{where} is not run: {block.exempt}")  # noqa: T201  pytest -rA shows it
        elif block.language in RUNS and "airflow" not in block.text and (said := place.run(block)):
            wrong.append(f"{where} ({block.language}): {said}")
    assert not wrong, "\n".join(wrong)


@EACH_PAGE
def test_every_block_is_of_a_kind_that_is_proved(page: Path) -> None:
    for block in blocks_of(page):
        where = f"{page.relative_to(PROJECT)}:{block.line}"
        assert block.language in {*RUNS, *VALIDATED, *SHOWN}, f"{where}: nothing runs or checks a block of {block.language!r}"


@EACH_PAGE
def test_every_command_line_is_understood(page: Path) -> None:
    """Also of those blocks that cannot be run: crontabs, units, workflows."""
    for block in blocks_of(page):
        if block.language not in {"python", "sql", "text"}:
            for line in pgaudit_lines(block.text):
                assert parse_command_line(line) == "", f"{page.relative_to(PROJECT)}:{block.line}: {line}"


def _blocks(language: str) -> list[tuple[Path, Block]]:
    return [(page, block) for page in PAGES for block in blocks_of(page) if block.language == language]


def test_workflows_are_yaml_with_jobs_whose_commands_are_read() -> None:
    found = _blocks("yaml")
    assert found
    for _, block in found:
        workflow = yaml.safe_load(block.text)
        for job in workflow.get("jobs", {}).values():
            assert any("pgaudit" in step.get("run", "") for step in job["steps"])
            assert all(("uses" in step) != ("run" in step) for step in job["steps"])


def test_settings_are_read_each_of_them(tmp_path: Path) -> None:
    found = _blocks("toml")
    assert found
    for _, block in found:
        (tmp_path / "pyproject.toml").write_text(block.text, encoding="utf-8")
        (tmp_path / "prisma").mkdir(exist_ok=True)
        (tmp_path / "prisma" / "schema.prisma").touch()
        read = pk.load_config(tmp_path / "pyproject.toml")
        assert [f.name for f in fields(read) if getattr(read, f.name) == getattr(Config(), f.name)] == []


def test_crontabs_have_five_fields_and_a_command() -> None:
    found = _blocks("cron")
    assert found
    field = r"(?:\*|[\d,-]+)(?:/\d+)?"
    for _, block in found:
        for line in block.text.splitlines():
            if line and "=" not in line.split()[0]:
                assert re.match(rf"(?:{field}\s+){{5}}\S", line), line


def test_units_are_what_systemd_takes(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        missing("systemd-analyze")
    program = Path(sys.executable).with_name("pgaudit")
    found = _blocks("ini")
    assert found
    for page, _ in found:
        text = page.read_text(encoding="utf-8")
        for name, unit in re.findall(r'^```ini title="/etc/systemd/system/([\w.-]+)"\n(.*?)^```', text, re.MULTILINE | re.DOTALL):
            (tmp_path / name).write_text(unit.replace("/opt/pgaudit/bin/pgaudit", str(program)), encoding="utf-8")
    units = sorted(tmp_path.iterdir())
    assert len(units) == len(found)
    for unit in units:
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", str(unit)],
            env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        about_ours = [line for line in done.stderr.splitlines() if unit.name in line]
        assert not about_ours, done.stderr


def test_the_airflow_dag_compiles_and_gives_the_notebook_parameters_that_it_has() -> None:
    dags = [block for _, block in _blocks("python") if "airflow" in block.text]
    assert dags
    for block in dags:
        tree = ast.parse(block.text)
        calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == "PapermillOperator"]
        assert calls
        notebooks = re.findall(r'"(\w+)\.ipynb"', block.text)
        known = {p.name: p for p in notebook_parameters(load_notebook(notebooks[0]))}
        for call in calls:
            given = {k.arg: k.value for k in call.keywords}
            assert set(given) <= {"task_id", "input_nb", "output_nb", "parameters", "kernel_name"}  # of its own __init__
            assert isinstance(given["parameters"], ast.Dict)
            names = {key.value for key in given["parameters"].keys if isinstance(key, ast.Constant)}
            assert names <= set(known)
            assert {name for name, p in known.items() if p.required} <= names


def test_a_block_that_does_not_do_what_it_says_is_noticed(tmp_path: Path, place: Page) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```python\npk.read_dump('backups/app.dump')['nobody']\n```\n\n```sh\npgaudit verify nowhere.dump\n```\n\n"
        "```console\n$ pgaudit query backups/app.dump 'SELECT 1 AS n'\nsomething else\n```\n\n    pgaudit no-such-command\n",
        encoding="utf-8",
    )
    python, sh, console, indented = blocks_of(page)
    assert "nobody" in place.run(python)
    assert "ended with 2" in place.run(sh)
    assert "something else" in place.run(console)
    assert [parse_command_line(line) for line in pgaudit_lines(indented.text)] == ["no command no-such-command"]
    assert parse_command_line("pgaudit verify --no-such-option") != ""
    assert parse_command_line("pgaudit diff only-one") != ""
