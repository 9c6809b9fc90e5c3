#!/usr/bin/env python3
"""Seconds of a restyled picture, by speed lever, beside plain diffusers in the same run; and several at once.

    scripts/bench/restyle.py [--size tiny|full] [--device cuda|cpu] [--steps 20] [--pixels 512] [--rounds 5]
                             [--levers plain channels_last …] [--batches 1 2 4] [--models FOLDER]

The networks are Stable Diffusion 1.5's, two ControlNets' and DPT's with random weights, built from their
configurations: the time of a network does not depend on the values in it. `tiny` are the tests' networks, which show
what everything around the networks costs. On a machine with a GPU: scripts/bench/restyle.py --size full
"""

from __future__ import annotations

import argparse
import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from thetool.config import Settings  # noqa: E402
from thetool.vision.torch_ops import make_torchvision_importable  # noqa: E402

make_torchvision_importable()

import numpy as np  # noqa: E402
import torch  # noqa: E402

from tests.restyle import full_models, tiny_models  # noqa: E402
from tests.restyle.rooms import room  # noqa: E402
from thetool.restyle import controls, loading  # noqa: E402
from thetool.restyle.painting import Picture, paint  # noqa: E402
from thetool.restyle.presets import Painting  # noqa: E402
from thetool.restyle.prompts import Prompt  # noqa: E402

PROMPT = Prompt("modern living room, clean lines", "blurry")
NEITHER: dict[str, Any] = {"RESTYLE_CHANNELS_LAST": False, "RESTYLE_FUSE_QKV": False}
LEVERS: dict[str, dict[str, Any]] = {
    "plain": NEITHER,
    "channels_last": {**NEITHER, "RESTYLE_CHANNELS_LAST": True},
    "fused": {**NEITHER, "RESTYLE_FUSE_QKV": True},
    "both": {},
    "float32": {"RESTYLE_DTYPE": "float32"},
    "bfloat16": {"RESTYLE_DTYPE": "bfloat16"},
    "compiled": {"RESTYLE_COMPILE": True},
}
"""Settings beside the defaults; `both` are the defaults (float16 on a GPU, bfloat16 on a CPU that computes with it)."""


def main() -> None:
    """Print the tables."""
    asked = _arguments()
    device = torch.device(asked.device)
    title = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    print(f"{title}; torch {torch.__version__}; {asked.size} networks, {asked.pixels}² pixels, {asked.steps} steps\n")
    with folder_for(asked.models) as folder:
        bench = Bench(networks(asked.size, folder), folder / "home", device, asked)
        bench.levers()
        bench.batches()


@contextmanager
def folder_for(wanted: Path | None) -> Iterator[Path]:
    """That folder, which stays, or one that goes afterwards."""
    if wanted is not None:
        yield wanted
        return
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        yield Path(folder)


def networks(size: str, folder: Path) -> dict[str, str]:
    """The settings that name networks of this size in a folder; they are made unless they are there."""
    make = full_models if size == "full" else tiny_models
    return make.named(folder) if (folder / "base").exists() else make.make_all(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("tiny", "full"), default="tiny")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--levers", nargs="*", choices=LEVERS, default=list(LEVERS), help="compiled: takes minutes")
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 2, 4])
    parser.add_argument("--models", type=Path, help="keep the networks there (5 GB if full), or take them from there")
    return parser.parse_args()


