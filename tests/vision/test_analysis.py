"""All that is found in one photo: which models, what is skipped, what is told."""

from __future__ import annotations

import shutil
import sys
from dataclasses import replace
from pathlib import Path
from threading import Barrier, Thread, current_thread

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from thetool.config import Settings
from thetool.vision import analysis
from thetool.vision.analysis import TASKS, USUAL, analyze_photo
from thetool.vision.models import Models, models_of
from thetool.vision.photo import Photo, photo_of
from thetool.vision.yolo import Yolo
from thetool.weights.folder import locate
from thetool.weights.problems import PackageMissing, UnknownModel, WeightsDamaged, WeightsMissing


def test_the_usual_tasks_and_the_models_that_they_used(cat: Photo, models: Models) -> None:
    found = analyze_photo(cat, models)
    assert list(found.results) == list(USUAL) == ["info", "labels", "objects", "palette", "quality"]
    assert [model.name for model in found.models] == ["efficientnet-lite0", "nanodet-g"]
    assert found.skipped == []
    assert found.notes == []


def test_only_what_was_asked_for_in_the_usual_order(cat: Photo, models: Models) -> None:
    assert list(analyze_photo(cat, models, ["quality", "info"]).results) == ["info", "quality"]
    assert analyze_photo(cat, models, []).results == {}


def test_text_only_by_name_with_a_note_when_it_was_made_smaller(cat: Photo, models: Models) -> None:
    facts = replace(cat.facts, width=8_000, height=6_000)
    smaller = Photo(cat.pixels, 8_000 / cat.facts.width, facts)
    found = analyze_photo(smaller, models, ["text"])
    assert list(found.results) == ["text"]
    assert [note.task for note in found.notes] == ["text"]
    assert "1/4" in found.notes[0].note


def test_a_task_without_weights_is_skipped_or_a_problem(cat: Photo, tmp_path: Path) -> None:
    models = Models(Settings(WEIGHTS_DIR=tmp_path))
    found = analyze_photo(cat, models)
    assert list(found.results) == ["info", "palette", "quality"]
    assert [(skipped.task, skipped.how) for skipped in found.skipped] == [
        ("labels", "run: thetool weights pull labels"),
        ("objects", "run: thetool weights pull objects"),
    ]
    with pytest.raises(WeightsMissing, match="thetool weights pull objects"):
        analyze_photo(cat, models, ["objects"], by_name=True)


def test_a_model_whose_weights_are_damaged_is_skipped_or_a_problem(
    cat: Photo, weights_dir: Path, tmp_path: Path
) -> None:
    """And used again once they are right: nothing need be started anew."""
    settings = Settings(WEIGHTS_DIR=tmp_path)
    shutil.copytree(weights_dir / "labels", tmp_path / "labels")
    file = locate(settings, "labels")["model.onnx"]
    whole = file.read_bytes()
    file.write_bytes(bytes(len(whole)))
    models = Models(settings)
    found = analyze_photo(cat, models, ["labels", "palette"])
    assert [(skipped.task, skipped.how) for skipped in found.skipped] == [
        ("labels", "run: thetool weights pull labels")
    ]
    with pytest.raises(WeightsDamaged, match=r"model.onnx is damaged"):
        analyze_photo(cat, models, ["labels"], by_name=True)
    file.write_bytes(whole)
    assert analyze_photo(cat, models, ["labels"]).results


def test_a_model_that_the_settings_misspell_says_which_there_are(weights_dir: Path) -> None:
    models = Models(Settings(WEIGHTS_DIR=weights_dir, OBJECT_DETECTION_MODEL="nanodet-x"))
    with pytest.raises(UnknownModel, match="nanodet-g"):
        models.detector()


def test_an_unknown_task_is_refused(cat: Photo, models: Models) -> None:
    with pytest.raises(ValueError, match="no task faces; there are: info"):
        analyze_photo(cat, models, ["info", "faces"])


def test_reading_may_be_stopped_at_each_batch_of_lines(models: Models) -> None:
    image = Image.new("RGB", (900, 900), "white")
    for number in range(14):
        place = (20, 20 + 60 * number)
        ImageDraw.Draw(image).text(place, "Some words to read", "black", font=ImageFont.load_default(30))
    told: list[str] = []

    def stop(stage: str) -> None:
        told.append(stage)
        if len(told) == 3:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        analyze_photo(photo_of(np.asarray(image)), models, ["text"], stage=stop)
    assert told == ["Reading text"] * 3


def test_the_stage_is_told_and_may_stop_the_work(cat: Photo, models: Models) -> None:
    told: list[str] = []
    analyze_photo(cat, models, stage=told.append)
    assert told == ["Looking for objects"]

    def stop(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        analyze_photo(cat, models, stage=stop)


def test_what_fails_beside_the_slow_tasks_is_told(cat: Photo, models: Models, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Photo) -> None:
        assert current_thread().name.startswith("thetool-photo")
        raise ZeroDivisionError

    monkeypatch.setattr(analysis, "find_palette", fail)
    with pytest.raises(ZeroDivisionError):
        analyze_photo(cat, models)


def test_a_model_is_loaded_once_however_many_ask(weights_dir: Path) -> None:
    settings = Settings(WEIGHTS_DIR=weights_dir)
    models = Models(settings)
    found: list[object] = []
    threads = [Thread(target=lambda: found.append(models.classifier())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1


def test_all_threads_of_a_process_get_the_same_models(tmp_path: Path) -> None:
    """Also those that ask first, at once."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for number in range(40):
            settings, found = Settings(WEIGHTS_DIR=tmp_path / str(number)), []
            together = Barrier(8)
            threads = [Thread(target=lambda: (together.wait(), found.append(models_of(settings)))) for _ in range(8)]  # noqa: B023
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert len(set(map(id, found))) == 1
    finally:
        sys.setswitchinterval(before)


def test_tasks_without_a_model_have_nothing_to_load(models: Models) -> None:
    for task in TASKS:
        models.load(task)


def test_yolo_without_its_package_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(PackageMissing, match=r"pip install -r requirements-gpu\.txt"):
        Yolo(tmp_path / "yolo11n.pt")
