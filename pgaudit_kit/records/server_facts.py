"""What is known of the server beside its objects, and of no dump: which cluster it is, and how it orders text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

OF_THE_DATABASE = "the database's own"


@dataclass(frozen=True)
class ServerFacts:
    """`system_identifier` tells clusters apart, and a standby has its primary's; None where the role may not ask.

    `collations`: of those in use that have one the version recorded in the catalog, `actual_collations`: the one that the system
    provides now. Names are `schema.name`, and `OF_THE_DATABASE`.
    """

    system_identifier: str | None = None
    collations: Mapping[str, str] = field(default_factory=dict)
    actual_collations: Mapping[str, str] = field(default_factory=dict)
