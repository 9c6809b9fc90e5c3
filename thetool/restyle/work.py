"""One restyling from its photo to its stored pictures."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from time import monotonic
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy.exc import OperationalError

from thetool import gpu
from thetool.config import Settings
from thetool.jobs.context import JobContext
from thetool.jobs.registry import TransientError
from thetool.restyle import controls, records
from thetool.restyle.engine import Engine
from thetool.restyle.jobs import Restyle
from thetool.restyle.keeping import Keeper
from thetool.restyle.options import MAX_SEED
from thetool.restyle.painting import Picture
from thetool.restyle.planning import Plan, Planner
from thetool.restyle.problems import OutOfDeviceMemory, UnknownStyle, UnsafeResult
from thetool.restyle.quality import QualityOut, measure
from thetool.restyle.regions import put_back
from thetool.restyle.schemas import RestyleMetadata, RestyleResult
from thetool.restyle.seeing import Seen, mask_of, see
from thetool.restyle.sizes import require_fit
from thetool.restyle.styles import Style, styles
from thetool.restyle.telling import FINALIZING, Telling
from thetool.storage.state import storage
from thetool.vision.decoder import decoder_of
from thetool.vision.photo import Photo
from thetool.vision.problems import DecoderUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PREVIEW_EVERY = 3
PREVIEW_SECONDS = 0.5
"""At least so long between two: each makes the device wait, and nobody looks more often than twice a second."""


@dataclass(frozen=True)
class Made:
    """One finished picture (height, width, 3) at the result's size, its seed and its measures."""

    pixels: Pixels
    seed: int
    quality: QualityOut


