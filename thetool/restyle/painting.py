"""Painting a batch of pictures in one call of the pipeline, watched step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from thetool.jobs.context import Interrupted
from thetool.restyle.loading import Painters
from thetool.restyle.presets import Painting
from thetool.restyle.previews import preview
from thetool.restyle.prompts import Prompt
from thetool.restyle.sizes import Size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]
    Map = NDArray[np.uint8]

Watch = Callable[[int, int, Callable[[], bytes]], None]
"""Told after each step: its number, how many there are, and what makes a small JPEG of how far it is. May raise."""


@dataclass(eq=False)
class Picture:
    """One picture to paint: all at the working size. `mask` is 255 where it is to be painted; None is everywhere."""

    photo: Pixels
    depth: Map
    edges: Map
    mask: Map | None
    prompt: Prompt
    numbers: Painting
    seed: int
    watch: Watch
    painted: Pixels | None = None
    unsafe: bool = False
    seconds: float = 0.0
    stopped: BaseException | None = field(default=None, repr=False)

    @property
    def size(self) -> Size:
        """Width and height."""
        height, width = self.photo.shape[:2]
        return width, height

    @property
    def key(self) -> tuple[object, ...]:
        """Pictures with the same key can be painted in one call."""
        return self.size, self.mask is None, self.numbers


def paint(painters: Painters, pictures: Sequence[Picture], embed: Callable[[str], Any]) -> None:
    """Paint pictures of one key; each gets `painted`, or `stopped` where its `watch` raised.

    The noise of each comes from its own seed, drawn on the CPU, so that it does not depend on the device or the batch.

    Raises:
        torch.OutOfMemoryError: the device has too little memory for them.
    """
    import torch
    from PIL import Image

    first = pictures[0]
    inputs: dict[str, Any] = {
        "image": [Image.fromarray(picture.photo) for picture in pictures],
        # As tensors: of lists of pictures, two ControlNets take one each and no batch.
        "control_image": [
            _as_batch([picture.depth for picture in pictures]),
            _as_batch([picture.edges for picture in pictures]),
        ],
    }
    pipeline = painters.image_to_image
    if first.mask is not None:
        pipeline = painters.inpaint
        inputs["mask_image"] = [Image.fromarray(picture.mask) for picture in pictures if picture.mask is not None]
    width, height = first.size
    result = pipeline(
        prompt_embeds=torch.cat([embed(picture.prompt.positive) for picture in pictures]),
        negative_prompt_embeds=torch.cat([embed(picture.prompt.negative) for picture in pictures]),
        height=height,
        width=width,
        strength=first.numbers.strength,
        num_inference_steps=first.numbers.scheduled_steps,
        guidance_scale=first.numbers.guidance,
        controlnet_conditioning_scale=[first.numbers.depth_scale, first.numbers.edge_scale],
        generator=[torch.Generator("cpu").manual_seed(picture.seed) for picture in pictures],
        output_type="np",
        callback_on_step_end=_Watching(pictures),
        callback_on_step_end_tensor_inputs=["latents"],
        **inputs,
    )
    unsafe = result.nsfw_content_detected or [False] * len(pictures)
    for picture, image, flagged in zip(pictures, result.images, unsafe, strict=True):
        picture.painted, picture.unsafe = (image * 255).round().astype("uint8"), bool(flagged)


def _as_batch(maps: Sequence[Map]) -> Any:
    """Maps (height, width) as a tensor (number, 3, height, width) from 0 to 1."""
    import numpy as np
    import torch

    return torch.from_numpy(np.stack(maps)).float().div(255).unsqueeze(1).expand(-1, 3, -1, -1)


class _Watching:
    """Tells each picture's watch of each step. Once all have stopped the remaining steps are not computed."""

    def __init__(self, pictures: Sequence[Picture]) -> None:
        self._pictures = pictures

    def __call__(self, pipeline: Any, step: int, _timestep: Any, values: dict[str, Any]) -> dict[str, Any]:
        latents = values["latents"]
        for index, picture in enumerate(self._pictures):
            if picture.stopped is not None:
                continue
            try:
                picture.watch(step + 1, pipeline.num_timesteps, partial(preview, latents[index]))
            except (Interrupted, Exception) as stop:
                picture.stopped = stop
        if all(picture.stopped is not None for picture in self._pictures):
            raise AllStopped
        return {}


class AllStopped(Exception):  # noqa: N818  reads as a sentence where it is raised
    """Nobody wants any picture of the batch any more."""
