"""The real catalogue from the real registries: every default model, byte for byte."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from thetool.config import Settings
from thetool.weights.catalogue import catalogue
from thetool.weights.folder import locate, verify
from thetool.weights.pull import pull
from thetool.weights.sources import npm


def test_the_default_models_are_what_the_catalogue_says(weights_dir: Path) -> None:
    settings = Settings(WEIGHTS_DIR=weights_dir)
    assert {check.state for check in verify(settings)} == {"ok"}
    assert set(locate(settings, "embeddings")) == {"model.onnx", "tokenizer.json"}
    assert set(locate(settings, "labels")) == {"model.onnx", "names.json"}
    assert set(locate(settings, "objects")) == {"model.onnx"}
    assert set(locate(settings, "ocr")) == {"det.onnx", "rec.onnx"}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("role", list(catalogue().roles))
def test_a_fresh_machine_gets_the_same_bytes_again(role: str, tmp_path: Path) -> None:
    """Downloads, and converts where that is part of it."""
    settings = Settings(WEIGHTS_DIR=tmp_path)
    pull(settings, role)
    assert {check.state for check in verify(settings, role)} == {"ok"}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_fresh_machine_without_npm_gets_objects_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm.shutil, "which", lambda _: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert shutil.which("node") is None
    settings = Settings(WEIGHTS_DIR=tmp_path)
    pull(settings, "objects")
    assert {check.state for check in verify(settings, "objects")} == {"ok"}
