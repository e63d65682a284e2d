"""PostgreSQL's own regression database against its own dumps: `python -m tests.regression_database [15 18 …]`, by hand.

It is the hardest database there is: every kind of object, and every corner of each, as PostgreSQL's own developers thought of them. The
source package is Debian's (apt, in a private state that leaves the machine's own alone), the server one of `tests/fetch_servers.py`, with
whose headers the helper library of the tests is built. Every file of the schedule is run with psql, whatever it prints; what is left in the
database is dumped, in several formats and by several versions, and compared with the database: nothing may differ, and the exit code is 1
when anything does. Then the dump is restored into the same version and newer ones, and compared with that: what they print differently is
equivalent, by a named rule; what could not be restored, or was restored as something else, is named and not counted.
"""

# ruff: noqa: T201  # a script: it says what it did

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from pgaudit_kit.audits.drift import diff
from pgaudit_kit.operations.programs.server_binaries import unprivileged_account
from pgaudit_kit.operations.servers.embedded_server import EmbeddedServer
from tests.fetch_servers import DEBIAN_RELEASE, cache_folder, private_apt
from tests.postgres_versions import Installation, installations

RELEASES = ("bullseye", "bookworm", "trixie", "sid")  # of Debian, which have the sources of 13, 15, 17 and 18
DATABASE = "regression"
# What pg_regress.c sets for its database and its sessions
SETTINGS = {"lc_messages": "C", "lc_monetary": "C", "lc_numeric": "C", "lc_time": "C", "bytea_output": "hex"}
SESSION = {"PGTZ": "PST8PDT", "PGDATESTYLE": "Postgres, MDY", "PGOPTIONS": "-c intervalstyle=postgres_verbose"}
LEFT_OUT = ("select_parallel",)  # leaves nothing behind, and the one of 13.23 makes a 13.16 hang
OF_CONTRIB = ("autoinc", "refint")  # libraries that tests of before 18 look for beside their own


def source_of(major: int) -> Path:
    """The folder src/test/regress of PostgreSQL *major*, fetched when it is not there. Raises LookupError where apt has none."""
    folder = cache_folder() / f"regress-{major}"
    if not folder.is_dir():
        with _downloads(RELEASES, "deb-src") as (work, options):
            _run("apt-get", *options, "source", "--download-only", "-qq", f"postgresql-{major}", folder=work)
            archive = next(work.glob("*.orig.tar.*"))
            _run("tar", "-xf", str(archive), "-C", str(work), "--strip-components=3", "--wildcards", "*/src/test/regress/*")
            (work / "regress").rename(folder)
    return folder


def headers_of(program: Installation) -> Path:
    """The folder of the server's headers: with its programs, or, of a server of Debian's, fetched."""
    here = program.bin_folder.parent / "include/server"
    folder = cache_folder() / f"headers-{program.major}"
    if here.is_dir() or folder.is_dir():
        return here if here.is_dir() else next(folder.glob("usr/include/postgresql/*/server"))
    with _downloads([DEBIAN_RELEASE], "deb") as (work, options):
        _run("apt-get", *options, "download", "-qq", f"postgresql-server-dev-{program.major}", folder=work)
        _run("dpkg-deb", "-x", str(next(work.glob("*.deb"))), str(work / "unpacked"))
        (work / "unpacked").rename(folder)
    return headers_of(program)


@contextmanager
def _downloads(releases: Iterable[str], kind: str) -> Iterator[tuple[Path, list[str]]]:
    """A folder for downloads, and what apt must be told to find them."""
    with tempfile.TemporaryDirectory(prefix=".new-", dir=cache_folder()) as made:
        options = private_apt(Path(made) / "apt", releases, kind, security=False)  # not every mirror keeps all that those list
        _run("apt-get", *options, "update", "-qq")
        try:
            yield Path(made), options
        except subprocess.CalledProcessError as error:
            raise LookupError(f"apt has it not: {error.stderr.strip()[-300:]}") from error


def _run(*argv: str, folder: Path | None = None) -> None:
    subprocess.run(argv, check=True, capture_output=True, text=True, cwd=folder)


def build_libraries(source: Path, program: Installation, work: Path) -> None:
    """Put the C functions that the tests call where they look for them, built for the server that is to load them."""
    headers = headers_of(program)
    for name in ("regress", *OF_CONTRIB):  # another server may have an earlier one open
        (work / f"{name}.so").unlink(missing_ok=True)
    include = (f"-I{headers}", f"-I{headers.parent}", "-I/usr/include/postgresql")
    try:
        _run("gcc", "-shared", "-fPIC", "-O1", "-w", *include, "-o", str(work / "regress.so"), str(source / "regress.c"))
    except subprocess.CalledProcessError:
        print(f"    regress.c of {source.name} does not compile for {program.version}: what calls it is not restored")
    for name in OF_CONTRIB:
        shutil.copy(program.bin_folder.parent / f"lib/{name}.so", work)


def schedule(source: Path) -> list[str]:
    """The tests in an order in which one after the other can run."""
    lines = (source / "parallel_schedule").read_text(encoding="utf-8").splitlines()
    return [name for line in lines if line.startswith("test:") for name in line.split()[1:] if name not in LEFT_OUT]


