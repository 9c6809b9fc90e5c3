"""The levers of speed change how a picture is computed, and not the picture; few steps are really few."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.restyle.rooms import room
from tests.restyle.tiny_models import SMALLEST, make_all
from thetool.config import Settings
from thetool.restyle.loading import Painters, WeightsUnreadable, load
from thetool.restyle.options import Options
from thetool.restyle.painting import Picture, paint
from thetool.restyle.presets import Painting, painting
from thetool.restyle.prompts import Prompt
from thetool.restyle.styles import styles
from thetool.weights.problems import WeightsMissing

pytestmark = pytest.mark.torch
PLAIN: dict[str, Any] = {"RESTYLE_CHANNELS_LAST": False, "RESTYLE_FUSE_QKV": False}
CPUS = [({"avx512_bf16": True}, "bfloat16"), ({"avx512_bf16": False, "avx512_f": True}, "float32"), ({}, "float32")]
PHOTO = np.asarray(room(128, 64))


def loaded(named: dict[str, str], **changes: Any) -> Painters:
    import torch

    return load(Settings(**{"RESTYLE_DTYPE": "float32", **named, **changes}), torch.device("cpu"))


def painted(painters: Painters, steps: int = 3, numbers: Painting | None = None) -> tuple[np.ndarray, list[int]]:
    told: list[int] = []
    edges = np.zeros(PHOTO.shape[:2], np.uint8)
    edges[:, 64] = 255
    picture = Picture(
        photo=PHOTO,
        depth=PHOTO[..., 0],
        edges=edges,
        mask=None,
        prompt=Prompt("a room", "blurry"),
        numbers=numbers or Painting(steps, 0.75, 2.0, 0.8, 0.5),
        seed=1,
        watch=lambda step, steps, preview: told.append(step),
    )
    encoder = painters.image_to_image
    paint(painters, [picture], lambda words: encoder.encode_prompt(words, painters.device, 1, False)[0])
    assert picture.painted is not None
    return picture.painted.astype(int), told


@pytest.mark.parametrize(
    ("changes", "off"),
    [
        ({"RESTYLE_CHANNELS_LAST": True}, 1),
        ({"RESTYLE_FUSE_QKV": True}, 1),
        ({"RESTYLE_DTYPE": "bfloat16"}, 25),
    ],
)
def test_a_lever_paints_the_same_picture(tiny_models: dict[str, str], changes: dict[str, Any], off: float) -> None:
    plain, _ = painted(loaded(tiny_models, **PLAIN))
    other, _ = painted(loaded(tiny_models, **{**PLAIN, **changes}))
    assert np.abs(plain - other).mean() <= off


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_compiled_networks_paint_the_same_picture_and_are_compiled_once(tmp_path: Path) -> None:
    """Two processes, one after the other, as before and after a restart; a compiler of C++ writes what they run."""
    models, home = tmp_path / "models", tmp_path / "home"
    make_all(models, unet=SMALLEST)
    environment = {name: value for name, value in os.environ.items() if name != "TORCHINDUCTOR_CACHE_DIR"}
    told = []
    for _ in range(2):
        command = [sys.executable, "-m", "tests.restyle.compiled", str(models), str(home)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        told.append(json.loads(done.stdout.splitlines()[-1]))
    first, again = told
    assert max(first["off"], again["off"]) <= 1
    assert first["compiled"] >= 2, "UNet and ControlNets"
    assert first["breaks"] == 0
    assert (again["compiled"], again["found"]) == (0, first["compiled"] + first["found"])


@pytest.mark.slow
def test_compiled_networks_paint_all_sizes_and_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced by torch, which counts the graphs, and run as traced: no C++ is compiled, which would take minutes."""
    import torch
    from torch._dynamo.utils import counters

    compiled = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self, mode, **more: compiled(self, backend="eager", **more))
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    monkeypatch.setattr(torch._dynamo.config, "recompile_limit", 8)
    torch._dynamo.reset()
    counters.clear()
    painters = loaded(make_all(tmp_path / "models", unet=SMALLEST), RESTYLE_COMPILE=True)
    encoder = painters.image_to_image
    for width, height, number, guidance in [
        (128, 64, 1, 2.0),
        (128, 128, 1, 2.0),
        (64, 128, 2, 2.0),
        (192, 128, 4, 2.0),
        (128, 64, 1, 1.0),
        (128, 192, 3, 1.0),
    ]:
        photo = np.asarray(room(width, height))
        numbers, prompt = Painting(2, 0.75, guidance, 0.8, 0.5), Prompt("a room", "blurry")
        maps = photo[..., 0], photo[..., 1]
        pictures = [Picture(photo, *maps, None, prompt, numbers, seed, lambda *told: None) for seed in range(number)]
        paint(painters, pictures, lambda words: encoder.encode_prompt(words, painters.device, 1, False)[0])
        assert all(picture.painted is not None for picture in pictures)
    assert counters["stats"]["unique_graphs"] > 8, "more than torch allows by itself"


