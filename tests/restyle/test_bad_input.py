"""What cannot be restyled is refused before anything is stored, with a problem that says what to do."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.analyze.house import House, refused
from tests.restyle.rooms import as_file, room, submit

pytestmark = pytest.mark.torch
BLANK = as_file(Image.new("L", (200, 150), 255))


def blobs_of(house: House) -> int:
    return int(house.rows("select count(*) from blobs")[0][0])


@pytest.mark.parametrize(
    ("content", "status", "code", "words"),
    [
        (b"This is no photo.", 415, "unsupported_media_type", "JPEG, PNG"),
        (as_file(room(10, 10)), 422, "unfit_photo", "at least 64"),
        (as_file(room(1100, 100)), 422, "unfit_photo", "11.0 times as long"),
        (as_file(room(200, 150), "JPEG")[:900], 422, "damaged_image", "decoded"),
    ],
)
def test_photos_that_are_none(restyler: House, content: bytes, status: int, code: str, words: str) -> None:
    before = blobs_of(restyler)
    problem = refused(submit(restyler, content), status, code)
    assert words in problem["detail"]
    assert blobs_of(restyler) == before


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"strength": "7"}, "strength"),
        ({"strength": "nan"}, "strength"),
        ({"variations": "40"}, "variations"),
        ({"prompt": "x" * 10_000}, "prompt"),
        ({"seed": "-1"}, "seed"),
        ({"steps": "1000"}, "steps"),
        ({"quality": "ultra"}, "quality"),
        ({"color_palette": "red"}, "color_palette.0"),
        ({"keep_furniture": '["couch'}, "keep_furniture"),
        ({"preferences": "{not json"}, "preferences"),
        ({"preferences": "[1]"}, "preferences"),
        ({"preferences": '{"colour": "red"}'}, "colour"),
        ({"stlye": "modern"}, "stlye"),
    ],
)
def test_wrong_fields_are_named(restyler: House, photo: bytes, fields: dict[str, str], wrong: str) -> None:
    before = blobs_of(restyler)
    problem = refused(submit(restyler, photo, **fields), 422, "validation_error")
    assert problem["errors"][0]["field"] == wrong
    assert blobs_of(restyler) == before


def test_an_unknown_style_is_answered_with_the_list(restyler: House, photo: bytes) -> None:
    problem = refused(submit(restyler, photo, style="baroque"), 422, "unknown_style")
    assert {"boho", "industrial", "minimalist", "modern", "scandinavian"} <= set(problem["styles"])
    assert "scandinavian" in problem["detail"]


def test_a_mask_of_another_size(restyler: House, photo: bytes) -> None:
    before = blobs_of(restyler)
    refused(submit(restyler, photo, mask=as_file(Image.new("L", (100, 150), 255))), 422, "mask_does_not_fit")
    refused(submit(restyler, photo, mask=b"no picture"), 415, "unsupported_media_type")
    assert blobs_of(restyler) == before


def test_no_photo_two_photos_other_files_and_no_form(restyler: House, photo: bytes) -> None:
    def post(data: Any, **more: Any) -> Any:
        return restyler.client.post("/transform/submit", data=data, headers=restyler.master, **more)

    assert refused(post({"style": "modern"}), 415, "unsupported_media_type")
    form = {"content_type": "multipart/form-data"}
    assert refused(post({"style": "modern"}, **form), 422, "validation_error")["errors"][0]["field"] == "file"
    two = {"file": [(io.BytesIO(photo), "a.jpg"), (io.BytesIO(photo), "b.jpg")]}
    assert "more than once" in refused(post(two), 422, "validation_error")["detail"]
    other = {"file": (io.BytesIO(photo), "a.jpg"), "plan": (io.BytesIO(photo), "b.jpg")}
    assert refused(post(other), 422, "validation_error")["errors"][0]["field"] == "plan"


def test_a_stranger_sees_nothing_and_without_a_key_nothing_is_taken(restyler: House, photo: bytes) -> None:
    stranger = restyler.issue_key("stranger")
    job_id = submit(restyler, photo, quality="fast", steps="2", seed="1").json["job_id"]
    assert restyler.get(f"/transform/status/{job_id}", stranger).status_code == 404
    assert restyler.client.delete(f"/transform/{job_id}", headers=stranger).status_code == 404
    assert restyler.get(f"/transform/preview/{job_id}", stranger).status_code == 404
    assert restyler.client.post("/transform/submit").status_code == 401


def test_a_job_of_another_kind_is_no_restyling(restyler: House) -> None:
    job_id = restyler.analyze("A text.").json["id"]
    assert restyler.get(f"/transform/status/{job_id}").status_code == 404


def test_preferences_count_where_the_form_says_nothing_itself(restyler: House, photo: bytes) -> None:
    preferences = '{"keep_furniture": false, "color_palette": ["#112233"], "style": "boho", "seed": 3}'
    answer = submit(restyler, photo, preferences=preferences, style="modern", quality="fast", steps="2", mask=BLANK)
    assert answer.status_code == 200, answer.json
    data = restyler.get(f"/transform/status/{answer.json['job_id']}").json["data"]
    asked = {"color_palette": ["#112233"], "keep_furniture": False, "style": "modern", "seed": 3}
    assert asked.items() <= data["request"].items()


def test_health_says_who_has_a_device(restyler: House) -> None:
    told = restyler.get("/health/detailed").json["services"]["gpu"]
    assert (told["status"], told["workers"], told["kinds"], told["here"]) == ("ok", 1, ["restyle.run"], "CPU")
