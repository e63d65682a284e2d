"""The rows of the sample application: seeded, the same for the same seed on every machine, 300,000 in all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from pgaudit_kit.demo import awkward
from pgaudit_kit.demo.dice import Dice

DEFAULT_SEED = 20251231
SIZES = {"users": 5_000, "lists": 3_000, "list_properties": 9_000, "list_data_rows": 83_000, "messages": 200_000}
FIRST_DAY = datetime(2024, 1, 1, tzinfo=UTC)
DAYS = 731
SMALLEST_SCALE = 0.05

Row = tuple[str | int | None, ...]
T = TypeVar("T")

_FIRST = ("Ada", "Grace", "Edgar", "Barbara", "Donald", "Radia", "Alan", "Frances", "Niklaus", "Shafi", "Edsger", "Hedy", "Lynn")
_LAST = ("Lovelace", "Hopper", "Codd", "Liskov", "Knuth", "Perlman", "Turing", "Allen", "Wirth", "Dijkstra", "Lamarr", "O'Neil")
_COUNTRIES = ("DEU", "FRA", "USA", "IND", "BRA", "KEN", "JPN", "CH", "X", None)
_ZONES = ("+00", "+02", "-05", "+05:30", "-09:30", "+12:45")
_WORDS = ("invoice", "kitchen", "paint", "train", "garden", "visit", "contract", "window", "parcel", "meeting", "battery", "library")
_OPENERS = ("Could you check", "Reminder about", "Thanks for", "We moved", "Nobody answered on", "Please sign", "I lost", "New offer for")
_CHANNELS = ("app", "app", "app", "mail", "sms", "push")
_STATUSES = ("SENT", "DELIVERED", "DELIVERED", "DELIVERED", "ARCHIVED", "FAILED", "DRAFT")
_PROPERTIES = ("title", "due", "price", "state", "contact", "Größe", "e-mail", "notes\t(tab)", "in stock?", "colour")
_CHAIN = 40
_VERY_LONG_AT = 5_000  # the message with the very long text
_KINDS = ("TEXT", "DATE", "NUMBER", "CHOICE", "FILE")


@dataclass(frozen=True, slots=True)
class TableRows:
    """The rows of one table, as text that PostgreSQL takes as input (None is NULL), in the order of *columns*."""

    table: str
    columns: tuple[str, ...]
    rows: Iterator[Row]


def sample_rows(seed: int = DEFAULT_SEED, *, scale: float = 1.0) -> Iterator[TableRows]:
    """Yield the five tables, those referred to first. *scale* multiplies SIZES; at SMALLEST_SCALE every awkward value is still there."""
    count = {table: round(rows * max(scale, SMALLEST_SCALE)) for table, rows in SIZES.items()}
    ids = Dice(seed, "list ids")
    list_ids = [ids.uuid() for _ in range(count["lists"])]
    users = count["users"]
    yield TableRows("users", _USERS, _users(Dice(seed, "users"), users))
    yield TableRows("lists", _LISTS, _lists(Dice(seed, "lists"), list_ids, users))
    yield TableRows("list_properties", _PROPS, _list_properties(Dice(seed, "properties"), count["list_properties"], list_ids))
    yield TableRows("list_data_rows", _DATA_ROWS, _list_data_rows(Dice(seed, "rows"), count["list_data_rows"], list_ids, users))
    yield TableRows("messages", _MESSAGES, _messages(Dice(seed, "messages"), count["messages"], list_ids, users))


def _every(index: int, period: int, pool: Sequence[T], usual: T) -> T:
    """Return *usual*, but every *period* rows the next value of *pool* (all periods are odd, so that columns do not march in step)."""
    turn, rest = divmod(index, period)
    return usual if rest else pool[turn % len(pool)]


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03d}"


def _moment(dice: Dice) -> datetime:
    return FIRST_DAY + timedelta(seconds=int(dice.draw() * DAYS * 86_400), milliseconds=dice.below(1000))


def _created_and_updated(dice: Dice) -> tuple[str, str]:
    created = _moment(dice)
    return _stamp(created), _stamp(created + timedelta(minutes=dice.below(50_000)))


_USERS = (
    *("id", "email", "display_name", "role", "settings", "last_seen_at", "createdAt", "updatedAt"),
    *("avatar", "country_code", "deactivated_at", "last_ip"),
)


def _users(dice: Dice, count: int) -> Iterator[Row]:
    for number in range(1, count + 1):
        first, last = dice.pick(_FIRST), dice.pick(_LAST)
        name = f"{first} {last}" if dice.chance(0.9) else None
        email = f"{first.lower()}.{last.lower()}{number}@example.org"
        settings = json.dumps({"theme": dice.pick(("dark", "light")), "digest": dice.chance(0.3), "perPage": 10 + dice.below(90)})
        yield (
            number,
            _every(number, 201, (f'"odd local part"{number}@example.org', f"ÜMLAUT+{number}@EXAMPLE.org", f"a@b\t{number}"), email),
            _every(number, 7, awkward.TEXTS, name),
            "ADMIN" if number == 1 else dice.pick(("MEMBER", "MEMBER", "MEMBER", "MEMBER", "EDITOR")),
            _every(number, 11, awkward.JSON_OBJECTS, settings),
            _every(number, 13, awkward.TIMESTAMPS, f"{_stamp(_moment(dice))}123{dice.pick(_ZONES)}"),
            *_created_and_updated(dice),
            _every(number, 17, awkward.BYTES, None if dice.chance(0.8) else f"\\x{dice.bits(512):0128x}"),
            dice.pick(_COUNTRIES),
            f"{_stamp(_moment(dice))}+00" if dice.chance(0.05) else None,
            dice.pick((None, f"10.{number % 256}.0.7", f"2001:db8::{number % 9999}", "192.168.0.0/16")),
        )


_LISTS = ("id", "parent_id", "owner_id", "name", "description", "order", "createdAt", "updatedAt", "is_archived")


def _lists(dice: Dice, ids: list[str], users: int) -> Iterator[Row]:
    """A forest: every list's parent stands before it; one chain is _CHAIN deep."""
    for number, list_id in enumerate(ids):
        nested = number > 0 and dice.chance(0.7)
        parent = ids[number - 1] if 0 < number <= _CHAIN else ids[dice.below(number)] if nested else None
        yield (
            list_id,
            parent,
            1 + dice.below(users),
            _every(number, 5, awkward.TEXTS, f"{dice.pick(_WORDS)} {dice.pick(_WORDS)}s"),
            None if dice.chance(0.5) else f"Everything about the {dice.pick(_WORDS)}.",
            number % 12,
            *_created_and_updated(dice),
            "t" if dice.chance(0.1) else "f",
        )


