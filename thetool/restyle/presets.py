"""What the three qualities mean, and the numbers of one painting."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from thetool.restyle.options import LEAST_STRENGTH, Options, Quality
from thetool.restyle.styles import Style

PIXELS: dict[Quality, int] = {"fast": 512 * 512, "balanced": 640 * 640, "best": 768 * 768}
STEPS: dict[Quality, int] = {"fast": 14, "balanced": 20, "best": 30}
FEW_STEPS: dict[Quality, int] = {"fast": 4, "balanced": 6, "best": 8}
"""With a few-step LoRA (LCM, Hyper-SD)."""
FEW_STEPS_GUIDANCE = 1.5
MOST_SCHEDULED, MOST_SCHEDULED_OF_FEW = 1000, 50
"""Steps that the schedulers have: those the model was trained with, those its few-step LoRA was distilled from."""
MOST_SCALE = 2.0
REMOVING_STRENGTH = 1.0
"""What is to go must not shine through."""


@dataclass(frozen=True)
class Painting:
    """The numbers of one painting. `steps` are run, whatever the strength is."""

    steps: int
    strength: float
    guidance: float
    depth_scale: float
    edge_scale: float

    @property
    def scheduled_steps(self) -> int:
        """How many steps the scheduler is set to, of which image-to-image runs the last `strength` of."""
        scheduled = ceil(self.steps / self.strength)
        return scheduled + (int(scheduled * self.strength) < self.steps)  # 29 of 100 at .29, which is a little less


def painting(options: Options, style: Style, *, few_steps: bool = False) -> Painting:
    """The numbers for these wishes in this style; fewer steps than wished where the scheduler has no more."""
    factor = 1.0 if options.structure is None else 2 * options.structure
    usual = REMOVING_STRENGTH if options.remove else max(style.strength, LEAST_STRENGTH)
    strength = usual if options.strength is None else options.strength
    most = int((MOST_SCHEDULED_OF_FEW if few_steps else MOST_SCHEDULED) * strength)
    return Painting(
        steps=min(options.steps or (FEW_STEPS if few_steps else STEPS)[options.quality], most),
        strength=strength,
        guidance=FEW_STEPS_GUIDANCE if few_steps else style.guidance,
        depth_scale=min(MOST_SCALE, style.depth * factor),
        edge_scale=min(MOST_SCALE, style.edges * factor),
    )
