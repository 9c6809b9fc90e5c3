"""All analyses of one photo, and the pictures that are made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from thetool.analyze.remarks import Note, Skipped
from thetool.analyze.schemas import ImageResult
from thetool.config import Settings
from thetool.jobs.context import JobContext
from thetool.jobs.registry import TransientError
from thetool.vision.analysis import Findings, Stage, analyze_photo
from thetool.vision.annotate import Mark, annotated
from thetool.vision.decoder import LONGEST, decoder_of
from thetool.vision.models import models_of
from thetool.vision.objects import Objects
from thetool.vision.ocr import TextInImage
from thetool.vision.problems import DecoderUnavailable
from thetool.vision.thumbnail import thumbnail
from thetool.weights.used import ModelUsed

Keep = Callable[[bytes, str], str]
"""Keeps a JPEG under a name, and gives a link to it."""

LONGEST_TO_READ = 4_000
"""Pixels of the longer side that a photo is decoded to when its text is wanted: small print needs them."""

NOTHING_TO_DRAW = (
    "Nothing is drawn over the picture: no objects or lines of text were found, or they were not asked for "
    "(tasks=objects,text)."
)


@dataclass(frozen=True)
class PhotoRequest:
    """What to find in a photo.

    Args:
        tasks: names of analyses.
        by_name: the caller named the tasks: a model that cannot be had is a problem then, and not skipped.
        annotate: also draw what was found over it.
        location: `info` may say where it was taken.
    """

    tasks: Sequence[str]
    by_name: bool = False
    annotate: bool = False
    location: bool = False


@dataclass(frozen=True)
class PhotoFindings:
    """What was found in a photo, by which models; links to JPEGs of it, small and with what was found drawn over it."""

    result: ImageResult
    models: list[ModelUsed]
    skipped: list[Skipped]
    notes: list[Note]
    thumbnail: str
    annotated: str | None


def look_at_photo(
    data: bytes, request: PhotoRequest, settings: Settings, context: JobContext, *, keep: Keep, stage: Stage
) -> PhotoFindings:
    """Decode the file of a photo, and analyze it; its thumbnail is made and kept meanwhile.

    Raises:
        UnsupportedImage, DamagedImage, ImageTooLarge, DecodingTimedOut: it cannot be decoded.
        TransientError: no decoder could be started; it may be possible later.
        WeightsUnavailable: a model that was asked for by name cannot be had.
    """
    longest = LONGEST_TO_READ if "text" in request.tasks else LONGEST
    try:
        photo = decoder_of(settings).decode(data, longest=longest, check=context.checkpoint)
    except DecoderUnavailable as error:
        raise TransientError(str(error)) from error
    with ThreadPoolExecutor(1, "thumbnail") as beside:
        small = beside.submit(lambda: keep(thumbnail(photo), "thumbnail.jpg"))
        found = analyze_photo(
            photo, models_of(settings), request.tasks, by_name=request.by_name, location=request.location, stage=stage
        )
    notes = [Note(**one._asdict()) for one in found.notes]
    marks = list(_marks(found))
    if request.annotate and not marks:
        notes.append(Note(task="annotate", note=NOTHING_TO_DRAW))
    return PhotoFindings(
        ImageResult.model_validate(found.results),
        found.models,
        [Skipped(**one._asdict()) for one in found.skipped],
        notes,
        small.result(),
        keep(annotated(photo, marks), "annotated.jpg") if request.annotate else None,
    )


def _marks(found: Findings) -> Iterator[Mark]:
    for finding in found.results.values():
        if isinstance(finding, Objects):
            yield from ((f"{one.label} {one.confidence:.0%}", one.box) for one in finding.items)
        elif isinstance(finding, TextInImage):
            yield from ((line.text, line.box) for line in finding.lines)
