"""What is asked of all commands alike: exit codes as documented, --quiet, --json, --output, colour, examples, completion.

A command that is new has no runs here yet: the first test names it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

import pgaudit_kit as pk
from pgaudit_kit.cli.app import app, main
from pgaudit_kit.demo.sample_app import MIGRATIONS, create_sample_app
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.difference.dumping import pg_dump

PROJECT = Path(__file__).resolve().parent.parent.parent
COMMANDS = sorted(command.callback.__name__ for command in app.registered_commands if command.callback)
NEEDS_A_RUN_OF_ITS_OWN = {"demo": "tests/demo/test_run.py"}
NAMES_OF_THE_USERS = {"rows", "row_counts", "key"}  # of diff: by table, by column
UNREACHABLE = "postgresql://me:pw-of-mine@127.0.0.1:1/app"

# Command lines by exit code, in a folder as the fixture `place` makes it.
RUNS: dict[int, list[str]] = {
    0: [
        "backup env:APP --store fresh",
        "verify app.dump",
        "diff app.dump env:APP",
        "inspect app.dump",
        "query app.dump 'SELECT count(*) FROM users'",
        f"migrations app.dump --folder {shlex.quote(str(MIGRATIONS))}",
        "extract app.dump users --csv users.csv",
        "rescue app.dump env:APP messages -o rescue.sql",
        "rehearse app.dump --no-evidence",
        "restore app.dump env:REPLACED --yes",
        "rollback env:REPLACED --yes",
        "snapshot env:APP -o app.json",
        "list --store .",
        "prune --store . --keep-last 1 --dry-run",
        "report verify -p dump=app.dump",
        "export app.dump -Fp -o exported.sql",
        # once more with what only some backups have
        "backup env:APP --store fresh --incremental",
        "inspect chunks/app.inc",
        "inspect cluster.sql --fingerprints",
        "verify chunks/app.inc env:APP",
        "verify --all --store chunks",
        "verify --explain rows.count",
        "diff chunks/app.inc env:APP --rows",
        "query chunks/app.inc 'SELECT count(*) FROM users' --parquet users.parquet",
        "list --store chunks --keep-last 1",
        "prune --store chunks --keep-last 1 --dry-run",
        "export chunks/app.inc -Fd -o exported",
        "rescue app.dump env:APP messages --apply --yes",
        "rollback env:REPLACED --list",
        "restore app.dump env:PARTLY --table users",
    ],
    1: [
        "verify app.dump --require no_such_table",
        "diff app.dump env:CHANGED",
        "migrations app.dump --folder edited",
        "rehearse bad.sql --no-evidence",
        "restore bad.sql env:REPLACED --yes",
        "report verify -p dump=other.dump",
        "verify --all --store broken",
        "diff app.dump env:CHANGED --rows",
    ],
    2: [
        "backup env:NOT_SET",
        "verify nowhere.dump",
        "diff nowhere.dump env:APP",
        "inspect nowhere.dump",
        "query app.dump 'SELECT FROM WHERE'",
        "migrations nowhere.dump",
        "extract app.dump users --csv app.dump",
        "rescue app.dump env:APP messages --apply",
        "rehearse nowhere.dump",
        "restore app.dump env:REPLACED",
        "rollback env:REPLACED",
        "snapshot env:NOT_SET -o not.json",
        "list --store nowhere",
        "prune --store .",
        "report verify -p dumb=app.dump",
        "export app.dump -o app.dump",
        "export bad.sql -o no.dump",
    ],
    3: [
        "backup env:UNREACHABLE --store fresh",
        "verify --all --store empty",
        "diff app.dump env:UNREACHABLE",
        "inspect cut.dump",
        "query env:UNREACHABLE 'SELECT 1 FROM t'",
        "migrations bad.sql",
        "extract app.dump no_such_table --csv no.csv",
        "rescue app.dump env:UNREACHABLE messages",
        "rehearse lacks.sql --no-evidence",
        "restore app.dump env:UNREACHABLE --yes",
        "rollback env:APP --yes",
        "snapshot env:UNREACHABLE -o not.json",
        "list --store http://127.0.0.1:1/backups",
        "prune --store http://127.0.0.1:1/backups --keep-last 1",
        "report incident -p dump=app.dump -p target=env:UNREACHABLE",
        "export cut.dump -o no.dump",
    ],
}
ALL_RUNS = [pytest.param(code, line, id=f"{code}-{line.split()[0]}") for code, lines in RUNS.items() for line in lines]


def _line_of(command: str, code: int = 0) -> str:
    return next(line for line in RUNS[code] if line.split()[0] == command)


@pytest.fixture(scope="module")
def place(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a whole backup, damaged and other ones, and a database for each thing that may happen to one."""
    folder = tmp_path_factory.mktemp("commands")
    names = {
        "APP": "every_command",
        "CHANGED": "every_command_changed",
        "REPLACED": "every_command_replaced",
        "PARTLY": "every_command_partly",
    }
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE every_command TEMPLATE template0")
        create_sample_app(server.url("every_command"), scale=0)
        for name in list(names.values())[1:]:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {} TEMPLATE every_command").format(psycopg.sql.Identifier(name)))
    made = pk.backup(server.url("every_command"), store=folder)
    for suffix in (".dump", ".manifest.json"):
        shutil.copy(folder / f"{made.path.stem}{suffix}", folder / f"app{suffix}")
    shared = pk.backup(server.url("every_command"), store=folder / "chunks", incremental=True)
    for suffix in (".inc", ".manifest.json"):
        shutil.copy(folder / "chunks" / f"{shared.path.stem}{suffix}", folder / "chunks" / f"app{suffix}")
    _damage(folder)
    _write_scripts(server, folder)
    with psycopg.connect(server.url("every_command_changed"), autocommit=True) as connection:
        connection.execute("UPDATE users SET email = email || '!' WHERE id = 1")
    with pytest.MonkeyPatch.context() as patch:
        for variable, name in names.items():
            patch.setenv(variable, server.url(name))
        patch.setenv("UNREACHABLE", UNREACHABLE)
        patch.setenv("COLUMNS", "200")
        yield folder
    with psycopg.connect(server.url(), autocommit=True) as connection:
        found = connection.execute("SELECT datname FROM pg_database WHERE starts_with(datname, 'every_command')").fetchall()
        for (name,) in found:
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


