"""Tables through `POST /analyze`, from one end to the other: forms of input, options, tasks, the cache, batches."""

from __future__ import annotations

import gzip
import io
import json
import random
from datetime import date, timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.analyze.house import House, refused

CSV = "name;joined;salary\nJörg;1.2.2026;1.234,50\nBob;15.3.2026;2.000,00\nCid;31.12.2025;n/a\n"
TYPE = {"Content-Type": "text/csv"}
RECORDS = [{"city": "Bonn", "people": 336_000}, {"city": "Ulm", "people": 129_000}]


def ok(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.json
    return body


def file(content: bytes, name: str, media_type: str | None = None) -> Any:
    return (io.BytesIO(content), name, *([media_type] if media_type else []))


def types_of(body: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: column["type"] for column in body["result"]["reading"]["columns"]}


def prices(rows: int) -> bytes:
    by_chance = random.Random(rows)
    lines, close = ["Date,Open,High,Low,Close,Volume"], 100.0
    for row in range(rows):
        opened, close = close, close * by_chance.uniform(0.98, 1.025)
        high, low = max(opened, close) * 1.01, min(opened, close) * 0.99
        day = date(2025, 1, 1) + timedelta(row)
        lines.append(f"{day},{opened:.2f},{high:.2f},{low:.2f},{close:.2f},{by_chance.randrange(9_999)}")
    return "\n".join(lines).encode()


def test_a_table_gets_a_whole_answer(house: House) -> None:
    answer = house.analyze(data=CSV, headers={**TYPE, "X-Request-ID": "a-whole-table"})
    body = ok(answer)
    assert list(body) == [
        "id", "kind", "status", "result", "models", "skipped", "notes", "cached", "elapsed_ms", "correlation_id",
        "created_at",
    ]  # fmt: skip
    assert (body["kind"], body["skipped"], body["models"], body["notes"]) == ("table", [], [], [])
    assert body["correlation_id"] == "a-whole-table"
    assert list(body["result"]) == ["reading", "preview", "profile"]
    assert types_of(body) == {"name": "text", "joined": "date", "salary": "number"}
    assert body["result"]["reading"]["delimiter"]["value"] == ";"
    assert body["result"]["preview"]["rows"][0] == ["Jörg", "1.2.2026", "1.234,50"]
    name, joined, salary = body["result"]["profile"]["column_profiles"]
    assert (name["distinct"]["count"], joined["dates"]["earliest"]) == (3, "2025-12-31T00:00:00Z")
    assert (salary["nulls"], salary["numbers"]["max"]) == (1, 2000)


def test_it_went_through_the_queue_and_is_kept_and_its_file_is_not(house: House) -> None:
    body = ok(house.analyze(data=f"{CSV}Queue;1.1.2026;5\n", headers=TYPE))
    job = house.get(f"/api/v1/jobs/{body['id']}").json
    assert (job["kind"], job["status"], job["attempts"]) == ("analyze.table", "completed", 1)
    assert ok(house.get(f"/api/v1/analyses/{body['id']}")) == body
    assert house.rows("select count(*) from blobs") == [(0,)]
    listed = house.get("/api/v1/analyses").json["items"]
    assert next(one for one in listed if one["id"] == body["id"])["kind"] == "table"


FORMS: dict[str, dict[str, Any]] = {
    "a body": {"data": CSV, "headers": TYPE},
    "octets": {"data": CSV, "headers": {"Content-Type": "application/octet-stream"}},
    "another character set": {
        "data": CSV.encode("cp1252"),
        "headers": {"Content-Type": "text/csv; charset=windows-1252"},
    },
    "a file": {"data": {"file": (CSV.encode(), "people.csv")}},
    "a file with a type": {"data": {"file": (CSV.encode(), "people", "text/csv")}},
    "a file that nothing names": {"data": {"file": (CSV.encode(), "people.txt", "application/octet-stream")}},
    "packed": {"data": {"file": (gzip.compress(CSV.encode()), "people.csv.gz")}},
}


@pytest.mark.parametrize("form", FORMS)
def test_takes_a_table_in_many_forms(house: House, form: str) -> None:
    arguments = dict(FORMS[form])
    if isinstance(arguments["data"], dict):
        content, *rest = arguments["data"]["file"]
        arguments["data"] = {"file": (io.BytesIO(content), *rest)}
    body = ok(house.analyze(query={"tasks": "profile"}, **arguments))
    assert body["kind"] == "table"
    assert types_of(body) == {"name": "text", "joined": "date", "salary": "number"}
    assert body["result"]["preview"]["rows"][0][0] == "Jörg"


@pytest.mark.parametrize("form", ["an array", "an object", "lines", "a file"])
def test_takes_records(house: House, form: str) -> None:
    array = json.dumps(RECORDS)
    lines = "\n".join(map(json.dumps, RECORDS))
    answer = {
        "an array": lambda: house.analyze(data=array, headers={"Content-Type": "application/json"}),
        "an object": lambda: house.analyze(json={"records": RECORDS, "tasks": ["profile"]}),
        "lines": lambda: house.analyze(data=lines, headers={"Content-Type": "application/x-ndjson"}),
        "a file": lambda: house.analyze(data={"file": file(array.encode(), "cities.json", "application/json")}),
    }[form]()
    body = ok(answer)
    assert (body["kind"], types_of(body)) == ("table", {"city": "text", "people": "integer"})
    assert body["result"]["profile"]["column_profiles"][1]["numbers"]["max"] == 336_000


def test_what_is_declared_as_a_text_stays_one(house: House) -> None:
    for answer in (
        house.analyze(CSV, tasks=["statistics"]),
        house.analyze(data=CSV, headers={"Content-Type": "text/plain"}, query={"tasks": "statistics"}),
        house.analyze(data={"file": file(CSV.encode(), "notes.md"), "tasks": "statistics"}),
    ):
        assert ok(answer)["kind"] == "text"


@pytest.mark.parametrize("place", ["query", "form", "json"])
def test_options_have_the_same_names_everywhere(house: House, place: str) -> None:
    table = f"first {place}\n\nid,zip,when\n1,01234,1/2/2026\n2,99999,2/3/2026\n"
    options = {"header_row": "3", "date_order": "mdy", "columns": '{"id": {"type": "text"}}', "null_words": "99999, -"}
    if place == "query":
        body = ok(house.analyze(data=table, headers=TYPE, query=options))
    elif place == "form":
        body = ok(house.analyze(data={"file": file(table.encode(), "a.csv"), **options}))
    else:
        records = [{"id": "1", "zip": "01234", "when": "1/2/2026"}, {"id": "2", "zip": "99999", "when": "2/3/2026"}]
        given = {"date_order": "mdy", "columns": {"id": {"type": "text"}}, "null_words": ["99999", "-"]}
        body = ok(house.analyze(json={"records": records, **given}))
    assert types_of(body) == {"id": "text", "zip": "text", "when": "date"}
    dates = body["result"]["profile"]["column_profiles"][2]["dates"]
    assert (dates["earliest"], dates["latest"]) == ("2026-01-02T00:00:00Z", "2026-02-03T00:00:00Z")


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"delimiter": "::"}, "delimiter"),
        ({"header_row": "first"}, "header_row"),
        ({"date_order": "ydm"}, "date_order"),
        ({"columns": "{"}, "columns"),
        ({"columns": '{"a": {"typ": "text"}}'}, "columns.a.typ"),
        ({"strategy": "greedy"}, "strategy"),
        ({"capital": "-1"}, "capital"),
        ({"delimeter": ";"}, "delimeter"),
    ],
)
def test_wrong_options(house: House, options: dict[str, str], field: str) -> None:
    problem = refused(house.analyze(data=CSV, headers=TYPE, query=options), 422, "validation_error")
    assert problem["errors"][0]["field"] == field


