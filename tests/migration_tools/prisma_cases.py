"""States that a Prisma project gets into, and what Prisma says of each: measured with CLI 5.22, engines 6.19 and 7.10."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.migration_tools.prisma_project import PrismaProject

ALL = ("1_init", "2_posts", "3_names")


@dataclass(frozen=True)
class Case:
    """How to get there; the states of the migrations; the checks that do not pass; Prisma's exit codes (up to 7.8, from 7.9)."""

    make: Callable[[PrismaProject], None]
    states: Mapping[str, str]
    not_passed: Mapping[str, str]
    prisma_exit: tuple[int, int]


def _deploy(*names: str) -> Callable[[PrismaProject], None]:
    return lambda project: project.deploy(*names)


def _in_the_middle(project: PrismaProject) -> None:
    project.deploy("1_init")
    project.execute('CREATE TABLE "Post" ()')
    project.deploy("3_names")
    project.execute('DROP TABLE "Post"')


def _failed(project: PrismaProject) -> None:
    project.deploy("1_init")
    project.fail("2_posts")


def _failed_and_last(project: PrismaProject) -> None:
    project.deploy("1_init", "2_posts")
    project.fail("3_names")


def _failed_beside_applied(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.fail("2_posts", logs=None)


def _rolled_back(project: PrismaProject) -> None:
    _failed_and_last(project)
    project.roll_back("3_names")


def _rolled_back_then_applied(project: PrismaProject) -> None:
    _rolled_back(project)
    project.write("3_names", 'ALTER TABLE "User" ADD COLUMN "name" TEXT;\n')
    project.deploy("3_names")


def _edited(project: PrismaProject) -> None:
    project.deploy(*ALL)
    with project.file("2_posts").open("a") as file:
        file.write("-- a word more\n")


def _line_ends(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.file("2_posts").write_bytes(project.file("2_posts").read_bytes().replace(b"\n", b"\r\n"))


def _without_folder(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.remove("2_posts")


def _without_script(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.file("2_posts").unlink()


def _diverged(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.remove("2_posts")
    project.write("4_more", 'CREATE TABLE "More" ("id" INTEGER);\n')


def _other_provider(project: PrismaProject) -> None:
    project.deploy(*ALL)
    (project.migrations / "migration_lock.toml").write_text('provider = "mysql"\n')


def _not_in_the_ledger(project: PrismaProject) -> None:
    project.deploy("1_init", "2_posts")
    project.run("3_names")


def _half_done(project: PrismaProject) -> None:
    project.deploy("1_init", "2_posts")
    project.execute('ALTER TABLE "User" ADD COLUMN "name" TEXT')


def _lost_from_the_catalog(project: PrismaProject) -> None:
    project.deploy(*ALL)
    project.execute('DROP TABLE "Post"')


def _baselined(project: PrismaProject) -> None:
    for name in ALL:
        project.run(name)
        project.resolve(name)


def _squashed_and_recorded(project: PrismaProject) -> None:
    _squashed(project)
    project.resolve("0_squashed")


def _squashed(project: PrismaProject) -> None:
    whole = "".join(project.file(name).read_text() for name in ALL)
    project.deploy(*ALL)
    for name in ALL:
        project.remove(name)
    project.write("0_squashed", whole)


APPLIED = dict.fromkeys(ALL, "applied")
CASES: Mapping[str, Case] = {
    "all applied": Case(_deploy(*ALL), APPLIED, {}, (0, 0)),
    "none applied": Case(_deploy(), dict.fromkeys(ALL, "pending"), {"state": "not_checked", "files": "failed"}, (1, 1)),
    "pending": Case(_deploy("1_init", "2_posts"), {**APPLIED, "3_names": "pending"}, {"files": "failed"}, (1, 1)),
    "pending in the middle": Case(
        _in_the_middle,
        {**APPLIED, "2_posts": "pending, out of order"},
        {"files": "failed", "catalog": "failed"},
        (1, 1),
    ),
    "failed, and one pending": Case(
        _failed, {"1_init": "applied", "2_posts": "failed", "3_names": "pending"}, {"state": "failed", "files": "failed"}, (1, 1)
    ),
    "failed": Case(_failed_and_last, {**APPLIED, "3_names": "failed"}, {"state": "failed"}, (1, 1)),
    "failed beside applied": Case(
        _failed_beside_applied, {**APPLIED, "2_posts": "failed"}, {"state": "failed", "catalog": "failed"}, (1, 1)
    ),
    "rolled back": Case(_rolled_back, {**APPLIED, "3_names": "rolled_back"}, {"files": "failed"}, (0, 1)),
    "rolled back, then applied": Case(_rolled_back_then_applied, APPLIED, {}, (0, 0)),
    "edited": Case(_edited, {**APPLIED, "2_posts": "edited"}, {"files": "failed"}, (0, 0)),
    "line ends": Case(_line_ends, APPLIED, {"files": "warned"}, (0, 0)),
    "without folder": Case(_without_folder, {**APPLIED, "2_posts": "unknown"}, {"files": "failed"}, (0, 0)),
    "without script": Case(_without_script, APPLIED, {"files": "not_checked"}, (1, 1)),
    "diverged": Case(_diverged, {**APPLIED, "2_posts": "unknown", "4_more": "pending"}, {"files": "failed"}, (1, 1)),
    "other provider": Case(_other_provider, APPLIED, {"files": "failed"}, (1, 1)),
    "not in the ledger": Case(_not_in_the_ledger, {**APPLIED, "3_names": "pending"}, {"files": "failed", "catalog": "failed"}, (1, 1)),
    "half done": Case(_half_done, {**APPLIED, "3_names": "pending"}, {"files": "failed", "catalog": "failed"}, (1, 1)),
    "lost from the catalog": Case(_lost_from_the_catalog, APPLIED, {"catalog": "failed"}, (0, 0)),
    "baselined": Case(_baselined, APPLIED, {}, (0, 0)),
    "squashed and recorded": Case(
        _squashed_and_recorded, {**dict.fromkeys(ALL, "unknown"), "0_squashed": "applied"}, {"files": "warned"}, (0, 0)
    ),
    "squashed": Case(
        _squashed, {**dict.fromkeys(ALL, "unknown"), "0_squashed": "pending"}, {"files": "failed", "catalog": "failed"}, (1, 1)
    ),
}
