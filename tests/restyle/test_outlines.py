"""Straight lines and soft edges, by the real networks with random weights: what they find means nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.restyle.rooms import room
from thetool.config import Settings
from thetool.restyle.engine import Engine
from thetool.restyle.jobs import can_restyle
from thetool.restyle.loading import WeightsUnreadable, load
from thetool.vision.outlines import FILES, OutlineModel
from thetool.vision.torch_ops import make_torchvision_importable

pytestmark = pytest.mark.torch
PHOTO = np.asarray(room(192, 128))
DETECTORS = {"mlsd": "MLSDdetector", "hed": "HEDdetector"}


def network(kind: str) -> Any:
    make_torchvision_importable()
    import torch
    from controlnet_aux.hed import ControlNetHED_Apache2
    from controlnet_aux.mlsd.models.mbv2_mlsd_large import MobileV2_MLSD_Large

    torch.manual_seed(0)
    return MobileV2_MLSD_Large() if kind == "mlsd" else ControlNetHED_Apache2()


@pytest.fixture
def kept(tmp_path: Path) -> Callable[..., Path]:
    def keep(kind: str, change: Callable[[Any], Any] = lambda weights: weights) -> Path:
        import torch

        torch.save(change(network(kind).state_dict()), tmp_path / FILES[kind])
        return tmp_path

    return keep


@pytest.mark.filterwarnings("ignore")  # what the package warns of when all of it is imported
@pytest.mark.parametrize("kind", FILES)
def test_the_packages_own_detector_finds_the_same(kind: str, kept: Callable[..., Path]) -> None:
    folder = kept(kind)
    found = OutlineModel(kind, folder).find(PHOTO)
    import controlnet_aux

    theirs = getattr(controlnet_aux, DETECTORS[kind]).from_pretrained(str(folder))
    told = theirs(PHOTO, detect_resolution=128, image_resolution=128, output_type="np")
    assert (found.dtype, found.shape) == (np.uint8, (128, 192))
    assert found.max() > found.min()
    assert (found == told[..., 0]).all()


def test_where_there_are_no_lines_none_are_drawn(kept: Callable[..., Path]) -> None:
    folder = kept("mlsd", lambda weights: {name: value * 0 for name, value in weights.items()})
    assert not OutlineModel("mlsd", folder).find(PHOTO).any()


@pytest.mark.parametrize("kind", FILES)
def test_a_restyling_is_guided_by_them(kind: str, kept: Callable[..., Path], tiny_models: dict[str, str]) -> None:
    import torch

    folder = kept(kind)
    settings = Settings(**{**tiny_models, "RESTYLE_EDGES": kind, "RESTYLE_EDGE_MODEL": str(folder)})
    assert can_restyle(settings)
    found, _ = Engine(settings).outlines(PHOTO, lambda: None)
    assert (found == OutlineModel(kind, folder).find(PHOTO)).all()
    assert folder.name in {model.name for model in load(settings, torch.device("cpu")).used}
    (folder / FILES[kind]).write_bytes(b"no checkpoint")
    with pytest.raises(WeightsUnreadable, match="cannot be loaded"):
        load(settings, torch.device("cpu"))
    (folder / FILES[kind]).unlink()
    assert not can_restyle(settings)
