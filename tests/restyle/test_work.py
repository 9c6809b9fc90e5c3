"""What happens while a photo is restyled: steps, previews, batches, caches, memory, devices that are lost."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.analyze.house import House
from tests.restyle.rooms import as_file, finished, restyled, room, state, submit, until
from thetool.config import Settings
from thetool.restyle import engine as engine_module
from thetool.restyle import painting as painting_module
from thetool.restyle.engine import Engine, engine_of

pytestmark = pytest.mark.torch
QUICK = {"quality": "fast", "steps": "2", "seed": "7"}


@pytest.fixture
def engine(restyler: House) -> Engine:
    return engine_of(restyler.settings)


def test_progress_goes_forward_only_and_previews_can_be_seen(restyler: House, photo: bytes, slowly: list[int]) -> None:
    job_id = submit(restyler, photo, quality="fast", steps="20", seed="1").json["job_id"]
    seen: list[float] = []

    def preview() -> str | None:
        now = state(restyler, job_id)
        seen.append(now["progress"])
        return now["preview_url"]

    link = until(preview)
    answer = restyler.client.get(link[link.index("/transform/") :])
    assert answer.status_code == 200, answer.json
    assert answer.data[:3] == b"\xff\xd8\xff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert restyler.client.get(f"/transform/preview/{job_id}").status_code == 401
    assert state(restyler, job_id)["status"] == "transforming"
    end = finished(restyler, job_id)
    assert seen == sorted(seen)
    assert end["preview_url"] is None
    assert restyler.rows("select count(*) from restyle_previews where job_id = %s", job_id) == [(0,)]
    said = restyler.rows("select stage, progress from job_events where job_id = %s order by id", job_id)
    assert [progress for _, progress in said] == sorted(progress for _, progress in said)


def test_waiting_jobs_of_one_size_share_a_batch(
    restyler: House, photo: bytes, engine: Engine, slowly: list[int]
) -> None:
    restyled(restyler, photo, **QUICK)
    engine.easel.batches = []
    fields = {"quality": "fast", "steps": "6"}
    jobs = [submit(restyler, photo, seed=str(seed), **fields).json["job_id"] for seed in range(4)]
    for job in jobs:
        finished(restyler, job)
    assert sum(engine.easel.batches) == 4
    assert max(engine.easel.batches) >= 2


def test_one_photo_in_two_styles_has_its_depth_found_once(
    restyler: House, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from thetool.vision.depth import DepthModel

    found: list[int] = []
    find = DepthModel.find
    monkeypatch.setattr(DepthModel, "find", lambda self, *seen: found.append(1) or find(self, *seen))
    content = as_file(room(210, 150))
    for style in ("modern", "boho", "industrial"):
        restyled(restyler, content, style=style, **QUICK)
    assert len(found) == 1


def test_objects_are_cut_out_by_the_mask_model(restyler: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The light detector sees no sofa in our drawing, so that it is told to; the masks are the tiny model's own."""
    import numpy as np

    from thetool.vision.nanodet import NanoDet
    from thetool.vision.objects import Detections

    couch = Detections(np.array([[100, 75, 175, 125]], np.float32), np.array([0.9], np.float32), np.array([57]))
    monkeypatch.setattr(NanoDet, "detect", lambda self, pixels, threshold: couch)
    result = restyled(restyler, as_file(room(200, 150)), keep_furniture="true", **QUICK)["result"]
    (seen,) = result["objects"]
    assert (seen["label"], seen["box"]) == ("couch", [100, 75, 175, 125])
    assert seen["mask_confidence"] is not None
    assert all(99 <= x <= 176 and 74 <= y <= 126 for x, y in seen["outline"])
    assert result["metadata"]["room_type"] == "living_room"
    assert "mask" in result["control_urls"]


def test_a_photograph_is_looked_at_by_the_real_detector_and_its_objects_are_cut_out(restyler: House) -> None:
    """A street, not a room: what comes with ultralytics. The detector's weights are real ones, the masks' are not."""
    (package,) = importlib.util.find_spec("ultralytics").submodule_search_locations
    content = Path(package, "assets", "bus.jpg").read_bytes()
    result = restyled(restyler, content, remove="bus", **QUICK)["result"]
    assert {"bus", "person"} <= {seen["label"] for seen in result["objects"]}
    assert all(0 <= seen["mask_confidence"] <= 1 for seen in result["objects"])
    assert {model["name"] for model in result["metadata"]["models"]} >= {"nanodet-g", "masks"}
    assert "mask" in result["control_urls"]


