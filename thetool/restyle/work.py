"""One restyling from its photo to its stored pictures."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import OperationalError

from thetool import gpu
from thetool.config import Settings
from thetool.jobs.context import JobContext
from thetool.restyle import controls, records
from thetool.restyle.engine import Engine
from thetool.restyle.jobs import Restyle
from thetool.restyle.keeping import Keeper
from thetool.restyle.options import MAX_SEED
from thetool.restyle.painting import Picture
from thetool.restyle.presets import PIXELS, Painting, painting
from thetool.restyle.problems import OutOfDeviceMemory, UnknownStyle, UnsafeResult
from thetool.restyle.prompts import Prompt, prompt_of
from thetool.restyle.quality import QualityOut, measure
from thetool.restyle.regions import Region, put_back, region
from thetool.restyle.rooms import room_of
from thetool.restyle.schemas import RestyleMetadata, RestyleResult
from thetool.restyle.seeing import LONGEST, Seen, decoded, mask_of, see
from thetool.restyle.sizes import Size, require_fit, result_size, smaller, working_size
from thetool.restyle.styles import Style, styles
from thetool.restyle.telling import FINALIZING, Telling
from thetool.storage.state import storage
from thetool.vision.photo import Photo

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

PREVIEW_EVERY = 3


@dataclass(frozen=True)
class Made:
    """One finished picture (height, width, 3) at the result's size, its seed and its measures."""

    pixels: Pixels
    seed: int
    quality: QualityOut


@dataclass(frozen=True)
class Plan:
    """What is painted: the photo at the working size, its maps, and where."""

    working: Size
    size: Size
    photo: Pixels
    maps: controls.Controls
    region: Region
    numbers: Painting
    prompt: Prompt


