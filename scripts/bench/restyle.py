#!/usr/bin/env python3
"""Seconds of a restyled picture, by speed lever, beside plain diffusers in the same run; shares of the stages; batches.

scripts/bench/restyle.py [--size tiny|full] [--device cuda|cpu] [--steps 20] [--pixels 512] [--rounds 5] [--compile]

The networks are Stable Diffusion 1.5's, two ControlNets', DPT's and SAM 2's with random weights, built from their
configurations: the time of a network does not depend on the values in it. `tiny` are the tests' networks, which show
what everything around the networks costs. On a machine with a GPU: scripts/bench/restyle.py --size full --compile
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
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
from thetool.restyle.quality import measure  # noqa: E402

PROMPT = Prompt("modern living room, clean lines", "blurry")


def main() -> None:
    """Print the tables."""
    arguments = _arguments()
    device = torch.device(arguments.device)
    title = torch.cuda.get_device_name(device) if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    what = f"{arguments.size} networks, {arguments.pixels}² pixels, {arguments.steps} steps"
    print(f"{title}; torch {torch.__version__}; {what}\n")
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as folder:
        make = full_models if arguments.size == "full" else tiny_models
        named = make.make_all(Path(folder))
        bench = Bench(named, device, arguments)
        bench.levers()
        bench.stages()
        bench.batches()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("tiny", "full"), default="tiny")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--pixels", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--compile", action="store_true", help="measure torch.compile too: minutes of compilation")
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 2, 4])
    return parser.parse_args()


class Bench:
    """One device, one set of networks."""

    def __init__(self, named: dict[str, str], device: torch.device, arguments: argparse.Namespace) -> None:
        self.named, self.device, self.asked = named, device, arguments
        side = arguments.pixels
        self.photo = np.asarray(room(side, side))
        self.numbers = Painting(arguments.steps, 0.75, 7.5, 0.8, 0.5)

    def levers(self) -> None:
        """Seconds a picture, one at a time."""
        half = "float16" if self.device.type == "cuda" else "float32"
        plain = {"RESTYLE_CHANNELS_LAST": False, "RESTYLE_FUSE_QKV": False, "RESTYLE_DTYPE": half}
        cases: list[tuple[str, dict[str, Any]]] = [
            (f"ours, {half}", plain),
            ("… channels_last", {**plain, "RESTYLE_CHANNELS_LAST": True}),
            ("… fused QKV", {**plain, "RESTYLE_FUSE_QKV": True}),
            ("… both (the default)", {"RESTYLE_DTYPE": half}),
            ("… bfloat16, both", {"RESTYLE_DTYPE": "bfloat16"}),
        ]
        if self.device.type == "cuda":
            cases.insert(0, ("ours, float32", {**plain, "RESTYLE_DTYPE": "float32"}))
        if self.asked.compile:
            cases.append(("… compiled, both", {"RESTYLE_DTYPE": half, "RESTYLE_COMPILE": True}))
        print("| one picture, depth and edges included | s, median | × plain diffusers |\n| --- | --- | --- |")
        base = self._seconds(self._plain_diffusers(half))
        print(f"| plain diffusers, {half}, eager | {base:.3f} | 1.00 |", flush=True)
        for name, changes in cases:
            seconds = self._seconds(self._ours(self._load(changes), 1))
            print(f"| {name} | {seconds:.3f} | {base / seconds:.2f} |", flush=True)
        print()

    def stages(self) -> None:
        """What each stage costs."""
        painters = self._load({})
        size = (self.asked.pixels, self.asked.pixels)
        self._ours(painters, 1)()
        parts: dict[str, Callable[[], Any]] = {
            "depth": lambda: controls.find_depth(self.photo, size, painters.depth),
            "edges": lambda: controls.find_outlines(self.photo, size),
            "painting": lambda: self._painted(painters, [self._picture(0)]),
            "measuring": lambda: measure(self.photo, self.photo, ["#ffffff", "#333333"]),
        }
        if painters.masks is not None:
            masks, box = painters.masks, (60.0, 60.0, 200.0, 200.0)
            parts["masks (3 boxes)"] = lambda: masks.find(self.photo, [box] * 3)
        found = {name: self._seconds(work) for name, work in parts.items()}
        total = sum(found.values())
        print("| stage | s, median | share |\n| --- | --- | --- |")
        for name, seconds in found.items():
            print(f"| {name} | {seconds:.3f} | {seconds / total:.1%} |")
        print()

    def batches(self) -> None:
        """Seconds a picture, several at once."""
        painters = self._load({})
        print("| pictures at once | s a picture, median |\n| --- | --- |")
        for number in self.asked.batches:
            print(f"| {number} | {self._seconds(self._ours(painters, number)) / number:.3f} |", flush=True)

    def _load(self, changes: dict[str, Any]) -> loading.Painters:
        return loading.load(Settings(**self.named, **changes), self.device)

    def _ours(self, painters: loading.Painters, number: int) -> Callable[[], None]:
        size = (self.asked.pixels, self.asked.pixels)

        def run() -> None:
            depth = controls.find_depth(self.photo, size, painters.depth)
            edges = controls.find_outlines(self.photo, size)
            self._painted(painters, [self._picture(seed, depth, edges) for seed in range(number)])

        return run

    def _picture(self, seed: int, depth: Any = None, edges: Any = None) -> Picture:
        empty = np.zeros(self.photo.shape[:2], np.uint8)
        return Picture(
            photo=self.photo,
            depth=empty if depth is None else depth,
            edges=empty if edges is None else edges,
            mask=None,
            prompt=PROMPT,
            numbers=self.numbers,
            seed=seed,
            watch=lambda step, steps, preview: None,
        )

    def _painted(self, painters: loading.Painters, pictures: list[Picture]) -> None:
        encoder = painters.image_to_image
        paint(painters, pictures, lambda words: encoder.encode_prompt(words, painters.device, 1, False)[0])

    def _plain_diffusers(self, half: str) -> Callable[[], None]:
        """As the libraries' own examples do it: pictures in, defaults, the depth pipeline of transformers."""
        from diffusers import ControlNetModel, StableDiffusionControlNetImg2ImgPipeline
        from PIL import Image
        from transformers import pipeline as make_pipeline

        dtype = getattr(torch, half)
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
            edges = Image.fromarray(controls.find_outlines(self.photo, photo.size)).convert("RGB")
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
            )

        return run

    def _seconds(self, work: Callable[[], Any]) -> float:
        work()
        taken = []
        for _ in range(self.asked.rounds):
            self._wait()
            began = time.perf_counter()
            work()
            self._wait()
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)

    def _wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


if __name__ == "__main__":
    main()
