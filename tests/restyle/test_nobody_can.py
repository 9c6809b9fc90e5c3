"""Where nobody can restyle, that is said before anything is stored, with the command that mends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.analyze.conftest import make_house, settings  # noqa: F401  fixtures
from tests.analyze.house import House, refused
from tests.restyle.rooms import as_file, room, submit
from thetool.gpu import DeviceWatch
from thetool.restyle.jobs import KIND, can_restyle


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


def test_half_pulled_weights_are_none(make_house: Callable[..., House], tmp_path: Path) -> None:  # noqa: F811
    half = tmp_path / "base"
    half.mkdir()
    (half / "model_index.json").write_text("{}")
    house = make_house(restyle_base_model=str(half), work=False)
    assert not can_restyle(house.settings)
