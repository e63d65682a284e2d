"""A share as people write it."""

from __future__ import annotations

_LEAST = 0.001


def percent(share: float | None) -> str | None:
    """A share of nought to one in per cent; what is neither nothing nor all is not rounded to either. None stays None."""
    if share is None:
        return None
    if share in {0, 1}:
        return f"{share:.0%}"
    return "<0.1%" if share < _LEAST else ">99.9%" if share > 1 - _LEAST else f"{share:.1%}"
