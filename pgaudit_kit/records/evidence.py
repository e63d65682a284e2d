"""What was proved of a backup, when, by whom and by which server: kept as JSON beside it.

Evidence is of one file: it names the digest of what was looked at, and says nothing of a file that has another one by now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from pgaudit_kit.errors import ManifestError

MARK = "pgaudit_kit evidence"
VERSION = 1


class Proof(StrEnum):
    """How it was proved; also what stands before `.json` in the name of the file: `<backup>.rehearsed.json`."""

    VERIFIED = "verified"
    """The file was read and held against its manifest."""
    REHEARSED = "rehearsed"
    """It was restored into a throwaway server, and the result was held against its manifest or itself."""

    @property
    def suffix(self) -> str:
        """What follows the backup's name."""
        return f".{self}.json"


@dataclass(frozen=True)
class Evidence:
    """One proof of one backup.

    `at`: ISO 8601, UTC; `by`: account and host; `server`: which one judged, "" for none;
    `megabytes_per_second`: of restored data while loading, None when nothing was loaded; `checks` as `--json` prints them.
    """

    proof: Proof
    at: str
    by: str
    verdict: str
    dump_sha256: str
    seconds: float
    server: str = ""
    megabytes_per_second: float | None = None
    checks: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> str:
        """The evidence as JSON text."""
        return json.dumps({"what": MARK, "version": VERSION, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, label: str) -> Evidence:
        """Read what `to_json` wrote. Raises ManifestError when *text* is anything else."""
        try:
            plain = json.loads(text)
            mark, version = plain.pop("what"), plain.pop("version")
            evidence = cls(**{**plain, "proof": Proof(plain["proof"]), "checks": tuple(plain["checks"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _not_evidence(label) from error
        if (mark, version) != (MARK, VERSION):
            raise _not_evidence(label)
        return evidence


def _not_evidence(label: str) -> ManifestError:
    return ManifestError("not evidence of this pgaudit", resource=label, remedy="Remove it, and prove the backup again.")
