"""A new data folder for a server: made by initdb, or copied from one that initdb made before, which takes a tenth of the time."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pgaudit_kit.errors import OperationError, ProgramFailed
from pgaudit_kit.operations.programs.server_binaries import EXECUTABLE_SUFFIX, Account, refuse_foreign
from pgaudit_kit.operations.servers.scratch_folders import ScratchFolder

SUPERUSER = "postgres"
PASSWORD_FILE = "pgaudit.password"  # noqa: S105  # a file name
_FILES = "pgaudit.files"  # how many, and bytes, of a template, and a number of its own
_WINDOWS = sys.platform == "win32"


@dataclass(frozen=True)
class NewCluster:
    """What a data folder is made with: the programs in `bin_folder`, which are of `version`, run as `account` in `environment`.

    `folder`: the server's own, for what is written on the way. Not `durable`: it need not survive a crash of the machine. `may_be_copy`:
    it may be a copy of a template in the cache folder, and share its system identifier with other copies.
    """

    bin_folder: Path
    version: str
    account: Account | None
    environment: Mapping[str, str]
    folder: Path
    durable: bool
    may_be_copy: bool

    def create(self, data: Path) -> None:
        """Make the data folder *data*. Raises ProgramFailed with initdb's own words."""
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._give_away(data)
        template = self._template() if self.may_be_copy and not _WINDOWS else None  # there every cluster has a password of its own
        if template and self._copied(template, data):
            return
        self._initdb(data)
        if template:
            _keep(data, template)

    def _argv(self) -> list[str]:
        argv = ["-U", SUPERUSER, "-E", "UTF8", "--locale=C"]
        major = int(self.version.split(".")[0])
        if major >= 14:  # noqa: PLR2004  # the first that has the option
            argv.append("--no-instructions")
        if major >= 17:  # noqa: PLR2004  # the builtin provider: the same order of text on every machine
            argv += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self.durable:
            argv.append("--no-sync")
        if not _WINDOWS:
            argv += ["--auth-local=trust", "--auth-host=reject"]  # the socket's folder is private; nothing listens on a network
        return argv

    def _initdb(self, data: Path) -> None:
        argv = [str(self.bin_folder / f"initdb{EXECUTABLE_SUFFIX}"), "-D", str(data), *self._argv()]
        password_file = self.folder / "password"
        if _WINDOWS:
            password_file.write_text(secrets.token_urlsafe(24), encoding="ascii")
            argv += ["-A", "scram-sha-256", f"--pwfile={password_file}"]
        done = subprocess.run(
            argv,
            env=self.environment,
            cwd=self.folder,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            check=False,
            user=self.account.uid if self.account else None,
            group=self.account.gid if self.account else None,
            extra_groups=[] if self.account else None,
        )
        if done.returncode != 0:
            words = (done.stderr or done.stdout).decode("utf-8", "replace").strip()[-2000:]
            raise ProgramFailed(
                f"initdb could not create a cluster in {data}: {words}",
                resource=str(data),
                remedy="Give a data folder that the server's account can reach, or set TMPDIR to a folder with space.",
            )
        if _WINDOWS:
            shutil.move(password_file, data / PASSWORD_FILE)  # who can read it can read the data anyway

    def _give_away(self, path: Path) -> None:
        if self.account is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def _template(self) -> Path | None:
        """Where the template of these very programs and options is, or goes; None when nobody but us can be kept from writing there."""
        program = (self.bin_folder / f"postgres{EXECUTABLE_SUFFIX}").stat()
        made_by = hashlib.sha256(os.fsencode(self.bin_folder.resolve())).hexdigest()[:12]
        made_as = hashlib.sha256(repr((self.version, self._argv(), program.st_mtime_ns, program.st_size)).encode()).hexdigest()[:12]
        folder = template_folder()
        if not folder.is_absolute():  # an account without a home
            return None
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_foreign(folder)
        except OSError:
            return None
        return folder / f"{made_by}-{made_as}"

    def _copied(self, template: Path, data: Path) -> bool:
        """Whether *data* is a copy of *template* now; False when there is none, and when it cannot be copied, so that nothing is there."""
        try:
            refuse_foreign(template)
            told = _written(template)
            copied = _copy(template, data)
            if " ".join(map(str, copied)) != told.rpartition(" ")[0] or _written(template) != told:  # another one came into its place
                return _emptied(data)
            for folder, _, files in os.walk(data) if self.account else ():
                for path in (Path(folder), *(Path(folder, name) for name in files)):
                    self._give_away(path)
        except (OSError, shutil.Error):
            return _emptied(data)
        return True


def template_folder() -> Path:
    """Where the templates are kept: in the cache folder of this account, or of the machine when we are root."""
    import platformdirs

    root = not _WINDOWS and os.geteuid() == 0
    return Path(platformdirs.site_cache_dir("pgaudit-kit") if root else platformdirs.user_cache_dir("pgaudit-kit")) / "clusters"


def _emptied(data: Path) -> bool:
    """Take out of *data* what was copied; False."""
    for path in data.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return False


def _written(template: Path) -> str:
    """How many files *template* had when it was made, and bytes, for what cleans caches may have taken some; and which one it is.

    Raises OSError.
    """
    return (template / _FILES).read_text(encoding="ascii", errors="replace")


def _keep(data: Path, template: Path) -> None:
    """Make *template* a copy of *data*, safe on disk before it has its name, in the place of those of the same programs before an update.

    Without it the next cluster takes as long as this one: so what stands in the way of it is no error.
    """
    scratch = None
    try:
        scratch = ScratchFolder(None, base=template.parent)
        unfinished = scratch.path / "new"
        unfinished.mkdir(mode=0o700)
        files, size = _copy(data, unfinished)
        (unfinished / _FILES).write_text(f"{files} {size} {secrets.token_hex(8)}", encoding="ascii")
        _sync(unfinished)
        # Whoever copies it at this moment must find out: so it goes as a whole, and only then piece by piece
        for number, old in enumerate(template.parent.glob(f"{template.name.partition('-')[0]}-*")):
            old.rename(scratch.path / f"old{number}")
        unfinished.rename(template)
    except (OSError, shutil.Error, OperationError):  # no room, or another process was first
        pass
    finally:
        if scratch:
            scratch.remove()


def _sync(folder: Path) -> None:
    """Have the disk keep all files in *folder*."""
    for inside, _, files in os.walk(folder):
        for name in files:
            descriptor = os.open(Path(inside, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)


def _copy(source: Path, destination: Path) -> tuple[int, int]:
    """Copy what is in *source* into the folder *destination*, readable by its owner only; return how many files, and bytes."""
    files = size = 0
    for path in source.iterdir():
        copy = destination / path.name
        if path.is_dir():
            copy.mkdir(mode=0o700)
            inside = _copy(path, copy)
            files, size = files + inside[0], size + inside[1]
        elif path.name != _FILES:
            shutil.copyfile(path, copy)
            copy.chmod(0o600)
            files, size = files + 1, size + copy.stat().st_size
    return files, size
