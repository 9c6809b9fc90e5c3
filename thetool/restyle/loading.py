"""The models that paint, in a device's memory, set up as the settings say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import structlog

from thetool.config import Settings
from thetool.vision.depth import DepthModel
from thetool.vision.masks import MaskModel
from thetool.vision.outlines import OutlineModel
from thetool.vision.torch_ops import make_torchvision_importable
from thetool.weights.problems import PackageMissing, WeightsMissing, WeightsUnavailable
from thetool.weights.repositories import Place, part_named, place_of, require_folder, what_is_wrong
from thetool.weights.used import ModelUsed

log = structlog.get_logger(__name__)

CANNY = "canny"
MOST_GRAPHS = 64
HOW_TO_INSTALL = "run: pip install -r requirements-gpu.txt"


class WeightsUnreadable(WeightsUnavailable):
    """The files are here, and cannot be loaded: damaged, or of another kind than the part needs."""

    code = "weights_damaged"
    title = "Model weights are damaged"


@dataclass(frozen=True)
class Painters:
    """Both pipelines, which share their networks, and the models that look at photos."""

    image_to_image: Any
    inpaint: Any
    depth: DepthModel
    masks: MaskModel | None
    outlines: OutlineModel | None
    few_steps: bool
    checks_safety: bool
    device: Any
    dtype: Any
    used: tuple[ModelUsed, ...]

    def reads_whole(self, words: str) -> bool:
        """Whether the text encoder reads all of these words; it takes 77 tokens, two of them its own."""
        tokenizer = self.image_to_image.tokenizer
        return bool(len(tokenizer(words, verbose=False)["input_ids"]) <= tokenizer.model_max_length)


def load(settings: Settings, device: Any) -> Painters:
    """Load them all onto a device (a `torch.device`).

    Raises:
        PackageMissing: requirements-gpu.txt is not installed.
        WeightsMissing, WeightsUnreadable: a model is not here, or only half of it, or cannot be loaded.
    """
    places = {
        name: require_folder(settings, f"restyle-{name}") for name in ("base", "depth-control", "edge-control", "depth")
    }
    if settings.restyle_edges != CANNY:
        places["edges"] = require_folder(settings, "restyle-edges")
    for name in ("masks", "few-steps"):
        place = place_of(settings, part_named(f"restyle-{name}"))
        if place is not None and what_is_wrong(place) is None:
            places[name] = place
    try:
        make_torchvision_importable()
        import diffusers
        import torch
        import transformers
    except ImportError as error:
        raise PackageMissing("restyle", f"A package is missing: {error}.", HOW_TO_INSTALL) from error
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    dtype = _dtype(settings, device, torch)
    return _loaded(settings, places, device, dtype)


def _loaded(settings: Settings, places: dict[str, Place], device: Any, dtype: Any) -> Painters:
    import torch
    from diffusers import StableDiffusionControlNetInpaintPipeline

    pipeline = _pipeline(settings, places, device, dtype)
    with_checker = pipeline.safety_checker is not None
    inpaint = StableDiffusionControlNetInpaintPipeline(**pipeline.components, requires_safety_checker=with_checker)
    inpaint.set_progress_bar_config(disable=True)
    masks, outlines = places.get("masks"), places.get("edges")
    # In bfloat16 a corner of a box would be off by up to 4 of SAM 2's 1,024 pixels.
    precise = torch.float32 if dtype is torch.bfloat16 else dtype
    return Painters(
        image_to_image=pipeline,
        inpaint=inpaint,
        depth=_read_with(places["depth"], lambda folder: DepthModel(folder, device, dtype)),
        masks=None if masks is None else _read_with(masks, lambda folder: MaskModel(folder, device, precise)),
        outlines=None
        if outlines is None
        else _read_with(outlines, lambda folder: OutlineModel(settings.restyle_edges, folder, device)),
        few_steps="few-steps" in places,
        checks_safety=with_checker,
        device=device,
        dtype=dtype,
        used=tuple(place.used() for place in places.values()),
    )


def _pipeline(settings: Settings, places: dict[str, Place], device: Any, dtype: Any) -> Any:
    """What paints from a photo, tuned, on its device."""
    from diffusers import (
        ControlNetModel,
        DPMSolverMultistepScheduler,
        LCMScheduler,
        StableDiffusionControlNetImg2ImgPipeline,
    )

    controls = [_read(places[name], ControlNetModel, dtype) for name in ("depth-control", "edge-control")]
    with_checker = settings.restyle_safety_checker and (places["base"].folder / "safety_checker").is_dir()
    unchecked = {} if with_checker else {"safety_checker": None, "feature_extractor": None}
    pipeline = _read(
        places["base"],
        StableDiffusionControlNetImg2ImgPipeline,
        dtype,
        controlnet=controls,
        requires_safety_checker=with_checker,
        **unchecked,
    )
    few_steps = "few-steps" in places
    scheduler = LCMScheduler if few_steps else DPMSolverMultistepScheduler
    extra = {} if few_steps else {"use_karras_sigmas": True, "algorithm_type": "dpmsolver++"}
    pipeline.scheduler = scheduler.from_config(pipeline.scheduler.config, **extra)
    if few_steps:
        _add_lora(pipeline, places["few-steps"])
    pipeline.set_progress_bar_config(disable=True)
    _tune(pipeline.to(device), settings)
    log.info("the restyling models are loaded", device=str(device), dtype=str(dtype), safety=with_checker)
    return pipeline


def _read(place: Place, kind: Any, dtype: Any, **more: Any) -> Any:
    return _read_with(place, lambda folder: _from_pretrained(kind, folder, dtype, more))


def _from_pretrained(kind: Any, folder: Path, dtype: Any, more: dict[str, Any]) -> Any:
    """Only safetensors: unlike pickles, they run nothing when they are read."""
    variant = "fp16" if next(folder.rglob("*.fp16.safetensors"), None) else None
    return kind.from_pretrained(
        folder, dtype=dtype, variant=variant, use_safetensors=True, local_files_only=True, **more
    )


def _read_with(place: Place, read: Any) -> Any:
    """What `read` makes of a folder; a folder that cannot be read is the operator's problem, told as such."""
    import torch

    try:
        return read(place.folder)
    except (WeightsUnavailable, torch.OutOfMemoryError):
        raise
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, EOFError, UnpicklingError) as error:
        what = f"{place.part.name} in {place.folder} cannot be loaded ({type(error).__name__}: {str(error)[:300]})."
        raise WeightsUnreadable("restyle", what, "run: thetool weights pull restyle") from error


