"""Photos in services of their own: what is kept of them, and what a service without all weights does."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.analyze.house import House, refused
from tests.analyze.test_analyze import ok
from tests.analyze.test_photos import QUICK, picture, saved, send
from thetool.analyze import jobs
from thetool.analyze.photos import Keep, PhotoFindings
from thetool.analyze.retention import sweep
from thetool.database.orm import db
from thetool.vision.problems import DamagedImage, DecodingTimedOut, ImageTooLarge, UnsupportedImage


def test_what_is_kept_is_the_thumbnail_and_it_goes_with_the_analysis(make_house: Callable[..., House]) -> None:
    house = make_house()
    body = ok(send(house, saved(picture(2)), tasks=QUICK))
    kept = "select media_type, filename, expires_at - created_at > '23 hours' from blobs"
    assert house.rows(kept) == [("image/jpeg", "thumbnail.jpg", True)]
    assert house.rows("select count(*) from blob_chunks") == [(1,)]
    assert house.client.delete(f"/api/v1/analyses/{body['id']}", headers=house.master).status_code == 204
    assert house.rows("select count(*) from blobs") == [(0,)]
    assert house.client.get(body["thumbnail"]).status_code == 404


def test_missing_weights(make_house: Callable[..., House], tmp_path: Path, weights_dir: Path) -> None:
    """By default what cannot be done is left out and told; what was asked for by name is a problem."""
    (tmp_path / "some").mkdir()
    os.symlink(weights_dir / "labels", tmp_path / "some" / "labels")
    house = make_house(weights_dir=tmp_path / "some")
    body = ok(send(house, saved(picture(15))))
    assert list(body["result"]) == ["info", "labels", "palette", "quality"]
    (skipped,) = body["skipped"]
    assert (skipped["task"], skipped["how"]) == ("objects", "run: thetool weights pull objects")
    for task, role in (("objects", "objects"), ("text", "ocr")):
        problem = refused(send(house, saved(picture(15)), tasks=f"info,{task}"), 503, "weights_missing")
        assert f"thetool weights pull {role}" in problem["detail"]


HOPELESS = (DamagedImage, DecodingTimedOut, ImageTooLarge, UnsupportedImage)


def test_what_cannot_be_decoded_goes_at_once_and_other_failures_can_be_put_back(
    make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thumbnail of an attempt that failed goes in any case."""
    house = make_house()
    refused(send(house, saved(picture(18))[:600]), 422, "damaged_image")
    for problem in HOPELESS:
        monkeypatch.setattr(jobs, "look_at_photo", failing_with(problem("It is of no use.")))
        refused(send(house, saved(picture(19))), problem.status, problem.code)
    assert house.rows("select count(*) from blobs") == [(0,)]
    monkeypatch.setattr(jobs, "look_at_photo", failing_with(ZeroDivisionError()))
    refused(send(house, saved(picture(20))), 500, "job_failed")
    house.rows("update blobs set created_at = now() - interval '6 minutes'")
    with house.app.app_context():
        assert sweep(db.engine) == 0
    kept = "select size from blobs join jobs on params->>'input' = blobs.id::text where error->>'code' = 'job_failed'"
    assert house.rows(kept) == [(len(saved(picture(20))),)]
    assert house.rows("select count(*) from blobs") == [(1,)]


def failing_with(error: Exception) -> Callable[..., PhotoFindings]:
    """A look at a photo that fails once its thumbnail is kept."""

    def look_at_photo(*_: object, keep: Keep, **__: object) -> PhotoFindings:
        keep(b"a thumbnail", "thumbnail.jpg")
        raise error

    return look_at_photo


def test_the_photo_of_a_job_that_ended_otherwise_is_swept(make_house: Callable[..., House]) -> None:
    house = make_house(work=False)
    house.rows(
        "insert into workers (id, host, pid, version, kinds, devices, slots)"
        " values (gen_random_uuid(), 'elsewhere', 1, '1', array['analyze.photo'], '{}', 1)"
    )
    job = send(house, saved(picture(17)), wait="0").json["id"]
    house.rows("update blobs set created_at = now() - interval '6 minutes'")
    with house.app.app_context():
        assert sweep(db.engine) == 0
        house.client.post(f"/api/v1/jobs/{job}/cancel", headers=house.master)
        assert sweep(db.engine) == 1
    assert house.rows("select count(*) from blobs") == [(0,)]
