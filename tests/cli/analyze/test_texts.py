"""`thetool analyze` of texts: from the command line, standard input and files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.played import Played, analysis
from thetool.cli.findings import print_analysis
from thetool.cli.show import plain


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


def test_no_media_type_is_made_up(run: Run, service: Played, three: Path) -> None:
    run("analyze", str(three / "a.txt"))
    assert service.sent[0]["media_type"] == ""


def test_several_in_json_are_a_line_each(run: Run, service: Played, three: Path) -> None:
    result = run("analyze", str(three), "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    wanted = [("a.txt", "completed"), ("empty.ts", "failed"), ("sub/ü.txt", "completed")]
    assert [(line["input"], line["status"]) for line in lines] == [(f"{three}/{name}", how) for name, how in wanted]
    assert lines[1]["problem"]["code"] == "empty_input"
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


def test_nothing_is_said_twice(capsys: pytest.CaptureFixture[str]) -> None:
    word = {"text": "Total", "confidence": 0.9, "box": [1.0, 2.0, 3.0, 4.0]}
    language = {"code": "en", "reliable": True, "unsure": False}
    text = {"text": "Total", "lines": [{**word, "words": [word] * 9}]}
    print_analysis(None, {"result": {"language": language, "text": text}})
    printed = capsys.readouterr().out
    assert "unsure  no" in printed
    assert "reliable" not in printed
    assert "words" not in printed
    assert max(map(len, printed.splitlines())) < 60


def test_usage(run: Run, service: Played, tmp_path: Path) -> None:
    assert run("analyze", str(tmp_path / "missing.txt")).exit_code == 2
    assert run("analyze", str(tmp_path)).exit_code == 2, "a folder without files"
    assert run("analyze", "-", "--text", "both").exit_code == 2
    assert run("analyze", "--text", "x", "--csv", str(tmp_path / "no" / "folder.csv")).exit_code == 1
    assert service.sent == []