def _add_lora(pipeline: Any, place: Place) -> None:
    found = sorted(place.folder.rglob("*.safetensors"))
    if not found:
        raise WeightsMissing("restyle", str(place.repository or place.folder), "it holds no safetensors")
    _read_with(place, lambda folder: pipeline.load_lora_weights(str(folder), weight_name=found[0].name))
    pipeline.fuse_lora()
    pipeline.unload_lora_weights()


def _tune(pipeline: Any, settings: Settings) -> None:
    """The levers of speed that the settings pull; each is measured in docs/benchmarks.md."""
    import torch

    networks = [pipeline.unet, *pipeline.controlnet.nets]
    if settings.restyle_fuse_qkv:
        pipeline.unet.fuse_qkv_projections()
        pipeline.vae.fuse_qkv_projections()
    if settings.restyle_channels_last:
        for network in (*networks, pipeline.vae):
            network.to(memory_format=torch.channels_last)
    if settings.restyle_compile:
        _keep_compiled(settings.home / "compiled")
        # Of each network a graph for one size, some for all sizes, and the same for batches; torch counts those of all
        # networks together, and after eight it refuses to go on.
        torch._dynamo.config.recompile_limit = MOST_GRAPHS
        for network in networks:
            network.compile(mode="max-autotune-no-cudagraphs", fullgraph=True)


def _keep_compiled(folder: Path) -> None:
    """Have torch keep what it compiles there, unless the operator named a folder.

    Torch names one in the temporary folder as soon as it is asked for it, which the next start of a container finds
    empty.
    """
    from torch._inductor.runtime.cache_dir_utils import default_cache_dir

    if os.environ.get("TORCHINDUCTOR_CACHE_DIR") in (None, default_cache_dir()):
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(folder)


def _dtype(settings: Settings, device: Any, torch: Any) -> Any:
    if settings.restyle_dtype != "auto":
        return getattr(torch, settings.restyle_dtype)
    if device.type == "cuda":
        return torch.float16
    able = torch.cpu.get_capabilities()  # where it is only imitated, it is slower than float32
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32
