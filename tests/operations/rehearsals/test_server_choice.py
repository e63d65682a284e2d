from __future__ import annotations

from pathlib import Path

import pytest

from pgaudit_kit.operations.programs.server_binaries import extensions_of, unprivileged_account
from pgaudit_kit.operations.rehearsals.needs import Needs, major_of
from pgaudit_kit.operations.rehearsals.server_choice import Installed, choose_server, installed_servers
from pgaudit_kit.operations.restores.database_facts import Locale
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer

CONTRIB = frozenset({"plpgsql", "citext", "pgcrypto"})


def server(version: str, origin: str = "system", extensions: frozenset[str] = CONTRIB) -> Installed:
    return Installed(version, origin, Path(f"/{version}/bin"), extensions)


WHEEL = server("18.6", "wheel", frozenset({"plpgsql", "citext", "vector"}))


def needs(major: int | None, *extensions: str) -> Needs:
    return Needs(major, extensions, (), (), Locale(), 0)


@pytest.mark.parametrize(
    ("major", "extensions", "chosen"),
    [
        (15, (), "15.4 system"),  # the system's own comes before the wheel
        (13, (), "15.4 system"),  # the nearest that is not older
        (16, (), "17.1 system"),
        (18, (), "18.6 wheel"),
        (15, ("citext", "pgcrypto"), "15.4 system"),
        (15, ("citext", "vector"), "18.6 wheel"),  # the extensions decide
        (15, ("pgcrypto", "vector"), "15.4 system"),  # each lacks one
        (None, (), "17.1 system"),
    ],
)
def test_the_server_that_fits_best_is_chosen(major: int | None, extensions: tuple[str, ...], chosen: str) -> None:
    choice = choose_server([server("15.4"), server("17.1"), WHEEL], needs(major, *extensions))
    assert choice is not None
    assert f"{choice.server.version} {choice.server.origin}" == chosen
    assert choice.lacks == tuple(e for e in extensions if e not in choice.server.extensions)
    assert choice.why


def test_the_folder_that_pgbin_names_comes_first_unless_it_lacks_something() -> None:
    named = server("18.1", "PGBIN")
    found = [named, server("15.4"), WHEEL]
    assert (choice := choose_server(found, needs(15)))
    assert choice.server is named
    assert (choice := choose_server(found, needs(15, "vector")))
    assert choice.server is WHEEL


def test_no_server_is_chosen_that_is_older_than_the_dump() -> None:
    assert choose_server([server("15.4"), WHEEL], needs(19)) is None
    assert choose_server([], needs(None)) is None


def test_the_versions_of_headers_are_read() -> None:
    assert major_of("15.4 (Debian 15.4-1)") == 15
    assert major_of("9.6.3") == 9
    assert major_of("19beta1") == 19
    assert major_of(None) is None


def test_the_servers_of_this_machine_are_found_with_what_they_can_create(server: EmbeddedServer) -> None:
    found = list(installed_servers(only_embedded=True))
    assert [(s.version, s.origin) for s in found] == [(server.version, "wheel")]
    assert {"plpgsql", "vector", "citext"} <= found[0].extensions
    assert "pgcrypto" not in found[0].extensions
    assert extensions_of(Path("/no/such/folder"), unprivileged_account()) == frozenset()
