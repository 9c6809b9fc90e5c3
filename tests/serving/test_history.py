"""The history of predictions: its filters, and all of it as CSV."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest

from tests.serving import graphs
from tests.serving.house import House, refused
from tests.serving.test_predict import predict
from thetool.serving.history_export import COLUMNS, ROWS, as_data

FORMULA = '=HYPERLINK("http://x.example","ä")'


def asked(house: House, name: str) -> str:
    """A model that was asked three times: made, cached, made under the name of a formula."""
    model_id = house.add(name, graphs.doubling())
    for _ in range(2):
        predict(house, model_id, input_data={"x": [[1.5, 0, 0]]}, request_id="twice")
    predict(house, model_id, input_data={"x": [[2, 0, 0]]}, request_id=FORMULA)
    return model_id


def exported(house: House, path: str, key: dict[str, str] | None = None) -> list[dict[str, str]]:
    answer = house.get(path, key)
    assert answer.status_code == 200, answer.json
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    text = answer.get_data().decode()
    assert text.count("\r\n") == text.count("\n"), "RFC 4180 ends lines in CRLF"
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def test_all_of_it_as_csv(house: House) -> None:
    model_id = asked(house, 'named, "so"')
    rows = exported(house, f"/api/v1/models/{model_id}/predictions.csv")
    assert tuple(rows[0]) == COLUMNS
    listed = house.get(f"/api/v1/models/{model_id}/predictions").json["items"]
    assert [one["id"] for one in rows] == [one["id"] for one in listed], "in the list's order"
    newest, cached, made = rows
    assert newest["request_id"] == f"'{FORMULA}", "a spreadsheet runs nothing"
    assert (cached["status"], made["status"], cached["request_id"]) == ("cached", "made", "twice")
    assert (made["input_data"], made["output_data"]) == ('{"x":[[1.5,0,0]]}', '{"y":[[3.0,0.0,0.0]]}')
    assert (made["model_name"], made["model_version"], made["rows"], made["truncated"], made["error"]) == (
        'named, "so"', "1.0.0", "1", "false", "",
    )  # fmt: skip
    assert float(made["inference_time_ms"]) > 0
    assert made["created_at"] == datetime.fromisoformat(listed[2]["created_at"]).isoformat()
    name = house.get(f"/api/v1/models/{model_id}/predictions.csv").headers["Content-Disposition"]
    assert name.startswith('attachment; filename="named, _so_ 1.0.0 predictions.csv"')
    refused(house.get(f"/api/v1/models/{model_id}/predictions.csv", house.issue_key("nosy")), 404, "not_found")


@pytest.mark.parametrize("begins", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"])
def test_what_begins_like_a_formula_is_data(begins: str) -> None:
    assert as_data(begins) == f"'{begins}"
    assert as_data(f"a{begins}") == f"a{begins}"


def test_filters_of_the_list_and_of_the_file(house: House) -> None:
    model_id = asked(house, "filtered")
    path = f"/api/v1/models/{model_id}/predictions"
    moments = [one["created_at"] for one in house.get(path).json["items"]]
    for query, expected in (
        ({"status": "made"}, [0, 2]),
        ({"status": "cached"}, [1]),
        ({"status": "failed"}, []),
        ({"from": moments[1]}, [0, 1]),
        ({"to": moments[1]}, [2]),
        ({"from": moments[2], "to": moments[0], "status": "made"}, [2]),
        ({"from": "2020-01-01", "to": "2020-01-02"}, []),
    ):
        items = house.get(path, query_string=query).json["items"]
        assert [one["created_at"] for one in items] == [moments[place] for place in expected], query
        in_file = house.get(f"{path}.csv", query_string=query).get_data(as_text=True).splitlines()[1:]
        assert [line.partition(",")[0] for line in in_file] == [one["id"] for one in items], query
        assert house.get(path, query_string={**query, "page": 1}).json["total"] == len(expected)
    for query in ("status=old", "from=yesterday", "to=0001-01-01", "from=99999999999999", "failed=true"):
        refused(house.get(f"{path}?{query}"), 422, "validation_error")
        refused(house.get(f"{path}.csv?{query}"), 422, "validation_error")


def test_versions_of_a_name_together(house: House) -> None:
    first = asked(house, "both")
    second = house.add("both", graphs.doubling(3), "2.0.0")
    predict(house, second, input_data={"x": [[9, 0, 0]]})
    predict(house, first, input_data={"x": [[8, 0, 0]]})
    path = "/api/v1/models/by-name/both/predictions"
    assert [one["model_id"] for one in house.get(path).json["items"]] == [first, second, first, first, first]
    assert [one["model_version"] for one in exported(house, f"{path}.csv")] == ["1.0.0", "2.0.0", *["1.0.0"] * 3]
    assert [one["model_id"] for one in exported(house, f"{path}.csv?version=2.0.0")] == [second]
    assert len(house.get(f"{path}?version=2.0.0").json["items"]) == 1
    refused(house.get(f"{path}.csv?version=3.0.0"), 404, "not_found")
    refused(house.get(f"{path}.csv", house.issue_key("stranger")), 404, "not_found")


def test_a_long_history_comes_in_pieces(house: House) -> None:
    model_id = house.add("long", graphs.doubling())
    house.rows(
        """
        insert into predictions (id, owner_id, model_id, input_data, created_at)
        select uuidv7(make_interval(secs => -n)), gen_random_uuid(), %s, '{"x":[1]}', now() - make_interval(secs => n)
        from generate_series(1, %s) n
        """,
        model_id,
        2 * ROWS,
    )
    answer = house.get(f"/api/v1/models/{model_id}/predictions.csv", buffered=False)
    pieces = list(answer.response)
    assert [piece.count(b"\r\n") for piece in pieces] == [ROWS + 1, ROWS, 0]
    moments = [row["created_at"] for row in csv.DictReader(io.StringIO(b"".join(pieces).decode()))]
    assert moments == sorted(moments, reverse=True)
    assert len(set(moments)) == 2 * ROWS
    since = datetime.fromisoformat(moments[9]) - timedelta(milliseconds=1)
    assert len(exported(house, f"/api/v1/models/{model_id}/predictions.csv?from={since:%Y-%m-%dT%H:%M:%S.%fZ}")) == 10