_PROPS = ("id", "list_id", "name", "kind", "is_required", "order", "choices", "default_value", "maximum", "minimum")


def _list_properties(dice: Dice, count: int, list_ids: list[str]) -> Iterator[Row]:
    for number in range(count):
        position, kind = divmod(number, len(list_ids))
        chosen = _KINDS[(position + kind) % len(_KINDS)]
        low = dice.draw() * 100 if chosen == "NUMBER" else None
        yield (
            number + 1,
            list_ids[kind],
            _PROPERTIES[(position + kind) % len(_PROPERTIES)],
            chosen,
            "t" if dice.chance(0.2) else "f",
            position,
            _every(number, 9, awkward.TEXT_ARRAYS, "{open,waiting,done}" if chosen == "CHOICE" else "{}"),
            _every(number, 15, awkward.TEXTS, None if dice.chance(0.6) else "open"),
            None if low is None else f"{low + dice.draw() * 1000:.6f}",
            None if low is None else f"{low:.2f}",
        )


_DATA_ROWS = (
    *("id", "list_id", "created_by", "data", "tags", "scores", "amount", "starts_on", "remind_at", "estimate", "attachment", "note"),
    *("createdAt", "updatedAt"),
)


def _data(dice: Dice, number: int) -> str:
    state = dice.pick(("open", "waiting", "done"))
    return (
        f'{{"title": "{dice.pick(_OPENERS)} the {dice.pick(_WORDS)}", "state": "{state}", "price": {dice.draw() * 900:.2f},'
        f' "contact": {{"name": "{dice.pick(_FIRST)}", "phones": ["+49 30 {number:06d}"]}}, "stars": {dice.below(6)}}}'
    )