def test_the_same_again_comes_from_the_cache_and_another_reading_does_not(house: House) -> None:
    table = f"{CSV}Twice;1.1.2026;5\n"
    first = house.analyze(data=table, headers=TYPE)
    again = house.analyze(data=table, headers=TYPE, query={"strategy": "trend", "sentences": "true"})
    assert (first.headers["X-Cache"], again.headers["X-Cache"]) == ("MISS", "MISS"), (
        "a market is judged where there is one"
    )
    assert house.analyze(data=table, headers=TYPE, query={"sentences": "true"}).headers["X-Cache"] == "HIT"
    profile = {"tasks": "profile"}
    assert house.analyze(data=table, headers=TYPE, query=profile).headers["X-Cache"] == "MISS"
    unlike = house.analyze(data=table, headers=TYPE, query={**profile, "capital": "5"})
    assert unlike.headers["X-Cache"] == "HIT", "without a market its options change nothing"
    read = house.analyze(data=table, headers=TYPE, query={**profile, "as_text": "true"})
    assert read.headers["X-Cache"] == "MISS"
    assert set(types_of(ok(read)).values()) == {"text"}


def test_a_market_is_judged_where_there_is_one(house: House) -> None:
    body = ok(house.analyze(data=prices(120), headers=TYPE))
    assert list(body["result"]) == ["reading", "preview", "profile", "market"]
    [found] = body["result"]["market"]["symbols"]
    assert (found["rows"], len(found["indicators"])) == (120, 12)
    only = ok(house.analyze(data=prices(120), headers=TYPE, query={"tasks": "market", "strategy": "momentum"}))
    assert list(only["result"]) == ["reading", "preview", "market"]
    assert only["result"]["market"]["strategy"]["name"] == "momentum"


