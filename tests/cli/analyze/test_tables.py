"""`--csv`: a row for each input, as it comes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from tests.cli.analyze.conftest import rows_of
from tests.cli.conftest import Run
from tests.cli.played import Played
from thetool.cli.findings import flat


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