def _list_data_rows(dice: Dice, count: int, list_ids: list[str], users: int) -> Iterator[Row]:
    for number in range(count):
        day = FIRST_DAY + timedelta(days=dice.below(DAYS))
        remind = f"{day:%Y-%m-%d} {dice.below(24):02d}:15:00{dice.pick(_ZONES)}" if dice.chance(0.3) else None
        yield (
            dice.uuid(),
            list_ids[dice.below(dice.draw() * len(list_ids))],  # some lists are much longer than others
            1 + dice.below(users) if dice.chance(0.9) else None,
            _every(number, 71, awkward.JSON_OBJECTS, _data(dice, number)),
            _every(number, 53, awkward.TEXT_ARRAYS, f"{{{dice.pick(_WORDS)},{dice.pick(_WORDS)}}}" if dice.chance(0.4) else "{}"),
            _every(number, 59, awkward.FLOAT_ARRAYS, f"{{{dice.draw()!r},{dice.draw()!r}}}" if dice.chance(0.2) else None),
            _every(number, 61, awkward.NUMERICS, f"{dice.draw() * 10_000:.2f}"),
            _every(number, 67, awkward.DATES, f"{day:%Y-%m-%d}" if dice.chance(0.5) else None),
            _every(number, 73, awkward.TIMESTAMPS, remind),
            _every(number, 79, awkward.INTERVALS, f"{dice.below(300)} minutes" if dice.chance(0.2) else None),
            _every(number, 457, awkward.BYTES, None),
            _every(number, 37, awkward.TEXTS, f"Ask {dice.pick(_FIRST)} again." if dice.chance(0.1) else None),
            *_created_and_updated(dice),
        )


_MESSAGES = (
    *("id", "user_id", "list_id", "status", "channel", "subject", "body", "metadata", "sent_at", "read_at"),
    *("cost", "relevance", "sentiment"),
)


def _sent_times(dice: Dice, count: int) -> Iterator[datetime]:
    """Ascending over all DAYS: busier by day than by night, on weekdays than at weekends, and more every month."""
    weekend = [(FIRST_DAY + timedelta(days=d)).isoweekday() in (6, 7) for d in range(DAYS)]
    weights = [(0.4 if weekend[d] else 1.0) * (1 + d / DAYS) for d in range(DAYS)]
    unit = count / sum(weights)
    due = 0.0
    sent = 0
    for day, weight in enumerate(weights):
        due += weight * unit
        here = (count if day == DAYS - 1 else round(due)) - sent
        sent += here
        midnight = FIRST_DAY + timedelta(days=day)
        for seconds in sorted((dice.draw() + dice.draw()) * 43_200 for _ in range(here)):
            yield midnight + timedelta(milliseconds=int(seconds * 1000))


def _messages(dice: Dice, count: int, list_ids: list[str], users: int) -> Iterator[Row]:
    for number, sent in enumerate(_sent_times(dice, count), start=1):
        read = None if dice.chance(0.15) else f"{_stamp(sent + timedelta(seconds=dice.below(90_000)))}+00"
        body = f"{dice.pick(_OPENERS)} the {dice.pick(_WORDS)}, number {number}: {dice.bits(64):x}"
        metadata = f'{{"client": "web/{1 + dice.below(9)}.2", "retries": {dice.below(3)}}}' if dice.chance(0.25) else None
        yield (
            number,
            1 + dice.below(dice.draw() * users),
            list_ids[dice.below(len(list_ids))] if dice.chance(0.2) else None,
            dice.pick(_STATUSES),
            dice.pick(_CHANNELS),
            _every(number, 47, awkward.TEXTS, dice.pick(_WORDS) if dice.chance(0.6) else None),
            awkward.VERY_LONG_TEXT if number == _VERY_LONG_AT else _every(number, 101, awkward.TEXTS, body),
            _every(number, 97, awkward.JSON_TEXTS, metadata),
            f"{_stamp(sent)}+00",
            read,
            f"{dice.draw() * 0.2:.4f}" if dice.chance(0.2) else "0",
            _every(number, 89, awkward.REALS, f"{dice.draw():.3f}" if dice.chance(0.3) else None),
            _every(number, 83, awkward.FLOATS, repr(dice.draw() * 2 - 1) if dice.chance(0.3) else None),
        )