class Work:
    """One attempt at a job."""

    def __init__(self, context: JobContext, params: Restyle, settings: Settings, engine: Engine) -> None:
        self._context = context
        self._params = params
        self._options = params.options
        self._settings = settings
        self._engine = engine
        self._telling = Telling(context)
        self._style = self._wanted_style()
        self._planner = Planner(params, self._style, engine, self._telling)

    def run(self) -> RestyleResult:
        """Do it all."""
        tell = self._telling
        with tell.stage("reading", 0.02, "analyzing", "Reading your photo…"):
            photo = self._decoded(self._params.input)
            require_fit(photo.facts.width, photo.facts.height)
            given = None if self._params.mask is None else mask_of(photo, self._decoded(self._params.mask))
        with tell.stage("objects", 0.1, "analyzing", "Analyzing your room…"):
            seen = see(self._settings, photo, self._engine, tell)
        tell.say(0.25, "analyzing", f"Detected {len(seen.objects)} {'object' if len(seen.objects) == 1 else 'objects'}")
        with self._engine.easel.preparing():
            plan, made = self._paint_within_memory(photo, self._planner.plan(photo, seen, given))
        return self._kept(photo, seen, plan, made)

    # --- looking

    def _wanted_style(self) -> Style:
        try:
            return styles(self._settings)[self._options.style]
        except KeyError:
            raise UnknownStyle(f"The style {self._options.style!r} is not known to the worker that ran it.") from None

    def _decoded(self, file_id: UUID) -> Photo:
        with self._context.open(file_id) as file:
            content = file.read()
        try:
            return decoder_of(self._settings).decode(content, check=self._context.checkpoint)
        except DecoderUnavailable as error:
            raise TransientError(str(error)) from error

    # --- painting

    def _paint_within_memory(self, photo: Photo, plan: Plan) -> tuple[Plan, list[Made]]:
        """Paint; where the device has no room for the size, at the next smaller one."""
        while True:
            try:
                return plan, self._paint(plan)
            except OutOfDeviceMemory as error:
                try:
                    plan = self._planner.smaller(photo, plan)
                except ValueError:
                    raise error from None

    def _paint(self, plan: Plan) -> list[Made]:
        """All variations; each that fails its measures once more, unless the caller chose the seed."""
        chosen = self._options.seed
        first = random.randint(0, MAX_SEED) if chosen is None else chosen  # noqa: S311  not a secret
        seeds = [(first + number) % (MAX_SEED + 1) for number in range(self._options.variations)]
        made = self._painted(plan, seeds, again=False)
        failed = [index for index, one in enumerate(made) if one is None or not one.quality.passed]
        if failed and chosen is None:
            others = [(seed + self._options.variations) % (MAX_SEED + 1) for seed in (seeds[index] for index in failed)]
            for index, second in zip(failed, self._painted(plan, others, again=True), strict=True):
                made[index] = _better(made[index], second)
        kept = [one for one in made if one is not None]
        if not kept:
            raise UnsafeResult("The safety checker objected to what was painted. Try another seed, style or prompt.")
        if len(kept) < len(made):
            self._telling.notes.append("The safety checker withheld some of the pictures.")
        return kept

    def _painted(self, plan: Plan, seeds: list[int], *, again: bool) -> list[Made | None]:
        """A picture for each seed; None for those that the safety checker objects to."""
        tell = self._telling
        step = tell.painting(self._style.title, len(seeds), again=again)
        pictures = [self._picture(plan, number, seed, step) for number, seed in enumerate(seeds)]
        words = "Running AI transformation…" if not again else "Trying once more with another seed…"
        with tell.stage("painting", 0.5, "transforming", words):
            tell.gpu_seconds += self._engine.easel.paint(pictures, self._context.checkpoint)
        with tell.stage("checking", 0.5, "transforming", "Measuring the result…"):
            return [None if picture.unsafe else self._finished(plan, picture) for picture in pictures]

    def _picture(self, plan: Plan, index: int, seed: int, step: Callable[[int, int, int], None]) -> Picture:
        """One of the pictures; the first one is seen on its way."""
        shown = 0.0

        def watch(number: int, steps: int, preview: Callable[[], bytes]) -> None:
            nonlocal shown
            step(index, number, steps)
            wanted = index == 0 and number % PREVIEW_EVERY == 1 and number < steps
            if wanted and monotonic() - shown >= PREVIEW_SECONDS:
                shown = monotonic()
                with suppress(OperationalError):  # a database that is away for a moment is no reason to stop painting
                    records.keep_preview(storage().engine, self._context.job_id, number, preview())

        scene = plan.scene
        return Picture(
            photo=scene.photo,
            depth=scene.maps.depth,
            edges=scene.maps.edges,
            mask=scene.mask,
            prompt=plan.prompt,
            numbers=plan.numbers,
            seed=seed,
            watch=watch,
        )

    def _finished(self, plan: Plan, picture: Picture) -> Made:
        """The painted picture in the photo's proportions, put back into the photo where only a part was painted."""
        assert picture.painted is not None  # noqa: S101  the easel gives painted pictures only
        scene, where = plan.scene, None
        after = controls.resized(picture.painted, scene.size)
        if plan.region.mask is not None:
            where = controls.mask_at(plan.region.mask, scene.size) > 0
            after = put_back(after, scene.before, where)
        palette = None if self._options.remove else self._options.color_palette or self._style.palette
        quality = measure(scene.before if plan.keeps_outlines else None, after, palette, where)
        return Made(after, picture.seed, quality)

    # --- keeping

    def _kept(self, photo: Photo, seen: Seen, plan: Plan, made: list[Made]) -> RestyleResult:
        keeper, tell = Keeper(self._context, self._params, self._settings), self._telling
        device = (gpu.held() or gpu.Device(gpu.CPU, "CPU")).title
        with tell.stage("storing", FINALIZING, "finalizing", "Finalizing your design…"):
            control_urls = keeper.maps(plan.scene.maps, plan.region.mask)
            before_url = keeper.before(plan.scene.before)
            pictures = [(one.pixels, self._metadata(photo, plan, one, device)) for one in made]
            variations = keeper.pictures(pictures, exact=plan.region.mask is not None)
        self._context.on_finish(
            lambda cursor: records.note_finished(
                cursor,
                job_id=str(self._context.job_id),
                quality=self._options.quality,
                variations=self._options.variations,
                seconds=tell.seconds,
                gpu_seconds=tell.gpu_seconds,
                device=device,
            )
        )
        return RestyleResult(
            transformed_url=variations[0].transformed_url,
            thumbnail_url=variations[0].thumbnail_url,
            original_url=keeper.link(self._params.input),
            before_url=before_url,
            control_urls=control_urls,
            objects=seen.objects,
            variations=variations,
            metadata=pictures[0][1].model_copy(update={"timings": tell.timings, "processing_time": tell.seconds}),
            expires_at=keeper.expires_at,
        )

    def _metadata(self, photo: Photo, plan: Plan, made: Made, device: str) -> RestyleMetadata:
        """What is known of a picture before it is stored."""
        hourly, tell = self._settings.gpu_cost_per_hour, self._telling
        return RestyleMetadata(
            style=self._options.style,
            room_type=plan.room,
            seed=made.seed,
            steps=plan.numbers.steps,
            strength=plan.numbers.strength,
            guidance=plan.numbers.guidance,
            depth_scale=plan.numbers.depth_scale,
            edge_scale=plan.numbers.edge_scale,
            size=plan.scene.size,
            photo_size=(photo.facts.width, photo.facts.height),
            painted_size=plan.scene.working,
            prompt=plan.prompt.positive,
            negative_prompt=plan.prompt.negative,
            models=plan.models,
            device=device,
            timings=tell.timings,
            processing_time=tell.seconds,
            gpu_seconds=round(tell.gpu_seconds, 3),
            cost=None if hourly is None else round(tell.gpu_seconds / 3600 * hourly, 6),
            quality=made.quality,
            notes=tell.notes,
        )


def _better(one: Made | None, other: Made | None) -> Made | None:
    """The one whose worst measure is better; a withheld one is none."""
    there = [made for made in (one, other) if made is not None]
    if not there:
        return None
    better = max(there, key=lambda made: made.quality.score)
    return replace(better, quality=better.quality.model_copy(update={"retried": True}))
