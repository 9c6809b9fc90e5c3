from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.weights.conftest import CONTENT
from thetool.config import Settings
from thetool.weights import folder
from thetool.weights.folder import loading, locate, status, verify
from thetool.weights.problems import WeightsDamaged, WeightsMissing, WeightsUnavailable

pytestmark = pytest.mark.usefixtures("toy")


@pytest.fixture
def file(settings: Settings) -> Path:
    path = settings.weights_folder / "embeddings" / "minilm-int8" / "weights.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("called out")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr("subprocess.Popen", refuse)


@pytest.mark.usefixtures("no_network")
def test_what_is_here_is_found_without_calling_out(settings: Settings, file: Path) -> None:
    assert locate(settings, "embeddings") == {"weights.bin": file}
    assert locate(settings, "embeddings", "minilm-int8") == {"weights.bin": file}
    assert [check.state for check in verify(settings)] == ["ok"]
    assert [(role.present, role.how_to) for role in status(settings)] == [(True, None)]


@pytest.mark.usefixtures("no_network")
def test_what_is_missing_says_how_to_get_it(settings: Settings) -> None:
    with pytest.raises(WeightsMissing) as caught:
        locate(settings, "embeddings")
    assert isinstance(caught.value, WeightsUnavailable)
    assert (caught.value.status, caught.value.code) == (503, "weights_missing")
    assert (caught.value.role, caught.value.how_to) == ("embeddings", "run: thetool weights pull embeddings")
    assert [check.state for check in verify(settings)] == ["missing"]
    assert [(role.present, role.how_to) for role in status(settings)] == [(False, caught.value.how_to)]


def test_another_size_is_noticed_at_once(settings: Settings, file: Path) -> None:
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsMissing, match="wrong in size"):
        locate(settings, "embeddings")
    assert [check.state for check in verify(settings)] == ["wrong_size"]


def test_another_content_of_the_same_size_is_noticed_by_verify(settings: Settings, file: Path) -> None:
    file.write_bytes(b"W" + CONTENT[1:])
    assert locate(settings, "embeddings")
    assert [check.state for check in verify(settings)] == ["damaged"]


def load(settings: Settings) -> bytes:
    with loading(settings, "embeddings") as files:
        content = files["weights.bin"].read_bytes()
        if content != CONTENT:
            raise ZeroDivisionError
        return content


def test_what_cannot_be_loaded_because_it_is_damaged(settings: Settings, file: Path) -> None:
    assert load(settings) == CONTENT
    file.write_bytes(b"x" * len(CONTENT))
    with pytest.raises(WeightsDamaged, match="weights.bin is damaged") as caught:
        load(settings)
    assert (caught.value.status, caught.value.code) == (503, "weights_damaged")
    assert caught.value.how_to == "run: thetool weights pull embeddings"


@pytest.mark.usefixtures("file")
def test_what_cannot_be_loaded_for_another_reason(settings: Settings) -> None:
    with pytest.raises(ZeroDivisionError), loading(settings, "embeddings"):
        raise ZeroDivisionError


def test_what_runs_when_it_is_loaded_is_looked_at_before(
    settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "RUNS_WHAT_IT_READS", ".bin")
    assert load(settings) == CONTENT
    file.write_bytes(b"x" * len(CONTENT))
    opened = []
    with pytest.raises(WeightsDamaged), loading(settings, "embeddings"):
        opened.append(1)
    assert not opened


def test_a_folder_in_the_place_of_the_file_is_not_the_file(settings: Settings, file: Path) -> None:
    file.unlink()
    file.mkdir()
    with pytest.raises(WeightsMissing, match="missing"):
        locate(settings, "embeddings")


def test_a_file_in_the_place_of_a_folder(settings: Settings) -> None:
    settings.weights_folder.parent.mkdir(parents=True)
    settings.weights_folder.write_text("")
    with pytest.raises(WeightsMissing):
        locate(settings, "embeddings")
