"""Django: the table `django_migrations`, and APP/migrations/NNNN_name.py; a name here is `app.NNNN_name`."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pgaudit_kit.migration_tools.folders import files_matching
from pgaudit_kit.migration_tools.python_source import assigned, is_worth_a_look, parse
from pgaudit_kit.migration_tools.tool import LedgerTable, MigrationFile, MigrationFiles, Row, Settled, Tool, settle_by_name
from pgaudit_kit.records.ledger import Ledger, Migration

_FILE = re.compile(r"(?!__init__\.py)[A-Za-z_0-9]+\.py")


def is_ledger(table: LedgerTable) -> bool:
    """By its name, which Django does not let anyone choose."""
    return table.name.name == "django_migrations" and table.has("id", "app", "name", "applied")


def read_rows(rows: Sequence[Row]) -> list[Migration]:
    """In the order of their ids."""
    rows = sorted(rows, key=lambda row: int(row["id"] or 0))
    return [Migration(row["id"] or "", f"{row['app']}.{row['name']}", finished_at=row["applied"], said="applied") for row in rows]


def read_folder(folder: Path) -> MigrationFiles | None:
    """All folders `migrations` in *folder*, or *folder* itself. Apps that are installed elsewhere, such as Django's own, are not in it."""
    files = []
    labels: dict[Path, str] = {}
    for path, _ in files_matching(folder, _FILE, below=True):
        home = path.parent if path.parent != folder else folder.absolute()
        if home.name != "migrations" or not is_worth_a_look(path):
            continue
        if home not in labels:
            labels[home] = _label_of(home.parent)
        if file := _read_file(folder, path, labels[home]):
            files.append(file)
    apps = {file.name.partition(".")[0] for file in files}
    return MigrationFiles(folder, tuple(files), scope=lambda name: name.partition(".")[0] in apps) if files else None


def _label_of(app: Path) -> str:
    """The label of the app in the folder *app*: its name, unless the one AppConfig in its apps.py says otherwise."""
    path = app / "apps.py"
    tree = parse(path) if path.is_file() else ""
    classes = [] if isinstance(tree, str) else [node for node in tree.body if isinstance(node, ast.ClassDef)]
    labels = [value.value for node in classes if isinstance(value := assigned(node.body).get("label"), ast.Constant)]
    return str(labels[0]) if len(labels) == 1 else app.name


def _read_file(folder: Path, path: Path, app: str) -> MigrationFile | None:
    """The migration in *path* of the app with that label."""
    tree, where, name = parse(path), str(path.relative_to(folder)), f"{app}.{path.stem}"
    if isinstance(tree, str):
        return MigrationFile(name, where, broken=tree)
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Migration"]
    if not classes:
        return None
    values = assigned(classes[0].body)
    return MigrationFile(name, where, depends=_pairs(values, "dependencies"), replaces=_pairs(values, "replaces"))


def _pairs(values: Mapping[str, ast.expr], name: str) -> tuple[str, ...]:
    """The literal pairs (app, name) of a list; swappable_dependency(…) and its like are left out."""
    listed = values.get(name)
    found = []
    for item in listed.elts if isinstance(listed, ast.List | ast.Tuple) else ():
        texts = [str(part.value) for part in item.elts if isinstance(part, ast.Constant)] if isinstance(item, ast.Tuple) else []
        if len(texts) == 2:  # noqa: PLR2004  # app, name
            found.append(f"{texts[0]}.{texts[1]}")
    return tuple(found)


def settle(ledger: Ledger, files: MigrationFiles | None) -> Settled:
    """By name; and Django's InconsistentMigrationHistory: applied before one that it depends on."""
    settled = settle_by_name(ledger, files).migrations
    applied, named = {row.name for row in settled}, files.by_name() if files else {}
    by_squash = {new for new, file in named.items() if file.replaces and applied >= set(file.replaces)}
    by_squash |= {old for name in applied if name in named for old in named[name].replaces}
    notes = []
    for row in settled:
        for before in named[row.name].depends if row.name in named else ():
            if before in named and before not in applied | by_squash:
                said = f"{row.name} is applied before {before}, on which it depends (InconsistentMigrationHistory)"
                notes.append((said, f"`python manage.py migrate {before.replace('.', ' ', 1)} --fake` if its tables are there"))
    return Settled(settled, tuple(notes))


TOOL = Tool(
    name="django",
    title="Django",
    is_ledger=is_ledger,
    read_rows=read_rows,
    read_folder=read_folder,
    places=(),
    settle=settle,
    by_order=False,
    remedies={
        "pending": "`python manage.py migrate`",
        "unknown": "Bring its file back from version control; or, if it is gone for good, `python manage.py migrate --prune` of that app.",
    },
)
