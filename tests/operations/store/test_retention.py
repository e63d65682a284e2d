"""What becomes of which backup: by example at the borders of the calendar, and as properties of any backups and any rules."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pgaudit_kit.operations.store.retention import DAMAGED, Doomed, Kept, Retention, plan
from pgaudit_kit.records.evidence import Proof
from pgaudit_kit.records.stored_backup import StoredBackup
from pgaudit_kit.records.verdict import Outcome
from tests.operations.store.conftest import evidence_of

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
COUNTS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")


def stored(at: datetime, *, target: str = "app", verdict: str | None = "passed", size: int = 10, selection: str = "") -> StoredBackup:
    proofs = (evidence_of(Proof.VERIFIED, Outcome(verdict)),) if verdict else ()
    name = f"{target}-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{selection}"
    return StoredBackup(name, f"{name}.dump", target, target, at, size, size, "ab", "custom", selection=selection, evidence=proofs)


def kept(backups: list[StoredBackup], rules: Retention, now: datetime = NOW) -> dict[datetime, str]:
    """When those that stay were taken, and the rules that keep them."""
    fates = plan(backups, rules, now)
    return {f.backup.taken_at: ", ".join(f.rules) for f in fates if isinstance(f, Kept)}


def test_of_each_period_the_newest_stays_and_the_rule_is_named() -> None:
    days = [NOW - timedelta(days=n, hours=n % 3) for n in range(100)]
    told = kept([stored(at) for at in days], Retention(last=2, daily=3, weekly=2, monthly=3))
    assert told == {
        days[0]: "newest proven, last 1, daily 1, weekly 1, monthly 1",
        days[1]: "last 2, daily 2",
        days[2]: "daily 3, weekly 2",  # Sunday the 29th
        days[31]: "monthly 2",  # February the 28th
        days[59]: "monthly 3",  # January the 31st
    }


def test_a_period_without_backups_does_not_count() -> None:
    days = [NOW, NOW - timedelta(days=40), NOW - timedelta(days=41), NOW - timedelta(days=400)]
    assert list(kept([stored(at) for at in days], Retention(daily=3))) == days[:3]
    assert list(kept([stored(at) for at in days], Retention(yearly=9))) == [days[0], days[3]]


def test_weeks_are_those_of_iso_8601_across_the_turn_of_the_year() -> None:
    days = [
        datetime(2025, 12, 28, tzinfo=UTC),
        datetime(2025, 12, 29, tzinfo=UTC),
        datetime(2026, 1, 4, tzinfo=UTC),
        datetime(2026, 1, 5, tzinfo=UTC),
    ]
    told = kept([stored(at) for at in days], Retention(weekly=9))
    assert list(told) == [days[3], days[2], days[0]]  # the 29th of December is in the week of the 4th of January


def test_years_and_days_are_those_of_the_zone_of_now() -> None:
    eve = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)  # 2026 in Berlin already
    berlin = NOW.astimezone(ZoneInfo("Europe/Berlin"))
    others = [stored(datetime(2026, 1, 1, 10, 0, tzinfo=UTC)), stored(eve), stored(eve - timedelta(hours=2))]
    assert list(kept(others, Retention(yearly=5))) == [others[0].taken_at, eve]
    assert list(kept(others, Retention(yearly=5), berlin)) == [
        others[0].taken_at,
        eve - timedelta(hours=2),
    ]
    assert len(kept(others, Retention(daily=5), berlin)) == 2


def test_an_hour_that_comes_twice_is_two_hours_and_one_that_is_left_out_is_none() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    back = [datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 1, 30, tzinfo=UTC)]  # both are half past two
    assert len(kept([stored(at) for at in back], Retention(hourly=9), NOW.astimezone(berlin))) == 2
    forth = [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]
    assert len(kept([stored(at) for at in forth], Retention(hourly=1), NOW.astimezone(berlin))) == 1
    assert len(kept([stored(at) for at in forth], Retention(daily=9), NOW.astimezone(berlin))) == 1


def test_within_counts_to_the_second() -> None:
    exact, older = NOW - timedelta(days=7), NOW - timedelta(days=7, seconds=1)
    assert kept([stored(NOW), stored(exact), stored(older)], Retention(within=timedelta(days=7))) == {
        NOW: "newest proven, within",
        exact: "within",
    }


def test_of_those_that_are_wanted_the_newest_that_fit_stay() -> None:
    days = [NOW - timedelta(days=n) for n in range(5)]
    backups = [stored(at, size=40) for at in days]
    assert kept(backups, Retention(max_total_size_bytes=100)) == {days[0]: "newest proven, max total size", days[1]: "max total size"}
    assert list(kept(backups, Retention(daily=9, max_total_size_bytes=120))) == days[:3]
    assert kept(backups, Retention(daily=9, max_total_size_bytes=10)) == {days[0]: "newest proven"}
    reasons = [f.why for f in plan(backups, Retention(daily=4, max_total_size_bytes=100), NOW) if isinstance(f, Doomed)]
    assert reasons == ["beyond the max total size", "beyond the max total size", "no rule keeps it"]


def test_the_newest_proven_stays_also_behind_newer_ones_that_are_not() -> None:
    days = [NOW - timedelta(days=n) for n in range(5)]
    backups = [stored(days[0], verdict=None), stored(days[1], verdict="not_checked"), *(stored(at) for at in days[2:])]
    assert kept(backups, Retention(last=1)) == {days[0]: "last 1", days[2]: "newest proven"}


def test_damaged_ones_stay_and_take_no_place() -> None:
    days = [NOW - timedelta(days=n) for n in range(4)]
    backups = [stored(days[0], verdict="failed"), replace(stored(days[1]), found_size_bytes=3), stored(days[2]), stored(days[3])]
    assert kept(backups, Retention(last=1)) == {days[0]: DAMAGED, days[1]: DAMAGED, days[2]: "newest proven, last 1"}


def test_targets_and_partial_backups_are_counted_by_themselves() -> None:
    days = [NOW - timedelta(days=n) for n in range(4)]
    parts = [
        stored(days[0], selection="exclude: logs"),
        stored(days[1], selection="include: logs"),
        stored(days[2], selection="include: logs"),
    ]
    backups = [*parts, stored(days[2]), stored(days[3]), stored(days[3], target="other")]
    told = {(f.backup.target, f.backup.selection, f.backup.taken_at) for f in plan(backups, Retention(last=1), NOW) if isinstance(f, Kept)}
    assert told == {
        ("app", "exclude: logs", days[0]),
        ("app", "include: logs", days[1]),
        ("app", "", days[2]),
        ("other", "", days[3]),
    }


def test_a_portable_backup_does_not_stand_for_one_with_owners_and_privileges() -> None:
    days = [NOW - timedelta(days=n) for n in range(4)]
    backups = [*(replace(stored(at), portable=True) for at in days[:2]), *map(stored, days[2:])]
    assert kept(backups, Retention(last=1)) == {days[0]: "newest proven, last 1", days[2]: "newest proven, last 1"}


def test_without_a_proven_one_the_newest_stays() -> None:
    backups = [stored(NOW - timedelta(days=n), verdict=None) for n in (10, 20)]
    assert list(kept(backups, Retention(within=timedelta(days=1)))) == [NOW - timedelta(days=10)]


moments = st.datetimes(datetime(2023, 1, 1), datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001  hypothesis wants naive ones
some_backups = st.lists(
    st.builds(
        stored,
        moments,
        target=st.sampled_from(["app", "b"]),
        verdict=st.sampled_from(["passed", "warned", "failed", "not_checked", None]),
        size=st.integers(1, 100),
        selection=st.sampled_from(["", "include: a", "include: b"]),
    ),
    max_size=25,
    unique_by=lambda b: b.name,
)
counts = st.integers(0, 5)
some_rules = st.builds(
    Retention,
    last=counts,
    hourly=counts,
    daily=counts,
    weekly=counts,
    monthly=counts,
    yearly=counts,
    within=st.none() | st.timedeltas(timedelta(), timedelta(days=900)),
    max_total_size_bytes=st.none() | st.integers(0, 600),
)
zones = st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Australia/Lord_Howe"]).map(ZoneInfo)


def names(backups: list[StoredBackup], rules: Retention, now: datetime) -> set[str]:
    return {f.backup.name for f in plan(backups, rules, now) if isinstance(f, Kept)}


@given(some_backups, some_rules, zones)
def test_every_backup_has_one_fate_and_every_kept_one_a_rule(backups: list[StoredBackup], rules: Retention, zone: ZoneInfo) -> None:
    fates = plan(backups, rules, NOW.astimezone(zone))
    assert sorted(f.backup.name for f in fates) == sorted(b.name for b in backups)
    assert all(f.rules if isinstance(f, Kept) else f.why for f in fates)


@given(some_backups, some_rules, zones)
def test_of_every_target_the_newest_proven_stays(backups: list[StoredBackup], rules: Retention, zone: ZoneInfo) -> None:
    stay = names(backups, rules, NOW.astimezone(zone))
    for group in {(b.target, b.selection) for b in backups}:
        proven = [b for b in backups if (b.target, b.selection) == group and b.is_proven]
        assert not proven or max(proven, key=lambda b: (b.taken_at, b.name)).name in stay
        assert any(b.name in stay for b in backups if (b.target, b.selection) == group)


@given(some_backups, some_rules, st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_given_does_not_matter(backups: list[StoredBackup], rules: Retention, chance: random.Random) -> None:
    shuffled = backups.copy()
    chance.shuffle(shuffled)
    assert plan(shuffled, rules, NOW) == plan(backups, rules, NOW)


@given(some_backups, some_rules, st.sampled_from(COUNTS), st.integers(1, 4), zones)
def test_a_wider_rule_keeps_no_fewer(backups: list[StoredBackup], rules: Retention, word: str, more: int, zone: ZoneInfo) -> None:
    now = NOW.astimezone(zone)
    unlimited = replace(rules, max_total_size_bytes=None)
    wider = replace(unlimited, **{word: getattr(rules, word) + more})
    assert names(backups, unlimited, now) <= names(backups, wider, now)
    longer = replace(unlimited, within=(rules.within or timedelta()) + timedelta(days=more))
    assert names(backups, unlimited, now) <= names(backups, longer, now)
    if rules.max_total_size_bytes is not None:
        larger = replace(rules, max_total_size_bytes=rules.max_total_size_bytes + more)
        assert names(backups, rules, now) <= names(backups, larger, now)


@given(some_backups, some_rules)
def test_planning_again_over_what_was_kept_dooms_nothing_more(backups: list[StoredBackup], rules: Retention) -> None:
    stay = [f.backup for f in plan(backups, rules, NOW) if isinstance(f, Kept)]
    assert names(stay, rules, NOW) == {b.name for b in stay}


@given(some_backups, some_rules)
def test_no_target_is_kept_beyond_its_size_but_for_the_one_that_must_stay(backups: list[StoredBackup], rules: Retention) -> None:
    if rules.max_total_size_bytes is None:
        return
    for group in {(b.target, b.selection) for b in backups}:
        mine = [f for f in plan(backups, rules, NOW) if isinstance(f, Kept) and (f.backup.target, f.backup.selection) == group]
        sound = [f.backup for f in mine if not f.backup.is_damaged]
        assert len(sound) <= 1 or sum(b.size_bytes for b in sound) <= rules.max_total_size_bytes


@pytest.mark.parametrize("rules", [Retention(), Retention(last=0)])
def test_no_rule_is_known_as_none(rules: Retention) -> None:
    assert rules.are_none
    assert not Retention(within=timedelta()).are_none
