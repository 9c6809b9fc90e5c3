"""A file through a model, without a service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.serving.conftest import house  # noqa: F401  the whole application, with a runner
from thetool.batch.model import Asking
from thetool.batch.opening import open_source
from thetool.batch.run import Told, format_for, predict_file
from thetool.batch.schemas import BatchOptions
from thetool.serving.runtime.sessions import open_session


@dataclass
class Done:
    """What became of a file."""

    told: Told
    columns: list[str]
    format: str
    path: Path
    inputs: dict[str, list[str]]
    heard: list[tuple[int, float]]
    """How many rows were done, and which share of the file, each time that it was told."""


Predict = Callable[..., Done]


@pytest.fixture
def predict(tmp_path: Path) -> Iterator[Predict]:
    """Ask a model for each row of a file: `predict(model, content, name, **options)`."""
    asking: list[Asking] = []

    def run(model: bytes, content: bytes, name: str, *, alone: bool = False, seconds: float = 5, **rest: Any) -> Done:
        features = rest.pop("features", ())
        session = open_session(model, run_bytes=2**28, row_by_row=not alone)
        asking.append(Asking(session, seconds=seconds, on_stuck=lambda: None))
        folder = tmp_path / str(len(asking))
        folder.mkdir()
        path = folder / "rows"
        path.write_bytes(content)
        options = BatchOptions(**rest)
        source = open_source(path, name, session.inputs, options, features=features, unpacked_bytes=2**28)
        kind = format_for(source, options.output_format, len(session.outputs))
        target = folder / f"result.{kind}"
        heard: list[tuple[int, float]] = []
        told, columns = predict_file(
            source,
            asking[-1],
            session.output_names,
            target,
            kind,
            lambda told: heard.append((told.rows, source.fraction)),
        )
        assert not [one.name for one in folder.iterdir() if one.name not in ("rows", target.name, "unpacked.tmp")]
        return Done(told, columns, kind, target, source.inputs, heard)

    yield run
    for one in asking:
        one.close()