class Work:
    """One attempt at a job."""

    def __init__(self, context: JobContext, params: Restyle, settings: Settings, engine: Engine) -> None:
        self._context = context
        self._params = params
        self._options = params.options
        self._settings = settings
        self._engine = engine
        self._telling = Telling(context)
        self._notes: list[str] = []
        self._gpu_seconds = 0.0
        self._style = self._wanted_style()

    def run(self) -> RestyleResult:
        """Do it all."""
        tell = self._telling
        with tell.stage("reading", 0.02, "analyzing", "Reading your photo…"):
            photo = self._read()
        with tell.stage("objects", 0.1, "analyzing", "Analyzing your room…"):
            seen = see(self._settings, photo, self._engine, self._context.checkpoint)
        self._notes += seen.notes
        room = self._options.room_type or room_of(seen.labels)
        tell.say(0.25, "analyzing", f"Detected {len(seen.objects)} {'object' if len(seen.objects) == 1 else 'objects'}")
        with self._engine.preparing():
            plan, made = self._paint_within_memory(photo, self._plan(photo, seen, room))
        return self._kept(photo, seen, room, plan, made)

    # --- looking

    def _wanted_style(self) -> Style:
        try:
            return styles(self._settings)[self._options.style]
        except KeyError:
            raise UnknownStyle(f"The style {self._options.style!r} is not known to the worker that ran it.") from None

    def _read(self) -> Photo:
        with self._context.open(self._params.input) as file:
            content = file.read()
        photo = decoded(self._settings, content, LONGEST, self._context.checkpoint)
        require_fit(photo.facts.width, photo.facts.height)
        return photo

    def _plan(self, photo: Photo, seen: Seen, room: str | None) -> Plan:
        given = None
        if self._params.mask is not None:
            with self._context.open(self._params.mask) as file:
                given = mask_of(photo, decoded(self._settings, file.read(), LONGEST, self._context.checkpoint))
        part = region(self._options, seen.labels, seen.masks, given)
        self._notes += part.notes
        prompt = prompt_of(self._options, self._style, room)
        with self._engine.on_device(self._context.checkpoint) as painters:
            self._models = [*painters.used, *seen.models]
            numbers = painting(self._options, self._style, few_steps=painters.few_steps)
            if not painters.reads_whole(prompt.positive):
                self._notes.append("The prompt is longer than the model reads (about 75 words); its end was left out.")
        working = working_size(photo.facts.width, photo.facts.height, PIXELS[self._options.quality])
        return self._sized(photo, working, part, numbers, prompt)

    def _sized(self, photo: Photo, working: Size, part: Region, numbers: Painting, prompt: Prompt) -> Plan:
        """The plan at this working size."""
        tell, pixels = self._telling, photo.pixels
        with tell.stage("depth", 0.3, "generating", "Generating depth map…"):
            key = (self._params.sha256, working)
            depth = self._engine.depth(
                key,
                lambda painters: controls.find_depth(pixels, working, painters.depth),
                self._context.checkpoint,
            )
        with tell.stage("edges", 0.4, "generating", "Generating edge map…"):
            edges = controls.find_outlines(pixels, working)
        return Plan(
            working,
            result_size(photo.facts.width, photo.facts.height, working),
            controls.resized(pixels, working),
            controls.Controls(depth, edges),
            part,
            numbers,
            prompt,
        )

    # --- painting

    def _paint_within_memory(self, photo: Photo, plan: Plan) -> tuple[Plan, list[Made]]:
        """Paint; where the device has no room for the size, at the next smaller one."""
        while True:
            try:
                return plan, self._paint(photo, plan)
            except OutOfDeviceMemory as error:
                try:
                    working = smaller(plan.working)
                except ValueError:
                    raise error from None
                self._notes.append(
                    f"The device had no room for {plan.working[0]} × {plan.working[1]} pixels; it was painted at "
                    f"{working[0]} × {working[1]}."
                )
                plan = self._sized(photo, working, plan.region, plan.numbers, plan.prompt)

    def _paint(self, photo: Photo, plan: Plan) -> list[Made]:
        """All variations; each that fails its measures once more, unless the caller chose the seed."""
        chosen = self._options.seed
        first = random.randint(0, MAX_SEED) if chosen is None else chosen  # noqa: S311  not a secret
        seeds = [(first + number) % (MAX_SEED + 1) for number in range(self._options.variations)]
        made = self._painted(photo, plan, seeds, again=False)
        failed = [index for index, one in enumerate(made) if one is None or not one.quality.passed]
        if failed and chosen is None:
            others = [(seed + self._options.variations) % (MAX_SEED + 1) for seed in (seeds[index] for index in failed)]
            for index, second in zip(failed, self._painted(photo, plan, others, again=True), strict=True):
                made[index] = _better(made[index], second)
        kept = [one for one in made if one is not None]
        if not kept:
            raise UnsafeResult("The safety checker objected to what was painted. Try another seed, style or prompt.")
        if len(kept) < len(made):
            self._notes.append("The safety checker withheld some of the pictures.")
        return kept

    def _painted(self, photo: Photo, plan: Plan, seeds: list[int], *, again: bool) -> list[Made | None]:
        """A picture for each seed; None for those that the safety checker objects to."""
        step = self._telling.painting(self._style.title, again=again)
        pictures = [self._picture(plan, seed, step if number == 0 else None) for number, seed in enumerate(seeds)]
        words = "Running AI transformation…" if not again else "Trying once more with another seed…"
        with self._telling.stage("painting", 0.5, "transforming", words):
            self._gpu_seconds += self._engine.paint(pictures, self._context.checkpoint)
        with self._telling.stage("checking", 0.5, "transforming", "Measuring the result…"):
            return [None if picture.unsafe else self._finished(photo, plan, picture, again) for picture in pictures]

    def _picture(self, plan: Plan, seed: int, step: Callable[[int, int], None] | None) -> Picture:
        mask = None
        if plan.region.mask is not None:
            mask = controls.resized(plan.region.mask.astype("uint8") * 255, plan.working)

        def watch(number: int, steps: int, preview: Callable[[], bytes]) -> None:
            if step is None:
                self._context.checkpoint()
                return
            step(number, steps)
            if number % PREVIEW_EVERY == 1 and number < steps:
                with suppress(OperationalError):  # a database that is away for a moment is no reason to stop painting
                    records.keep_preview(storage().engine, self._context.job_id, number, preview())

        return Picture(
            photo=plan.photo,
            depth=plan.maps.depth,
            edges=plan.maps.edges,
            mask=mask,
            prompt=plan.prompt,
            numbers=plan.numbers,
            seed=seed,
            watch=watch,
        )

    def _finished(self, photo: Photo, plan: Plan, picture: Picture, again: bool) -> Made:
        """The painted picture in the photo's proportions, put back into the photo where only a part was painted."""
        assert picture.painted is not None  # noqa: S101  the engine gives painted pictures only
        before = controls.resized(photo.pixels, plan.size)
        after, where = controls.resized(picture.painted, plan.size), None
        if plan.region.mask is not None:
            where = controls.resized(plan.region.mask.astype("uint8") * 255, plan.size) > 127
            after = put_back(after, before, where)
        palette = self._options.color_palette or self._style.palette
        quality = measure(before, after, palette, where).model_copy(update={"retried": again})
        return Made(after, picture.seed, quality)

    # --- keeping

    def _kept(self, photo: Photo, seen: Seen, room: str | None, plan: Plan, made: list[Made]) -> RestyleResult:
        keeper = Keeper(self._context, self._params, self._settings)
        self._telling.say(FINALIZING, "finalizing", "Finalizing your design…")
        with self._telling.stage("storing", 0.95, "finalizing", "Uploading results…"):
            control_urls = keeper.maps(plan.maps, plan.region.mask)
            pictures = [(one.pixels, self._metadata(photo, room, plan, one)) for one in made]
            variations = keeper.pictures(pictures)
        device = gpu.held() or gpu.Device(gpu.CPU, "CPU")
        self._context.on_finish(
            lambda cursor: records.note_finished(
                cursor,
                job_id=str(self._context.job_id),
                quality=self._options.quality,
                variations=self._options.variations,
                seconds=self._telling.seconds,
                gpu_seconds=self._gpu_seconds,
                device=device.title,
            )
        )
        return RestyleResult(
            transformed_url=variations[0].transformed_url,
            thumbnail_url=variations[0].thumbnail_url,
            original_url=keeper.link(self._params.input),
            control_urls=control_urls,
            objects=seen.objects,
            variations=variations,
            metadata=pictures[0][1].model_copy(
                update={"timings": self._telling.timings, "processing_time": self._telling.seconds}
            ),
            expires_at=keeper.expires_at,
        )

    def _metadata(self, photo: Photo, room: str | None, plan: Plan, made: Made) -> RestyleMetadata:
        hourly = self._settings.gpu_cost_per_hour
        device = gpu.held() or gpu.Device(gpu.CPU, "CPU")
        return RestyleMetadata(
            style=self._options.style,
            room_type=room,
            seed=made.seed,
            steps=plan.numbers.steps,
            strength=plan.numbers.strength,
            guidance=plan.numbers.guidance,
            depth_scale=plan.numbers.depth_scale,
            edge_scale=plan.numbers.edge_scale,
            size=plan.size,
            photo_size=(photo.facts.width, photo.facts.height),
            painted_size=plan.working,
            prompt=plan.prompt.positive,
            negative_prompt=plan.prompt.negative,
            models=self._models,
            device=device.title,
            timings=self._telling.timings,
            processing_time=self._telling.seconds,
            gpu_seconds=round(self._gpu_seconds, 3),
            cost=None if hourly is None else round(self._gpu_seconds / 3600 * hourly, 6),
            quality=made.quality,
            notes=self._notes,
        )


def _better(one: Made | None, other: Made | None) -> Made | None:
    """The one whose worst measure is better; a withheld one is none."""
    if one is None or other is None:
        return other or one
    return other if other.quality.score > one.quality.score else one
