"""Evidence as it is written now, by this account."""

from __future__ import annotations

import getpass
import socket
from datetime import UTC, datetime

from pgaudit_kit.audits.result import checks_to_list
from pgaudit_kit.records.evidence import Evidence, Proof
from pgaudit_kit.records.verdict import Check, Outcome


def new_evidence(
    proof: Proof,
    verdict: Outcome,
    *,
    sha256: str,
    seconds: float,
    checks: tuple[Check, ...],
    server: str = "",
    megabytes_per_second: float | None = None,
) -> Evidence:
    """Return the evidence that a proof of the dump with *sha256* took *seconds* and came to *verdict*; the rest as in Evidence."""
    return Evidence(
        proof=proof,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        by=f"{_account()}@{socket.gethostname()}",
        verdict=str(verdict),
        dump_sha256=sha256,
        seconds=round(seconds, 3),
        server=server,
        megabytes_per_second=megabytes_per_second,
        checks=tuple(checks_to_list(checks)),
    )


def _account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as containers have them
        return "unknown"
