"""POST /analyze from one end to the other: forms of input, options, waiting, the cache, repeated requests."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.analyze.house import MASTER, House
from thetool.analyze.options import Options

ENGLISH = "I love this sofa, but the delivery was late. Nobody answered the phone."
GERMAN = "Die Lieferung kam zu spät und der Tisch wackelt, aber das Personal war freundlich."
MODELS = {"eldc", "nltk-vader-sentiment", "minilm-int8"}


def ok(answer: TestResponse) -> dict[str, Any]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.json
    return body


def file(content: bytes, name: str = "letter.txt", media_type: str | None = None) -> Any:
    return (io.BytesIO(content), name, *([media_type] if media_type else []))


def test_a_text_gets_a_whole_answer(house: House) -> None:
    answer = house.analyze(ENGLISH, headers={"X-Request-ID": "whole-answer"})
    body = ok(answer)
    assert list(body) == [
        "id", "kind", "status", "result", "models", "skipped", "notes", "cached", "elapsed_ms", "correlation_id",
        "created_at",
    ]  # fmt: skip
    assert (body["kind"], body["status"], body["cached"], body["skipped"]) == ("text", "completed", False, [])
    assert body["correlation_id"] == "whole-answer"
    assert body["result"].keys() == {"sentiment", "language", "topics", "statistics"}
    assert body["result"]["language"]["code"] == "en"
    assert body["result"]["topics"]["topics"][0]["label"] == "delivery"
    assert body["result"]["statistics"]["sentences"] == 2
    assert {model["name"] for model in body["models"]} == MODELS
    assert all(model["version"] and model["licence"] for model in body["models"])
    assert answer.headers["X-Cache"] == "MISS"
    assert body["created_at"].endswith("Z")


def test_it_went_through_the_queue_and_is_kept(house: House) -> None:
    body = ok(house.analyze(f"{ENGLISH} Through the queue."))
    job = house.get(f"/api/v1/jobs/{body['id']}").json
    assert (job["kind"], job["status"], job["attempts"]) == ("analyze.text", "completed", 1)
    assert job["result"]["result"] == body["result"]
    kept = ok(house.get(f"/api/v1/analyses/{body['id']}"))
    assert kept == body


JSON = {"Content-Type": "application/json"}
PLAIN = {"Content-Type": "text/plain"}
FORMS = {
    "JSON": {"json": {"text": ENGLISH, "tasks": ["language"]}},
    "JSON with a suffix": {"data": json.dumps({"text": ENGLISH}), "headers": {"Content-Type": "application/x+json"}},
    "plain": {"data": ENGLISH, "headers": PLAIN},
    "plain with a charset": {
        "data": ENGLISH.encode("utf-16"),
        "headers": {"Content-Type": "text/plain; charset=utf-16"},
    },
    "no type": {"data": ENGLISH.encode(), "headers": {}},
    "octets": {"data": ENGLISH, "headers": {"Content-Type": "application/octet-stream"}},
    "a file": {"data": {"file": file(ENGLISH.encode())}},
    "a file called like a table": {"data": {"file": file(ENGLISH.encode(), "a.csv", "text/plain")}},
    "a form": {"data": {"text": ENGLISH, "tasks": "language"}},
    "UTF-16": {"data": ENGLISH.encode("utf-16"), "headers": PLAIN},
    "a mark": {"data": b"\xef\xbb\xbf" + ENGLISH.encode(), "headers": PLAIN},
}


@pytest.mark.parametrize("form", FORMS)
def test_takes_a_text_in_many_forms(house: House, form: str) -> None:
    arguments = dict(FORMS[form])
    if isinstance(data := arguments.get("data"), dict) and "file" in data:
        stream, *rest = data["file"]
        arguments["data"] = {"file": (io.BytesIO(stream.getvalue()), *rest)}
    body = ok(house.analyze(query={"tasks": "language,statistics"}, **arguments))
    assert body["result"]["language"]["code"] == "en"
    assert body["result"]["statistics"]["characters"] == len(ENGLISH)


@pytest.mark.parametrize("place", ["query", "json", "form"])
def test_options_have_the_same_names_everywhere(house: House, place: str) -> None:
    text = f"{ENGLISH} Sent by {place}."
    if place == "query":
        options = {"tasks": "topics,sentiment", "labels": "praise, delivery", "sentences": "true", "wait": "60"}
        body = ok(house.analyze(data=text, headers=PLAIN, query=options))
    elif place == "json":
        options = {"tasks": ["topics", "sentiment"], "labels": ["praise", "delivery"], "sentences": True, "wait": 60}
        body = ok(house.analyze(text, **options))
    else:
        options = {"tasks": "topics,sentiment", "labels": '["praise", "delivery"]', "sentences": "1", "wait": "60"}
        body = ok(house.analyze(data={"text": text, **options}))
    assert body["result"].keys() == {"topics", "sentiment"}
    assert body["result"]["topics"]["scores"].keys() == {"praise", "delivery"}
    assert [one["text"] for one in body["result"]["sentiment"]["sentences"]][-1] == f"Sent by {place}."


def test_the_query_outranks_the_body(house: House) -> None:
    body = ok(house.analyze(ENGLISH, query={"tasks": "statistics"}, tasks=["language"]))
    assert body["result"].keys() == {"statistics"}
    assert body["models"] == []


def test_labels_may_have_phrases(house: House) -> None:
    labels = {"billing": ["An invoice or a payment.", "Money was charged twice."], "gardening": []}
    body = ok(house.analyze("My invoice is wrong: you charged me twice.", tasks=["topics"], labels=labels))
    assert [topic["label"] for topic in body["result"]["topics"]["topics"]] == ["billing"]


def test_other_languages_are_skipped_with_the_reason(house: House) -> None:
    body = ok(house.analyze(GERMAN))
    assert body["result"].keys() == {"language", "statistics"}
    assert {one["task"]: one["reason"] for one in body["skipped"]} == {
        "sentiment": "The model knows English only, and this is German.",
        "topics": "The model knows English only, and this is German.",
    }
    assert [model["name"] for model in body["models"]] == ["eldc"]


def test_what_is_too_short_to_tell_is_skipped_with_the_reason(house: House) -> None:
    body = ok(house.analyze("ok", tasks=["sentiment"]))
    assert body["result"] == {}
    assert "cannot be told: it has fewer than 4 letters" in body["skipped"][0]["reason"]


def test_the_same_again_comes_from_the_cache(house: House) -> None:
    text = f"{ENGLISH} Twice."
    first, second = house.analyze(text), house.analyze(data=text, headers=PLAIN)
    assert (first.headers["X-Cache"], second.headers["X-Cache"]) == ("MISS", "HIT")
    assert second.json == {**first.json, "cached": True}


@pytest.mark.parametrize("change", [{"tasks": ["language"]}, {"labels": ["a"]}, {"sentences": True}])
def test_another_question_is_another_answer(house: House, change: dict[str, Any]) -> None:
    text = f"{ENGLISH} With {sorted(change)}."
    assert ok(house.analyze(text))["cached"] is False
    assert ok(house.analyze(text, **change))["cached"] is False


def test_options_that_change_nothing_share_the_answer(house: House) -> None:
    text = f"{ENGLISH} Only counted."
    first = ok(house.analyze(text, tasks=["statistics"]))
    again = ok(house.analyze(text, tasks=["statistics"], labels=["praise"], sentences=True))
    assert (again["cached"], again["id"]) == (True, first["id"])


def test_no_owner_gets_another_owners_answer(house: House) -> None:
    text = f"{ENGLISH} Private."
    mine = ok(house.analyze(text, key=house.issue_key("mine")))
    theirs = ok(house.analyze(text, key=house.issue_key("theirs")))
    assert theirs["cached"] is False
    assert theirs["id"] != mine["id"]


@pytest.mark.parametrize("how", ["header", "query", "json"])
def test_not_waiting_gives_the_job(house: House, how: str) -> None:
    text = f"{ENGLISH} Not waiting, by {how}. " + "More of this. " * 6_000
    if how == "header":
        answer = house.analyze(text, headers={"Prefer": "respond-async"}, wait=60)
    elif how == "query":
        answer = house.analyze(text, query={"wait": "0"})
    else:
        answer = house.analyze(text, wait=0)
    assert answer.status_code == 202
    body = answer.json
    assert body["status"] in ("queued", "running")
    assert answer.headers["Location"] == body["links"]["self"] == f"/api/v1/jobs/{body['id']}"
    assert answer.headers["Retry-After"] == "1"
    assert ok(house.get(f"{body['links']['result']}?wait=120"))["id"] == body["id"]
    job = house.get(f"{answer.headers['Location']}?wait=120").json
    assert (job["status"], job["kind"]) == ("completed", "analyze.long_text")
    assert ok(house.get(body["links"]["result"]))["result"] == job["result"]["result"]


def test_a_repeated_request_gets_the_first_answer(house: House) -> None:
    text, key = f"{ENGLISH} Repeated.", {"Idempotency-Key": "repeat-1"}
    answer = house.analyze(text, headers=key)
    assert (answer.headers["X-Cache"], "Idempotent-Replayed" in answer.headers) == ("MISS", False)
    again = house.analyze(text, headers=key, wait=30)
    assert (again.headers["Idempotent-Replayed"], "X-Cache" in again.headers) == ("true", False)
    assert ok(again)["id"] == ok(answer)["id"]
    assert house.rows("select count(*) from jobs where params->>'text' = %s", text) == [(1,)]


def test_a_request_answered_from_the_cache_can_be_repeated(house: House) -> None:
    text, key = f"{ENGLISH} Repeated out of the cache.", {"Idempotency-Key": "repeat-2"}
    first = ok(house.analyze(text))
    cached = ok(house.analyze(text, headers=key))
    again = ok(house.analyze(text, headers=key))
    assert cached["id"] == again["id"] == first["id"]
    other = house.analyze(f"{text} Other.", headers=key)
    assert (other.status_code, other.json["code"]) == (409, "idempotency_conflict")


def test_a_repeated_request_whose_answer_was_deleted_is_answered_anew(house: House) -> None:
    text, key = f"{ENGLISH} Repeated after all.", {"Idempotency-Key": "repeat-3"}
    first = ok(house.analyze(text, headers=key))
    assert house.client.delete(f"/api/v1/analyses/{first['id']}", headers=MASTER).status_code == 204
    assert house.client.delete(f"/api/v1/jobs/{first['id']}", headers=MASTER).status_code == 204
    again = ok(house.analyze(text, headers=key))
    assert again["id"] != first["id"]
    assert again["result"] == first["result"]


def test_the_key_belongs_to_its_owner(house: House) -> None:
    key = {"Idempotency-Key": "same-for-two"}
    for owner in ("one", "two"):
        assert ok(house.analyze(f"{ENGLISH} By {owner}.", headers=key, key=house.issue_key(owner)))


def test_a_long_text_is_answered_whole_and_its_input_goes(house: House) -> None:
    text = "The delivery was late and nobody answered. " * 2_500 + "It ends here."
    body = ok(house.analyze(text))
    assert body["result"]["statistics"]["characters"] == len(text)
    assert body["result"]["sentiment"]["sentences_used"] == 2_501
    assert house.rows("select count(*) from blobs where expires_at is null or expires_at > now()") == [(0,)]
    assert house.get(f"/api/v1/jobs/{body['id']}").json["params"].keys() >= {"input", "tasks"}


def test_analyses_are_listed_shown_and_deleted(house: House) -> None:
    key = house.issue_key("lister")
    ids = [ok(house.analyze(f"{ENGLISH} Listed {number}.", key=key))["id"] for number in range(3)]
    first = ok(house.get("/api/v1/analyses?limit=2", key))
    assert [item["id"] for item in first["items"]] == ids[:0:-1]
    rest = ok(house.get(first["next"].partition("localhost")[2], key))
    assert ([item["id"] for item in rest["items"]], rest["next"]) == ([ids[0]], None)
    assert ok(house.get(f"/api/v1/analyses/{ids[0]}", key))["id"] == ids[0]
    stranger = house.issue_key("stranger")
    assert house.get(f"/api/v1/analyses/{ids[0]}", stranger).status_code == 404
    assert house.client.delete(f"/api/v1/analyses/{ids[0]}", headers=stranger).status_code == 404
    assert house.client.delete(f"/api/v1/analyses/{ids[0]}", headers=key).status_code == 204
    assert house.get(f"/api/v1/analyses/{ids[0]}", key).status_code == 404
    assert ok(house.analyze(f"{ENGLISH} Listed 0.", key=key))["cached"] is False


def test_a_cursor_of_another_list_is_refused(house: House) -> None:
    answer = house.get("/api/v1/analyses?cursor=nonsense")
    assert (answer.status_code, answer.json["code"]) == (422, "validation_error")


def test_the_openapi_document_describes_every_way_in(house: House) -> None:
    document = ok(house.get("/openapi.json"))
    operation = document["paths"]["/analyze"]["post"]
    assert set(operation["requestBody"]["content"]) >= {"application/json", "text/plain", "multipart/form-data"}
    assert {one["name"] for one in operation["parameters"]} == {*Options.model_fields, "Prefer", "Idempotency-Key"}
    assert {"200", "202", "409", "413", "415", "422", "429", "503"} <= operation["responses"].keys()
    for name in ("ContentIn", "AnalysisOut", "ImageAnalysisOut", "PendingOut", "BatchOut", "Sentiment"):
        assert name in document["components"]["schemas"]
    properties = document["components"]["schemas"]["TextResult"]["properties"]
    assert properties.keys() == {"sentiment", "language", "topics", "statistics"}
