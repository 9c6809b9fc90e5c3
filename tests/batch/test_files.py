"""Files of each format through small models: what comes out, beside what was kept; rows that fail alone."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import numpy as np
import polars as pl
import pytest

from tests.batch.conftest import Done, Predict
from tests.serving import graphs
from tests.serving.graphs import BOOL, FLOAT, INT64, STRING, data, node
from thetool.batch.problems import NoRowFits, UnfitColumns, UnfitModel
from thetool.serving.runtime.problems import InvalidInput
from thetool.tables.reading.problems import DamagedTable, EmptyTable, UnsupportedTable
from thetool.web.problems import Problem

DOUBLING = graphs.doubling()


def parquet(columns: dict[str, Any]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


def npy(array: Any, **more: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **more)
    return file.getvalue()


def lines(done: Done) -> list[Any]:
    return [json.loads(line) for line in done.path.read_text().splitlines()]


def people() -> bytes:
    """Of a number, a text, a truth and two steps each the same again."""
    given = {"age": (INT64, ["n"]), "town": (STRING, ["n", 1]), "member": (BOOL, ["n"]), "steps": (FLOAT, ["n", 2])}
    return data(
        [node("Identity", [name], [f"{name}_out"]) for name in given],
        [(name, dtype, shape) for name, (dtype, shape) in given.items()],
        [(f"{name}_out", dtype, shape) for name, (dtype, shape) in given.items()],
    )


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl", "t.parquet", "t.npy"])
def test_progress_goes_up_chunk_by_chunk(predict: Predict, name: str) -> None:
    numbers = np.ones((500, 3), np.float32)
    content = {
        "t.csv": b"a,b,c\n" + b"1,2,3\n" * 500,
        "t.jsonl": b"[1,2,3]\n" * 500,
        "t.parquet": parquet({"a": numbers[:, 0], "b": numbers[:, 1], "c": numbers[:, 2]}),
        "t.npy": npy(numbers),
    }[name]
    heard = predict(DOUBLING, content, name, chunk_rows=100).heard
    assert [rows for rows, _ in heard] == [100, 200, 300, 400, 500]
    shares = [share for _, share in heard]
    assert (shares == sorted(shares), shares[-1], max(shares) <= 1) == (True, 1.0, True), shares


def test_csv_keeps_its_columns_and_its_writing(predict: Predict) -> None:
    content = "name;a;b;c\nx;1,5;2;3\ny;1.000,25;NaN;6\n"
    done = predict(DOUBLING, content.encode("cp1252"), "t.csv", columns="a,b,c")
    assert done.path.read_text() == (
        "name;a;b;c;y[0];y[1];y[2];_error\nx;1,5;2;3;3,0;4,0;6,0;\ny;1.000,25;NaN;6;2000,5;NaN;12,0;\n"
    )
    assert (done.told.rows, done.told.failed, done.inputs) == (2, 0, {"x": ["a", "b", "c"]})


def test_bad_rows_fail_alone_with_their_reasons(predict: Predict) -> None:
    content = "a,b,c\n1,2,3\n4,five,6\n7,8\n,1,1\n1,1,1e300\n1,2,3,4\n10,11,12\n"
    done = predict(DOUBLING, content.encode(), "t.csv", output_format="parquet", chunk_rows=2)
    table = pl.read_parquet(done.path)
    assert table["y[0]"].to_list() == [2, None, None, None, None, None, 20]
    assert table["_error"].to_list() == [
        None,
        "b is 'five', which is no number",
        "the row has 2 fields, the table 3 columns",
        "a is empty",
        "c is '1e300', which is beyond float32",
        "the row has 4 fields, the table 3 columns",
        None,
    ]
    assert table["b"].to_list() == ["2", "five", "8", "1", "1", "2", "11"]
    assert (done.told.rows, done.told.failed) == (7, 5)
    assert [one.row for one in done.told.errors] == [2, 3, 4, 5, 6]
    filled = predict(DOUBLING, b"a,b,c\n1,,n/a\n", "t.csv", empty="nan", keep_columns="none")
    assert filled.path.read_text() == "y[0],y[1],y[2],_error\n2.0,NaN,NaN,\n"


def test_quotes_within_fields(predict: Predict) -> None:
    content = 'size,a,b,c\n5" pipe,1,2,3\n7" pipe,4,5,6\n'
    done = predict(DOUBLING, content.encode(), "t.csv", columns="a,b,c", keep_columns="size", output_format="parquet")
    table = pl.read_parquet(done.path)
    assert (table["size"].to_list(), table["y[2]"].to_list()) == (['5" pipe', '7" pipe'], [6, 12])


def test_a_row_that_the_model_fails_on_fails_alone(predict: Predict) -> None:
    rows = [0, 1, 2, 7, 0, -9, 1]
    done = predict(graphs.picking(), "\n".join(["x", *map(str, rows)]).encode(), "t.csv")
    table = pl.read_csv(done.path, schema_overrides={"_error": pl.String})
    assert table["y"].to_list() == [10, 20, 30, None, 10, None, 20]
    assert [row for row, words in enumerate(table["_error"]) if words] == [3, 5]
    assert "Gather" in table["_error"][3]
    endless = predict(graphs.endless(), b"x\n1\n9\n2\n", "t.csv", seconds=0.3)
    table = pl.read_csv(endless.path)
    assert table["_error"].to_list() == [None, "the model took longer than 0.3 seconds", None]


def test_parquet_and_several_inputs_by_name(predict: Predict) -> None:
    columns = {
        "id": ["p", "q"],
        "age": [30, 41],
        "town": ["Oslo", ""],
        "member": [True, False],
        "steps": [[1.0, 2.0], [3.5, 4.0]],
    }
    done = predict(people(), parquet(columns), "people.parquet", keep_columns="id")
    table = pl.read_parquet(done.path)
    assert table.columns == ["id", "age_out", "town_out", "member_out", "steps_out[0]", "steps_out[1]", "_error"]
    assert table.rows() == [("p", 30, "Oslo", True, 1.0, 2.0, None), ("q", 41, "", False, 3.5, 4.0, None)]
    text = "age,town,member,steps[0],steps[1]\n30,Oslo,yes,1,2\n2.5,X,no,1,2\n300,Y,maybe,1,2\n"
    done = predict(people(), text.encode(), "people.csv", output_format="jsonl", keep_columns=["age"])
    first, second, third = lines(done)
    assert first == {"age": "30", "age_out": 30, "town_out": ["Oslo"], "member_out": True, "steps_out": [1, 2]}
    assert second == {"age": "2.5", "_error": "age is '2.5', which is no integer that int64 holds"}
    assert third["_error"] == "member is 'maybe', which is neither true nor false"


def test_json_lines(predict: Predict) -> None:
    content = b'[1, 2, 3]\n\n[1, 2]\nnonsense\n["NaN", 0, 1]\n'
    done = predict(DOUBLING, content, "rows.jsonl", chunk_rows=2)
    good, short, no_json, special = lines(done)
    assert good == {"instance": [1, 2, 3], "y": [2, 4, 6]}
    assert "a row of shape [2]" in short["_error"]
    assert no_json["_error"].startswith("Line 4 is not JSON")
    assert special["y"] == ["NaN", 0, 2]
    named = predict(DOUBLING, b'{"id": 7, "a": 1, "b": 2, "c": 3}\n{"id": 8}\n', "x", columns=["a", "b", "c"])
    assert lines(named)[0] == {"id": 7, "a": 1, "b": 2, "c": 3, "y": [2, 4, 6]}
    assert "null" in lines(named)[1]["_error"]
    flat = predict(DOUBLING, content, "rows.jsonl", output_format="csv")
    assert flat.path.read_text().splitlines()[1] == '"[1,2,3]",2.0,4.0,6.0,'


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays(predict: Predict, order: Any) -> None:
    rows = np.arange(21, dtype=np.float64).reshape(7, 3)
    done = predict(DOUBLING, npy(np.asarray(rows, order=order)), "rows.npy", chunk_rows=2)
    found = np.load(done.path)
    assert found.dtype == np.float32
    assert np.array_equal(found, rows * 2)
    rows[4, 1] = 1e300
    done = predict(DOUBLING, npy(rows), "rows.npy", chunk_rows=3)
    assert np.isnan(np.load(done.path)[4]).all()
    assert "beyond float32" in done.told.errors[0].error
    table = pl.read_parquet(predict(DOUBLING, npy(rows), "rows.npy", output_format="parquet").path)
    assert table["_error"].null_count() == 6


def test_what_is_packed_is_unpacked(predict: Predict) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("arr_0.npy", npy(np.ones((2, 3), np.float32)))
    assert predict(DOUBLING, packed.getvalue(), "rows.npz").format == "npy"
    assert predict(DOUBLING, gzip.compress(b"a,b,c\n1,2,3\n"), "t.csv.gz").told.rows == 1
    assert predict(DOUBLING, parquet({"a": [1], "b": [2], "c": [3]}), "t.csv").format == "parquet"


def test_rows_of_a_model_that_mixes_them_go_alone(predict: Predict) -> None:
    summing = data(
        [node("ReduceSum", ["x"], ["y"], keepdims=1)], [("x", FLOAT, ["n", 2])], [("y", FLOAT, [1, 1])]
    )  # fmt: skip
    done = predict(summing, b"a,b\n1,2\n3,4\n", "t.csv", alone=True, keep_columns="none")
    assert done.path.read_text() == "y,_error\n3.0,\n7.0,\n"
    with pytest.raises(UnfitModel, match="no row for each instance"):
        predict(summing, b"a,b\n1,2\n3,4\n", "t.csv")


def test_names_of_features_and_of_outputs(predict: Predict) -> None:
    same = graphs.identity(FLOAT)
    done = predict(same, b"b,y[0],a\n1,2,3\n", "t.csv", features=["a", "b"])
    assert done.path.read_text() == "b,y[0],a,y[0]_2,y[1],_error\n1,2,3,3.0,1.0,\n"
    numbered = predict(same, b"x[1],x[0]\n1,2\n", "t.csv", keep_columns="none")
    assert numbered.path.read_text() == "y[0],y[1],_error\n2.0,1.0,\n"


WRONG: list[tuple[bytes, str, dict[str, Any], type[Problem], str]] = [
    (b"", "t.csv", {}, EmptyTable, "empty"),
    (b"a,b,c\n", "t.csv", {}, EmptyTable, "no rows"),
    (b"a,b\n1,2\n", "t.csv", {}, UnfitColumns, r"'x' \(float32 \[batch, 3\]\).* 3 columns. .* 2 columns: 'a', 'b'"),
    (b"i,a,b,c\n1,2,3,4\n", "t.csv", {}, UnfitColumns, "columns=i,a,b"),
    (b"a,b,c\n1,2,3\n", "t.csv", {"columns": "a,b,d"}, UnfitColumns, "Missing in the file: 'd'"),
    (b"a,b,c\n1,2,3\n", "t.csv", {"keep_columns": "z"}, UnfitColumns, "'z'"),
    (b"a,b,c\n1,2,3\n", "t.csv", {"features": ["a", "b", "d"]}, UnfitColumns, "called 'a', 'b', 'd'. Missing .*'d'"),
    (b"a,b,c\n" + b"x,y,1\n" * 3, "t.csv", {}, NoRowFits, "row 1: a is 'x', which is no number"),
    (b"%PDF-1.7 ...", "t.csv", {}, UnsupportedTable, "PDF"),
    (b"\x80\x04\x95\x00\x00", "t.npy", {}, UnsupportedTable, "pickle"),
    (b'{"a": [1]}', "t.json", {}, UnsupportedTable, "one instance on each line"),
    (npy(np.array([{}, 1], dtype=object), allow_pickle=True), "t.npy", {}, InvalidInput, "never read"),
    (npy(np.zeros((2, 3)))[:-5], "t.npy", {}, InvalidInput, "with 43 bytes"),
    (npy(np.zeros((2, 4))), "t.npy", {}, InvalidInput, "Dimension 1 is 4, not 3"),
    (npy(np.zeros((0, 3))), "t.npy", {}, EmptyTable, "no row"),
    (parquet({"a": [1], "b": [2], "c": [3]})[:-9], "t.parquet", {}, DamagedTable, "cannot be read to its end"),
    (parquet({"a": [1], "b": [2], "c": [True]}), "t.parquet", {}, UnfitColumns, "'c' is Boolean"),
    (b"PK\x03\x04 no zip", "t.zip", {}, DamagedTable, "zip"),
    (b"not json\n", "t.jsonl", {}, EmptyTable, "No line"),
    (b"a,b,c\n1,2,3\n", "t.csv", {"output_format": "npy", "several": True}, UnfitModel, "one output"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "name", "options", "problem", "words"), WRONG, ids=[one[4] for one in WRONG])
def test_what_cannot_be_predicted(
    predict: Predict, content: bytes, name: str, options: dict[str, Any], problem: type[Problem], words: str
) -> None:
    model = DOUBLING
    if options.get("several"):
        model = data(
            [node("Identity", ["x"], ["y"]), node("Neg", ["x"], ["z"])],
            [("x", FLOAT, ["n", 3])],
            [("y", FLOAT, ["n", 3]), ("z", FLOAT, ["n", 3])],
        )
    rest = {key: value for key, value in options.items() if key != "several"}
    with pytest.raises(problem, match=words):
        predict(model, content, name, **rest)


def test_rows_before_the_first_good_one_are_written_too(predict: Predict) -> None:
    content = b"a,b,c\nx,1,1\ny,1,1\n1,2,3\nz,1,1\n"
    done = predict(DOUBLING, content, "t.csv", chunk_rows=1, keep_columns="none")
    assert done.path.read_text().splitlines()[1:] == [
        ",,,\"a is 'x', which is no number\"",
        ",,,\"a is 'y', which is no number\"",
        "2.0,4.0,6.0,",
        ",,,\"a is 'z', which is no number\"",
    ]
    array = predict(DOUBLING, content, "t.csv", chunk_rows=1, output_format="npy")
    assert np.isnan(np.load(array.path)).all(axis=1).tolist() == [True, True, False, True]
