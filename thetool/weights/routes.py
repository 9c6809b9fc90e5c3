"""`GET /api/v1/weights`: which models there are, and which of them are here."""

from __future__ import annotations

from apiflask import APIBlueprint

from thetool.access.caller import needs
from thetool.web.current import settings
from thetool.weights.listing import listing
from thetool.weights.schemas import WeightsList

blueprint = APIBlueprint("weights", __name__, tag="Weights")


@blueprint.get("/api/v1/weights")
@needs("read")
@blueprint.output(WeightsList)
def list_weights() -> WeightsList:
    """List the model weights: each role with the model chosen for it, its licence and size, and whether it is here."""
    return WeightsList(items=listing(settings()))