def prepare(source: Path, work: Path) -> None:
    """Lay the tests out in *work*; those of before 15 with the folders that pg_regress wrote into them."""
    shutil.copytree(source, work, dirs_exist_ok=True)
    names = {"abs_srcdir": work, "abs_builddir": work, "libdir": work, "testtablespace": work / "testtablespace", "DLSUFFIX": ".so"}
    for file in work.glob("input/*.source"):
        text = re.sub("@(\\w+)@", lambda name: str(names[name[1]]), file.read_text(encoding="utf-8"))
        (work / f"sql/{file.stem}.sql").write_text(text, encoding="utf-8")
    for name in ("results", "testtablespace"):
        (work / name).mkdir(exist_ok=True)
    account = unprivileged_account()
    _run("chmod", "-R", "a+rwX", str(work))
    if account:
        os.chown(work / "testtablespace", account.uid, account.gid)


def make_database(server: EmbeddedServer, program: Installation, source: Path, work: Path) -> str:
    """Run the regression tests on *server* and return the URL of their database."""
    prepare(source, work)
    build_libraries(source, program, work)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0".encode())
        for name, value in SETTINGS.items():
            connection.execute(f"ALTER DATABASE {DATABASE} SET {name} TO '{value}'".encode())
    where = {"PG_ABS_SRCDIR": str(work), "PG_ABS_BUILDDIR": str(work), "PG_LIBDIR": str(work), "PG_DLSUFFIX": ".so"}
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PG")}
    psql = [str(program.bin_folder / "psql"), "-X", "-q", "-v", "HIDE_TABLEAM=on", "-v", "HIDE_TOAST_COMPRESSION=on"]
    for name in schedule(source):
        argv = [*psql, "-d", server.url(DATABASE), "-f", f"{work}/sql/{name}.sql"]
        with (work / "results" / f"{name}.out").open("wb") as out:
            subprocess.run(
                argv, check=False, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=kept | where | SESSION, cwd=work
            )
    return server.url(DATABASE)


def report(what: str, dump: Path, url: str) -> int:
    """Compare *dump* with the database at *url*, say what was found, and return how much differs."""
    started = time.monotonic()
    with diff(str(dump), url) as found:
        differing = [d for d in found.object_differences if d.status != "equivalent"]
        reasons = Counter(d.reason for d in found.object_differences if d.status == "equivalent")
        seconds = time.monotonic() - started
        print(f"{what}: {found.verdict}, {found.compared} compared, {len(differing)} objects and {len(found.table_differences)} tables")
        print(f"    differ, {len(found.unmodelled)} unmodelled, {len(found.skipped)} skipped, {seconds:.0f} s")
        for reason, count in reasons.most_common():
            print(f"    {count} equivalent: {reason}")
        for d in differing:
            print(f"    {d.status} {d.key}")
            for change in d.changes:
                print(f"        {change.attribute}:\n          {change.left!r}\n          {change.right!r}")
        for table in found.table_differences:
            print(f"    {table}")
        for unmodelled in found.unmodelled:
            print(f"    unmodelled {unmodelled}")
        return len(differing) + len(found.table_differences)


def prove(major: int) -> int:
    """Everything above for one version; return how much differs."""
    programs = installations()
    program, newest = programs[major], programs[max(programs)]
    source = source_of(major)
    differing = 0
    with tempfile.TemporaryDirectory(prefix="regression-") as made, EmbeddedServer(bin_folder=program.bin_folder) as server:
        work = Path(made)
        started = time.monotonic()
        url = make_database(server, program, source, work)
        print(f"PostgreSQL {program.version}: made in {time.monotonic() - started:.0f} s")
        for other in dict.fromkeys((program, newest)):
            for dump_format in ("plain", "custom"):
                dump = other.dump(url, work / f"{other.major}.{dump_format}", dump_format=dump_format)
                differing += report(f"{major}, {dump_format} by pg_dump {other.major}", dump, url)
        for other in (each for number, each in programs.items() if number >= major):
            build_libraries(source, other, work)
            with EmbeddedServer(bin_folder=other.bin_folder) as target:
                restored = restore(work / f"{major}.custom", server, target, other)
                report(f"{major}, restored into {other.major}", work / f"{major}.custom", restored)
    return differing


def restore(dump: Path, origin: EmbeddedServer, target: EmbeddedServer, program: Installation) -> str:
    """Restore *dump* into a database of *target*, which gets the roles of *origin*; what cannot be restored is left out, and named."""
    roles = program.run("pg_dumpall", "--globals-only", f"--dbname={origin.url()}")
    subprocess.run([program.bin_folder / "psql", "-X", "-q", "-d", target.url()], check=False, capture_output=True, input=roles)
    with psycopg.connect(target.url(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0".encode())
    url = target.url(DATABASE)
    done = subprocess.run([program.bin_folder / "pg_restore", "-d", url, dump], check=False, capture_output=True, text=True)
    for line in re.findall(r"error: could not execute query: (.*)", done.stderr):
        print(f"    not restored: {line}")
    return url


if __name__ == "__main__":
    sys.exit(1 if sum(map(prove, [int(argument) for argument in sys.argv[1:]] or [15, 18])) else 0)
