"""Which tables a schema.prisma speaks of: one per model, one per implicit many-to-many relation. Views are not tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pgaudit_kit.errors import UsageError

_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*')
_BLOCK = re.compile(r"^[ \t]*(model|datasource)[ \t]+(\w+)[ \t]*\{([^}]*)\}", re.MULTILINE)
_FIELD = re.compile(r"^[ \t]*(\w+)[ \t]+(\w+)(\[\])?(.*)$", re.MULTILINE)
_POSTGRESQL = ("postgresql", "postgres")


class ModelTable(NamedTuple):
    """A model, or a relation, and its table; `schema` is None where the URL says in which one tables are."""

    model: str
    schema: str | None
    table: str


class _Model(NamedTuple):
    name: str
    body: str


def model_tables(path: Path) -> tuple[ModelTable, ...]:
    """Return the tables of the schema at *path*, a file or a folder of *.prisma files. Raises UsageError when it cannot be read."""
    try:
        files = sorted(path.rglob("*.prisma")) if path.is_dir() else [path]
        text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    except (OSError, UnicodeDecodeError) as error:
        reason = (error.strerror or "not readable") if isinstance(error, OSError) else "not text"
        raise UsageError(f"cannot read the Prisma schema: {reason}", resource=str(path), remedy="Name a schema.prisma.") from error
    strings: list[str] = []

    def put_aside(found: re.Match[str]) -> str:
        if not found[0].startswith('"'):
            return ""
        strings.append(found[0][1:-1].replace('\\"', '"').replace("\\\\", "\\"))
        return f"\0{len(strings) - 1}\0"

    blocks = _BLOCK.findall(_STRING_OR_COMMENT.sub(put_aside, text))
    _check_provider([body for kind, _, body in blocks if kind == "datasource"], strings, path)
    models = {name: _Model(name, body) for kind, name, body in blocks if kind == "model"}
    if not models:
        raise UsageError("no model is in the Prisma schema", resource=str(path), remedy="Name the schema.prisma of the application.")
    return (*(_table_of(model, strings) for model in models.values()), *_relations(models, strings))


def _check_provider(sources: list[str], strings: list[str], path: Path) -> None:
    for body in sources:
        found = re.search(r"\bprovider\s*=\s*\x00(\d+)\x00", body)
        if found and (provider := strings[int(found[1])]) not in _POSTGRESQL:
            what = f"the Prisma schema is of {provider}, not of PostgreSQL"
            raise UsageError(what, resource=str(path), remedy="Name the schema.prisma of this database.")


def _table_of(model: _Model, strings: list[str]) -> ModelTable:
    return ModelTable(model.name, _said("schema", model, strings), _said("map", model, strings) or model.name)


def _said(word: str, model: _Model, strings: list[str]) -> str | None:
    found = re.search(rf"@@{word}\(\s*(?:name:\s*)?\x00(\d+)\x00", model.body)
    return strings[int(found[1])] if found else None


def _relations(models: Mapping[str, _Model], strings: list[str]) -> Iterator[ModelTable]:
    """The tables of implicit many-to-many relations: both sides are lists, and no model stands between (`_AToB`, or `_name`)."""
    lists = [(model.name, *one) for model in models.values() for one in _lists(model, models, strings)]
    seen = set()
    for here, there, name in lists:
        back = [one for one in lists if one[0] == there and one[1] == here and one[2] == name]
        if len(back) < (2 if here == there else 1):
            continue
        first, second = sorted((here, there))
        table = f"_{name or f'{first}To{second}'}"
        if table not in seen:
            seen.add(table)
            yield ModelTable(f"{first} and {second}", _said("schema", models[first], strings), table)


def _lists(model: _Model, models: Mapping[str, _Model], strings: list[str]) -> Iterator[tuple[str, str | None]]:
    """Of each field that is a list of a model: that model, and the name of the relation."""
    for _, kind, many, rest in _FIELD.findall(model.body):
        if many and kind in models:
            found = re.search(r"@relation\(\s*(?:name:\s*)?\x00(\d+)\x00", rest)
            yield kind, strings[int(found[1])] if found else None
