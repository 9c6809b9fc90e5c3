"""Letting PyPI's torchvision be imported beside a torch without CUDA.

PyPI's torchvision is linked against CUDA's torch. Beside the CPU's, its compiled operators do not load; importing it
fails ("operator torchvision::nms does not exist"), and so does ultralytics. What is needed of the operators is
non-maximum suppression, which is written here with torch's own. Where the compiled ones load, nothing is changed.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_libraries: list[Any] = []  # torch forgets an operator when its library object goes


@cache
def make_torchvision_importable() -> None:
    """Do so, once a process; call it before anything imports torchvision.

    Raises:
        ImportError: torch or torchvision is not installed.
    """
    import torch

    spec = find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("torchvision is not installed")
    compiled = sorted(Path(spec.submodule_search_locations[0]).glob("_C*.so"))
    if any(_loads(path) for path in compiled):
        return
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.impl("nms", _suppress, "CPU")
    _libraries.append(library)
    import torchvision.extension

    torchvision.extension._has_ops = lambda: True


def _loads(compiled: Path) -> bool:
    import torch

    try:
        torch.ops.load_library(str(compiled))
    except OSError:
        return False
    return True


def _suppress(boxes: Any, scores: Any, overlap: float) -> Any:
    """`torchvision.ops.nms` on tensors: boxes (N, 4), scores (N); the indices that stay, surest first."""
    import torch

    order = torch.argsort(scores, descending=True, stable=True)
    ranked = boxes[order]
    areas = (ranked[:, 2] - ranked[:, 0]) * (ranked[:, 3] - ranked[:, 1])
    stays = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    for place in range(len(order)):
        if stays[place]:
            rest = ranked[place + 1 :]
            corner = torch.minimum(ranked[place, 2:], rest[:, 2:]) - torch.maximum(ranked[place, :2], rest[:, :2])
            common = corner.clamp(min=0).prod(1)
            stays[place + 1 :] &= common <= overlap * (areas[place] + areas[place + 1 :] - common)
    return order[stays]
