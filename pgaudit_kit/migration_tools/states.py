"""What the ledger says and what the files say, put together: one status per migration."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from pgaudit_kit.migration_tools.tool import MigrationFile, MigrationFiles, Settled, Tool
from pgaudit_kit.records.ledger import Ledger, Migration, MigrationStatus, State

FAILED, WARNED, NOT_CHECKED = "failed", "warned", "not_checked"


class _Found(NamedTuple):
    """What the folder has of a migration: its file, or one that replaces it, or one that seems to."""

    file: MigrationFile | None
    replaced_by: MigrationFile | None
    squashed_into: str | None


def statuses_of(tool: Tool, table: str, ledger: Ledger | None, files: MigrationFiles | None) -> list[MigrationStatus]:
    """Return the status of every migration: those of *ledger* in the order applied, then the others in the order of *files*.

    *files* None: no folder was looked at, and `file` says nothing. *ledger* None: the source has no ledger of *tool*.
    """
    settled = tool.settle(ledger, files) if ledger else Settled(())
    rows = settled.migrations
    named = files.by_name() if files else {}
    replaced = {old: new for new in named.values() for old in new.replaces}
    found = [
        _of_row(tool, table, row, files, _Found(named.get(row.name), replaced.get(row.name), settled.squashed.get(row.name)))
        for row in rows
    ]
    applied = {status.name for status in found if status.state in (State.APPLIED, State.EDITED)}
    rowless = [file for file in (files.files if files else ()) if file.name not in {row.name for row in rows}]
    found += [_of_file(tool, table, file, applied, replaced.get(file.name)) for file in rowless]
    if settled.doubt:
        found = [_doubted(status, settled.doubt) if status.state is State.PENDING else status for status in found]
    return list(_in_order(tool, found, files)) if files and tool.by_order else found


def _of_row(tool: Tool, table: str, row: Migration, files: MigrationFiles | None, found: _Found) -> MigrationStatus:
    state = State(row.state)
    at = (row.finished_at or row.started_at) if state is State.APPLIED else None
    status = MigrationStatus(tool.name, table, row.name, state, at, ledger=_ledger_says(row))
    if state is State.FAILED:
        what = "" if files is None else "missing" if found.file is None else "there"
        return _with(tool, status, state, "it began and did not end" + (f": {row.logs}" if row.logs else ""), file=what, state=FAILED)
    if files is None:
        return status if state is State.APPLIED else _with(tool, status, state, "it was rolled back", state=WARNED)
    if state is State.ROLLED_BACK:
        return _of_rolled_back(tool, status, found.file)
    if found.file is None:
        return _without_file(tool, status, files, found)
    return _of_both(tool, status, row, found.file)


def _of_rolled_back(tool: Tool, status: MigrationStatus, file: MigrationFile | None) -> MigrationStatus:
    if file is None:
        return replace(status, file="missing", reason="it was rolled back, and its file is gone: nothing is left to do")
    return _with(tool, status, State.ROLLED_BACK, "it was rolled back and not applied since", file="there", files=FAILED)


def _without_file(tool: Tool, status: MigrationStatus, files: MigrationFiles, found: _Found) -> MigrationStatus:
    if found.replaced_by is not None:
        return replace(status, file=f"replaced by {found.replaced_by.name}")
    if not files.scope(status.name):
        return replace(status, file="of another folder")
    if found.squashed_into is not None:
        reason = f"the folder has no such migration; {found.squashed_into}, recorded behind it and never run, may have taken its place"
        unknown = replace(status, state=State.UNKNOWN)
        return _with(tool, unknown, "squashed", reason, file="missing", files=WARNED)
    return _with(tool, status, State.UNKNOWN, "it is in the ledger, and the folder has no such migration", file="missing", files=FAILED)


def _of_both(tool: Tool, status: MigrationStatus, row: Migration, file: MigrationFile) -> MigrationStatus:
    if file.broken:
        said = f"cannot be read: {file.broken}"
        return _with(tool, status, "broken", f"its file {said}", file=said, files=NOT_CHECKED)
    if row.checksum is None or not file.checksums:
        return replace(status, file="there")
    if row.checksum in file.checksums:
        return replace(status, file="unchanged")
    if row.checksum in file.converted:
        reason = "only the line ends of its file changed, LF and CRLF: it was not edited"
        return _with(tool, status, "line_ends", reason, file="other line ends", files=WARNED)
    if file.again:
        return _with(tool, replace(status, state=State.PENDING), State.PENDING, "it changed, so it runs again", file="edited", files=FAILED)
    return _with(tool, status, State.EDITED, "its file is not the one that was applied", file="edited", files=FAILED)


def _doubted(status: MigrationStatus, doubt: str) -> MigrationStatus:
    return replace(status, reason=doubt, remedy="", faults={"files": NOT_CHECKED})


def _of_file(tool: Tool, table: str, file: MigrationFile, applied: set[str], by: MigrationFile | None) -> MigrationStatus:
    status = MigrationStatus(tool.name, table, file.name, State.PENDING, ledger="not there", file="there")
    if by is not None and by.name in applied:
        return replace(status, state=State.APPLIED, reason=f"{by.name}, which replaces it, is applied")
    if file.replaces and applied >= set(file.replaces):
        return replace(status, state=State.APPLIED, reason=f"the {len(file.replaces)} migrations that it replaces are applied")
    if file.broken:
        reason = f"it is not applied, and its file cannot be read: {file.broken}"
        return _with(tool, status, "broken", reason, file=f"cannot be read: {file.broken}", files=FAILED)
    return _with(tool, status, State.PENDING, "it is not applied", file="there", files=FAILED)


def _with(tool: Tool, status: MigrationStatus, what: State | str, reason: str, *, file: str = "", **faults: str) -> MigrationStatus:
    state = what if isinstance(what, State) else status.state
    return replace(status, state=state, reason=reason, file=file, remedy=tool.remedy(what, status.name), faults=faults)


def _ledger_says(row: Migration) -> str:
    steps = "" if row.applied_steps is None else f", {row.applied_steps} steps"
    return row.state.replace("_", " ") + (steps if row.state == "failed" else "")


def _in_order(tool: Tool, found: list[MigrationStatus], files: MigrationFiles) -> Iterator[MigrationStatus]:
    """Mark what stands before something that was applied earlier."""
    place = {file.name: number for number, file in enumerate(files.files) if not file.again}
    furthest, name = -1, ""
    for status in found:
        here = place.get(status.name, -1)
        if 0 <= here < furthest and status.state in (State.APPLIED, State.EDITED, State.PENDING):
            yield _out_of_order(tool, status, name)
            continue
        if here > furthest and status.ledger.startswith("applied"):
            furthest, name = here, status.name
        yield status


def _out_of_order(tool: Tool, status: MigrationStatus, name: str) -> MigrationStatus:
    if status.state is State.PENDING:
        more = f"it stands before {name}, which is applied" + (f": {tool.late_ones}" if tool.late_ones else "")
    elif status.ledger == "not there":
        return status
    else:
        more = f"it was applied after {name}, which stands behind it: an empty database gets them the other way round"
    reason = f"{status.reason}; {more}" if status.reason else more
    remedy = status.remedy
    if status.state is State.PENDING:
        remedy = tool.remedy("late", status.name) or remedy
    return replace(status, out_of_order=True, reason=reason, remedy=remedy)
