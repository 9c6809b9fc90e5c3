"""The engine and its easel: what is kept, what is let go of, and who paints for whom."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tests.restyle.rooms import until
from thetool import gpu
from thetool.config import Settings
from thetool.jobs.context import Cancelled
from thetool.restyle import engine as engine_module
from thetool.restyle.easel import Easel, waits
from thetool.restyle.engine import Engine
from thetool.restyle.painting import Picture
from thetool.restyle.presets import Painting
from thetool.restyle.problems import OutOfDeviceMemory
from thetool.restyle.prompts import Prompt

PIXELS = np.zeros((64, 64, 3), np.uint8)


def picture(seed: int = 1, steps: int = 2) -> Picture:
    return Picture(
        photo=PIXELS,
        depth=PIXELS[..., 0],
        edges=PIXELS[..., 0],
        mask=None,
        prompt=Prompt("a room", "blurry"),
        numbers=Painting(steps, 0.75, 2.0, 0.8, 0.5),
        seed=seed,
        watch=lambda step, steps, preview: None,
    )


def unchecked() -> None:
    """Nobody wants it stopped."""


class Painter:
    """Paints a batch when it is let; tells which it has in hand."""

    def __init__(self) -> None:
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.batches: list[list[int]] = []

    def __call__(self, batch: list[Picture]) -> None:
        self.batches.append([each.seed for each in batch])
        self.begun.set()
        assert self.may_end.wait(10)
        for each in batch:
            each.painted = PIXELS


def test_a_job_that_is_cancelled_does_not_wait_for_what_is_painted_with_its_own() -> None:
    painter = Painter()
    easel = Easel(painter, most=4)
    ended: dict[int, Any] = {}
    cancelled = threading.Event()

    def check() -> None:
        if cancelled.is_set():
            raise Cancelled

    def job(seed: int, check: Callable[[], None]) -> None:
        try:
            ended[seed] = easel.paint([picture(seed)], check)
        except Cancelled as stop:
            ended[seed] = stop

    with easel.preparing():  # both are to be in one batch
        threads = [threading.Thread(target=job, args=asked) for asked in ((1, check), (2, unchecked))]
        for thread in threads:
            thread.start()
        until(lambda: len(easel._waiting) == 2)
    assert painter.begun.wait(10)
    cancelled.set()
    threads[0].join(10)
    assert isinstance(ended[1], Cancelled)
    assert 2 not in ended, "the painter is still at it"
    painter.may_end.set()
    threads[1].join(10)
    assert ended[2] == 0.0
    assert [sorted(batch) for batch in painter.batches] == [[1, 2]]
    assert easel.batches == [2]


def test_a_batch_has_one_key_and_so_many_pictures_at_most() -> None:
    painter = Painter()
    painter.may_end.set()
    easel = Easel(painter, most=2)
    easel.paint([picture(1), picture(2, steps=3), picture(3), picture(4)], unchecked)
    assert painter.batches == [[1, 3], [2], [4]]


def test_what_is_taken_off_the_easel_is_not_painted() -> None:
    painter = Painter()
    easel = Easel(painter, most=1)
    first = threading.Thread(target=easel.paint, args=([picture(1)], unchecked))
    first.start()
    assert painter.begun.wait(10)

    def check() -> None:
        raise Cancelled

    other = picture(2)
    with pytest.raises(Cancelled):
        easel.paint([other], check)
    assert not waits(other)
    painter.may_end.set()
    first.join(10)
    easel.paint([picture(3)], unchecked)
    assert painter.batches == [[1], [3]]


@pytest.fixture
def engine(tiny_models: dict[str, str]) -> Engine:
    return Engine(Settings(GPU_IDLE_UNLOAD_SECONDS=0, **tiny_models))


@pytest.mark.torch
def test_words_that_are_kept_keep_nothing_of_how_they_were_computed(engine: Engine) -> None:
    """Else each of the kept ones holds the text encoder's inner values, on the device."""
    with engine.on_device() as painters:
        assert not engine._embedded(painters, "a room").requires_grad


@pytest.mark.torch
def test_a_device_without_room_for_the_models_is_not_told_as_damaged_files(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch
    from diffusers import ControlNetModel

    def full(*_: Any, **__: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory (made up by the test: this machine has no GPU)")

    monkeypatch.setattr(ControlNetModel, "from_pretrained", full)
    with pytest.raises(OutOfDeviceMemory, match="for the models"), engine.on_device():
        raise AssertionError("there are no models")
    assert not engine.loaded


@pytest.fixture
def _device_found() -> Iterator[None]:
    yield
    gpu.give_back()


@pytest.mark.torch
@pytest.mark.usefixtures("_device_found")
def test_a_lost_device_is_reported_though_its_memory_cannot_be_freed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone() -> None:
        raise RuntimeError("CUDA error: the launch failed (made up by the test: this machine has no GPU)")

    monkeypatch.setattr(engine_module, "_empty_cache", gone)
    with pytest.raises(gpu.DeviceLost), engine.on_device():
        gone()
    assert gpu.is_lost()
    assert not engine.loaded
