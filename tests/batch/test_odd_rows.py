"""Long rows, columns that a text cannot hold, fields that come late, names that are taken already."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.batch.conftest import Predict
from tests.batch.test_files import DOUBLING, lines, npy, parquet
from tests.serving.graphs import FLOAT, INT64, data, node
from thetool.batch import chunk, instances, writers
from thetool.batch.opening import open_source
from thetool.batch.problems import UnfitColumns
from thetool.batch.schemas import BatchOptions
from thetool.serving.runtime.tensors import TensorSpec

LONG_ROWS = {
    "rows.npy": npy(np.ones((10, 3), np.float32)),
    "rows.jsonl": b"[1,2,3]\n" * 10,
    "rows.parquet": parquet({"x": [[1.0, 2.0, 3.0]] * 10}),
}


@pytest.mark.parametrize("name", LONG_ROWS)
def test_of_long_rows_fewer_are_held_at_a_time(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (chunk, instances):
        monkeypatch.setattr(module, "CHUNK_BYTES", 48)
    path = tmp_path / "rows"
    path.write_bytes(LONG_ROWS[name])
    inputs = [TensorSpec(name="x", dtype="float32", shape=(None, 3))]
    source = open_source(path, name, inputs, BatchOptions(), unpacked_bytes=2**20)
    chunks = list(source.chunks())
    assert sum(one.rows for one in chunks) == 10
    assert max(one.rows for one in chunks) <= 6
    assert (
        np.concatenate([one.feeds["x"] for one in chunks]).tolist()
        == [[1, 2, 3] if "npy" not in name else [1] * 3] * 10
    )


def test_what_a_text_cannot_hold_is_written_in_words(predict: Predict) -> None:
    kept = {"tags": [["p", "q"], None], "day": [dt.date(2024, 2, 29)] * 2, "raw": [b"\xff", None]}
    content = parquet({**kept, "took": [dt.timedelta(hours=1)] * 2, "x": [[1, 2, 3], [4, 5, 6]]})
    done = predict(DOUBLING, content, "t.parquet", columns="x", output_format="csv")
    table = pl.read_csv(done.path)
    assert table.select("tags", "day", "raw", "took", "x").rows() == [
        ('["p","q"]', "2024-02-29", "/w==", "PT1H", "[1,2,3]"),
        (None, "2024-02-29", None, "PT1H", "[4,5,6]"),
    ]
    assert table["y[2]"].to_list() == [6, 12]
    first, second = lines(predict(DOUBLING, content, "t.parquet", columns="x", output_format="jsonl"))
    assert (first["tags"], first["raw"], second["raw"]) == (["p", "q"], "/w==", None)
    same = pl.read_parquet(predict(DOUBLING, content, "t.parquet", columns="x").path)
    assert (same["tags"].to_list(), same["raw"].to_list()) == (kept["tags"], kept["raw"])


def test_a_list_is_all_of_an_input_or_none_of_it(predict: Predict) -> None:
    content = parquet({"a": [1], "b": [2], "c": [[3]]})
    with pytest.raises(UnfitColumns, match="'c' is List"):
        predict(DOUBLING, content, "t.parquet")


def test_fields_that_come_late_are_told_where_there_is_no_column_for_them(predict: Predict) -> None:
    content = b'{"x": [1, 2, 3]}\n{"x": [4, 5, 6], "note": "n", "y[0]": 9}\n'
    done = predict(DOUBLING, content, "rows.jsonl", output_format="csv", chunk_rows=1)
    assert done.path.read_text().splitlines()[1:] == ['"[1,2,3]",2.0,4.0,6.0,', '"[4,5,6]",8.0,10.0,12.0,']
    assert done.told.notes == [
        "Fields that only later instances have are left out: 'note', 'y[0]'. JSON Lines keep them."
    ]
    whole = predict(DOUBLING, content, "rows.jsonl", chunk_rows=1)
    assert (lines(whole)[1]["note"], whole.told.notes) == ("n", [])


def test_the_result_of_a_batch_is_predicted_again(predict: Predict) -> None:
    content = b'{"x": [1, 2, 3], "_error": "of old"}\n{"x": [1], "y": [0]}\n{"x": [4, 5, 6]}\n'
    done = predict(DOUBLING, content, "rows.jsonl")
    old, failed, good = lines(done)
    assert old == {"x": [1, 2, 3], "_error": "of old", "y_2": [2, 4, 6]}
    assert (failed["y"], "a row of shape [1]" in failed["_error_2"], "y_2" in failed) == ([0], True, False)
    assert good == {"x": [4, 5, 6], "y_2": [8, 10, 12]}
    assert done.columns == ["x", "_error", "y_2", "_error_2"]


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.parquet"])
def test_rows_of_any_length_where_a_model_takes_such(name: str, predict: Predict) -> None:
    rows = [[1, 2], [3, 4], [5], [6, 7, 8], [9, 0, 1]]
    content = b"".join(b"%a\n" % row for row in rows) if "jsonl" in name else parquet({"x": rows})
    same = data(
        [node("Cast", ["x"], ["y"], to=INT64)], [("x", FLOAT, ["batch", "n"])], [("y", INT64, ["batch", "n"])]
    )  # fmt: skip
    done = predict(same, content, name, output_format="jsonl", keep_columns="none")
    assert [line["y"] for line in lines(done)] == rows


def test_a_part_of_a_parquet_file_is_of_many_chunks(predict: Predict, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writers, "MOST_TABLES", 2)
    content = b"a,b,c\n" + b"".join(b"%d,1,2\n" % row for row in range(7))
    done = predict(DOUBLING, content, "t.csv", chunk_rows=1, output_format="parquet")
    assert pl.read_parquet(done.path)["y[0]"].to_list() == [2 * row for row in range(7)]