class TooSmall:
    """A device that has room for so many pixels of pictures at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, pixels: int) -> None:
        self.tried: list[tuple[int, tuple[int, int]]] = []
        paint = painting_module.paint

        def painted(painters: Any, pictures: Any, embed: Any) -> None:
            import torch

            self.tried.append((len(pictures), pictures[0].size))
            if sum(picture.size[0] * picture.size[1] for picture in pictures) > pixels:
                raise torch.OutOfMemoryError("CUDA out of memory (made up by the test: this machine has no GPU)")
            paint(painters, pictures, embed)

        monkeypatch.setattr(engine_module, "paint", painted)


def test_out_of_memory_a_batch_is_halved(restyler: House, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    device = TooSmall(monkeypatch, 600 * 512)
    result = restyled(restyler, photo, variations="4", **QUICK)["result"]
    assert len(result["variations"]) == 4
    assert [number for number, _ in device.tried] == [4, 2, 1, 1, 2, 1, 1]


def test_out_of_memory_a_picture_is_painted_smaller(
    restyler: House, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = TooSmall(monkeypatch, 300 * 400)
    metadata = restyled(restyler, photo, **QUICK)["result"]["metadata"]
    sizes = [size for _, size in device.tried]
    assert sizes[0] == sizes[1], "the same in tiles first"
    assert sizes[-1][0] < sizes[0][0]
    assert "had no room" in metadata["notes"][-1]
    assert metadata["painted_size"] == list(sizes[-1])


def test_out_of_memory_at_the_end_is_a_clear_error(
    restyler: House, photo: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    TooSmall(monkeypatch, 10)
    data = finished(restyler, submit(restyler, photo, **QUICK).json["job_id"], status="failed")
    assert data["error_code"] == "out_of_device_memory"
    assert "quality=fast" in data["error"]


def test_a_device_that_disappears_hands_the_job_on(
    restyler: House, photo: bytes, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    from thetool import gpu

    def gone(painters: Any, pictures: Any, embed: Any) -> None:
        raise RuntimeError("CUDA error: the launch failed (made up by the test: this machine has no GPU)")

    with monkeypatch.context() as patch:
        patch.setattr(engine_module, "paint", gone)
        job_id = submit(restyler, photo, **QUICK).json["job_id"]
        until(lambda: gpu._is_lost)
    assert not engine.loaded
    gpu._is_lost = False
    data = finished(restyler, job_id)
    assert data["attempts"] == 2, "tried again, by whoever has a device then"


def test_models_leave_the_device_when_nothing_is_asked_of_them(
    restyler: House, photo: bytes, tiny_models: dict[str, str]
) -> None:
    settings = Settings(GPU_IDLE_UNLOAD_SECONDS=0.3, **tiny_models)
    engine = Engine(settings)
    with engine.on_device():
        assert engine.loaded
    until(lambda: not engine.loaded, 5)


@pytest.mark.slow
def test_memory_stays_flat(restyler: House, photo: bytes) -> None:
    """Fifty jobs; the first ten fill caches and arenas."""
    process, used = psutil.Process(), []
    for number in range(50):
        restyled(restyler, photo, quality="fast", steps="2", seed=str(number), style="modern")
        if number in (9, 49):
            used.append(process.memory_info().rss)
    assert used[1] - used[0] < 40 * 2**20


@pytest.fixture(params=[True, False], ids=["objects to all", "objects to nothing"])
def checked(
    request: pytest.FixtureRequest, restyler: House, tmp_path: Any, tiny_models: dict[str, str]
) -> Iterator[bool]:
    """The house's engine with a base that has a safety checker."""
    import shutil

    from tests.restyle.tiny_models import add_safety_checker

    shutil.copytree(tiny_models["RESTYLE_BASE_MODEL"], tmp_path / "base")
    add_safety_checker(tmp_path / "base", objects=request.param)
    changed = restyler.settings.model_copy(update={"restyle_base_model": str(tmp_path / "base")})
    kept = engine_module._engines.pop(restyler.settings, None)
    engine_module._engines[restyler.settings] = Engine(changed)
    yield request.param
    engine_module._engines.pop(restyler.settings)
    if kept is not None:
        engine_module._engines[restyler.settings] = kept


def test_an_unsafe_result_is_withheld(restyler: House, photo: bytes, checked: bool) -> None:
    if checked:
        data = finished(restyler, submit(restyler, photo, **QUICK).json["job_id"], status="failed")
        assert (data["error_code"], data["result"]) == ("unsafe_result", None)
    else:
        assert restyled(restyler, photo, **QUICK)["result"]["transformed_url"]


def test_estimates_come_from_what_was_measured(restyler: House, photo: bytes) -> None:
    restyler.rows("delete from restyle_runs")
    first = submit(restyler, photo, **QUICK).json
    assert first["estimated_time"] is None, "nothing is known yet, and nothing made up"
    finished(restyler, first["job_id"])
    restyler.rows("update restyle_runs set seconds = 12.5")
    second = submit(restyler, photo, **QUICK).json
    assert second["estimated_time"] >= 12.5
    finished(restyler, second["job_id"])


def test_a_repeated_request_makes_one_job(restyler: House, photo: bytes) -> None:
    headers = {**restyler.master, "Idempotency-Key": "once"}
    first, again = (submit(restyler, photo, key=headers, **QUICK) for _ in range(2))
    assert first.json["job_id"] == again.json["job_id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    other = submit(restyler, photo, key=headers, quality="fast", steps="3")
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")
    finished(restyler, first.json["job_id"])
