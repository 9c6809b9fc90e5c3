"""The models of an installation: each is loaded when it is first needed, once, and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import TypeVar, cast

from thetool.config import Settings
from thetool.vision.labels import Classifier
from thetool.vision.nanodet import NanoDet
from thetool.vision.objects import ObjectModel
from thetool.vision.ocr import TextReader
from thetool.weights.folder import chosen, loading
from thetool.weights.sessions import threads_of_one_call
from thetool.weights.used import ModelUsed, of_weights

ROLES = {"labels": "labels", "objects": "objects", "text": "ocr"}
"""Tasks that need a model, and its role in the catalogue."""

AnyModel = TypeVar("AnyModel")


class Models:
    """The models that find labels, objects and text. Safe to use from several threads.

    Args:
        settings: the weights folder, and which model each role uses.
        threads: cores that one run of a model uses; None leaves that to the number of jobs that run at once.
    """

    def __init__(self, settings: Settings, threads: int | None = None) -> None:
        self._settings = settings
        self._threads = threads or threads_of_one_call(settings)
        self._loaded: dict[str, object] = {}
        self._loading = {role: Lock() for role in ROLES.values()}

    def classifier(self) -> Classifier:
        """What finds labels.

        Raises:
            WeightsUnavailable: its weights are not here or damaged, or the settings name none that there are (503).
        """
        return self._model("labels", Classifier)

    def detector(self) -> ObjectModel:
        """What finds objects.

        Raises:
            WeightsUnavailable: its weights are not here or damaged, or the settings name none that there are (503).
            PackageMissing: it needs packages that are not installed (503).
        """
        return self._model("objects", _detector)

    def reader(self) -> TextReader:
        """What reads text.

        Raises:
            WeightsUnavailable: its weights are not here or damaged, or the settings name none that there are (503).
        """
        return self._model("ocr", TextReader)

    def used(self, task: str) -> ModelUsed:
        """The model that a task uses, as answers state it.

        Raises:
            UnknownModel: the settings name a model that the catalogue does not have.
        """
        return of_weights(chosen(self._settings, ROLES[task]))

    def load(self, task: str) -> None:
        """Load the model of a task now, where it has one, so that the first photo does not wait for it.

        Raises:
            WeightsUnavailable: as above.
            PackageMissing: as above.
        """
        loaders: dict[str, Callable[[], object]] = {
            "labels": self.classifier,
            "objects": self.detector,
            "text": self.reader,
        }
        if task in loaders:
            loaders[task]()

    def _model(self, role: str, make: Callable[[Mapping[str, Path], int], AnyModel]) -> AnyModel:
        with self._loading[role]:
            if role not in self._loaded:
                with loading(self._settings, role) as files:
                    self._loaded[role] = make(files, self._threads)
            return cast(AnyModel, self._loaded[role])


_made: dict[Settings, Models] = {}  # `setdefault` gives all threads the same one; `functools.cache` would not


def models_of(settings: Settings) -> Models:
    """The models of these settings; the same ones for all of a process."""
    return _made.setdefault(settings, Models(settings))


def _detector(files: Mapping[str, Path], threads: int) -> ObjectModel:
    """The model that these files hold: PyTorch's are YOLO's, read by ultralytics where that is installed."""
    checkpoint = next((path for name, path in files.items() if name.endswith(".pt")), None)
    if checkpoint is None:
        return NanoDet(files, threads)
    from thetool.vision.yolo import Yolo

    return Yolo(checkpoint)
