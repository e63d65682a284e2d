from __future__ import annotations

import html
import json
import re
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import nbformat
import psycopg
import pytest

from pgaudit_kit.demo.incident import play_incident
from pgaudit_kit.demo.sample_app import APPLICATION, create_sample_app
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from pgaudit_kit.records.manifest import load_manifest
from pgaudit_kit.reporting import ReportResult, report_names, run_report
from pgaudit_kit.reporting.parameters import load_notebook, notebook_parameters
from tests.conftest import missing
from tests.reporting.browser import browser_at, chromium, faults, page_of
from tests.reporting.pages import assert_self_contained
from tests.reporting.small_notebooks import bytes_under

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
NAMES = ("backup", "explore", "incident", "migrations", "rehearse", "restore", "verify")
CLUSTER = Path(__file__).resolve().parents[1] / "dumps" / "cluster_9_4.sql"
PGAUDIT = (sys.executable, "-c", "from pgaudit_kit.cli.app import main; main()")
PASSWORD = "s3cret/of&the%app"


def test_these_notebooks_are_shipped() -> None:
    assert report_names() == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_valid_and_without_outputs(name: str) -> None:
    stored = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text(encoding="utf-8"))
    validate: Any = nbformat.validate
    validate(stored)
    assert (stored["nbformat"], stored["nbformat_minor"]) == (4, 5)
    assert set(stored["metadata"]) == {"kernelspec", "language_info"}
    for cell in stored["cells"]:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert len(cell["source"]) <= 24, "a short cell reads well in Jupyter"


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_opens_with_its_title_what_it_answers_and_how_to_run_it(name: str) -> None:
    first, second, third = load_notebook(name).cells[:3]
    assert first.source.startswith("# ")
    assert len(first.source.splitlines()) >= 3
    assert "notebook-only" in second.metadata.tags
    assert f"pgaudit report {name}" in second.source
    assert third.metadata.tags == ["parameters"]
    assert set(re.findall(r"-p (\w+)=", second.source)) <= {p.name for p in notebook_parameters(load_notebook(name))}


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_has_a_type_a_default_and_a_comment(name: str) -> None:
    notebook = load_notebook(name)
    lines = next(c for c in notebook.cells if "parameters" in c.metadata.get("tags", ())).source.splitlines()
    found = notebook_parameters(notebook)
    assert len(found) == len(lines), "a line that papermill cannot read would be a parameter that cannot be given"
    for parameter in found:
        assert parameter.type in ("str", "bool", "int", "float")
        assert len(parameter.help) > 20
        assert parameter.required == (parameter.name == "dump")


@pytest.mark.parametrize("name", NAMES)
def test_the_docs_list_the_parameters_of_every_notebook_and_no_others(name: str) -> None:
    page = (NOTEBOOKS.parent / "docs" / "reports.md").read_text(encoding="utf-8")
    listed = page.partition("\n## Parameters\n")[2].partition("\n## ")[0]
    (row,) = re.findall(rf"^\| `?{name}`? \| (.*) \|$", listed, re.MULTILINE)
    assert re.findall(r"`(\w+)`", row) == [p.name for p in notebook_parameters(load_notebook(name))]


@pytest.mark.parametrize("name", NAMES)
def test_every_notebook_has_two_figures_and_concludes(name: str) -> None:
    source = "\n".join(c.source for c in load_notebook(name).cells if c.cell_type == "code")
    assert len(set(re.findall(r"figures\.(\w+)\(", source))) >= 2
    assert source.count("conclude(\n") + source.count("conclude(result") == 1
    assert "import pgaudit_kit as pk" in source


