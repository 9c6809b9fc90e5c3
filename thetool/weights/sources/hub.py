"""A revision of a model hub's repository: which files it has, as the hub vouches for them, and where each is.

The protocol is Hugging Face's: `GET /api/models/{repository}/revision/{revision}?blobs=true` lists the files with their
sizes, the SHA-256 of large ones (Git LFS) and git's SHA-1 of small ones; `GET /{repository}/resolve/{revision}/{file}`
gives one. HF_ENDPOINT names a mirror.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import urllib3
from pydantic import ValidationError

from thetool.weights.repositories import Manifest, PulledFile
from thetool.weights.sources.source import READ_BYTES, UPDATE, SourceError, sha256_of
from thetool.weights.sources.web import REACH_THE_ADDRESS, connections, words_of

MOST_FILES = 10_000
_SECONDS = urllib3.Timeout(connect=10, read=30)
_TOLD = (".json", ".txt", ".model")


def list_revision(address: str, repository: str, revision: str, wanted: tuple[str, ...] = ()) -> Manifest:
    """The files of a revision that are needed to run its model, or those of `wanted`, pinned to the commit that it is.

    Raises:
        SourceError: the hub cannot be reached, has no such repository or revision, or wants a licence to be accepted.
    """
    url = f"{address.rstrip('/')}/api/models/{quote(repository)}/revision/{quote(revision, safe='')}?blobs=true"
    try:
        with connections(url) as pool:
            answer = pool.request("GET", url, timeout=_SECONDS, headers={"User-Agent": "thetool"}, retries=2)
    except urllib3.exceptions.HTTPError as error:
        how_to = REACH_THE_ADDRESS.format(host=urlsplit(url).hostname)
        raise SourceError(f"{address} could not be asked for {repository}: {words_of(error)}.", how_to) from error
    if answer.status in (401, 403):
        raise SourceError(f"{repository} is not open to everybody.", "choose another model, or copy its folder here")
    if answer.status != 200:
        raise SourceError(f"{address} answered {answer.status} for {repository}@{revision}.", UPDATE)
    try:
        told = orjson.loads(answer.data)
        files = [_file(entry) for entry in told["siblings"][:MOST_FILES]]
        chosen = [file for file in files if file.name in wanted] if wanted else needed(files)
        return Manifest(repository=repository, revision=str(told["sha"]), files=tuple(chosen))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValidationError) as error:
        raise SourceError(f"{address} says of {repository} what is not understood: {error}.", UPDATE) from error


def address_of(address: str, manifest: Manifest, file: PulledFile) -> str:
    """Where a file of a revision is."""
    return f"{address.rstrip('/')}/{quote(manifest.repository)}/resolve/{manifest.revision}/{quote(file.name)}"


def needed(files: list[PulledFile]) -> list[PulledFile]:
    """Those that diffusers and transformers read: settings, words, and weights as safetensors.

    Where a folder has its weights in float16 too, those: half as much to fetch. Beside a pipeline's parts
    (`model_index.json`) all of them in one file are not needed.
    """
    is_pipeline = any(file.name == "model_index.json" for file in files)
    weights: dict[PurePosixPath, list[PulledFile]] = {}
    for file in files:
        path = PurePosixPath(file.name)
        if path.suffix == ".safetensors" and not (is_pipeline and len(path.parts) == 1):
            weights.setdefault(path.parent, []).append(file)
    chosen = [file for file in files if PurePosixPath(file.name).suffix in _TOLD]
    for here in weights.values():
        half = [file for file in here if file.name.endswith(".fp16.safetensors")]
        plain = [file for file in here if ".non_ema." not in file.name and not file.name.endswith(".fp16.safetensors")]
        chosen += half or plain
    return chosen


def is_right(path: Path, file: PulledFile) -> bool:
    """Whether a file has the content that the hub vouched for."""
    if not path.is_file() or path.stat().st_size != file.size:
        return False
    if file.sha256 is not None:
        return sha256_of(path) == file.sha256
    digest = hashlib.sha1(b"blob %d\0" % file.size, usedforsecurity=False)  # git's name of a file
    with path.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            digest.update(block)
    return digest.hexdigest() == file.git_sha1


def _file(entry: dict[str, Any]) -> PulledFile:
    """What the hub says of one file; a name that leads out of the folder is refused."""
    name = str(entry["rfilename"])
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not name:
        raise KeyError(f"the name {name!r}")
    large = entry.get("lfs")
    return PulledFile(
        name=name,
        size=entry["size"],
        sha256=large["sha256"] if large else None,
        git_sha1=None if large else entry["blobId"],
    )
