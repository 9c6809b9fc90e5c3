"""What is painted: where, how large, from which maps, with which words and numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from thetool.restyle import controls
from thetool.restyle.engine import Engine
from thetool.restyle.jobs import Restyle
from thetool.restyle.presets import PIXELS, Painting, painting
from thetool.restyle.prompts import Prompt, prompt_of
from thetool.restyle.regions import Region, region
from thetool.restyle.rooms import room_of
from thetool.restyle.seeing import Seen
from thetool.restyle.sizes import Size, result_size, smaller, working_size
from thetool.restyle.styles import Style
from thetool.restyle.telling import Telling
from thetool.vision.photo import Photo
from thetool.weights.used import ModelUsed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Map = NDArray[np.uint8]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """The photo at one size: at that of the painting (`working`), and at that of the result (`size`, `before`)."""

    working: Size
    size: Size
    photo: Pixels
    before: Pixels
    maps: controls.Controls
    mask: Map | None
    """255 where it is painted, at the working size; None is everywhere."""


@dataclass(frozen=True)
class Plan:
    """What is painted."""

    scene: Scene
    region: Region
    numbers: Painting
    prompt: Prompt
    room: str | None
    models: list[ModelUsed]

    @property
    def keeps_outlines(self) -> bool:
        """Whether the result is to have the photo's outlines: not where something goes, or nobody wants them."""
        return self.region.removed is None and self.numbers.depth_scale + self.numbers.edge_scale > 0


class Planner:
    """Makes the plan of one attempt."""

    def __init__(self, params: Restyle, style: Style, engine: Engine, telling: Telling) -> None:
        self._params = params
        self._style = style
        self._engine = engine
        self._telling = telling

    def plan(self, photo: Photo, seen: Seen, given: Mask | None) -> Plan:
        """The plan for a photo in which this was seen; `given` is the caller's own mask at the size of its pixels.

        Raises:
            NothingToRepaint: the wishes leave nothing to paint.
        """
        options, notes = self._params.options, self._telling.notes
        part = region(options, seen.labels, seen.masks, given)
        notes += part.notes
        room = options.room_type or room_of(seen.labels)
        prompt = prompt_of(options, self._style, room)
        with self._engine.on_device(self._telling.check) as painters:
            models = [*painters.used, *seen.models]
            numbers = painting(options, self._style, few_steps=painters.few_steps)
            if not painters.reads_whole(prompt.positive):
                notes.append("The prompt is longer than the model reads (about 75 words); its end was left out.")
        if options.steps and numbers.steps < options.steps:
            notes.append(f"At this strength the model has {numbers.steps} steps, and not {options.steps}.")
        working = working_size(photo.facts.width, photo.facts.height, PIXELS[options.quality])
        return Plan(self._scene(photo, working, part), part, numbers, prompt, room, models)

    def smaller(self, photo: Photo, plan: Plan) -> Plan:
        """The same at the next smaller size, for a device that has no room for this one.

        Raises:
            ValueError: there is none.
        """
        before = plan.scene.working
        working = smaller(before)
        self._telling.notes.append(
            f"The device had no room for {before[0]} × {before[1]} pixels; it was painted at "
            f"{working[0]} × {working[1]}."
        )
        return replace(plan, scene=self._scene(photo, working, plan.region))

    def _scene(self, photo: Photo, working: Size, part: Region) -> Scene:
        tell, pixels = self._telling, photo.pixels
        with tell.stage("depth", 0.3, "generating", "Generating depth map…"):
            depth, seconds = self._engine.depth(
                (self._params.sha256, working),
                lambda painters: controls.find_depth(pixels, working, painters.depth),
                tell.check,
            )
            tell.gpu_seconds += seconds
        with tell.stage("edges", 0.4, "generating", "Generating edge map…"):
            small = controls.resized(pixels, working)
            edges, seconds = self._engine.outlines(small, tell.check)
            tell.gpu_seconds += seconds
            maps = controls.Controls(depth, edges)
            if part.removed is not None:
                maps = controls.without(maps, controls.mask_at(part.removed, working))
        size = result_size(photo.facts.width, photo.facts.height, working)
        mask = None if part.mask is None else controls.mask_at(part.mask, working)
        before = small if size == working else controls.resized(pixels, size)
        return Scene(working, size, small, before, maps, mask)
