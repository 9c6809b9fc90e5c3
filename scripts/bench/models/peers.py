"""The model servers that are compared: how each is installed, started, and asked."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from load import run
from service import free_port

from models import asking
from models.asking import Body

HERE = Path(__file__).parent
RUNTIME = "onnxruntime==1.31.1"
START_SECONDS = 90


@dataclass(frozen=True)
class Peer:
    """One server, and its requests for each of the two models."""

    name: str
    script: str
    packages: tuple[str, ...]
    small: tuple[str, Callable[[], list[Body]]]
    image: tuple[str, Callable[[], Body]]

    def python(self, folder: Path) -> Path:
        """The interpreter of its virtual environment, which is made when it is not there."""
        python = folder / self.script.removesuffix("_peer.py") / "bin/python"
        if not python.exists():
            print(f"installing {self.name} …", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
            pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *self.packages, RUNTIME]
            subprocess.run(pip, check=True, stdout=sys.stderr)
        return python

    @contextmanager
    def serving(self, model: Path, folder: Path) -> Iterator[tuple[int, Callable[[], bytes]]]:
        """It serves the model; gives its port and its next request."""
        port = free_port()
        process = subprocess.Popen(
            [str(self.python(folder)), str(HERE / self.script), str(model), str(port)],
            cwd=HERE,
            env={"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        path, bodies = (
            (self.small[0], self.small[1]()) if model.stem == "tabular" else (self.image[0], [self.image[1]()])
        )
        following = asking.requests(path, bodies, {})
        try:
            self._wait(process, port, following)
            yield port, following
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _wait(self, process: subprocess.Popen[bytes], port: int, following: Callable[[], bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        statuses: object = "no answer"
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError):
                load = run(port, following, clients=1, seconds=0.05)
                statuses = dict(load.statuses)
                if set(load.statuses) == {200}:
                    run(port, following, clients=16, seconds=1)
                    return
            time.sleep(0.3)
        raise RuntimeError(f"{self.name} did not serve {following()[:60]!r}: {statuses}")


def known_peers() -> list[Peer]:
    """All of them."""
    return [
        Peer(
            "LitServe 0.2.19",
            "litserve_peer.py",
            ("litserve==0.2.19", "python-multipart==0.0.32"),
            ("/predict", lambda: asking.as_json(lambda row: {"input": row})),
            ("/predict", asking.form_image),
        ),
        Peer(
            "MLServer 1.7.1",
            "mlserver_peer.py",
            ("mlserver==1.7.1", "uvloop==0.21.0"),
            ("/v2/models/tabular/infer", asking.kserve_json),
            ("/v2/models/mobilenet/infer", asking.kserve_base64_image),
        ),
        Peer(
            "BentoML 1.4.40",
            "bentoml_peer.py",
            ("bentoml==1.4.40",),
            ("/predict", lambda: asking.as_json(lambda row: {"x": row})),
            ("/image", asking.form_image),
        ),
    ]
