"""What a restore in place did, and what is asked before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pgaudit_kit.operations.restores.restored import Replacement, Restore


@dataclass(frozen=True, repr=False)
class InPlaceRestore(Restore):
    """A Restore whose database stayed the same one. `backup`: the path or URL of what it held before; None when that was nothing."""

    backup: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """The restore as `--json` prints it."""
        return {**super().to_dict(), "backup": self.backup}


@dataclass(frozen=True, slots=True)
class ContentsReplacement(Replacement):
    """What a person confirms of a restore in place: `incoming` is the dump, `kept` the store of the backup that is made first."""

    holds: str = ""

    @property
    def sentence(self) -> str:
        """The replacement in one sentence for people."""
        what = f"{self.live!r} holds {self.holds}: backed up into {self.kept!r} first, all of it will be replaced by {self.incoming!r}."
        return what + self.lost
