"""`thetool analyze` against a service that plays the API's answers, as docs/routes.md has them."""

from __future__ import annotations

import contextlib
import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, jsonify, request

from tests.cli.conftest import Run, served
from thetool.cli import following
from thetool.cli.findings import flat
from thetool.cli.show import plain

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
            "labels": {"items": [{"label": "espresso", "confidence": 0.9512345}], "sure": True},
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
        self.steps: list[dict[str, Any]] = []
        self.app = Flask(__name__)
        self.app.add_url_rule("/analyze", view_func=self.analyze, methods=["POST"])
        self.app.add_url_rule("/api/v1/jobs/<job_id>", view_func=self.show_job)
        self.app.add_url_rule("/api/v1/jobs/<job_id>/cancel", view_func=self.cancel, methods=["POST"])

    def analyze(self) -> Any:
        if request.is_json and "url" in request.json:
            self.sent.append(request.json)
            return jsonify(photo())
        if not request.is_json and request.files["file"].stream.read(2) == b"\xff\xd8":
            self.sent.append({**request.form, "media_type": request.files["file"].mimetype})
            return jsonify(photo())
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


@pytest.fixture
def service(at_service: Callable[[str], None]) -> Iterator[Played]:
    played = Played()
    with served(played.app) as url:
        at_service(url)
        yield played


def test_text(run: Run, service: Played) -> None:
    result = run("analyze", "--text", "I love it", "--tasks", "sentiment, topics")
    assert result.exit_code == 0
    assert (service.sent[0]["text"], service.sent[0]["tasks"]) == ("I love it", ["sentiment", "topics"])
    for shown in ("positive", "0.83", "0.91", "VADER 3.3 (MIT)", "entities: skipped. No model yet.", "from the cache"):
        assert shown in result.stdout
    assert "\x1b[2J" not in result.stdout, "an answer may not steer the terminal"


def test_json(run: Run, service: Played) -> None:
    result = run("analyze", "--text", "fine", "--json")
    assert json.loads(result.stdout) == analysis("fine")
    assert result.stderr == ""


