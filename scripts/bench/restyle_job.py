#!/usr/bin/env python3
"""A restyling as a job, from its request to its stored files: the shares of the stages, and what is not a network.

    scripts/bench/restyle_job.py [--size tiny|full] [--steps 20] [--rounds 3] [--models FOLDER]

The application, its Postgres and the networks run in this process, on the GPU, where there is one. The photo is one
of ultralytics' (a bus and people), enlarged to 3,000 × 4,000 pixels, so that there is something to cut out. Networks
are as in scripts/bench/restyle.py. `quality=fast`: 512² pixels in the photo's shape.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from restyle import folder_for, networks

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
WEIGHTS = Path(os.environ.get("WEIGHTS_DIR", Path.home() / ".thetool" / "weights"))
"""Of the detector; the tests' modules take such variables away."""

import torch  # noqa: E402
from PIL import Image  # noqa: E402

from tests.analyze.house import House  # noqa: E402
from tests.conftest import MASTER_KEY  # noqa: E402
from tests.restyle.rooms import finished, submit  # noqa: E402
from thetool.config import Settings  # noqa: E402
from thetool.database.embedded import EmbeddedServer  # noqa: E402
from thetool.database.migrate import upgrade  # noqa: E402
from thetool.gpu import DeviceWatch  # noqa: E402
from thetool.restyle.engine import engine_of  # noqa: E402
from thetool.restyle.loading import Painters  # noqa: E402

TAKEN = """select extract(epoch from finished_at - created_at), extract(epoch from started_at - created_at)
           from jobs where id = %s"""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=("tiny", "full"), default="tiny")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", type=Path, help="keep the networks there (5 GB if full), or take them from there")
    asked = parser.parse_args()
    with (
        folder_for(asked.models) as folder,
        tempfile.TemporaryDirectory(prefix="thetool-bench-") as home,
        house(Path(home), networks(asked.size, folder)) as running,
    ):
        measure(running, asked)


@contextmanager
def house(home: Path, named: dict[str, str]) -> Iterator[House]:
    """The application with a database of its own and the device of this machine."""
    server = EmbeddedServer(home)
    url = server.start(max_connections=100)
    try:
        upgrade(Settings(DATABASE_URL=url))
        changes: dict[str, Any] = {"DEVICE_LOCKS_DIR": home, "GPU_IDLE_UNLOAD_SECONDS": 0, "LOG_LEVEL": "WARNING"}
        changes["WEIGHTS_DIR"] = WEIGHTS
        running = House(Settings(DATABASE_URL=url, THETOOL_HOME=home, MASTER_API_KEY=MASTER_KEY, **named, **changes))
        assert running.runner is not None
        watch = DeviceWatch(running.settings, running.runner)
        watch.look()
        try:
            yield running
        finally:
            watch.close()
            running.close()
    finally:
        server.stop()


class Clock:
    """The seconds that each network takes: its calls are timed, each waited for."""

    def __init__(self, painters: Painters) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        pipeline = painters.image_to_image
        modules = {
            "UNet": [pipeline.unet],
            "ControlNets": list(pipeline.controlnet.nets),
            "text": [pipeline.text_encoder],
        }
        modules["depth"] = [painters.depth._model]
        modules["masks"] = [] if painters.masks is None else [painters.masks._model]
        for name, those in modules.items():
            for module in those:  # where torch.compile puts its own: a module's call goes there first
                module._compiled_call_impl = self._timed(name, module._compiled_call_impl or module._call_impl)
        pipeline.vae.encode = self._timed("VAE", pipeline.vae.encode)
        pipeline.vae.decode = self._timed("VAE", pipeline.vae.decode)

    def _timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*values: Any, **named: Any) -> Any:
            _wait()
            began = time.perf_counter()
            try:
                return call(*values, **named)
            finally:
                _wait()
                self.seconds[name] += time.perf_counter() - began

        return timed


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def measure(running: House, asked: argparse.Namespace) -> None:
    """Restyle a few times, each time another photo, and print where the seconds went."""
    with engine_of(running.settings).on_device() as painters:
        clock = Clock(painters)
    pick = photo()
    wholes: list[float] = []
    waits: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    inside: dict[str, list[float]] = defaultdict(list)
    for number in range(asked.rounds + 1):
        file = io.BytesIO()
        pick.save(file, "JPEG", quality=80 + number)
        clock.seconds.clear()
        answer = submit(running, file.getvalue(), quality="fast", steps=str(asked.steps), seed=str(number))
        assert answer.status_code == 200, answer.json
        data = finished(running, answer.json["job_id"], seconds=1_000)
        if number == 0:  # the first one warms up
            continue
        ((whole, waited),) = running.rows(TAKEN, answer.json["job_id"])
        wholes.append(float(whole))
        waits.append(float(waited))
        for name, seconds in data["result"]["metadata"]["timings"].items():
            stages[name].append(seconds)
        for name, seconds in clock.seconds.items():
            inside[name].append(seconds)
    metadata = data["result"]["metadata"]
    print(f"{metadata['device']}; torch {torch.__version__}; {asked.size} networks, {asked.steps} steps, ", end="")
    print(f"{metadata['painted_size']} pixels, {len(data['result']['objects'])} objects; medians of {asked.rounds}\n")
    whole = statistics.median(wholes)
    _table("stage", {"waiting": waits, **stages}, whole)
    _table("network", inside, whole)
    outside = whole - sum(statistics.median(each) for each in inside.values())
    for note in metadata["notes"]:
        print(f"note: {note}")
    print(f"from the request to the stored result {whole:.3f} s, outside of the networks {outside:.3f} s")


def photo() -> Image.Image:
    """A street with a bus and people, as large as a telephone's photos."""
    package = find_spec("ultralytics")  # not imported: it writes to the home folder then
    assert package is not None
    assert package.origin is not None
    return Image.open(Path(package.origin).parent / "assets" / "bus.jpg").resize((3000, 4000), Image.Resampling.BICUBIC)


def _table(title: str, found: dict[str, list[float]], whole: float) -> None:
    print(f"| {title} | s | share |\n| --- | --- | --- |")
    for name, each in found.items():
        seconds = statistics.median(each)
        print(f"| {name} | {seconds:.3f} | {seconds / whole:.1%} |")
    print()


if __name__ == "__main__":
    main()
