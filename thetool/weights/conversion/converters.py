"""The converters that the catalogue can name. Each module is loaded when it is used: most need `onnx`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Converter = Literal["efficientnet_lite", "imagenet_names", "tfjs"]


def convert(converter: Converter, originals: Sequence[Path], target: Path) -> None:
    """Write `target` out of the originals, given in the order of the catalogue.

    Raises:
        ConversionError: when an original is not what the converter was made for.
    """
    match converter:
        case "efficientnet_lite":
            from thetool.weights.conversion import efficientnet_lite

            (checkpoint,) = originals
            efficientnet_lite.convert(checkpoint, target)
        case "imagenet_names":
            from thetool.weights.conversion import imagenet_names

            curated, synonyms = originals
            imagenet_names.convert(curated, synonyms, target)
        case "tfjs":
            from thetool.weights.conversion import tfjs

            model_json, weights_bin = originals
            tfjs.convert(model_json, weights_bin, target)
