"""What a file that cannot be read as a dump looks like, in words: the sentence that saves a search."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

NAME_A_DUMP = "Name a file that pg_dump wrote."
UNZIP = "Unpack it first (unzip), and name the dump."
_UNTAR = "Unpack it first (tar -xf), and name the dump or the folder with the toc.dat."
_PHYSICAL = "Start a server on it and use pg_dump: this reads dumps, not the files of a server."


@dataclass(frozen=True, slots=True)
class LooksLike:
    """`what` it looks like, a `remedy`; whether a dump may be inside of it, or whether it is a dump that has lost its beginning."""

    what: str
    remedy: str = NAME_A_DUMP
    dump_inside: bool = False
    damaged: bool = False


# What the text begins with, in lower case, after white space
_BEGINNINGS = (
    (rb"<!doctype html|<html", "an HTML page, perhaps an error page or a login page that was saved under this name"),
    (rb"<\?xml|<error>|<[a-z][\w:.-]*[\s/>]", "an XML document, perhaps the error message of a file store"),
    (rb"version https://git-lfs", "a pointer of Git LFS: the file itself was not fetched (git lfs pull)"),
    (rb"-- mysql dump|-- mariadb dump|/\*m?!\d{5,6}|-- phpmyadmin sql dump|-- adminer [\d.]+ my|-- host: ", "a dump of MySQL or MariaDB"),
    (rb"pragma foreign_keys", "a dump of SQLite"),
    (rb"use \[|/\*+ object:|set ansi_nulls", "a script for SQL Server"),
    (rb"-- cockroachdb|-- cockroach", "a dump of CockroachDB"),
    (
        rb"pg_dump(?:all)?: (?:\[archiver\] )?(?:last built-in oid|reading |saving |dumping |identifying |finding |flagging |executing )",
        "the messages of pg_dump -v, without the dump (they go to stderr, the dump to stdout or -f)",
    ),
    (rb"(?:pg_dump|pg_dumpall|pg_restore|psql): ", "the message of a program that failed, in the place of a dump"),
    (
        rb"pg_dump is a tool|usage:\s+pg_dump|pg_dump(?:all)? \(postgresql\)|psql \(",
        "what a program prints about itself, in the place of a dump",
    ),
    (rb"start wal location: ", "the backup_label of a physical backup (pg_basebackup)"),
)
_MAGICS = (
    (b"SQLite format 3\0", "a database file of SQLite"),
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG\r\n", "an image (PNG)"),
    (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"GIF8", "an image (GIF)"),
    (b"II*\0", "an image (TIFF)"),
    (b"MM\0*", "an image (TIFF)"),
    (b"\x7fELF", "a program: binary data"),
    (b"MZ\x90\0", "a program for Windows: binary data"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old document of Word, Excel or PowerPoint"),
    (b"PAR1", "a Parquet file"),
    (b"TAPE\0\0", "a backup of SQL Server"),
    (b"REDIS0", "a dump of Redis"),
    (b"\x6d\xe2\x99\x81", "a dump of MongoDB"),
    (b"PK\x05\x06", "an empty zip file"),
)
# Something that a dump may well be inside of, but that is not opened here
_SEALED = (
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), "compressed with 7-Zip", "Unpack it first (7z x)."),
    (re.compile(rb"Rar!\x1a\x07"), "compressed with RAR", "Unpack it first (unrar x)."),
    (re.compile(rb"\x02\x21\x4c\x18"), "compressed with LZ4 in its legacy format", "Unpack it first (lz4 -d)."),
    (
        re.compile(rb"\x5d\0\0[\0-\xff]{2}(?:\xff{8}|[\0-\xff]{3}\0{5})"),
        "compressed with LZMA in its old format",
        "Unpack it first (xz -d).",
    ),
    (re.compile(rb"\x1f\x9d"), "compressed with compress", "Unpack it first (gzip -d)."),
    (re.compile(rb"LZIP\x01"), "compressed with lzip", "Unpack it first (lzip -d)."),
    (re.compile(rb"\x89LZO\0\r\n"), "compressed with lzop", "Unpack it first (lzop -d)."),
    (re.compile(rb"\xff\x06\0\0sNaPpY"), "compressed with Snappy", "Unpack it first (snzip -d)."),
    (
        re.compile(rb"age-encryption\.org/|-----BEGIN AGE ENCRYPTED FILE"),
        "encrypted with age",
        "Give its key (--identity FILE, PGAUDIT_AGE_IDENTITY), or decrypt it first (age -d).",
    ),
    (re.compile(rb"-----BEGIN PGP MESSAGE"), "encrypted with PGP", "Decrypt it first (gpg -d)."),
    # RFC 4880, 5.1 and 5.3: a packet of a session key of version 3, for a public key or a pass phrase
    (
        re.compile(rb"\x85[\x01-\x04][\0-\xff]\x03[\0-\xff]{8}[\x01\x02\x10\x12]|\x84[\0-\xff]\x03[\0-\xff]{8}[\x01\x02\x10\x12]"),
        "encrypted with PGP",
        "Decrypt it first (gpg -d).",
    ),
    (
        re.compile(rb"\x8c[\x04-\x2e][\x04\x05][\x01-\x0d]|[\xc1\xc3][\0-\xff]{1,2}[\x03-\x06]"),
        "encrypted with PGP",
        "Decrypt it first (gpg -d).",
    ),
    (re.compile(rb"Salted__"), "encrypted with openssl", "Decrypt it first (openssl enc -d)."),
    (re.compile(rb"U2FsdGVkX1"), "encrypted with openssl", "Decrypt it first (openssl enc -d -a)."),
    (re.compile(rb"\$ANSIBLE_VAULT;"), "encrypted with Ansible Vault", "Decrypt it first (ansible-vault decrypt)."),
)
_JSON = re.compile(rb'\{\s*(?:"|\}\s*\Z)|\[\s*(?:[\[{"\d-]|\]\s*\Z)')
_STATEMENT = re.compile(
    rb"^\s*(?:create|alter|insert|drop|select|update|delete|begin|set|grant|comment|copy|with|do)\b[^;]*;", re.IGNORECASE | re.MULTILINE
)
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_LINES_LIKE_A_TABLE = 3
_BLOCK = 512
_OF_AN_ARCHIVE = re.compile(r"(?:toc|\d+|blob_\d+)\.dat(?:\.\w+)?|blobs(?:_\d+)?\.toc")


def describe_sealed(head: bytes) -> LooksLike | None:
    """Say what packs or encrypts a file that begins with *head* in a way that is not opened here; None when nothing does."""
    start = head.lstrip() if head[:1].isspace() else head
    found = next(((what, remedy) for magic, what, remedy in _SEALED if magic.match(start)), None)
    return LooksLike(*found, dump_inside=True) if found else None


def describe_text(head: bytes) -> str:
    """Say what a file that begins with *head* is when its first words tell; "" when they do not."""
    for magic, what in _MAGICS:
        if head.startswith(magic):
            return what
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "an image (WebP)"
    start = head.lstrip()
    lowered = start[:200].lower()
    for pattern, what in _BEGINNINGS:
        if re.match(pattern, lowered):
            return what
    if start and not start.strip(b"\0"):
        return "a file of zero bytes: the disk was full, or the copy never finished"
    if _JSON.match(start):
        physical = b"PostgreSQL-Backup-Manifest-Version" in head[:200]
        return "the backup_manifest of a physical backup (pg_basebackup): a JSON document" if physical else "a JSON document"
    return ""


def describe_binary(head: bytes) -> str:
    """Say what anything else is: SQL that no pg_dump wrote, a table as text, other text, or binary data."""
    if _CONTROL.search(head):
        return "binary data of an unknown kind"
    if not head.strip():
        return "a file of nothing but white space"
    if _STATEMENT.search(head):
        return "a script of SQL statements that pg_dump did not write: nothing of pg_dump's frame is in it"
    lines = head.splitlines()[:20]
    lines = lines[:-1] if len(lines) > _LINES_LIKE_A_TABLE else lines
    for sign, name in ((b",", "commas"), (b"\t", "tabs"), (b";", "semicolons")):
        if len(lines) >= _LINES_LIKE_A_TABLE and len({line.count(sign) for line in lines}) == 1 and sign in lines[0]:
            return f"a table as text, with {name} between the columns (CSV)"
    return "plain text"


def describe_folder(names: frozenset[str]) -> LooksLike:
    """Say what a folder is that holds the files *names*, and no toc.dat."""
    if "PG_VERSION" in names:
        return LooksLike("the data folder of a server, or a physical backup of one, not a dump", _PHYSICAL)
    if names & {"base.tar", "base.tar.gz", "base.tar.lz4", "base.tar.zst", "backup_manifest"}:
        return LooksLike("a physical backup (pg_basebackup -Ft), not a dump", _PHYSICAL)
    if not names:
        return LooksLike("a directory without any file in it: a directory archive has at least a toc.dat", "Name the dump itself.")
    some = ", ".join(sorted(names)[:3]) + (" …" if len(names) > 3 else "")  # noqa: PLR2004  # as many as a line takes
    if any(re.fullmatch(r"\d+\.dat(\.\w+)?", name) for name in names):
        return LooksLike(
            "a directory archive without its toc.dat, and cannot be read without it",
            "Fetch the toc.dat too, or take the dump again.",
            damaged=True,
        )
    return LooksLike(f"a directory without a toc.dat (in it: {some})", "Name the dump file itself.")


def is_archive_tar(head: bytes) -> bool:
    """Whether a tar file that begins with *head* is a tar archive, or a packed directory archive: its files come in any order."""
    return any(_OF_AN_ARCHIVE.fullmatch(name.rpartition("/")[2]) for name in _names_in_tar(head)[:3])


def describe_tar(head: bytes) -> LooksLike:
    """Say what a tar file that begins with *head* is, and no archive."""
    names = _names_in_tar(head)
    first = {name.removeprefix("./").partition("/")[0] for name in names}
    if first & {"backup_label", "PG_VERSION", "tablespace_map", "pg_wal", "pg_xact", "pg_clog", "base", "global"}:
        return LooksLike("a tar file without a toc.dat: a physical backup (pg_basebackup)", _PHYSICAL)
    some = ", ".join(names[:3])
    return LooksLike(f"a tar file without a toc.dat at its beginning, a packed folder (in it: {some} …)", _UNTAR, dump_inside=True)


def _names_in_tar(head: bytes) -> list[str]:
    names = []
    at = 0
    while at + _BLOCK <= len(head) and head[at + 257 : at + 262] == b"ustar":
        names.append(head[at : at + 100].rstrip(b"\0").decode("utf-8", "replace"))
        size = re.match(rb"\s*([0-7]+)", head[at + 124 : at + 136])
        if not size:
            break
        at += _BLOCK + -(-int(size[1], 8) // _BLOCK) * _BLOCK
    return names


def describe_zip(names: Collection[str]) -> LooksLike | None:
    """Say what a zip file with the files *names* is; None when it has one, which may be a dump."""
    listed = list(names)
    if len(listed) == 1:
        return None
    if not listed:
        return LooksLike("a zip file without a file in it")
    if "[Content_Types].xml" in listed:
        return LooksLike("a document of Word, Excel or PowerPoint (a zip file with several members)")
    if "META-INF/MANIFEST.MF" in listed or "mimetype" in listed:
        return LooksLike("a Java archive, an OpenDocument or an e-book (a zip file with several members)")
    if any(name.rpartition("/")[2] == "toc.dat" for name in listed):
        return LooksLike(
            "a zip file of a directory archive, with a toc.dat", "Unpack it first (unzip), and name the folder.", dump_inside=True
        )
    return LooksLike(f"a zip file with several members ({', '.join(listed[:3])} …)", UNZIP, dump_inside=True)
