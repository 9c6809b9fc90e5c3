"""What tests of models ask of the application."""

from __future__ import annotations

import io
from typing import Any

from werkzeug.test import TestResponse

from tests import house
from tests.house import refused
from thetool.serving.state import EXTENSION, Serving

__all__ = ["House", "refused"]


class House(house.House):
    """One application and its runner."""

    @property
    def serving(self) -> Serving:
        """What the application keeps of models."""
        found: Serving = self.app.extensions[EXTENSION]
        return found

    def close(self) -> None:
        """Stop the runner and the models' threads, and let go of the database."""
        if self.runner is not None:
            self.runner.close()
        self.serving.close()
        super().close()

    def make(self, name: str, version: str = "1.0.0", key: dict[str, str] | None = None, **more: Any) -> str:
        """Make a model; gives its id."""
        answer = self.post("/api/v1/models", {"name": name, "version": version, **more}, key)
        assert answer.status_code == 201, answer.json
        return str(answer.json["id"])

    def upload(self, model_id: str, data: bytes, key: dict[str, str] | None = None) -> TestResponse:
        """Send a file as a form does."""
        form = {"file": (io.BytesIO(data), "model.onnx")}
        return self.post(f"/api/v1/models/{model_id}/upload", key=key, data=form)

    def validate(self, model_id: str, key: dict[str, str] | None = None) -> dict[str, Any]:
        """Validate it; gives the answer."""
        answer = self.post(f"/api/v1/models/{model_id}/validate?wait=60", key=key)
        assert answer.status_code == 200, answer.json
        found: dict[str, Any] = answer.json
        return found

    def add(
        self, name: str, data: bytes, version: str = "1.0.0", key: dict[str, str] | None = None, **more: Any
    ) -> str:
        """Make a model, send its file, validate it; gives its id."""
        model_id = self.make(name, version, key, **more)
        answer = self.upload(model_id, data, key)
        assert answer.status_code == 200, answer.json
        validated = self.validate(model_id, key)
        assert validated["valid"], validated
        return model_id
