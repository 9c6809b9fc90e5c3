"""Models that are folders of a hub: a hub of our own serves them, with the hub's own protocol."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.weights.web_server import Server
from thetool.config import Settings
from thetool.weights.problems import PullFailed, WeightsMissing
from thetool.weights.pull import Progress
from thetool.weights.pull_repository import check_group, pull_part
from thetool.weights.repositories import is_here, part_named, place_of, require_folder, what_is_wrong
from thetool.weights.sources.hub import needed
from thetool.weights.together import pull_group

PART = part_named("restyle-depth-control")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {
    "config.json": b'{"a": 1}',
    "diffusion_pytorch_model.safetensors": b"large " * 40_000,
    "diffusion_pytorch_model.fp16.safetensors": b"half " * 40_000,
    "diffusion_pytorch_model.bin": b"a pickle",
    "README.md": b"read me",
}
WANTED = {"config.json", "diffusion_pytorch_model.fp16.safetensors"}


@pytest.fixture
def hub() -> Iterator[Server]:
    server = Server()
    publish(server, "own/control", FILES)
    yield server
    server.close()


def publish(server: Server, repository: str, files: dict[str, bytes]) -> None:
    siblings = []
    for name, content in files.items():
        told: dict[str, object] = {"rfilename": name, "size": len(content)}
        if name.endswith((".safetensors", ".bin")):
            told["lfs"] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        else:
            told["blobId"] = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        siblings.append(told)
        server.files[f"/{repository}/resolve/{COMMIT}/{name}"] = content
    for revision in ("main", COMMIT):
        address = f"/api/models/{repository}/revision/{revision}?blobs=true"
        server.files[address] = json.dumps({"sha": COMMIT, "siblings": siblings}).encode()


@pytest.fixture
def settings(hub: Server, tmp_path: Path) -> Settings:
    return Settings(WEIGHTS_DIR=tmp_path / "weights", HF_ENDPOINT=hub.url, RESTYLE_DEPTH_CONTROL_MODEL="own/control")


def quiet(_: Progress) -> None:
    """Nobody watches."""


def test_a_pull_takes_what_is_needed_checks_it_and_pins_the_commit(settings: Settings, hub: Server) -> None:
    said: list[Progress] = []
    folder = pull_part(settings, PART, said.append)
    assert folder is not None
    assert {path.name for path in folder.iterdir()} == {*WANTED, ".pulled.json", ".lock"}
    place = require_folder(settings, PART.name)
    assert place.used().version == COMMIT
    assert (said[-1].stage, said[-1].done) == ("done", said[-1].total)
    assert {state for *_, state in check_group(settings, "restyle")} == {"ok"}
    asked = len(hub.paths)
    pull_part(settings, PART, quiet)
    assert len(hub.paths) == asked, "what is here is asked of nobody"


def test_a_download_that_is_cut_off_leaves_no_model_and_goes_on_later(settings: Settings, hub: Server) -> None:
    hub.hang_up_after = [10**9, 10**9, 1000, 0, 0, 0, 0, 0]
    with pytest.raises(PullFailed):
        pull_part(settings, PART, quiet)
    place = place_of(settings, PART)
    assert place is not None
    assert what_is_wrong(place) == "only a part of it was pulled"
    with pytest.raises(WeightsMissing, match="thetool weights pull restyle"):
        require_folder(settings, PART.name)
    hub.hang_up_after, hub.asked = [], []
    pull_part(settings, PART, quiet)
    assert "bytes=1000-" in hub.asked
    assert what_is_wrong(place) is None


def test_a_file_with_another_content_is_not_kept(settings: Settings, hub: Server) -> None:
    hub.files[f"/own/control/resolve/{COMMIT}/config.json"] = b'{"a": 2}'
    with pytest.raises(PullFailed, match=r"config.json .* damaged"):
        pull_part(settings, PART, quiet)
    place = place_of(settings, PART)
    assert place is not None
    assert not (place.folder / "config.json").exists()


def test_what_changes_later_is_found_by_size_and_by_verify(settings: Settings) -> None:
    folder = pull_part(settings, PART, quiet)
    assert folder is not None
    (folder / "config.json").write_bytes(b'{"a": 3}')
    assert ("restyle-depth-control", "own/control", "config.json", "damaged") in check_group(settings, "restyle")
    (folder / "config.json").write_bytes(b"{}")
    with pytest.raises(WeightsMissing, match="wrong in size"):
        require_folder(settings, PART.name)


@pytest.mark.parametrize("name", ["../evil.json", "/etc/evil.json", "a/../../evil.json"])
def test_names_that_lead_out_of_the_folder_are_refused(settings: Settings, hub: Server, name: str) -> None:
    publish(hub, "own/control", {**FILES, name: b"{}"})
    with pytest.raises(PullFailed, match="not understood"):
        pull_part(settings, PART, quiet)


def test_only_pickles_are_no_model(settings: Settings, hub: Server) -> None:
    publish(hub, "own/control", {"config.json": b"{}", "model.bin": b"a pickle"})
    with pytest.raises(PullFailed, match="pickles are not read"):
        pull_part(settings, PART, quiet)


def test_of_a_repository_of_checkpoints_only_the_named_ones_are_pulled(settings: Settings, hub: Server) -> None:
    part = part_named("restyle-edges")
    mine = settings.model_copy(update={"restyle_edge_model": "own/annotators"})
    publish(hub, "own/annotators", {**dict.fromkeys(part.files, b"a checkpoint"), "sam.pth": b"large", "a.json": b"{}"})
    folder = pull_part(mine, part, quiet)
    assert folder is not None
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == set(part.files)
    assert require_folder(mine, part.name).folder == folder
    publish(hub, "own/half", {part.files[0]: b"a checkpoint"})
    with pytest.raises(PullFailed, match=f"has no {part.files[1]}"):
        pull_part(settings.model_copy(update={"restyle_edge_model": "own/half"}), part, quiet)


def test_of_a_pipeline_only_its_parts_are_needed() -> None:
    from thetool.weights.repositories import PulledFile

    names = [
        "model_index.json",
        "v1-5-pruned.safetensors",
        "unet/diffusion_pytorch_model.safetensors",
        "unet/diffusion_pytorch_model.non_ema.safetensors",
        "vae/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
        "tokenizer/merges.txt",
        "unet/diffusion_pytorch_model.bin",
    ]
    chosen = {file.name for file in needed([PulledFile(name=name, size=1, git_sha1="0") for name in names])}
    assert chosen == {names[0], names[2], names[4], names[6]}


def test_an_unknown_model_and_a_hub_that_is_away_say_what_to_do(settings: Settings, tmp_path: Path) -> None:
    unknown = settings.model_copy(update={"restyle_depth_control_model": "own/other"})
    with pytest.raises(PullFailed, match="answered 404"):
        pull_part(unknown, PART, quiet)
    away = settings.model_copy(update={"hub_address": "http://127.0.0.1:9"})
    with pytest.raises(PullFailed, match=r"could not be asked .* thetool weights pull restyle"):
        pull_part(away, PART, quiet)
    offline = settings.model_copy(update={"offline": True})
    with pytest.raises(PullFailed, match="OFFLINE"):
        pull_part(offline, PART, quiet)


def test_a_folder_of_ones_own_is_used_as_it_is(settings: Settings, tmp_path: Path) -> None:
    own = tmp_path / "own"
    named = settings.model_copy(update={"restyle_depth_control_model": str(own)})
    with pytest.raises(PullFailed, match="there is no folder"):
        pull_part(named, PART, quiet)
    own.mkdir()
    (own / "config.json").write_text("{}")
    with pytest.raises(PullFailed, match="no safetensors"):
        pull_part(named, PART, quiet)
    (own / "model.safetensors").write_text("x")
    assert pull_part(named, PART, quiet) == own
    assert require_folder(named, PART.name).used().version == "a local folder"


def test_a_group_is_here_when_all_but_its_optional_parts_are(settings: Settings, hub: Server) -> None:
    publish(hub, "own/base", {"model_index.json": b"{}", "unet/model.safetensors": b"x"})
    names = ("depth_control", "edge_control", "depth")
    ours = {f"restyle_{name}_model": "own/control" for name in names} | {"restyle_base_model": "own/base"}
    mine = settings.model_copy(update={**ours, "restyle_mask_model": None})
    assert not is_here(mine, "restyle")
    outcomes = pull_group(mine, "restyle", quiet)
    assert not [outcome for outcome in outcomes.values() if isinstance(outcome, Exception)]
    assert outcomes["restyle-masks"] == outcomes["restyle-few-steps"] == {}
    assert is_here(mine, "restyle")
