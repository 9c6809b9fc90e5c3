"""Keeping what a restyling made: files of the job's owner, and links to them that are signed and expire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from thetool.config import Settings
from thetool.jobs.context import JobContext
from thetool.restyle.controls import Controls
from thetool.restyle.jobs import Restyle
from thetool.restyle.picture_file import (
    EXACT_MEDIA_TYPE,
    MEDIA_TYPE,
    MOST_METADATA,
    jpeg,
    map_file,
    picture_file,
    thumbnail_file,
)
from thetool.restyle.schemas import RestyleMetadata, Variation
from thetool.storage.links import signed_path

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]


class Keeper:
    """Stores the files of one job."""

    def __init__(self, context: JobContext, params: Restyle, settings: Settings) -> None:
        self._context = context
        self._seconds = params.keep_seconds
        self._settings = settings
        self.expires_at = datetime.now(UTC) + timedelta(seconds=params.keep_seconds)

    def link(self, file_id: UUID) -> str:
        """A link to a file, good for as long as it is kept: through the CDN where there is one."""
        settings = self._settings
        address = f"https://{settings.cdn_domain}" if settings.cdn_domain else settings.public_url or ""
        return address + signed_path(settings, file_id, self._seconds)

    def maps(self, maps: Controls, mask: NDArray[np.bool_] | None) -> dict[str, str]:
        """Keep the pictures that guided the painting, and give links to them."""
        found = {"depth": maps.depth, "edges": maps.edges}
        if mask is not None:
            found["mask"] = mask.astype("uint8") * 255
        return {name: self._keep(map_file(pixels), EXACT_MEDIA_TYPE, f"{name}.png") for name, pixels in found.items()}

    def before(self, pixels: Pixels) -> str:
        """Keep the photo as the results are to be compared with it: upright, of their size, for any browser."""
        return self._keep(jpeg(pixels), MEDIA_TYPE, "before.jpg")

    def pictures(self, made: Sequence[tuple[Pixels, RestyleMetadata]], *, exact: bool) -> list[Variation]:
        """Keep the results, each with what its metadata say in its file; where only a part was painted `exact`ly."""
        media_type, ending = (EXACT_MEDIA_TYPE, "png") if exact else (MEDIA_TYPE, "jpg")
        kept = []
        for number, (pixels, metadata) in enumerate(made):
            name = "transformed" if number == 0 else f"transformed-{number + 1}"
            told = json.dumps(metadata.model_dump(mode="json"))
            if len(told) > MOST_METADATA:
                told = json.dumps(metadata.model_dump(mode="json", exclude={"notes"}))
            words = f"A room in {metadata.style} style, made by a model of a photo"
            content = picture_file(pixels, told, words, exact=exact)
            kept.append(
                Variation(
                    transformed_url=self._keep(content, media_type, f"{name}.{ending}"),
                    thumbnail_url=self._keep(thumbnail_file(pixels), MEDIA_TYPE, f"{name}-thumbnail.jpg"),
                    seed=metadata.seed,
                    quality=metadata.quality,
                )
            )
        return kept

    def _keep(self, content: bytes, media_type: str, name: str) -> str:
        stored = self._context.store(content, media_type=media_type, filename=name, keep_seconds=self._seconds)
        return self.link(stored)
