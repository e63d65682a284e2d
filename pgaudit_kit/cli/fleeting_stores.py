"""Stores that a command cannot leave a backup in."""

from __future__ import annotations

from pgaudit_kit.errors import UsageError


def refuse_fleeting(store: str) -> None:
    """Raise UsageError for a store in this process's memory, of which nothing is left when the command has ended."""
    if store.lower().startswith("memory:"):
        what = "a store in memory is gone when this command ends"
        raise UsageError(what, resource=store, remedy="Give a folder, or a URL such as s3://bucket/folder.")