def _damage(folder: Path) -> None:
    """A dump that is cut, one of other bytes than its manifest says, an edited migration."""
    whole = (folder / "app.dump").read_bytes()
    (folder / "cut.dump").write_bytes(whole[: len(whole) // 2])
    (folder / "other.dump").write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    shutil.copy(folder / "app.manifest.json", folder / "other.manifest.json")
    shutil.copytree(MIGRATIONS, folder / "edited")
    edited = next((folder / "edited").glob("*/migration.sql"))
    edited.write_text(edited.read_text(encoding="utf-8") + "-- edited\n", encoding="utf-8")
    (folder / "empty").mkdir()
    shutil.copytree(folder / "chunks", folder / "broken")
    pack = next((folder / "broken" / "packs").rglob("*.pack"))
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)


def _write_scripts(server: EmbeddedServer, folder: Path) -> None:
    """Dumps that no server takes: a row twice under a primary key, an extension that nobody has."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE every_command_small TEMPLATE template0")
    with psycopg.connect(server.url("every_command_small"), autocommit=True) as connection:
        connection.execute("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)")
    dump = [str(server.bin_folder / "pg_dump"), "-d", server.url("every_command_small")]
    script = subprocess.run(dump, capture_output=True, text=True, check=True).stdout
    (folder / "bad.sql").write_text(script.replace("FROM stdin;\n1\n", "FROM stdin;\n1\n1\n"), encoding="utf-8")
    everybody = [str(server.bin_folder / "pg_dumpall"), "-d", server.url("postgres"), "--globals-only"]
    roles = subprocess.run(everybody, capture_output=True, text=True, check=True).stdout
    (folder / "cluster.sql").write_text(f"{roles}\n\\connect every_command_small\n\n{script}", encoding="utf-8")
    extension = (
        "-- Name: no_such_extension; Type: EXTENSION; Schema: -; Owner: -\n--\n\nCREATE EXTENSION no_such_extension WITH SCHEMA public;\n"
    )
    lacking = script.replace("--\n-- Name: t; Type: TABLE;", f"--\n{extension}\n\n--\n-- Name: t; Type: TABLE;", 1)
    assert "no_such_extension" in lacking
    (folder / "lacks.sql").write_text(lacking, encoding="utf-8")


class Ran:
    """How a command ended, and what it printed."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


Run = Callable[..., Ran]


@pytest.fixture
def run(place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Give a function that runs a command line in the folder, as the program does, with nobody at the keyboard."""
    monkeypatch.chdir(place)

    def run(line: str, *more: str) -> Ran:
        for left in ("users.csv", "rescue.sql", "no.csv", "exported.sql", "users.parquet"):
            Path(left).unlink(missing_ok=True)
        shutil.rmtree("exported", ignore_errors=True)
        monkeypatch.setattr("sys.argv", ["pgaudit", *shlex.split(line), *more])
        monkeypatch.delenv("PGAUDIT_UNWATCHED", raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capfd.readouterr()
        code = ended.value.code
        return Ran(code if isinstance(code, int) else 0, captured.out, captured.err)

    with Path(os.devnull).open(encoding="utf-8") as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        yield run


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_runs_here(command: str) -> None:
    if command in NEEDS_A_RUN_OF_ITS_OWN:
        assert (PROJECT / NEEDS_A_RUN_OF_ITS_OWN[command]).is_file()
        return
    for code, lines in RUNS.items():
        known = any(line.split()[0] == command for line in lines)
        assert known == (_documented(command)[code] != "never"), f"{command}: docs/exit-codes.md and RUNS[{code}] of this file do not agree"


def _documented(command: str) -> list[str]:
    """What docs/exit-codes.md says of a command, by code."""
    text = (PROJECT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| {command} \|(.*)\|$", text, re.MULTILINE)
    assert row, f"docs/exit-codes.md has no row for {command}"
    cells = [cell.strip() for cell in row[1].split("|")]
    assert len(cells) == 4
    return cells


@pytest.mark.parametrize(("code", "line"), ALL_RUNS)
def test_the_exit_code_is_the_documented_one_and_an_error_is_one_line(code: int, line: str, run: Run) -> None:
    done = run(line)
    assert done.code == code, done.out + done.err
    assert "pw-of-mine" not in done.out + done.err
    assert "Traceback" not in done.err
    if code == 2:
        assert done.out == ""
        assert re.fullmatch(r"pgaudit: [^\n]+\n", done.err), done.err


@pytest.mark.parametrize("line", [pytest.param(line, id=line.split()[0]) for line in RUNS[0]])
def test_a_quiet_command_says_nothing_when_all_is_well(line: str, run: Run) -> None:
    done = run(line, "--quiet")
    is_answer = line.split(maxsplit=1)[0] in {"inspect", "list", "query"} or "--explain" in line
    is_answer &= "--parquet" not in line
    assert (done.code, bool(done.out), done.err) == (0, is_answer, "")


@pytest.mark.parametrize("line", [pytest.param(line, id=line.split()[0]) for line in RUNS[1]])
def test_a_quiet_command_says_on_standard_error_what_is_wrong(line: str, run: Run) -> None:
    done = run(line, "-q")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("pgaudit: ")


@pytest.mark.parametrize("line", [pytest.param(line, id=line.split()[0]) for line in [*RUNS[0], *RUNS[1]]])
def test_json_goes_to_standard_output_alone_or_to_a_file(line: str, run: Run, place: Path) -> None:
    file = place / "said.json"
    file.unlink(missing_ok=True)
    own = line.split(maxsplit=1)[0] in {"rescue", "snapshot", "report", "export"}  # their --output is what they make
    done = run(line, "--json", *([] if own else ["--output", str(file)]))
    assert (done.out == "") != own
    said = json.loads(done.out if own else file.read_text(encoding="utf-8"))
    documented = _keys_documented(line.split(maxsplit=1)[0])
    assert _keys(said) <= documented, f"docs/json.md does not have {_keys(said) - documented} of {line.split(maxsplit=1)[0]}"
    assert not list(place.glob(".said*"))


def _keys(said: Any, below: str = "") -> set[str]:
    """The keys of what was printed, at any depth; not names of the user's, nor what docs/verdicts.md has of each check's evidence."""
    if isinstance(said, list):
        return set().union(*(_keys(one, "" if below != "evidence" else below) for one in said))
    if not isinstance(said, dict) or below == "evidence":
        return set()
    own = set() if below in NAMES_OF_THE_USERS else set(said)
    return own.union(*(_keys(value, key) for key, value in said.items()))


def _keys_documented(command: str) -> set[str]:
    """The words that docs/json.md has for a command, those of all checks included where it has checks."""
    text = (PROJECT / "docs" / "json.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", text, flags=re.MULTILINE)
    own = [section for section in sections if section.split(maxsplit=1)[0] == command]
    assert own, f"docs/json.md has no section for {command}"
    common = [section for section in sections if section.startswith("Verdicts and checks") and "`checks`" in " ".join(own)]
    return set(re.findall(r"`(\w+)`", " ".join([*own, *common])))


WRONG = [
    ("nosuch", "no such command 'nosuch'. pgaudit --help says what it takes."),
    ("verfy", "no such command 'verfy'. Did you mean"),
    ("verify --nosuch", "no such option: --nosuch. pgaudit verify --help says what it takes."),
    ("diff app.dump", "missing argument 'B'. pgaudit diff --help says what it takes."),
    ("list --keep-last x", "invalid value for '--keep-last'"),
    ("restore app.dump env:APP postgresql://me:pw-of-mine@host/app", "got unexpected extra argument"),
    ("export app.dump -Fd -o -", "format: a directory cannot be written to a stream. Name a folder"),
    ("export app.dump -Fp -o - --json", "a dump on standard output is no JSON"),
]


@pytest.mark.parametrize(("line", "said"), WRONG)
def test_what_is_not_understood_is_told_in_one_line_with_what_to_do(line: str, said: str, run: Run) -> None:
    done = run(line)
    assert (done.code, done.out) == (2, "")
    assert re.fullmatch(r"pgaudit: [^\n]+\n", done.err), done.err
    assert done.err.startswith(f"pgaudit: {said}")
    assert "pw-of-mine" not in done.err


def _program(place: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()", *arguments]
    return subprocess.run(program, cwd=place, env={**os.environ, **environment}, capture_output=True, check=False, timeout=120)


def test_a_script_goes_to_standard_output_alone(place: Path, run: Run) -> None:
    assert run("export app.dump -Fp -o exported.sql").code == 0
    done = _program(place, "export", "app.dump", "-Fp", "-o", "-")
    key = re.compile(rb"^\\(?:un)?restrict .*$", re.MULTILINE)  # each run has its own
    assert (done.returncode, done.stderr) == (0, b"")
    assert key.sub(b"", done.stdout) == key.sub(b"", (place / "exported.sql").read_bytes())
    assert not (place / "-").exists()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_a_terminal_that_lacks_our_signs_gets_others_and_data_stay_as_they_are(encoding: str, place: Path) -> None:
    checked = _program(place, "verify", "app.dump", PYTHONIOENCODING=encoding)
    assert checked.returncode == 0, checked.stderr
    assert b"+ passed app.dump" in checked.stdout
    asked = ("query", "app.dump", "SELECT 'é✓' AS a FROM users LIMIT 1")
    assert json.loads(_program(place, *asked, "--json", PYTHONIOENCODING=encoding).stdout)["rows"] == [["é✓"]]
    assert _program(place, *asked, "--csv", PYTHONIOENCODING=encoding).stdout.decode().split() == ["a", "é✓"]


def test_a_table_that_is_too_wide_for_the_terminal_is_shown_row_by_row(place: Path) -> None:
    shown = _program(place, "list", "--store", "chunks", COLUMNS="60").stdout.decode()
    assert re.search(r"^format +incremental$", shown, re.MULTILINE), shown
    assert re.search(r"^backup +\S+\.inc$", shown, re.MULTILINE), shown
    wide = _program(place, "list", "--store", "chunks", COLUMNS="200").stdout.decode()
    assert re.search(r"^target +when \(UTC\) +age", wide, re.MULTILINE), wide


def test_an_error_leaves_no_file_and_the_one_before_it_stays(run: Run, place: Path) -> None:
    file = place / "answer.txt"
    file.write_text("before", encoding="utf-8")
    assert run("query app.dump 'SELECT 1/0 FROM nothing'", "-o", str(file)).code == 2
    assert file.read_text(encoding="utf-8") == "before"
    assert run("query app.dump 'SELECT count(*) AS n FROM users' --csv", "-o", str(file)).code == 0
    assert file.read_text(encoding="utf-8").startswith("n\n")
    refused = run("verify app.dump", "-o", "no/such/folder.txt")
    assert (refused.code, refused.out) == (2, "")


def test_every_help_has_an_example_that_the_command_line_understands() -> None:
    from tests.docs.blocks import parse_command_line

    for command in app.registered_commands:
        assert command.callback is not None
        examples = re.findall(r"^ *Example: (pgaudit .+)$", command.callback.__doc__ or "", re.MULTILINE)
        assert examples, f"pgaudit {command.callback.__name__} --help has no Example: line"
        for example in examples:
            assert parse_command_line(example) == "", example


def _on_a_terminal(*arguments: str, before: str = "", **environment: str) -> bytes:
    """What a command shows on a terminal of its own."""
    import fcntl
    import pty
    import struct
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))  # a bar is as wide as the terminal
    command = [sys.executable, "-c", f"{before}\nfrom pgaudit_kit.cli.app import main; main()", *arguments]
    wanted = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "COLUMNS"}} | {"TERM": "xterm-256color"} | environment
    said = b""
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL, env=wanted) as running:
        os.close(theirs)
        with contextlib.suppress(OSError):  # Linux says so that the other end is closed
            while piece := os.read(ours, 65536):
                said += piece
    os.close(ours)
    assert running.returncode == 0, said
    return said


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
def test_colour_is_for_terminals_and_not_for_those_who_do_not_want_it(place: Path) -> None:
    colour = re.compile(rb"\x1b\[[0-9;]*3[0-7]m")
    assert colour.search(_on_a_terminal("verify", str(place / "app.dump")))
    assert not colour.search(_on_a_terminal("verify", str(place / "app.dump"), NO_COLOR="1"))


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
def test_a_long_job_shows_how_far_how_fast_and_how_long_and_leaves_nothing(place: Path) -> None:
    """Long is here what takes any time at all; the script is read so slowly that the bar can say something."""
    at_once = (
        "import os, time\nimport pgaudit_kit.display.progress as p\nfrom tqdm import tqdm\np._SECONDS_OF_PATIENCE = 0\n"
        "tqdm.monitor_interval = 0\nread = os.preadv\ndef slow(*given):\n    time.sleep(0.15)\n    return read(*given)\nos.preadv = slow\n"
    )
    with (place / "bad.sql").open(encoding="utf-8") as script:
        text = script.read().replace("FROM stdin;\n1\n1\n", "FROM stdin;\n" + "7\n" * 2_000_000)
    (place / "long.sql").write_text(text, encoding="utf-8")
    shown = _on_a_terminal("inspect", str(place / "long.sql"), before=at_once).decode()
    assert re.search(r"long\.sql: +\d+%\|.*\d[kM]?/\d.*<\d\d:\d\d.*B/s", shown), shown[:2000]
    assert shown.rstrip("\r\n").rpartition("\r")[2].count("%|") == 0
    assert "%|" not in _on_a_terminal("inspect", str(place / "long.sql"), "--quiet", before=at_once).decode()
    piped = [sys.executable, "-c", f"{at_once}\nfrom pgaudit_kit.cli.app import main; main()", "inspect", str(place / "long.sql")]
    assert subprocess.run(piped, capture_output=True, text=True, check=True, timeout=120).stderr == ""


def _completed(place: Path, line: str) -> list[str]:
    words = line.split(" ")
    environment = {**os.environ, "_PGAUDIT_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    script = "from pgaudit_kit.cli.app import main; main()"
    command = [sys.executable, "-c", script]
    return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout.split()


def test_the_shell_completes_commands_backups_tables_targets_and_reports(place: Path) -> None:
    assert _completed(place, "pgaudit re") == ["rescue", "rehearse", "restore", "report"]
    assert "app.dump" in _completed(place, "pgaudit verify ap")
    assert _completed(place, "pgaudit extract app.dump mes") == ["messages"]
    assert _completed(place, "pgaudit extract cut.dump mes") == ["messages"]  # without a manifest: of the table of contents
    assert _completed(place, "pgaudit extract bad.sql t") == []
    assert "env:CHANGED" in _completed(place, "pgaudit restore app.dump env:")
    assert _completed(place, "pgaudit report ver") == ["verify"]
    assert _completed(place, "pgaudit report re") == ["rehearse", "restore"]
    assert _completed(place, "pgaudit backup --format t") == ["tar"]
    assert _completed(place, "pgaudit export --format t") == []
    assert _completed(place, "pgaudit backup --format d") == ["directory"]
    assert _completed(place, "pgaudit verify --explain chunks.") == ["chunks.whole", "chunks.sums"]
    assert _completed(place, "pgaudit verify app.dump --require user") == ["users"]


def test_a_bare_name_that_would_be_refused_is_not_offered(
    server: EmbeddedServer, make_database: Callable[..., str], tmp_path: Path
) -> None:
    url = make_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE users (); CREATE TABLE lists (); CREATE SCHEMA auth; CREATE TABLE auth.users ()")
    pg_dump(server, url, tmp_path / "two.dump", "-Fc")
    assert _completed(tmp_path, "pgaudit extract two.dump users") == []
    assert _completed(tmp_path, "pgaudit extract two.dump public.u") == ["public.users"]
    assert _completed(tmp_path, "pgaudit extract two.dump li") == ["lists"]


def test_bash_completes_with_the_script_that_we_give_it(place: Path) -> None:
    program = Path(sys.executable).with_name("pgaudit")
    asked = f"""
        PATH="{program.parent}:$PATH"
        source <(pgaudit --show-completion; true)
        COMP_WORDS=(pgaudit verify app.d) COMP_CWORD=2
        _pgaudit_completion pgaudit app.d verify
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", asked], cwd=place, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split() == ["app.dump"], done.stderr