def test_what_is_no_market_is_skipped_and_said_so_only_when_it_was_asked_for(house: House) -> None:
    table = f"{CSV}Market;1.1.2026;5\n"
    assert ok(house.analyze(data=table, headers=TYPE))["skipped"] == []
    asked = ok(house.analyze(data=table, headers=TYPE, query={"tasks": "market,profile"}))
    [skipped] = asked["skipped"]
    assert (skipped["task"], "market_columns" in skipped["how"]) == ("market", True)
    assert "open, high, low and close" in skipped["reason"]


def test_correlations_are_made_when_they_are_asked_for(house: House) -> None:
    table = "a,b\n" + "".join(f"{n},{2 * n}\n" for n in range(20))
    assert ok(house.analyze(data=table, headers=TYPE))["result"]["profile"]["correlations"] is None
    body = ok(house.analyze(data=table, headers=TYPE, query={"tasks": "correlations"}))
    [pair] = body["result"]["profile"]["correlations"]
    assert (pair["columns"], pair["pearson"]) == (["a", "b"], 1)


def test_tasks_of_other_kinds(house: House) -> None:
    problem = refused(house.analyze(data=CSV, headers=TYPE, query={"tasks": "sentiment"}), 422, "validation_error")
    assert problem["tasks"] == ["profile", "market", "correlations"]
    problem = refused(house.analyze("some words", tasks=["profile"]), 422, "validation_error")
    assert "text/csv" in problem["detail"]


def test_a_batch_of_all_kinds(house: House) -> None:
    files = [
        file(CSV.encode(), "people.csv"),
        file(b"Some words, and others.", "words.txt"),
        file(b"a,b\n", "empty.csv"),
        file(b"<!doctype html><p>no", "page.csv"),
    ]
    body = ok(house.analyze(data={"files": files, "tasks": "profile,statistics"}))
    people, words, _, page = body["results"]
    assert (people["analysis"]["kind"], words["analysis"]["kind"]) == ("table", "text")
    assert people["analysis"]["skipped"][0]["reason"] == "It is for texts, and this is a table."
    assert page["problem"]["code"] == "not_a_table"


def test_the_same_idempotency_key(house: House) -> None:
    key = {**TYPE, "Idempotency-Key": "one-table"}
    first = house.analyze(data=CSV, headers=key, query={"decimal": ","})
    again = house.analyze(data=CSV, headers=key, query={"decimal": ","})
    assert (ok(first)["id"], again.headers["Idempotent-Replayed"]) == (ok(again)["id"], "true")
    refused(house.analyze(data=CSV, headers=key, query={"decimal": "."}), 409, "idempotency_conflict")


def test_a_wide_table_has_an_answer_that_can_be_kept(house: House) -> None:
    columns = 2_500
    names = ",".join(f"column {number}" for number in range(columns))
    rows = "\n".join(",".join(str(number * row) for number in range(columns)) for row in range(1, 4))
    answer = house.analyze(data=f"{names}\n{rows}", headers=TYPE)
    body = ok(answer)
    assert len(answer.data) < 12_000_000
    described = body["result"]["profile"]["column_profiles"]
    assert body["result"]["profile"]["columns"] == columns
    assert described[0]["top"]
    assert described[0]["histogram"]
    assert [one["name"] for one in described] == [f"column {number}" for number in range(len(described))]
    [note] = body["notes"]
    assert note["task"] == "table"
    assert "of 2,500 columns" in note["note"]
    assert len(body["result"]["preview"]["columns"]) == 100
