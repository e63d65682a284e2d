"""The plan of a sweep: fates one by one, and a world in which backups and sweeps are interleaved and killed, and nothing is lost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pgaudit_kit.operations.store.sweep_plan import Fate, Mark, PackFacts, PackFate, plan_sweep

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
GRACE = timedelta(hours=24)
LONG_AGO = NOW - timedelta(days=9)
A, B, C, D = (bytes([n]) * 32 for n in range(4))
OLD_MARK = Mark(LONG_AGO, frozenset())


def pack(name: str, *chunks: bytes, mark: Mark | None = None, damaged: Iterable[bytes] = (), size: int = 10) -> PackFacts:
    return PackFacts(name, 100, dict.fromkeys(chunks, size), written_at=LONG_AGO, mark=mark, damaged=frozenset(damaged))


def fates(*packs: PackFacts, live: Iterable[bytes], running: dict[str, datetime | None] | None = None) -> dict[str, str]:
    return {f.pack.id: str(f.fate) for f in plan_sweep(packs, frozenset(live), running or {}, NOW, GRACE)}


def test_a_pack_is_condemned_when_nothing_uses_it_and_rewritten_when_less_than_half_of_it_is_used() -> None:
    packs = pack("all", A, B), pack("half", C, b"x"), pack("third", D, b"y", b"z"), pack("none", b"u", b"v")
    told = plan_sweep(packs, frozenset({A, B, C, D}), {}, NOW, GRACE)
    assert {f.pack.id: (str(f.fate), f.used) for f in told} == {
        "all": ("keep", {A, B}),
        "half": ("keep", {C}),
        "third": ("rewrite", {D}),
        "none": ("condemn", frozenset()),
    }


def test_the_share_is_one_of_bytes_not_of_chunks() -> None:
    large = PackFacts("p", 100, {A: 60, B: 10, C: 10}, written_at=LONG_AGO)
    assert fates(large, live=[A]) == {"p": "keep"}
    assert fates(large, live=[B, C]) == {"p": "rewrite"}


def test_of_several_copies_one_counts_where_most_else_is_used() -> None:
    assert fates(pack("a", A, B, C), pack("b", A, D, b"x"), live=[A, B, C]) == {"a": "keep", "b": "condemn"}
    assert fates(pack("b", A), pack("a", A), live=[A]) == {"a": "keep", "b": "condemn"}
    assert fates(pack("a", A, mark=OLD_MARK), pack("b", A, B), live=[A]) == {"a": "delete", "b": "keep"}


def test_a_pack_whose_index_is_broken_is_written_anew_unless_all_of_it_lies_elsewhere() -> None:
    broken = replace(pack("broken", A, B), has_broken_index=True)
    assert fates(broken, live=[A, B]) == {"broken": "rewrite"}
    assert fates(broken, live=[]) == {"broken": "condemn"}
    assert fates(broken, pack("whole", A, B, b"x", b"y"), live=[A, B]) == {"broken": "condemn", "whole": "keep"}
    assert fates(replace(broken, damaged=frozenset({A})), live=[A]) == {"broken": "keep"}


@pytest.mark.parametrize(
    ("mark", "live", "running", "fate"),
    [
        (OLD_MARK, [], [], "delete"),
        (OLD_MARK, [], ["later"], "delete"),
        (Mark(NOW - GRACE, frozenset()), [], [], "delete"),
        (Mark(NOW - GRACE + timedelta(seconds=1), frozenset()), [], [], "wait"),
        (Mark(LONG_AGO, frozenset({"ended", "slow"})), [], ["slow"], "wait"),
        (Mark(LONG_AGO, frozenset({"ended"})), [], ["later"], "delete"),
        (Mark(LONG_AGO, None), [], [], "condemn"),
        (OLD_MARK, [B], [], "spare"),
        (Mark(NOW, None), [B], [], "spare"),
    ],
)
def test_a_marked_pack_goes_when_its_time_has_come_and_nobody_runs_who_ran_when_it_was_marked(
    mark: Mark, live: list[bytes], running: list[str], fate: str
) -> None:
    assert fates(pack("p", A, B, mark=mark), live=live, running=dict.fromkeys(running)) == {"p": fate}


def test_what_may_be_of_a_running_backup_is_left_alone() -> None:
    young = replace(pack("young", A), written_at=NOW)
    torn = PackFacts("torn", 100, None, is_leftover=True, written_at=NOW)
    assert fates(young, torn, pack("old", B), live=[], running={"app": NOW}) == {"young": "keep", "torn": "keep", "old": "condemn"}
    assert fates(young, torn, live=[], running={"app": NOW + timedelta(seconds=1)}) == {"young": "condemn", "torn": "condemn"}
    assert fates(young, live=[], running={"app": None}) == {"young": "keep"}
    assert fates(replace(young, written_at=None), live=[], running={"app": NOW}) == {"young": "keep"}


def test_what_cannot_be_read_is_neither_marked_nor_deleted() -> None:
    unknown = PackFacts("p", 100, None, written_at=LONG_AGO)
    assert fates(unknown, live=[]) == {"p": "keep"}
    assert fates(replace(unknown, mark=OLD_MARK), live=[]) == {"p": "wait"}


def test_a_broken_copy_counts_only_while_there_is_no_other() -> None:
    broken = pack("a", A, B, damaged=[A])
    assert fates(broken, live=[A]) == {"a": "keep"}
    assert fates(broken, pack("b", A), live=[A]) == {"a": "condemn", "b": "keep"}
    assert fates(replace(broken, mark=OLD_MARK), live=[A]) == {"a": "spare"}
    assert fates(pack("a", A, B, C, damaged=[A]), live=[A]) == {"a": "keep"}  # what is broken is not carried into a new pack


@dataclass
class Run:
    """A backup on its way: what it has seen of the store, what it needs."""

    began: datetime
    seen: frozenset[int] | None = None
    needs: frozenset[int] | None = None


@dataclass
class Sweep:
    """A sweep on its way: what it has asked so far, then what is left to do, one write after another."""

    packs: tuple[PackFacts, ...]
    running: dict[str, datetime | None] | None = None
    steps: list[tuple[str, PackFate]] | None = None


@dataclass
class World:
    """A store, and who is at it."""

    now: datetime = NOW
    packs: dict[str, PackFacts] = field(default_factory=dict)
    marks: dict[str, Mark] = field(default_factory=dict)
    whole: dict[str, frozenset[int]] = field(default_factory=dict)
    running: dict[str, Run] = field(default_factory=dict)
    number: int = 0

    def new_pack(self, chunks: Iterable[int]) -> None:
        self.number += 1
        name = f"p{self.number:04}"
        self.packs[name] = PackFacts(name, 1, {bytes([c]): 1 for c in chunks}, written_at=self.now)

    def chunks(self, packs: Iterable[str]) -> frozenset[int]:
        return frozenset(c[0] for name in packs for c in self.packs[name].chunks or ())

    def names_running(self) -> dict[str, datetime | None]:
        return {name: run.began for name, run in self.running.items()}


class Interleaved:
    """Every step is one that a process does in one request; between any two of them others do theirs, or it is killed."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.world = World()
        self.sweep: Sweep | None = None
        self.done: set[str] = set()

    def run(self, steps: int) -> None:
        kinds: list[tuple[Callable[[], None], int]] = [
            (self.time_goes_by, 4),
            (self.a_backup_goes_on, 12),
            (self.a_backup_is_killed, 1),
            (self.a_backup_is_deleted, 3),
            (self.a_sweep_goes_on, 10),
            (self.a_sweep_hurries, 3),
            (self.a_sweep_is_killed, 1),
        ]
        for step in self.chance.choices([k for k, _ in kinds], [weight for _, weight in kinds], k=steps):
            step()
            everything = self.world.chunks(self.world.packs)
            for name, needs in self.world.whole.items():
                assert needs <= everything, f"{name} has lost {sorted(needs - everything)} by {step.__name__}"

    def time_goes_by(self) -> None:
        self.world.now += timedelta(minutes=self.chance.choice([1, 60, 25 * 60]))

    def a_backup_goes_on(self) -> None:
        """One begins, or one does the next thing of: look, write, be published, leave."""
        world = self.world
        if len(world.running) < 3 and self.chance.random() < 0.3:
            world.number += 1
            world.running[f"b{world.number:04}"] = Run(world.now)
        elif world.running:
            name = self.chance.choice(sorted(world.running))
            run = world.running[name]
            if run.seen is None:
                run.seen = world.chunks(world.packs.keys() - world.marks.keys())
            elif run.needs is None:
                run.needs = frozenset(self.chance.sample(range(6), self.chance.randint(1, 4)))
                if new := run.needs - run.seen:
                    world.new_pack(new)
            elif name not in world.whole:
                world.whole[name] = run.needs
            else:
                del world.running[name]

    def a_backup_is_killed(self) -> None:
        if self.world.running:
            del self.world.running[self.chance.choice(sorted(self.world.running))]

    def a_backup_is_deleted(self) -> None:
        if finished := sorted(self.world.whole.keys() - self.world.running.keys()):
            del self.world.whole[self.chance.choice(finished)]

    def a_sweep_goes_on(self) -> None:
        world, sweep = self.world, self.sweep
        if sweep is None:
            self.sweep = Sweep(tuple(replace(p, mark=world.marks.get(p.id)) for p in world.packs.values()))
        elif sweep.running is None:
            sweep.running = world.names_running()
        elif sweep.steps is None:
            live = frozenset(bytes([c]) for needs in world.whole.values() for c in needs)
            plan = plan_sweep(sweep.packs, live, sweep.running, world.now, GRACE)
            self.done |= {str(fate.fate) for fate in plan}
            sweep.steps = [(step, fate) for fate in plan for step in STEPS[fate.fate]]
        elif sweep.steps:
            self.do(*sweep.steps.pop(0))
        else:
            self.sweep = None

    def a_sweep_hurries(self) -> None:
        self.a_sweep_goes_on()
        while self.sweep:
            self.a_sweep_goes_on()

    def a_sweep_is_killed(self) -> None:
        self.sweep = None

    def do(self, step: str, fate: PackFate) -> None:
        world, name = self.world, fate.pack.id
        if step == "copy":
            world.new_pack(c[0] for c in fate.used)
        elif step == "mark":
            world.marks[name] = Mark(world.now, None)
        elif step == "name who runs":
            world.marks[name] = replace(world.marks[name], running=frozenset(world.running))
        elif step == "unmark":
            world.marks.pop(name, None)
        else:
            world.packs.pop(name, None)
            world.marks.pop(name, None)


STEPS = {
    Fate.KEEP: [],
    Fate.WAIT: [],
    Fate.REWRITE: ["copy", "mark", "name who runs"],
    Fate.CONDEMN: ["mark", "name who runs"],
    Fate.SPARE: ["unmark"],
    Fate.DELETE: ["delete"],
}


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_whatever_happens_in_whatever_order_every_backup_finds_its_chunks(seed: int) -> None:
    Interleaved(random.Random(seed)).run(1500)  # noqa: S311  only an order


def test_all_fates_are_met_while_things_happen_in_any_order() -> None:
    world = Interleaved(random.Random(1))  # noqa: S311  only an order
    world.run(1500)
    assert world.done == set(map(str, Fate))
