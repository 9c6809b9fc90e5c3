"""All models that the settings choose: those of the catalogue, and the hub's folders that restyling rooms needs."""

from __future__ import annotations

from thetool.config import Settings
from thetool.weights.folder import status
from thetool.weights.repositories import places
from thetool.weights.schemas import WeightsOut


def listing(settings: Settings) -> list[WeightsOut]:
    """One for each role and each part; it reads no weights and calls nobody.

    Raises:
        UnknownModel: a setting names a model that the catalogue does not have.
    """
    return [
        *(WeightsOut.of(role) for role in status(settings)),
        *(WeightsOut.of_place(place) for place in places(settings)),
    ]
