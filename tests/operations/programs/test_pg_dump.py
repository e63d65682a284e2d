from __future__ import annotations

from pathlib import Path

import pytest

from pgaudit_kit.errors import UsageError
from pgaudit_kit.operations.programs.client_programs import Program
from pgaudit_kit.operations.programs.pg_dump import Compression, DumpOptions, Format, can_compress, pg_dump_argv, pg_dumpall_argv
from tests.conftest import missing
from tests.postgres_versions import installation


def program(version: str) -> Program:
    return Program(Path("/usr/bin/pg_dump"), version, "system")


def argv_of(options: DumpOptions, version: str = "18.1") -> list[str]:
    return pg_dump_argv(program(version), options, database="app", output=Path("/store/x.dump"), snapshot_id="00000003-1")


def options(dump_format: Format, compression: str, jobs: int = 1) -> DumpOptions:
    return DumpOptions(dump_format, Compression.parse(compression), jobs)


def test_pg_dump_is_told_everything_but_who_we_are() -> None:
    assert argv_of(DumpOptions(compression=Compression("gzip", 9), lock_timeout=2.5, part=("--table=*.users", "--strict-names"))) == [
        "/usr/bin/pg_dump",
        "--format=custom",
        "--snapshot=00000003-1",
        "--no-password",
        "--file=/store/x.dump",
        "--compress=gzip:9",
        "--no-owner",
        "--no-privileges",
        "--lock-wait-timeout=2500",
        "--table=*.users",
        "--strict-names",
        "--dbname=dbname='app'",
    ]
    full = argv_of(DumpOptions(full=True))
    assert not {"--no-owner", "--no-privileges"} & set(full)
    assert not [a for a in full if a.startswith(("--compress", "--jobs", "--lock"))]
    assert "--jobs=3" in argv_of(DumpOptions("directory", jobs=3))


@pytest.mark.parametrize(
    ("version", "compression", "told"),
    [("15.3", "gzip:9", "9"), ("13.1", "gzip", "6"), ("14.2", "none", "0"), ("16.0", "none", "none"), ("17.1", "gzip", "gzip")],
)
def test_old_pg_dumps_are_told_a_number(version: str, compression: str, told: str) -> None:
    assert f"--compress={told}" in argv_of(options("custom", compression), version)


@pytest.mark.parametrize(
    ("dump_format", "compression", "version", "ours"),
    [
        ("tar", "zstd:3", "18.1", True),
        ("tar", "none", "18.1", False),
        ("plain", "gzip:1", "13.1", False),
        ("plain", "lz4", "15.1", True),
        ("custom", "gzip", "13.1", False),
    ],
)
def test_we_compress_what_pg_dump_cannot(dump_format: Format, compression: str, version: str, ours: bool) -> None:
    wanted = options(dump_format, compression)
    assert (wanted.streamed(program(version)) == wanted.compression) is ours
    argv = argv_of(wanted, version)
    assert ("--file=/store/x.dump" in argv) is not ours
    assert not (ours and [a for a in argv if a.startswith("--compress")])
    assert wanted.fits(program(version))


def test_an_archive_is_compressed_by_pg_dump_or_not_at_all() -> None:
    assert not options("custom", "zstd").fits(program("15.4"))
    assert not options("directory", "lz4:3").fits(program("14.4"))


@pytest.mark.parametrize("major", [13, 15, 16, 18])
def test_pg_dump_is_asked_what_its_build_can(major: int) -> None:
    found = installation(major, missing)
    asked = Program(found.bin_folder / "pg_dump", found.version, "system")
    assert [a for a in ("none", "gzip", "lz4", "zstd") if can_compress(asked, a)] == [*found.compressions]


@pytest.mark.parametrize("text", ["lzma", "gzip:0", "gzip:10", "lz4:13", "zstd:23", "none:1", "zstd:", ""])
def test_an_unknown_compression_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="gzip:1 to gzip:9, lz4:1 to lz4:12, zstd:1 to zstd:22"):
        Compression.parse(text)


def test_hashes_of_passwords_are_written_only_if_asked_for() -> None:
    argv = pg_dumpall_argv(program("18.1"), database="app", passwords=False)
    assert {"--globals-only", "--no-role-passwords"} <= {*argv}
    assert "--no-role-passwords" not in pg_dumpall_argv(program("18.1"), database="app", passwords=True)
