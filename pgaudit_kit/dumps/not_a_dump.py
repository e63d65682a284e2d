"""What a file that is no dump looks like, in words: the sentence that saves a search."""

from __future__ import annotations

import re

# What the text begins with, in lower case, after white space
_BEGINNINGS = (
    (rb"<!doctype html|<html", "an HTML page, perhaps an error page or a login page that was saved under this name"),
    (rb"<\?xml|<error>|<[a-z][\w:.-]*[\s/>]", "an XML document, perhaps the error message of a file store"),
    (rb"version https://git-lfs", "a pointer of Git LFS: the file itself was not fetched (git lfs pull)"),
    (rb"-- mysql dump|-- mariadb dump|/\*m?!\d{5,6}|-- phpmyadmin sql dump", "a dump of MySQL or MariaDB"),
    (rb"pragma foreign_keys", "a dump of SQLite"),
    (rb"sqlite format 3\0", "a database file of SQLite"),
    (rb"use \[|/\*+ object:|set ansi_nulls", "a script for SQL Server"),
    (rb"(?:pg_dump|pg_dumpall|pg_restore|psql): ", "the message of a program that failed, in the place of a dump"),
    (rb"%pdf-", "a PDF document"),
)
_JSON = re.compile(rb'\{\s*(?:"|\}\s*\Z)|\[\s*(?:[\[{"\d-]|\]\s*\Z)')
_STATEMENT = re.compile(
    rb"^\s*(?:create|alter|insert|drop|select|update|delete|begin|set|grant|comment|copy|with|do)\b[^;]*;", re.IGNORECASE | re.MULTILINE
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def describe_text(head: bytes) -> str:
    """Say what a text that begins with *head* is when its first words tell; "" when they do not."""
    start = head.lstrip()
    lowered = start[:200].lower()
    for pattern, what in _BEGINNINGS:
        if re.match(pattern, lowered):
            return what
    if start and not start.strip(b"\0"):
        return "a file of zero bytes: the disk was full, or the copy never finished"
    if _JSON.match(start):
        return "a JSON document"
    return ""


def describe_binary(head: bytes) -> str:
    """Say what anything else is: SQL that no pg_dump wrote, other text, or binary data."""
    if _CONTROL.search(head):
        return "binary data of an unknown kind"
    if not head.strip():
        return "a file of nothing but white space"
    if _STATEMENT.search(head):
        return "a script of SQL statements that pg_dump did not write: nothing of pg_dump's frame is in it"
    return "plain text"
