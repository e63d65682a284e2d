"""A backup under way: of what, by what, and what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pgaudit_kit.operations.backups.part import Part
from pgaudit_kit.operations.programs.client_programs import Program
from pgaudit_kit.operations.programs.pg_dump import DumpOptions
from pgaudit_kit.server.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Job:
    """The snapshot that everything is read in, the pg_dump that reads it, too, and the options. `roles`: what of them is beside it."""

    live: Snapshot
    program: Program
    options: DumpOptions
    part: Part
    roles: Literal["", "names", "passwords"] = ""
