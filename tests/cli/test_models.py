"""`thetool models` against the real routes, with a runner that validates."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from tests.cli.conftest import Run, served
from tests.conftest import MASTER_KEY, migrated_database
from tests.serving.graphs import FLOAT, STRING, data, doubling, node
from tests.serving.house import House
from thetool.cli import sending as sending_module
from thetool.cli.sending import sending
from thetool.cli.service import Service
from thetool.config import Settings


@pytest.fixture(scope="module")
def address(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_database(postgres_url) as url:
        home = tmp_path_factory.mktemp("home")
        settings = Settings(
            DATABASE_URL=url,
            THETOOL_HOME=home,
            MASTER_API_KEY=MASTER_KEY,
            RATE_LIMIT_ENABLED=False,
            LOG_LEVEL="WARNING",
        )
        house = House(settings)
        try:
            with served(house.app) as address:
                yield address
        finally:
            house.close()


@pytest.fixture(autouse=True)
def service(address: str, at_service: Callable[[str], None]) -> None:
    at_service(address)


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str, bytes], str]:
    def write(name: str, content: bytes) -> str:
        (tmp_path / name).write_bytes(content)
        return str(tmp_path / name)

    return write


File = Callable[[str, bytes], str]


def test_a_model_is_sent_listed_shown_and_asked(run: Run, file: File) -> None:
    pushed = run("models", "push", file("double.onnx", doubling()), "--tag", "sums")
    assert pushed.exit_code == 0, pushed.output
    assert "float32  [batch, 3]" in pushed.stdout
    listed = run("models", "list", "--tag", "sums").stdout
    for told in ("double", "1.0.0", "ready", "x float32 [batch, 3]", "y float32 [batch, 3]"):
        assert told in listed
    assert "No models" in run("models", "list", "--name", "other").stdout
    asked = run("models", "predict", "double", "-", input='{"x": [[1, 2, 3]]}')
    assert asked.stdout.split() == ["y[0]", "y[1]", "y[2]", "2", "4", "6"]
    assert asked.stderr.startswith("double 1.0.0: ")
    rows = run("models", "predict", "double:1.0.0", file("rows.json", b"[[1, 2, 3], [4, 5, 6]]"), "--json")
    assert json.loads(rows.stdout)["predictions"] == [[2, 4, 6], [8, 10, 12]]
    given = run("models", "predict", "double:latest", "--input", "x=[[0.5, 0, 0]]", "--skip-cache", "--json")
    assert json.loads(given.stdout)["output_data"] == {"y": [[1, 0, 0]]}
    shown = run("models", "show", "double")
    assert "SHA-256" in shown.stdout
    assert shown.stdout.rstrip().endswith("–")


def test_arrays_are_sent_as_they_are(run: Run, file: File) -> None:
    run("models", "push", file("arrays.onnx", doubling()))
    content = io.BytesIO()
    np.save(content, np.array([[1, 2, np.nan]], np.float32))
    array = file("x.npy", content.getvalue())
    for arguments in ([array], ["--input", f"x=@{array}"]):
        asked = run("models", "predict", "arrays", *arguments, "--json")
        assert json.loads(asked.stdout)["output_data"] == {"y": [[2, 4, "NaN"]]}, asked.stderr
    mixed = run("models", "predict", "arrays", "--input", f"x=@{array}", "--input", "z=[1]")
    assert (mixed.exit_code, "or none of them" in mixed.stderr) == (2, True)


def test_a_text_is_sent_to_a_model_that_takes_texts(run: Run, file: File, address: str) -> None:
    graph = data([node("Cast", ["x"], ["y"], to=1)], [("x", STRING, ["batch"])], [("y", 1, ["batch"])])
    model_id = json.loads(run("models", "push", file("mark.onnx", graph), "--json").stdout)["id"]
    letter = file("letter.txt", b"0.75")
    refused = run("models", "predict", model_id, letter)
    assert (refused.exit_code, "(invalid_input" in refused.stderr) == (1, True)
    signature = {"signature": {"kind": "text", "labels": ["good"]}}
    Service(address, MASTER_KEY).request("PATCH", f"/api/v1/models/{model_id}", json=signature)
    assert run("models", "predict", model_id, letter).stdout.split() == ["label", "confidence", "good", "0.75"]


def test_a_file_that_cannot_be_served_says_why_and_another_takes_its_place(run: Run, file: File) -> None:
    zipped = run("models", "push", file("odd.onnx", b"PK\x03\x04 not a model"), "--version", "2.0.0")
    assert (zipped.exit_code, "it is a zip archive" in zipped.stderr) == (1, True)
    cut = run("models", "push", file("odd.onnx", doubling()[:-9]), "--version", "2.0.0")
    assert (cut.exit_code, "odd 2.0.0 cannot be served: The file is not ONNX, or not all" in cut.stderr) == (1, True)
    again = run("models", "push", file("odd.onnx", doubling()), "--version", "2.0.0", "--json")
    assert json.loads(again.stdout)["status"] == "ready"
    third = run("models", "push", file("odd.onnx", doubling(3)), "--version", "2.0.0")
    assert (third.exit_code, "(model_exists" in third.stderr) == (1, True)


def test_aliases_are_moved_back_and_deleted(run: Run, file: File) -> None:
    for version, factor in (("1.0.0", 2.0), ("1.1.0", 3.0)):
        run("models", "push", file("moved.onnx", doubling(factor)), "--version", version)
    assert run("models", "alias", "moved", "production", "1.0.0").stdout == "moved@production is 1.0.0 now.\n"
    ask = ("models", "predict", "moved", "--input", "x=[[1, 1, 1]]", "--json")
    assert json.loads(run(*ask).stdout)["model_version"] == "1.0.0"
    said = run("models", "alias", "moved", "production", "1.1.0", "--canary", "1.0.0", "--percent", "10").stdout
    assert said == "moved@production is 1.1.0 now, and 10 % of predictions go to 1.0.0.\n"
    assert "1.1.0" in run("models", "show", "moved@production").stdout.split()
    assert run("models", "alias", "moved", "production", "--rollback").stdout == "moved@production is 1.0.0 now.\n"
    assert json.loads(run(*ask).stdout)["model_version"] == "1.0.0"
    assert run("models", "alias", "moved", "production", "--delete").stdout == "Deleted moved@production.\n"
    assert json.loads(run(*ask).stdout)["model_version"] == "1.1.0"
    missing = run("models", "show", "moved@production")
    assert (missing.exit_code, "There is no @production of 'moved'" in missing.stderr) == (1, True)
    assert run("models", "alias", "moved", "production").exit_code == 2


def test_a_file_that_is_surely_no_model_leaves_no_version(run: Run, file: File) -> None:
    refused = run("models", "push", file("net.pkl", b"\x80\x04\x95pickle"))
    assert (refused.exit_code, "it is a pickle" in refused.stderr) == (1, True)
    assert run("models", "list", "--name", "net").stdout.startswith("No models")


def test_predictions_of_several_outputs_are_a_table(run: Run, file: File) -> None:
    given = {"a": "label", "b": "score"}
    nodes = [node("Identity", [name], [given[name]]) for name in given]
    graph = data(nodes, [(name, FLOAT, ["n"]) for name in given], [(name, FLOAT, ["n"]) for name in given.values()])
    run("models", "push", file("two.onnx", graph))
    asked = run("models", "predict", "two", "-", input='[{"a": 1, "b": 0.5}, {"a": 2, "b": 0.25}]')
    assert asked.stdout.split() == ["label", "score", "1", "0.5", "2", "0.25"]


def test_a_history_is_shown_and_written_as_csv(run: Run, file: File, tmp_path: Path) -> None:
    run("models", "push", file("asked.onnx", doubling()))
    for version in ("1.0.0", "1.1.0"):
        run("models", "push", file("asked.onnx", doubling()), "--version", version)
        run("models", "predict", f"asked:{version}", "--input", "x=[[1, 2, 3]]")
    shown = run("models", "history", "asked").stdout
    assert shown.count(" made ") == 2, shown
    assert "{'x': [[1, 2, 3]]}" in shown
    assert len(json.loads(run("models", "history", "asked:1.1.0", "--json").stdout)) == 1
    assert run("models", "history", "asked", "--status", "failed").stdout == "No predictions.\n"
    path = tmp_path / "all.csv"
    assert run("models", "history", "asked", "--csv", str(path)).exit_code == 0
    with path.open(newline="") as written:
        assert [row["model_version"] for row in csv.DictReader(written)] == ["1.1.0", "1.0.0"]
    assert run("models", "history", "asked", "--from", "2999-01-01", "--csv", "-").stdout.count("\n") == 1
    refused = run("models", "history", "asked", "--from", "then", "--csv", str(tmp_path / "none.csv"))
    assert (refused.exit_code, "(validation_error" in refused.stderr) == (1, True)
    assert sorted(tmp_path.glob("*.csv")) == [path]
    assert not list(tmp_path.glob(".*"))


def test_outputs_that_are_no_table_are_json(run: Run, file: File) -> None:
    shape = node("Shape", ["x"], ["n"])
    double = node("Unsqueeze", ["x", "axes"], ["y"])
    graph = data(
        [shape, double],
        [("x", 1, ["batch", 2])],
        [("y", 1, ["batch", 1, 2]), ("n", 7, [2])],
        {"axes": np.array([1], np.int64)},
    )
    run("models", "push", file("deep.onnx", graph))
    asked = run("models", "predict", "deep", "--input", "x=[[1, 2]]")
    assert json.loads(asked.stdout) == {"y": [[[1, 2]]], "n": [1, 2]}


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["predict", "nobody", "--input", "x=[1]"], 1, "(not_found"),
        (["predict", "nobody", "--input", "x=[1"], 1, "x is no JSON"),
        (["predict", "nobody", "--input", "x"], 2, "is not NAME=VALUE"),
        (["show", "nobody"], 1, "(not_found"),
        (["push", "/nowhere.onnx"], 2, "does not exist"),
    ],
)
def test_what_is_wrong_is_told(run: Run, arguments: list[str], status: int, told: str) -> None:
    result = run("models", *arguments)
    assert (result.exit_code, told in result.stderr) == (status, True), result.stderr


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_shows_how_much_is_sent(terminal: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    screen = Console(file=io.StringIO(), force_terminal=terminal, width=100)
    monkeypatch.setattr(sending_module, "console", lambda **_: screen)
    path = tmp_path / "large"
    path.write_bytes(bytes(4 * 2**20))
    with path.open("rb") as file, sending(file, "large\x1b[2J") as read:
        read.read(2**20)
        if terminal:
            screen._live_stack[0].refresh()
        shown = screen.file.getvalue()
    assert ("1.0/4.0 MiB" in shown) is terminal
    assert ("Sending large" in shown) is terminal
    assert "\x1b[2J" not in shown


def test_a_file_of_many_rows(run: Run, file: File, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("models", "push", file("many.onnx", doubling()))
    rows = file("rows.csv", b"id,a,b,c\np,1,2,3\nq,1,x,3\n")
    out = tmp_path / "out.jsonl"
    done = run("models", "batch", "many", rows, "--columns", "a,b,c", "--keep-columns", "id", "--output", str(out))
    assert done.exit_code == 0, done.output
    assert f"{out}: 2 rows, 1 failed." in done.stdout
    assert "b is 'x', which is no number" in done.stdout
    assert json.loads(out.read_text().splitlines()[0]) == {"id": "p", "y": [2, 4, 6]}
    monkeypatch.chdir(tmp_path)
    told = run("models", "batch", "many@none", rows)
    assert (told.exit_code, "many" in told.stderr) == (1, True)
    told = run("models", "batch", "many:latest", rows, "--columns", "a,b,c", "--json")
    assert json.loads(told.stdout)["result"]["filename"] == "rows-predictions.csv"
    assert (tmp_path / "rows-predictions.csv").read_text().startswith("id,a,b,c,y[0],y[1],y[2],_error\np,1,2,3,2.0,4.0")
    unfit = run("models", "batch", "many", rows)
    assert (unfit.exit_code, "unfit_columns" in unfit.stderr, "'id', 'a', 'b', 'c'" in unfit.stderr) == (1, True, True)
    assert not list(tmp_path.glob(".*.part"))