def test_standard_input(run: Run, service: Played) -> None:
    assert run("analyze", "-", input="piped").exit_code == 0
    assert run("analyze", input="piped too").exit_code == 0
    assert [sent["text"] for sent in service.sent] == ["piped", "piped too"]


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder of three files, one of them empty, and one that is left out."""
    folder = tmp_path / "three"
    (folder / "sub").mkdir(parents=True)
    for name, text in (("a.txt", "one"), ("empty.ts", " "), ("sub/ü.txt", "three"), (".hidden", "no")):
        (folder / name).write_text(text)
    return folder


def test_files_and_table(run: Run, service: Played, three: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    result = run("analyze", str(three), "--csv", str(table), "--tasks", "sentiment,topics")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert [sent["filename"] for sent in service.sent] == ["a.txt", "empty.ts", "ü.txt"]
    assert service.sent[0]["tasks"] == "sentiment,topics"
    said = f"{three}/empty.ts: Error: There is nothing to analyse. (empty_input, request r1)\n"
    assert result.stderr == f"{said}3 files: 2 analysed, 1 failed.\n"
    rows = rows_of(table)
    wanted = [
        (f"{three}/a.txt", "completed", "", "positive", "3"),
        (f"{three}/empty.ts", "failed", "There is nothing to analyse. (empty_input, request r1)", "", ""),
        (f"{three}/sub/ü.txt", "completed", "", "positive", "5"),
    ]
    columns = ("input", "status", "problem", "sentiment.label", "statistics.characters")
    assert [tuple(row[column] for column in columns) for row in rows] == wanted
    assert rows[0]["skipped"] == "entities: No model yet."
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "three"]


def test_no_media_type_is_made_up(run: Run, service: Played, three: Path) -> None:
    run("analyze", str(three / "a.txt"))
    assert service.sent[0]["media_type"] == ""


def test_the_encoding_can_be_named(run: Run, service: Played, three: Path) -> None:
    assert run("analyze", str(three / "a.txt"), "--encoding", "windows-1252").exit_code == 0
    assert service.sent[0]["charset"] == "cp1252"
    assert run("analyze", str(three / "a.txt"), "--encoding", "no such").exit_code == 2
    refused = run("analyze", "-", input="undecodable")
    assert "--encoding windows-1252" in refused.stderr
    assert refused.exit_code == 1


def test_rows_are_there_as_they_come(run: Run, service: Played, three: Path, tmp_path: Path) -> None:
    """While the third is analysed, the rows of the first two are on the disk."""
    table = tmp_path / "out.csv"
    service.seen_by_the_third = lambda: [row["input"] for row in rows_of(table)]
    run("analyze", str(three), "--csv", str(table))
    assert service.seen == [f"{three}/a.txt", f"{three}/empty.ts"]


def test_a_table_is_not_written_over_unless_told(run: Run, service: Played, three: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    table.write_text("mine")
    result = run("analyze", str(three / "a.txt"), "--csv", str(table))
    assert result.exit_code == 1
    assert result.stderr == f"Error: {table} is there already. To write over it: --force\n"
    assert (table.read_text(), service.sent) == ("mine", [])
    assert run("analyze", str(three / "a.txt"), "--csv", str(table), "--force").exit_code == 0
    assert [row["input"] for row in rows_of(table)] == [f"{three}/a.txt"]


def test_a_name_that_is_a_formula_is_none_in_the_table(run: Run, service: Played, tmp_path: Path) -> None:
    with contextlib.chdir(tmp_path):
        Path("=1+1.txt").write_text("fine")
        assert run("analyze", "=1+1.txt", "--csv", "out.csv").exit_code == 0
    assert rows_of(tmp_path / "out.csv")[0]["input"] == "'=1+1.txt"


def test_several_in_json_are_a_line_each(run: Run, service: Played, three: Path) -> None:
    result = run("analyze", str(three), "--json")
    assert [json.loads(line)["status"] for line in result.stdout.splitlines()] == ["completed", "completed"]
    assert result.exit_code == 1


def test_numbers_are_written_out() -> None:
    wanted = {
        12345.678: "12346",
        1e21: "1" + 21 * "0",
        0.00001234: "0.00001234",
        0.5: "0.5",
        -0.0423: "-0.0423",
        3.0: "3",
    }
    assert {value: plain(value) for value in wanted} == wanted


def test_what_is_found_stands_below_its_name(run: Run, service: Played) -> None:
    lines = run("analyze", "--text", "I love it").stdout.splitlines()
    assert lines[:3] == ["sentiment", "  compound  0.83", "  label     positive"]
    assert not [line for line in lines if line != line.rstrip()]
    assert max(map(len, lines)) < 100


def test_a_cell_is_never_a_formula() -> None:
    row = flat({"id": "-1", "result": {"language": {"name": "=HYPERLINK(1)", "score": -0.5}, "tags": ["a"]}})
    assert row == {"id": "'-1", "language.name": "'=HYPERLINK(1)", "language.score": -0.5, "tags": '["a"]'}


def test_a_row_has_the_notes_and_no_time_of_an_earlier_run() -> None:
    notes = [{"task": "topics", "note": "A sample was read."}, {"task": "sentiment", "note": "No prose."}]
    fresh = {"id": "1", "cached": False, "elapsed_ms": 1.5, "notes": notes}
    assert flat(fresh)["notes"] == "topics: A sample was read.; sentiment: No prose."
    assert flat(fresh)["elapsed_ms"] == 1.5
    assert "elapsed_ms" not in flat({**fresh, "cached": True})
    assert "notes" not in flat({**fresh, "notes": []})


@pytest.fixture
def jpeg(tmp_path: Path) -> Path:
    file = tmp_path / "cup.jpg"
    file.write_bytes(b"\xff\xd8\xff\xe0 and so on")
    return file


def test_a_photo_is_tables(run: Run, service: Played, jpeg: Path) -> None:
    result = run("analyze", str(jpeg), "--annotate", "--location", "--encoding", "cp1252", "--tasks", "info,objects")
    assert result.exit_code == 0
    wanted = {"tasks": "info,objects", "annotate": "true", "location": "true", "media_type": ""}
    assert service.sent == [wanted], "the encoding is for texts"
    lines = result.stdout.splitlines()
    assert lines[lines.index("labels") + 1 : lines.index("objects")] == [
        "  sure  yes",
        "  confidence  label",
        "  0.9512      espresso",
        "",
    ]
    assert "  sharpness  0.72   sharp" in lines
    assert "  312.4, 101.9, 640, 455.2  0.61        cup" in lines
    (thumbnail,) = (line for line in lines if line.startswith("thumbnail"))
    assert thumbnail.endswith("/files/1?expires=2&signature=3")
    assert "http://127.0.0.1:" in thumbnail


def test_photos_are_rows(run: Run, service: Played, jpeg: Path, tmp_path: Path) -> None:
    table = tmp_path / "out.csv"
    result = run("analyze", str(jpeg), str(jpeg), "--csv", str(table))
    assert result.stderr == "2 files: 2 analysed, 0 failed.\n"
    first, _ = rows_of(table)
    assert (first["kind"], first["info.width"], first["quality.noise.word"]) == ("image", "1280", "clean")
    assert json.loads(first["objects.items"])[0]["label"] == "cup"
    assert first["thumbnail"].startswith("http://127.0.0.1:")


def test_an_address_is_sent_as_one(run: Run, service: Played) -> None:
    assert run("analyze", "https://example.com/cup.jpg", "--exhaustive").exit_code == 0
    assert service.sent == [{"url": "https://example.com/cup.jpg", "exhaustive": True}]


def test_long_text_runs_as_a_job(run: Run, service: Played) -> None:
    service.steps = [{"progress": 0.5}, {"status": "completed", "result": analysis("long")}]
    result = run("analyze", "--text", "long", "--json")
    assert json.loads(result.stdout)["result"]["sentiment"]["label"] == "positive"


def test_failed_job(run: Run, service: Played) -> None:
    service.steps = [{"status": "failed", "error": {"code": "timeout", "message": "It took too long"}}]
    result = run("analyze", "--text", "long")
    assert result.exit_code == 1
    assert result.stderr == f"Error: The job {JOB} failed: It took too long (timeout)\n"


def test_no_longer_than_asked(run: Run, service: Played) -> None:
    result = run("analyze", "--text", "long", "--wait", "0")
    assert result.exit_code == 0
    assert result.stdout == f"Not finished yet; see: thetool jobs show {JOB}\n"
    assert service.sent[0]["prefer"] == "wait=0"


@pytest.mark.parametrize(("answer", "status"), [("y\n", "cancelled"), ("n\n", "running")])
def test_interrupted(run: Run, service: Played, monkeypatch: pytest.MonkeyPatch, answer: str, status: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(following.Service, "get", interrupt)
    monkeypatch.setattr(following, "_can_be_asked", lambda: True)
    result = run("analyze", "--text", "long", input=answer)
    assert result.exit_code == 130
    assert service.job["status"] == status
    assert "Cancel the job" in result.stderr


def test_interrupted_where_nobody_can_be_asked(service: Played) -> None:
    command = [sys.executable, "-m", "thetool.cli", "analyze", "--text", "long"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while not service.asked:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said.decode() == f"The job goes on; see: thetool jobs show {JOB}\n"
    assert service.job["status"] == "running"


def test_usage(run: Run, service: Played, tmp_path: Path) -> None:
    assert run("analyze", str(tmp_path / "missing.txt")).exit_code == 2
    assert run("analyze", str(tmp_path)).exit_code == 2, "a folder without files"
    assert run("analyze", "-", "--text", "both").exit_code == 2
    assert run("analyze", "--text", "x", "--csv", str(tmp_path / "no" / "folder.csv")).exit_code == 1
    assert service.sent == []