@dataclass(frozen=True)
class Story:
    """A backup, an incident, and what each notebook made of it; all with a target whose URL holds a password."""

    folder: Path
    reports: dict[str, ReportResult]

    def page(self, name: str) -> str:
        return self.reports[name].html_path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def story(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    folder = tmp_path_factory.mktemp("a story with spaces")
    with psycopg.connect(server.url(), autocommit=True) as connection, pytest.MonkeyPatch.context() as patch:
        connection.execute("DROP DATABASE IF EXISTS notebook_story WITH (FORCE)")
        connection.execute("CREATE DATABASE notebook_story TEMPLATE template0")
        plain = server.url("notebook_story")
        url = plain if re.search(r"://\w+:", plain) else plain.replace("@", f":{quote(PASSWORD, safe='')}@", 1)
        patch.setenv("STORY_URL", url)
        patch.chdir(folder)
        create_sample_app("env:STORY_URL", scale=0.02)
        target = {"target": "env:STORY_URL"}
        reports = {"backup": run_report("backup", parameters={**target, "store": "backups"})}
        (dump,) = [str(f) for f in Path("backups").iterdir() if f.suffix == ".dump"]
        reports["explore"] = run_report("explore", parameters={"dump": dump, "query": "SELECT count(*) AS held FROM users"})
        reports["rehearse"] = run_report("rehearse", parameters={"dump": dump, "server": "embedded"})
        folder_of = {"source": dump, "folder": str(APPLICATION)}
        reports["migrations"] = run_report("migrations", parameters=folder_of)
        reports["ledger"] = run_report("migrations", parameters={"source": "env:STORY_URL"}, label="live")
        play_incident("env:STORY_URL")
        reports["forgotten"] = run_report("migrations", parameters={**folder_of, "source": "env:STORY_URL"}, label="forgotten")
        reports["incident"] = run_report("incident", parameters={**target, "dump": dump})
        reports["verify"] = run_report("verify", parameters={"dump": dump})
        reports["unconfirmed"] = run_report("restore", parameters={**target, "dump": dump, "confirm": "another"}, label="unconfirmed")
        reports["restore"] = run_report("restore", parameters={**target, "dump": dump, "confirm": "notebook_story"})
        reports["afterwards"] = run_report("incident", parameters={**target, "dump": dump}, label="afterwards")
        Path("broken.dump").write_bytes(Path(dump).read_bytes()[:-5000])
        reports["unrestorable"] = run_report("rehearse", parameters={"dump": "broken.dump", "server": "embedded"}, label="broken")
        reports["explored broken"] = run_report("explore", parameters={"dump": "broken.dump"}, label="broken")
        reports["truncated"] = run_report("verify", parameters={"dump": "broken.dump"}, label="truncated")
        reports |= _more(target, dump, server.url("notebook_story"))
        yield Story(folder, reports)
        for (name,) in connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'notebook\\_story%'").fetchall():
            connection.execute(psycopg.sql.SQL("DROP DATABASE {} WITH (FORCE)").format(psycopg.sql.Identifier(name)))


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- its name there
        """Nothing on standard error."""


def _more(target: dict[str, str], dump: str, url: str) -> dict[str, ReportResult]:
    """An incremental backup, a dump behind a URL, a script of several databases, a file that is no dump any more, a table that is wider."""
    more = {"increment": run_report("backup", parameters={**target, "store": "backups", "incremental": True}, label="increment")}
    (kept,) = [str(f) for f in Path("backups").iterdir() if f.suffix == ".inc"]
    for name, done in (("explore", "explored"), ("verify", "verified")):
        more[f"{done} increment"] = run_report(name, parameters={"dump": kept}, label="increment")
    more["restored increment"] = run_report("restore", parameters={**target, "dump": kept, "confirm": "notebook_story"}, label="increment")
    Path("served").mkdir()
    shutil.copy(dump, "served/app.dump")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory="served")) as web:
        threading.Thread(target=web.serve_forever, daemon=True).start()
        place = f"http://127.0.0.1:{web.server_port}/app.dump?signature=planted0signature"
        more["verified URL"] = run_report("verify", parameters={"dump": place}, label="url")
        web.shutdown()
    more["verified cluster"] = run_report("verify", parameters={"dump": str(CLUSTER)}, label="cluster")
    overwritten = Path("backups/other.dump")
    overwritten.write_text("some text")
    shutil.copy(f"{dump.removesuffix('.dump')}.manifest.json", "backups/other.manifest.json")
    more["verified text"] = run_report("verify", parameters={"dump": str(overwritten)}, label="text")
    overwritten.unlink()
    Path("backups/other.manifest.json").unlink()
    with psycopg.connect(url, autocommit=True) as app:
        app.execute("ALTER TABLE users ADD COLUMN note text")
        app.execute("UPDATE users SET display_name = 'changed' WHERE id = (SELECT min(id) FROM users)")
    more["widened"] = run_report("incident", parameters={**target, "dump": dump}, label="widened")
    with psycopg.connect(url, autocommit=True) as app:
        app.execute("DROP TABLE list_properties, list_data_rows CASCADE")
    more["tables gone"] = run_report("incident", parameters={**target, "dump": dump}, label="gone")
    return more


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "verdict", "exit_code"),
    [
        ("backup", "passed", 0),
        ("explore", "passed", 0),
        ("incident", "different", 1),
        ("verify", "passed", 0),
        ("unconfirmed", "not_checked", 3),
        ("restore", "passed", 0),
        ("afterwards", "same", 0),
        ("truncated", "failed", 1),
        ("unrestorable", "failed", 1),
        ("rehearse", "passed", 0),
        ("migrations", "passed", 0),
        ("ledger", "passed", 0),
        ("forgotten", "failed", 1),
        ("increment", "passed", 0),
        ("explored increment", "passed", 0),
        ("verified increment", "passed", 0),
        ("restored increment", "passed", 0),
        ("verified URL", "passed", 0),
        ("verified cluster", "passed", 0),
        ("verified text", "failed", 1),
        ("widened", "different", 1),
    ],
)
def test_each_notebook_says_what_is_true_of_a_real_database(story: Story, name: str, verdict: str, exit_code: int) -> None:
    report = story.reports[name]
    assert (report.verdict, report.exit_code) == (verdict, exit_code), report.sentence


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_each_report_is_one_sound_page_with_two_figures_and_its_source(story: Story, name: str) -> None:
    assert story.reports[name].error == ""
    page = story.page(name)
    assert_self_contained(page)
    assert page.count('<figure class="pg-chart">') >= 2
    assert page.count("<caption>") >= 1
    assert "custom format" in page
    assert "Messages</summary>" not in page, "nothing is printed on stderr"


