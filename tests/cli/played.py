"""A service that plays the API's answers, as docs/routes.md has them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, jsonify, request

JOB = "01900000-0000-7000-8000-00000000000a"


def analysis(text: str) -> dict[str, Any]:
    return {
        "id": "01900000-0000-7000-8000-000000000001",
        "kind": "text",
        "status": "completed",
        "result": {
            "sentiment": {"label": "positive", "compound": 0.83},
            "topics": [{"label": "=1+1", "score": 0.91}, {"label": "\x1b[2Jwiped", "score": 0.1}],
            "statistics": {"characters": len(text)},
        },
        "models": [{"name": "VADER", "version": "3.3", "licence": "MIT"}],
        "skipped": [{"task": "entities", "reason": "No model yet.", "how": None}],
        "cached": True,
        "elapsed_ms": 1.5,
    }


def photo() -> dict[str, Any]:
    cup = {"label": "cup", "confidence": 0.61, "box": [312.4, 101.9, 640.0, 455.2]}
    return {
        **analysis(""),
        "kind": "image",
        "result": {
            "info": {"format": "JPEG", "width": 1280, "exif": {"Model": "X100"}},
            "labels": {"items": [{"id": 967, "label": "espresso", "confidence": 0.9512345}], "sure": True},
            "objects": {"items": [cup]},
            "palette": {"colours": [{"hex": "#8c5a2b", "share": 0.41, "name": "dark orange"}]},
            "quality": {"sharpness": {"value": 0.72, "word": "sharp"}, "noise": {"value": 1.5, "word": "clean"}},
        },
        "thumbnail": "/files/1?expires=2&signature=3",
        "annotated": None,
    }


class Played:
    """The service, and what it was sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.asked = 0
        self.seen_by_the_third: Callable[[], list[str]] = list
        self.seen: list[str] = []
        self.job = {"id": JOB, "kind": "analyze.text", "status": "running", "progress": 0.4, "stage": "reading"}
        self.refusals: list[tuple[int, dict[str, str]]] = []
        self.keys: list[str] = []
        self.steps: list[dict[str, Any]] = []
        self.app = Flask(__name__)
        self.app.add_url_rule("/analyze", view_func=self.analyze, methods=["POST"])
        self.app.add_url_rule("/files/1", view_func=lambda: b"a picture")
        self.app.add_url_rule("/api/v1/jobs/<job_id>", view_func=self.show_job)
        self.app.add_url_rule("/api/v1/jobs/<job_id>/cancel", view_func=self.cancel, methods=["POST"])

    def analyze(self) -> Any:
        self.keys.append(request.headers["Idempotency-Key"])
        if self.refusals:
            status, headers = self.refusals.pop(0)
            problem = {"title": "Too many requests" if status == 429 else "Invalid key", "status": status}
            return Response(json.dumps(problem), status, headers, mimetype="application/problem+json")
        if request.is_json and "url" in request.json:
            self.sent.append(request.json)
            return jsonify(photo())
        if not request.is_json and request.files["file"].stream.read(2) == b"\xff\xd8":
            self.sent.append({**request.form, "media_type": request.files["file"].mimetype})
            return jsonify({**photo(), "annotated": "/files/1?expires=2" if "annotate" in request.form else None})
        if not request.is_json:
            request.files["file"].stream.seek(0)
        text = request.json["text"] if request.is_json else request.files["file"].read().decode()
        self.sent.append(
            {
                "text": text,
                "tasks": request.json.get("tasks") if request.is_json else request.form.get("tasks"),
                "prefer": request.headers["Prefer"],
                "idempotent": request.headers["Idempotency-Key"],
                "filename": None if request.is_json else request.files["file"].filename,
                "charset": None if request.is_json else request.files["file"].mimetype_params.get("charset"),
                "media_type": None if request.is_json else request.files["file"].mimetype,
            }
        )
        if len(self.sent) == 3:
            self.seen = self.seen_by_the_third()
        if "undecodable" in text:
            refused = {"title": "It cannot be decoded", "code": "undecodable_text", "status": 422}
            return Response(json.dumps(refused), 422, mimetype="application/problem+json")
        if not text.strip():
            problem = {"title": "There is nothing to analyse", "code": "empty_input", "request_id": "r1", "status": 422}
            return Response(json.dumps(problem), 422, mimetype="application/problem+json")
        if "long" in text:
            return jsonify(self.job), 202, {"Location": f"/api/v1/jobs/{JOB}"}
        return jsonify(analysis(text))

    def show_job(self, job_id: str) -> Any:
        self.asked += 1
        if self.steps:
            self.job = {**self.job, **self.steps.pop(0)}
        return jsonify(self.job)

    def cancel(self, job_id: str) -> Any:
        self.job = {**self.job, "status": "cancelled"}
        return jsonify(self.job)
