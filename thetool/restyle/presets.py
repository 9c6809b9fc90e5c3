"""What the three qualities mean, and the numbers of one painting."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from thetool.restyle.options import Options, Quality
from thetool.restyle.styles import Style

PIXELS: dict[Quality, int] = {"fast": 512 * 512, "balanced": 640 * 640, "best": 768 * 768}
STEPS: dict[Quality, int] = {"fast": 14, "balanced": 20, "best": 30}
FEW_STEPS: dict[Quality, int] = {"fast": 4, "balanced": 6, "best": 8}
"""With a few-step LoRA (LCM, Hyper-SD)."""
FEW_STEPS_GUIDANCE = 1.5
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
        return max(self.steps, ceil(self.steps / self.strength))


def painting(options: Options, style: Style, *, few_steps: bool = False) -> Painting:
    """The numbers for these wishes in this style."""
    factor = 1.0 if options.structure is None else 2 * options.structure
    strength = style.strength if options.strength is None else options.strength
    return Painting(
        steps=options.steps or (FEW_STEPS if few_steps else STEPS)[options.quality],
        strength=REMOVING_STRENGTH if options.remove and options.strength is None else max(strength, 0.05),
        guidance=FEW_STEPS_GUIDANCE if few_steps else style.guidance,
        depth_scale=min(MOST_SCALE, style.depth * factor),
        # Of what goes away the outlines would bring it back.
        edge_scale=0.0 if options.remove else min(MOST_SCALE, style.edges * factor),
    )
