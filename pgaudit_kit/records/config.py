"""What a project expects of its backups: `[tool.pgaudit]` of its pyproject.toml, or its pgaudit.toml. Unknown keys are refused."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from pgaudit_kit.errors import UsageError
from pgaudit_kit.records.facts_table import facts_table
from pgaudit_kit.records.units import as_bytes, as_span

OWN_FILE, SHARED_FILE = "pgaudit.toml", "pyproject.toml"
NONE = "none"
_COUNTS = ("last", "hourly", "daily", "weekly", "monthly", "yearly")
_SHARE = "Give a number from 0 to 1, such as 0.5."
_T = TypeVar("_T")


@dataclass(frozen=True)
class Config:
    """The settings of a project; None and empty where it says nothing. Paths are absolute.

    `place` is the file they come from. `rpo`: how old the newest backup may be; `rto`: how long a restore may take. `smallest_share`:
    how small a dump may be beside the last ones of its kind, 0 to 1; `smallest_size_bytes`: how small at all. `required_tables`: tables
    that every backup holds; `prisma_schema`: a schema.prisma whose models are such tables. `store`: where backups are kept;
    `keep`: which of them stay, as `Retention` takes it.
    """

    place: str = ""
    store: str | None = None
    required_tables: tuple[str, ...] = ()
    prisma_schema: Path | None = None
    rpo: timedelta | None = None
    rto: timedelta | None = None
    smallest_share: float | None = None
    smallest_size_bytes: int | None = None
    keep: Mapping[str, int | timedelta] = field(default_factory=dict)

    @property
    def _said(self) -> dict[str, object]:
        """What it says, without what it leaves open."""
        return {f.name: value for f in fields(self) if f.name != "place" and (value := getattr(self, f.name)) not in (None, (), {})}

    def __repr__(self) -> str:
        return f"<Config {self.place or 'of no file'}: {', '.join(self._said) or 'nothing is set'}>"

    def _repr_html_(self) -> str:
        """For a notebook: what is set, and where."""
        return facts_table({"from": self.place or "no file", **self._said})


def load_config(given: str | os.PathLike[str] | None = None) -> Config:
    """Return the settings in the file *given*; of None, those of the nearest folder from here upwards that has any; of "none", none.

    A pyproject.toml without `[tool.pgaudit]` has none. Two files with settings in one folder are refused, and so is what cannot be
    meant: UsageError names the file, the key, and what would do.
    """
    if given is not None and os.fspath(given) == NONE:
        return Config()
    if given is not None:
        path = Path(given).absolute()
        table = _table_in(path)
        if table is None:
            raise UsageError(f"no [tool.pgaudit] is in {path.name}", resource=str(path), remedy="Add the table, or name another file.")
        return _config_of(table, path)
    for folder in (here := Path.cwd(), *here.parents):
        found = [
            (path, table) for name in (OWN_FILE, SHARED_FILE) if (table := _table_in(path := folder / name, must_exist=False)) is not None
        ]
        if len(found) > 1:
            what = f"{OWN_FILE} and [tool.pgaudit] of {SHARED_FILE} both have settings"
            raise UsageError(what, resource=str(folder), remedy="Keep one of them, or name one with --config.")
        if found:
            return _config_of(found[0][1], found[0][0])
    return Config()


def _table_in(path: Path, *, must_exist: bool = True) -> Mapping[str, Any] | None:
    """The settings in the file at *path*, None when it has none."""
    if not must_exist and not path.is_file():
        return None
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = (error.strerror or "not readable") if isinstance(error, OSError) else str(error)
        remedy = "Mend it, name another file with --config, or go without (--config none)."
        raise UsageError(f"cannot read the settings: {reason}", resource=str(path), remedy=remedy) from error
    tool = plain.get("tool", {}) if path.name == SHARED_FILE else {"pgaudit": plain}
    table = tool.get("pgaudit") if isinstance(tool, dict) else None
    if table is not None and not isinstance(table, dict):
        raise UsageError("[tool.pgaudit] is no table", resource=str(path), remedy="Write [tool.pgaudit], and keys below it.")
    return table


def _config_of(table: Mapping[str, Any], path: Path) -> Config:
    read: dict[str, Any] = {}
    for key, value in table.items():
        attribute, reader = _known(key, _KEYS, path)
        read[attribute] = reader(value, _Place(path, key))
    return Config(place=str(path), **read)


@dataclass(frozen=True)
class _Place:
    """Where a value stands."""

    path: Path
    key: str

    def refuse(self, what: str, remedy: str) -> UsageError:
        return UsageError(f"{self.key}: {what}", resource=str(self.path), remedy=remedy)


_Reader = Callable[[Any, _Place], Any]


def _known(key: str, keys: Mapping[str, _T], path: Path, table: str = "") -> _T:
    if key in keys:
        return keys[key]
    near = get_close_matches(key, keys, n=1, cutoff=0.5)
    remedy = f"Did you mean {table}{near[0]}?" if near else f"Known are: {', '.join(f'{table}{k}' for k in keys)}."
    raise UsageError(f"unknown key {table}{key}", resource=str(path), remedy=remedy)


def _text(value: Any, place: _Place) -> str:
    if not isinstance(value, str) or not value.strip():
        raise place.refuse(f"{value!r} is no text", f'Write {place.key} = "…".')
    return value


def _span(value: Any, place: _Place) -> timedelta:
    if not isinstance(value, str):
        raise place.refuse(f"{value!r} has no unit", f'Write a span of time with its unit: {place.key} = "24h".')
    span = as_span(value, named=f"{place.key} in {place.path}")
    if not span:
        raise place.refuse(f"{value!r} is no time at all", f'Write a longer one: {place.key} = "24h".')
    return span


def _size(value: Any, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise place.refuse(f"{value!r} is no size", f'Write {place.key} = "10MB".')
    return as_bytes(str(value), named=f"{place.key} in {place.path}")


def _share(value: Any, place: _Place) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise place.refuse(f"{value!r} is no share", _SHARE)
    return float(value)


def _tables(value: Any, place: _Place) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(v, str) and v.strip() for v in value):
        raise place.refuse("not a list of names", f'Write {place.key} = ["users", "billing.invoices"].')
    return tuple(dict.fromkeys(value))


def _file(value: Any, place: _Place) -> Path:
    return place.path.parent / _text(value, place)


def _store(value: Any, place: _Place) -> str:
    text = _text(value, place)
    return text if "://" in text else str(place.path.parent / text)


def _count(value: Any, place: _Place) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise place.refuse(f"{value!r} is no number of backups", f"Write {place.key} = 7.")
    return value


def _keep(value: Any, place: _Place) -> Mapping[str, int | timedelta]:
    if not isinstance(value, dict):
        raise place.refuse("not a table", "Write keep = { daily = 7, weekly = 4 }.")
    read = {}
    for key, one in value.items():
        attribute, reader = _known(key, _KEEP_KEYS, place.path, table="keep.")
        read[attribute] = reader(one, _Place(place.path, f"keep.{key}"))
    return read


_KEEP_KEYS: Mapping[str, tuple[str, _Reader]] = {
    **{name: (name, _count) for name in _COUNTS},
    "within": ("within", _span),
    "max_total_size": ("max_total_size_bytes", _size),
}
_KEYS: Mapping[str, tuple[str, _Reader]] = {
    "store": ("store", _store),
    "required_tables": ("required_tables", _tables),
    "prisma_schema": ("prisma_schema", _file),
    "rpo": ("rpo", _span),
    "rto": ("rto", _span),
    "smallest_share": ("smallest_share", _share),
    "smallest_size": ("smallest_size_bytes", _size),
    "keep": ("keep", _keep),
}
