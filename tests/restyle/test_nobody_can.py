"""Where nobody can restyle, that is said before anything is stored, with the command that mends it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analyze.conftest import make_house, settings  # noqa: F401  fixtures
from tests.analyze.house import House, refused
from tests.restyle.rooms import as_file, room, submit
from thetool.config import Settings
from thetool.gpu.watch import DeviceWatch
from thetool.restyle.jobs import KIND, can_restyle
from thetool.weights.problems import WeightsMissing
from thetool.weights.repositories import MANIFEST, Manifest, PulledFile, require_folder


def test_a_submit_is_refused_and_leaves_nothing(make_house: Callable[..., House]) -> None:  # noqa: F811
    house = make_house(device_locks_dir=None)
    assert house.runner is not None
    DeviceWatch(house.settings, house.runner).look()
    assert KIND not in house.runner.kind_names()
    problem = refused(submit(house, as_file(room(200, 150))), 503, "restyle_unavailable")
    assert "thetool weights pull restyle" in problem["how_to"]
    assert house.rows("select count(*) from blobs")[0][0] == 0
    assert house.rows("select count(*) from jobs where kind = %s", KIND)[0][0] == 0
    listed = house.get("/transform/styles").json
    assert (listed["available"], listed["how_to"]) == (False, problem["how_to"])


@pytest.mark.torch
def test_half_pulled_weights_are_none(tiny_models: dict[str, str], tmp_path: Path) -> None:
    """As pulled from the hub, with the manifest that is written last; each way in which a half of it may be missing."""
    folder = tmp_path / "restyle" / "own--depth"
    shutil.copytree(tiny_models["RESTYLE_DEPTH_MODEL"], folder)
    mine = Settings(**{**tiny_models, "RESTYLE_DEPTH_MODEL": "own/depth", "WEIGHTS_DIR": tmp_path})
    assert not can_restyle(mine), "files without the manifest"
    files = tuple(PulledFile(name=file.name, size=file.stat().st_size) for file in folder.iterdir())
    manifest = Manifest(repository="own/depth", revision="main", files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    assert can_restyle(mine)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    assert not can_restyle(mine), "cut off"
    weights.unlink()
    assert not can_restyle(mine), "missing"


@pytest.mark.torch
def test_a_folder_of_ones_own_that_lacks_a_part_is_none(tiny_models: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "base"
    shutil.copytree(tiny_models["RESTYLE_BASE_MODEL"], folder)
    mine = Settings(**{**tiny_models, "RESTYLE_BASE_MODEL": str(folder)})
    assert can_restyle(mine)
    shutil.rmtree(folder / "unet")
    assert not can_restyle(mine)
    with pytest.raises(WeightsMissing, match="has no unet"):
        require_folder(mine, "restyle-base")