@pytest.mark.parametrize(("able", "dtype"), CPUS)
def test_a_cpu_computes_with_bfloat16_where_it_can(
    able: dict[str, bool], dtype: str, tiny_models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: able)
    painters = loaded(tiny_models, RESTYLE_DTYPE="auto")
    assert str(painters.dtype) == str(painters.image_to_image.unet.dtype) == f"torch.{dtype}"
    assert painters.masks is not None
    assert painters.masks.find(PHOTO, [(10.0, 10.0, 60.0, 50.0)]).masks.shape == (1, *PHOTO.shape[:2])
    assert painted(painters)[0].shape == PHOTO.shape


def test_depth_and_edges_really_guide(tiny_models: dict[str, str]) -> None:
    painters = loaded(tiny_models)
    plain, told = painted(painters)
    assert told == [1, 2, 3], "so many steps as were asked for, whatever the strength"
    networks = painters.image_to_image.controlnet.nets
    for network in networks:
        for parameter in network.parameters():
            parameter.data.mul_(0)
    other, _ = painted(painters)
    assert np.abs(plain - other).mean() > 0


def test_a_lora_makes_few_steps_of_it(tiny_models: dict[str, str], tmp_path: Path) -> None:
    from diffusers import LCMScheduler, StableDiffusionPipeline
    from peft import LoraConfig, get_peft_model_state_dict

    base = StableDiffusionPipeline.from_pretrained(tiny_models["RESTYLE_BASE_MODEL"])
    base.unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"], init_lora_weights=False))
    layers = get_peft_model_state_dict(base.unet)
    StableDiffusionPipeline.save_lora_weights(tmp_path / "lora", unet_lora_layers=layers)
    painters = loaded(tiny_models, RESTYLE_FEW_STEPS_MODEL=str(tmp_path / "lora"))
    assert isinstance(painters.image_to_image.scheduler, LCMScheduler)
    with_lora, told = painted(painters, steps=4)
    assert len(told) == 4
    weak = painting(Options(steps=60, strength=0.05), styles(Settings())["modern"], few_steps=True)
    assert len(painted(painters, numbers=weak)[1]) == weak.steps == 2, "its scheduler has 50 steps in all"
    assert np.abs(with_lora - painted(loaded(tiny_models), steps=4)[0]).mean() > 0
    assert painting(Options(quality="fast"), styles(Settings())["modern"], few_steps=True).steps == 4


def test_damaged_weights_are_told_as_such(tiny_models: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "depth-control"
    shutil.copytree(tiny_models["RESTYLE_DEPTH_CONTROL_MODEL"], folder)
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"not what it should be")
    with pytest.raises(WeightsUnreadable, match="thetool weights pull restyle"):
        loaded(tiny_models, RESTYLE_DEPTH_CONTROL_MODEL=str(folder))
    with pytest.raises(WeightsMissing, match="thetool weights pull restyle"):
        loaded(tiny_models, RESTYLE_DEPTH_CONTROL_MODEL="own/never-pulled", WEIGHTS_DIR=tmp_path)
