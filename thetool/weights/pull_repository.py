"""Pulling a hub's folder of a part into the weights folder: checked file by file, its manifest last, once a machine."""

from __future__ import annotations

import hashlib
from pathlib import Path

from thetool.config import Settings
from thetool.weights.fetch import PARTIAL
from thetool.weights.problems import PullFailed
from thetool.weights.pull import Progress, ProgressCallback, alone, place_file, sync
from thetool.weights.repositories import (
    MANIFEST,
    Manifest,
    Part,
    Place,
    PulledFile,
    parts_of,
    place_of,
    read_manifest,
    what_is_wrong,
)
from thetool.weights.sources import hub, web
from thetool.weights.sources.source import SourceError


def pull_part(settings: Settings, part: Part, progress: ProgressCallback) -> Path | None:
    """Put the model of a part into its folder; gives the folder, or None where the setting names no model.

    What is here and right is kept; a download that was cut off goes on where it stopped. A folder of the operator's own
    is only looked at.

    Raises:
        PullFailed: the hub did not give it, or the folder cannot be written; says what and how to mend it.
    """
    place = place_of(settings, part)
    if place is None:
        return None
    if place.repository is None:
        if wrong := what_is_wrong(place):
            raise PullFailed(part.name, f"{wrong}.", f"put the model there, or set {part.variable} to one of the hub")
        return place.folder
    manifest = read_manifest(place.folder)
    asked_for = manifest is not None and place.revision in ("main", manifest.revision)
    if asked_for and what_is_wrong(place) is None:
        return place.folder
    try:
        place.folder.mkdir(parents=True, exist_ok=True)
        with alone(place.folder, lambda: progress(Progress(part.name, str(place.repository), "", "waiting", 0, 0))):
            _pull(settings, part, place, progress)
    except SourceError as failure:
        how_to = (
            f"{failure.how_to}, then run: thetool weights pull {part.group} (or copy {place.folder} from elsewhere)"
        )
        raise PullFailed(part.name, failure.what, how_to) from failure
    except OSError as error:
        what = f"{error.strerror or error} ({error.filename or place.folder})."
        how_to = f"make room or access at {place.folder}, then run: thetool weights pull {part.group}"
        raise PullFailed(part.name, what, how_to) from error
    return place.folder


def check_group(settings: Settings, group: str) -> list[tuple[str, str, str, str]]:
    """Part, model, file and state (`ok`, `missing`, `damaged`) of all that was pulled, by what the hub vouched for."""
    rows = []
    for part in parts_of(group):
        place = place_of(settings, part)
        manifest = None if place is None else read_manifest(place.folder)
        if place is None or manifest is None:
            continue
        for file in manifest.files:
            path = place.folder / file.name
            state = "missing" if not path.is_file() else "ok" if hub.is_right(path, file) else "damaged"
            rows.append((part.name, manifest.repository, file.name, state))
    return rows


def _pull(settings: Settings, part: Part, place: Place, progress: ProgressCallback) -> None:
    if settings.offline:
        raise SourceError("OFFLINE is set, so nobody was asked.", "unset OFFLINE")
    manifest = hub.list_revision(settings.hub_address, str(place.repository), place.revision, part.files)
    if missing := set(part.files) - {file.name for file in manifest.files}:
        raise SourceError(f"{place.repository} has no {min(missing)}.", "choose another model")
    if not part.files and not any(file.name.endswith(".safetensors") for file in manifest.files):
        raise SourceError(f"{place.repository} has no safetensors; pickles are not read.", "choose another model")
    (place.folder / MANIFEST).unlink(missing_ok=True)  # until all is here, what is there is half of it
    total, done = sum(file.size for file in manifest.files), 0
    for file in manifest.files:
        if not hub.is_right(place.folder / file.name, file):
            _fetch(settings, part, place, manifest, file, progress, (done, total))
        done += file.size
    for left in place.folder.glob(f"{PARTIAL}*"):
        left.unlink()
    temporary = place.folder / f"{MANIFEST}.new"
    temporary.write_text(manifest.model_dump_json(indent=1))
    temporary.replace(place.folder / MANIFEST)
    sync(place.folder)
    progress(Progress(part.name, manifest.repository, "", "done", total, total))


def _fetch(
    settings: Settings,
    part: Part,
    place: Place,
    manifest: Manifest,
    file: PulledFile,
    progress: ProgressCallback,
    counted: tuple[int, int],
) -> None:
    done, total = counted
    known = file.sha256 or file.git_sha1 or file.name
    partial = place.folder / f"{PARTIAL}{hashlib.sha256(known.encode()).hexdigest()[:16]}"

    def downloaded(here: int) -> None:
        progress(Progress(part.name, manifest.repository, file.name, "downloading", done + here, total))

    if file.size:
        web.download(hub.address_of(settings.hub_address, manifest, file), file.size, partial, downloaded)
    else:
        partial.touch()
    if not hub.is_right(partial, file):
        partial.unlink(missing_ok=True)
        raise SourceError(f"{file.name} of {manifest.repository} came damaged.", "try again")
    target = place.folder / file.name
    target.parent.mkdir(parents=True, exist_ok=True)
    place_file(partial, target)
