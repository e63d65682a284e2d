"""Throwaway servers are copies of what initdb made once; what is kept, or broken, is made by initdb itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest

from pgaudit_kit.operations.servers import new_cluster
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="every cluster has a password of its own there")


@pytest.fixture
def templates(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with TemporaryDirectory() as made:  # beside the servers, where a disk is not waited for
        folder = Path(made) / "clusters"
        monkeypatch.setattr("pgaudit_kit.operations.servers.new_cluster.template_folder", lambda: folder)
        yield folder


def identifier(server: EmbeddedServer) -> int:
    """The number that initdb gives each cluster, and that its copies share."""
    with psycopg.connect(server.url()) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    assert row
    return int(row[0])


def started(**options: object) -> int:
    with EmbeddedServer(**options) as server:  # type: ignore[arg-type]
        return identifier(server)


def test_throwaway_servers_are_copies_and_share_nothing(templates: Path) -> None:
    first = started()
    with ExitStack() as stack:
        one, other = (stack.enter_context(EmbeddedServer()) for _ in range(2))
        assert identifier(one) == identifier(other) == first
        with psycopg.connect(one.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE of_one TEMPLATE template0")
        with psycopg.connect(other.url()) as connection:
            assert connection.execute("SELECT count(*) FROM pg_database WHERE datname = 'of_one'").fetchone() == (0,)
    (template,) = templates.iterdir()
    assert template.stat().st_mode & 0o077 == 0
    assert not (template / "postmaster.pid").exists()
    assert started() == first


def test_what_is_kept_has_a_cluster_of_its_own(templates: Path) -> None:
    with TemporaryDirectory(dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # the server may run as another account
        assert len({started(), started(durable=True), started(data_folder=Path(folder) / "data")}) == 3
    assert len(list(templates.iterdir())) == 1


def cut(template: Path) -> None:
    (template / "global" / "pg_control").write_bytes(b"")


def lose(template: Path) -> None:
    next((template / "base").rglob("[0-9]*_vm")).unlink()


def forget(template: Path) -> None:
    (template / "pgaudit.files").write_text("none")


def open_to_all(template: Path) -> None:
    template.chmod(0o777)


@pytest.mark.parametrize("harm", [cut, lose, forget, open_to_all])
def test_a_template_that_somebody_harmed_is_not_used_and_made_anew(harm: Callable[[Path], None], templates: Path) -> None:
    first = started()
    (template,) = templates.iterdir()
    harm(template)
    second = started()
    assert second != first
    assert (list(templates.iterdir()), started()) == ([template], second)


def test_a_template_that_another_process_replaces_while_it_is_copied_is_not_used(
    templates: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = started()
    (template,) = templates.iterdir()
    template.rename(templates.parent / "first")
    second = started()
    real, kept = new_cluster._copy, templates.parent / "second"

    def copy(source: Path, destination: Path) -> tuple[int, int]:
        done = real(source, destination)
        if source == template and not kept.exists():  # the first time
            template.rename(kept)
            (templates.parent / "first").rename(template)
        return done

    monkeypatch.setattr(new_cluster, "_copy", copy)
    assert started() not in (first, second)  # it may have had files of both
    assert kept.exists()


def test_what_a_process_that_was_killed_left_of_a_template_is_removed(templates: Path) -> None:
    templates.mkdir(mode=0o700)
    ends = "import os, sys; from pathlib import Path; from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder; "
    ends += "folder = ScratchFolder(None, base=Path(sys.argv[1])); (folder.path / 'new').mkdir(); os._exit(0)"
    subprocess.run([sys.executable, "-c", ends, str(templates)], check=True)
    assert len(list(templates.iterdir())) == 1
    assert started()
    (template,) = templates.iterdir()
    assert (template / "PG_VERSION").exists()


def test_an_account_without_a_home_gets_no_template(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(new_cluster, "template_folder", lambda: Path("~/.cache/clusters"))
    assert started()
    assert list(tmp_path.iterdir()) == []


def test_another_build_replaces_the_template_of_the_one_before(templates: Path) -> None:
    started()
    (template,) = templates.iterdir()
    template.rename(template.with_name(f"{template.name.partition('-')[0]}-{'0' * 12}"))
    assert started()
    assert list(templates.iterdir()) == [template]


def test_without_a_place_for_templates_each_is_made_by_initdb(templates: Path) -> None:
    templates.write_text("a file")
    assert started() != started()