class Bench:
    """One device, one set of networks."""

    def __init__(self, named: dict[str, str], home: Path, device: torch.device, asked: argparse.Namespace) -> None:
        self.named, self.home, self.device, self.asked = named, home, device, asked
        self.photo = np.asarray(room(asked.pixels, asked.pixels))
        self.numbers = Painting(asked.steps, 0.75, 7.5, 0.8, 0.5)
        self._steps: list[float] = []

    def levers(self) -> None:
        """Seconds a picture, one at a time."""
        if not self.asked.levers:
            return
        dtype = "float16" if self.device.type == "cuda" else "float32"  # what people take there
        print("| one picture, depth and edges included | s | s a step | × plain diffusers |")
        print("| --- | --- | --- | --- |")
        base = self._row(f"plain diffusers, {dtype}, eager", self._plain_diffusers(dtype))
        for name in self.asked.levers:
            self._row(f"ours, {name}", self._ours(self._load(LEVERS[name]), 1), base)
        self._row("plain diffusers once more", self._plain_diffusers(dtype), base)
        print()

    def batches(self) -> None:
        """Seconds a picture, several at once."""
        if not self.asked.batches:
            return
        painters = self._load({})
        print("| pictures at once | s a picture |\n| --- | --- |")
        for number in self.asked.batches:
            print(f"| {number} | {self._seconds(self._ours(painters, number))[0] / number:.3f} |", flush=True)

    def _row(self, name: str, work: Callable[[], None], base: float | None = None) -> float:
        whole, step = self._seconds(work)
        print(f"| {name} | {whole:.3f} | {step:.3f} | {(base or whole) / whole:.2f} |", flush=True)
        return whole

    def _load(self, changes: dict[str, Any]) -> loading.Painters:
        gc.collect()  # those before are in cycles
        return loading.load(Settings(THETOOL_HOME=self.home, **self.named, **changes), self.device)

    def _ours(self, painters: loading.Painters, number: int) -> Callable[[], None]:
        size = (self.asked.pixels, self.asked.pixels)
        encoder = painters.image_to_image
        words: dict[str, Any] = {}  # the engine keeps them too

        def embed(prompt: str) -> Any:
            if prompt not in words:
                words[prompt] = encoder.encode_prompt(prompt, painters.device, 1, False)[0]
            return words[prompt]

        def run() -> None:
            maps = controls.find_depth(self.photo, size, painters.depth), controls.find_outlines(self.photo)
            paint(painters, [self._picture(seed, *maps) for seed in range(number)], embed)

        return run

    def _picture(self, seed: int, depth: Any, edges: Any) -> Picture:
        return Picture(
            photo=self.photo,
            depth=depth,
            edges=edges,
            mask=None,
            prompt=PROMPT,
            numbers=self.numbers,
            seed=seed,
            watch=lambda step, steps, preview: self._tick() if seed == 0 else None,
        )

    def _plain_diffusers(self, dtype_name: str) -> Callable[[], None]:
        """As the libraries' own examples do it: pictures in, defaults, the depth pipeline of transformers."""
        from diffusers import ControlNetModel, StableDiffusionControlNetImg2ImgPipeline
        from PIL import Image
        from transformers import pipeline as make_pipeline

        gc.collect()
        dtype = getattr(torch, dtype_name)
        folders = self.named["RESTYLE_DEPTH_CONTROL_MODEL"], self.named["RESTYLE_EDGE_CONTROL_MODEL"]
        nets = [ControlNetModel.from_pretrained(folder, dtype=dtype) for folder in folders]
        painter = StableDiffusionControlNetImg2ImgPipeline.from_pretrained(
            self.named["RESTYLE_BASE_MODEL"], controlnet=nets, safety_checker=None, dtype=dtype
        ).to(self.device)
        painter.set_progress_bar_config(disable=True)
        depth = make_pipeline(
            "depth-estimation", model=self.named["RESTYLE_DEPTH_MODEL"], device=self.device, dtype=dtype
        )
        photo = Image.fromarray(self.photo)

        def run() -> None:
            near = depth(photo)["depth"].convert("RGB").resize(photo.size)
            edges = Image.fromarray(controls.find_outlines(self.photo)).convert("RGB")
            painter(
                PROMPT.positive,
                negative_prompt=PROMPT.negative,
                image=photo,
                control_image=[near, edges],
                strength=self.numbers.strength,
                num_inference_steps=self.numbers.scheduled_steps,
                guidance_scale=self.numbers.guidance,
                controlnet_conditioning_scale=[self.numbers.depth_scale, self.numbers.edge_scale],
                generator=torch.Generator("cpu").manual_seed(0),
                callback_on_step_end=lambda *_: self._tick() or {},
            )

        return run

    def _seconds(self, work: Callable[[], Any]) -> tuple[float, float]:
        """Medians of a whole call and of one step in it, after one call that is not counted."""
        work()
        taken, steps = [], []
        for _ in range(self.asked.rounds):
            self._steps.clear()
            self._wait()
            began = time.perf_counter()
            work()
            self._wait()
            taken.append(time.perf_counter() - began)
            steps += list(np.diff(self._steps))
        return statistics.median(taken), statistics.median(steps) if steps else float("nan")

    def _tick(self) -> None:
        """A step is over. Each is waited for, in plain diffusers too, so that it can be measured."""
        self._wait()
        self._steps.append(time.perf_counter())

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


if __name__ == "__main__":
    main()