@pytest.mark.slow
def test_an_exploration_shows_columns_rows_and_the_answer_to_a_query(story: Story) -> None:
    page = story.page("explore")
    assert "Columns of public.messages" in page
    assert "First rows of public.messages" in page
    assert "<caption><span>SELECT count(*) AS held FROM users" in page


@pytest.mark.slow
def test_the_incident_report_names_what_was_lost(story: Story) -> None:
    page = story.page("incident")
    for said in ("missing", "public.messages", "fk constraint", "Rows of public.users", "To bring the database back"):
        assert said in page, said
    for said in ("share missing", "When the rows that differ were touched", "Rows that point at nothing", "public.users_id_seq"):
        assert said in page, said
    assert "pgaudit rescue backups/" in page
    assert "INSERT INTO pg_temp.pgaudit_lost_1 VALUES" in page, "the script as it begins"
    assert "-- no script" not in page


@pytest.mark.slow
def test_what_could_not_be_counted_is_not_said_to_be_counted(story: Story) -> None:
    assert re.search(
        r"is not whole: \d+ objects, [\d,]+ rows in \d tables, [1-6] more could not be counted\.", story.reports["explored broken"].sentence
    )


@pytest.mark.slow
def test_of_tables_that_are_gone_the_incident_report_gives_commands_that_run(story: Story) -> None:
    """`pgaudit extract` takes one table: a single command with all of them was refused."""
    page = story.page("tables gone")
    assert page.count(">no such table<") == 2
    assert "The count differs in none of them" not in page
    commands = [shlex.split(html.unescape(line)) for line in re.findall(r"^pgaudit extract .*", page, re.MULTILINE)]
    assert [command[3] for command in commands] == ["public.list_data_rows", "public.list_properties"]
    for _, *arguments, _, _ in commands:
        command = [*PGAUDIT, *arguments, "--csv", "-", "--where", "false"]
        done = subprocess.run(command, cwd=story.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_restore_without_the_databases_name_touches_nothing_and_says_how_to_go_on(story: Story) -> None:
    report = story.reports["unconfirmed"]
    assert "nothing was touched" in report.sentence
    assert "Set confirm to the database" in story.page("unconfirmed")
    assert story.page("unconfirmed").count('<figure class="pg-chart">') == 2


@pytest.mark.slow
def test_a_restore_shows_each_tables_rows_before_and_after_it(story: Story, server: EmbeddedServer) -> None:
    """Before it: those of the database that it kept. After it: those of the backup."""
    (file,) = story.folder.glob("backups/*.dump")
    after = {str(t.name): t.rows or 0 for t in load_manifest(file.with_suffix(".manifest.json")).table_data.values()}
    before = {}
    with psycopg.connect(server.url()) as connection:
        kept = connection.execute("SELECT min(datname) FROM pg_database WHERE datname LIKE 'notebook\\_story\\_\\_before%'").fetchone()
    assert kept
    with psycopg.connect(server.url(*kept)) as connection:
        for name in after:
            before[name] = sum(count for (count,) in connection.execute(f"SELECT count(*) FROM {name}".encode()))
    changed = [name for name, rows in after.items() if rows != before[name]]
    (figure,) = [f for f in re.findall(r'<figure class="pg-chart">.*?</figure>', story.page("restore"), re.DOTALL) if "after it" in f]
    assert f"{len(after)} tables: {sum(before.values()):,} rows before the restore, {sum(after.values()):,} after it." in figure
    assert f"The count differs in {len(changed)} of them." in figure
    assert len(changed) > 1
    for name in changed:
        drawn = f"{name}</text>", f"{before[name]:,}</text>", f"{after[name]:,} ({after[name] - before[name]:+,})</text>"
        assert [text for text in drawn if f">{text}" not in figure] == []


@pytest.mark.slow
def test_no_byte_of_any_report_or_notebook_holds_the_password(story: Story) -> None:
    written = bytes_under(story.folder / "reports")
    for form in (PASSWORD, quote(PASSWORD, safe=""), quote(PASSWORD), "s3cret", "of&amp;the"):
        assert form.encode() not in written


@pytest.mark.slow
def test_a_rehearsal_says_where_how_fast_what_was_left_out_and_keeps_its_evidence(story: Story) -> None:
    page = story.page("rehearse")
    for said in ("Restored into", "Why there", "MB restored", ".rehearsed.json", "Not restored, not compared", "Where the time went"):
        assert said in page, said
    assert "1 backup of 1 database: 1 proven" in page
    assert list(story.folder.glob("backups/*.rehearsed.json"))


@pytest.mark.slow
def test_a_dump_that_cannot_be_restored_is_a_finding_and_no_error_of_the_report(story: Story) -> None:
    assert story.reports["unrestorable"].error == ""
    assert "This dump is no backup in a store." in story.page("unrestorable")


@pytest.mark.slow
def test_the_report_on_migrations_shows_them_in_time_and_names_the_one_forgotten(story: Story) -> None:
    assert "Migrations, in the order applied" in story.page("migrations")
    assert re.search(r"\d+ migrations: \d+ applied\.", story.page("migrations"))
    assert "1 pending" in story.page("forgotten")
    assert "Look at" in story.page("forgotten")
    assert "Without a folder nothing says which migrations are pending" in story.page("ledger")


@pytest.mark.slow
def test_the_incident_report_draws_when_rows_were_lost_and_which_keys_are_broken(story: Story) -> None:
    page = story.page("incident")
    assert re.search(r"<strong>What was lost, by time</strong><span>[^<]*public\.messages, by [^<]*before", page)
    assert re.search(r"<strong>Tables and their foreign keys</strong><span>\d+ foreign keys between[^<]*broken or dropped", page)


@pytest.mark.slow
def test_a_backup_is_shown_among_those_of_its_store(story: Story) -> None:
    assert "Backups, and what is known of them" in story.page("backup")
    assert "Backups in the store, the newest first" in story.page("backup")


@pytest.mark.slow
def test_axe_finds_no_serious_fault_in_any_report_in_light_and_dark_on_a_desk_and_a_phone(story: Story) -> None:
    path = chromium()
    if path is None:
        missing("Chromium, which renders the pages,")
    pages = [story.reports[name].html_path for name in (*NAMES, "unconfirmed", "truncated", "verified cluster")]  # one of each kind
    found: dict[str, list[str]] = {}
    with browser_at(path) as browser:
        for file in (*pages, pages[0].with_name("index.html")):
            with page_of(browser, file.resolve(), checked=True) as page:
                found[file.name] = faults(page)
    assert len(found) == len(pages) + 1
    assert {name: said for name, said in found.items() if said} == {}


@pytest.mark.slow
def test_an_incremental_backup_says_what_it_added_and_is_whole_when_it_was_read(story: Story) -> None:
    facts = story.page("increment").partition('class="facts"')[2].partition("</dl>")[0]
    assert re.search(r"New in the store</dt><dd>[\d,]+ bytes, 0 of \d+ tables as they had been", facts)
    assert "the whole store" in "".join(story.reports["increment"].next_steps)
    assert "could be read to its end" in story.reports["explored increment"].sentence
    assert "incremental" in story.page("increment").partition("The backups in the store")[2]
    for name in ("backup", "verify"):
        assert "env:STORY_URL (local/notebook_story)" in story.page(name).partition("Recorded of")[2][:200], "which database it was of"


@pytest.mark.slow
def test_a_dump_behind_a_url_is_verified_and_its_signature_is_in_no_byte(story: Story) -> None:
    assert "app.dump" in story.reports["verified URL"].sentence
    assert b"planted0" not in bytes_under(story.folder / "reports")


@pytest.mark.slow
def test_of_a_table_whose_columns_differ_the_rows_are_listed_too_and_only_what_fits_is_advised(story: Story) -> None:
    page = story.page("widened")
    assert "display_name" in page.partition("Rows of public.users")[2]
    steps = " ".join(story.reports["widened"].next_steps)
    assert "pgaudit restore" in steps
    assert "what is missing" not in steps
    assert "Rows listed as extra" not in steps


@pytest.mark.slow
def test_papermill_itself_cannot_force_by_saying_no(story: Story) -> None:
    import papermill

    with pytest.raises(papermill.PapermillExecutionError, match="parameter force is to be true or false") as caught:
        papermill.execute_notebook(
            str(NOTEBOOKS / "restore.ipynb"), None, {"dump": "backups/x.dump", "force": "no"}, progress_bar=False, cwd=story.folder
        )
    assert caught.value.ename == "ParameterError"
