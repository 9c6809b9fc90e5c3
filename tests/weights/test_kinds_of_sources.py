"""Pulls of models with several files, converted files, files from the web; and pulls that may call nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.weights.conftest import CONTENT, Publish, file_entry, source
from tests.weights.conversion.test_tfjs import Toy
from tests.weights.web_server import Server
from thetool.config import Settings
from thetool.weights import fetch
from thetool.weights.conversion.tfjs import convert
from thetool.weights.problems import PullFailed
from thetool.weights.pull import Progress, pull
from thetool.weights.sources import pypi, web

UseCatalogue = Callable[..., None]


@pytest.fixture
def hub(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """What the catalogue calls https://hub.example."""
    really = web.download
    monkeypatch.setattr(
        fetch.web, "download", lambda url, *rest: really(url.replace("https://hub.example", server.url), *rest)
    )
    return server


def from_hub(path: str) -> dict[str, object]:
    return {"kind": "web", "url": f"https://hub.example/{path}"}


def folder_of(settings: Settings) -> Path:
    return settings.weights_folder / "embeddings" / "minilm-int8"


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {".lock"}


def test_a_package_with_several_files_is_downloaded_once(
    settings: Settings, publish: Publish, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("toy_weights", {"model/a": CONTENT, "model/b": CONTENT[:-1]})
    use_catalogue(
        file_entry("a.bin", CONTENT, source("toy-weights", "model/a")),
        file_entry("b.bin", CONTENT[:-1], source("toy-weights", "model/b")),
    )
    downloads: list[str] = []
    really = pypi.download
    monkeypatch.setattr(fetch.pypi, "download", lambda *args: downloads.append(args[0]) or really(*args))
    assert set(pull(settings, "embeddings")) == {"a.bin", "b.bin"}
    assert downloads == ["toy-weights==1.0"]
    assert names_in(folder_of(settings)) == {"a.bin", "b.bin"}


def converted(tmp_path: Path) -> tuple[dict[str, bytes], dict[str, object]]:
    """A toy model's originals, and the catalogue's entry of the file that is made of them."""
    toy = Toy(1, 2)
    toy.node("sum", "Add", "image", toy.weight("bias", np.array([1, 2], "f4")))
    model, weights = toy.write(tmp_path, sum=(1, 2))
    convert(model, weights, tmp_path / "expected.onnx")
    members = {f"models/{path.name}": path.read_bytes() for path in (model, weights)}
    made = file_entry("model.onnx", (tmp_path / "expected.onnx").read_bytes())
    originals = [
        {k: v for k, v in file_entry(name, content, source("toy-weights", name)).items() if k != "conversion"}
        | {"name": Path(name).name}
        for name, content in members.items()
    ]
    return members, {**made, "sources": [], "converter": "tfjs", "originals": originals}


def test_a_converted_file_is_made_of_its_originals(
    settings: Settings, publish: Publish, use_catalogue: UseCatalogue, tmp_path: Path
) -> None:
    members, entry = converted(tmp_path)
    publish("toy_weights", members)
    use_catalogue(entry)
    seen: list[Progress] = []
    files = pull(settings, "embeddings", progress=seen.append)
    assert files["model.onnx"].read_bytes() == (tmp_path / "expected.onnx").read_bytes()
    assert "converting" in {progress.stage for progress in seen}
    assert names_in(folder_of(settings)) == {"model.onnx"}


def test_an_original_of_another_content_is_not_converted(
    settings: Settings, publish: Publish, use_catalogue: UseCatalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members, entry = converted(tmp_path)
    members["models/model.bin"] = bytes(len(members["models/model.bin"]))
    publish("toy_weights", members)
    use_catalogue(entry)
    monkeypatch.setattr("thetool.weights.pull.convert", lambda *_: pytest.fail("was converted"))
    with pytest.raises(PullFailed, match="another file than the catalogue names"):
        pull(settings, "embeddings")
    assert names_in(folder_of(settings)) == set()


def test_a_conversion_that_gives_another_file(
    settings: Settings, publish: Publish, use_catalogue: UseCatalogue, tmp_path: Path
) -> None:
    members, entry = converted(tmp_path)
    publish("toy_weights", members)
    use_catalogue({**entry, "sha256": "0" * 64})
    with pytest.raises(PullFailed, match=r"converter made another file.*requirements-prod\.txt"):
        pull(settings, "embeddings")
    assert names_in(folder_of(settings)) == set()


def test_originals_that_no_converter_can_read(
    settings: Settings, publish: Publish, use_catalogue: UseCatalogue, tmp_path: Path
) -> None:
    content = json.dumps({}).encode()
    _, entry = converted(tmp_path)
    members = {"models/model.json": content, "models/model.bin": b"."}
    publish("toy_weights", members)
    originals = [
        {"name": Path(name).name, "sources": [source("toy-weights", name)]}
        | {key: file_entry(name, content)[key] for key in ("size", "sha256")}
        for name, content in members.items()
    ]
    use_catalogue({**entry, "originals": originals})
    with pytest.raises(PullFailed, match=r"model\.onnx could not be made"):
        pull(settings, "embeddings")


def test_the_web_is_asked_when_the_registry_has_nothing(
    settings: Settings, hub: Server, index: Path, use_catalogue: UseCatalogue
) -> None:
    hub.files["/weights.bin"] = CONTENT
    use_catalogue(file_entry("weights.bin", CONTENT, source("toy-weights"), from_hub("weights.bin")))
    assert pull(settings, "embeddings")["weights.bin"].read_bytes() == CONTENT
    assert names_in(folder_of(settings)) == {"weights.bin"}


def test_the_next_pull_goes_on_where_one_from_the_web_stopped(
    settings: Settings, hub: Server, use_catalogue: UseCatalogue
) -> None:
    hub.files["/weights.bin"] = CONTENT
    hub.hang_up_after = [100_000, 0]
    use_catalogue(file_entry("weights.bin", CONTENT, from_hub("weights.bin")))
    with pytest.raises(PullFailed, match="can reach hub.example|can reach 127.0.0.1"):
        pull(settings, "embeddings")
    assert pull(settings, "embeddings")["weights.bin"].read_bytes() == CONTENT
    assert hub.asked[-1] == "bytes=100000-"
    assert names_in(folder_of(settings)) == {"weights.bin"}


def test_another_content_from_the_web_is_not_gone_on_with(
    settings: Settings, hub: Server, use_catalogue: UseCatalogue
) -> None:
    hub.files["/weights.bin"] = b"W" + CONTENT[1:]
    use_catalogue(file_entry("weights.bin", CONTENT, from_hub("weights.bin")))
    with pytest.raises(PullFailed, match="another file than the catalogue names"):
        pull(settings, "embeddings")
    assert names_in(folder_of(settings)) == set()
    hub.files["/weights.bin"] = CONTENT
    assert pull(settings, "embeddings")
    assert hub.asked == [None, None]


def test_offline_nobody_is_called(
    settings: Settings, hub: Server, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.files["/weights.bin"] = CONTENT
    use_catalogue(file_entry("weights.bin", CONTENT, source("toy-weights"), from_hub("weights.bin")))
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a client was started"))
    with pytest.raises(PullFailed) as caught:
        pull(settings.model_copy(update={"offline": True}), "embeddings")
    assert caught.value.what == "weights.bin: OFFLINE is set, so nobody was asked."
    assert caught.value.how_to.startswith("unset OFFLINE, then run: thetool weights pull embeddings (or copy")
    assert hub.asked == []


def test_offline_what_is_installed_is_still_found(
    settings: Settings, use_catalogue: UseCatalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "installed.bin").write_bytes(CONTENT)
    monkeypatch.setattr(fetch.pypi, "installed", lambda *_: tmp_path / "installed.bin")
    use_catalogue(file_entry("weights.bin", CONTENT, source("toy-weights")))
    offline = settings.model_copy(update={"offline": True})
    assert pull(offline, "embeddings")["weights.bin"].read_bytes() == CONTENT
