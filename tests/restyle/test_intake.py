"""What a copy takes in, and refuses, that restyles nothing itself: as far as it knows, a worker elsewhere does."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.analyze.house import House, refused
from tests.conftest import MASTER_KEY, migrated_database
from tests.restyle.rooms import as_file, room, state, submit
from thetool.app import create_app
from thetool.config import Settings, SettingsError
from thetool.database.ids import new_id
from thetool.jobs.local import local
from thetool.restyle.jobs import KIND
from thetool.vision.decoder import Decoder
from thetool.vision.problems import DecoderUnavailable

PHOTO = as_file(room(200, 150), "JPEG")
STYLE = """
[styles.japandi]
title = "Japandi"
summary = "Calm and natural."
prompt = "japandi {room}, oak, paper lamps"
palette = ["#f0ebe3", "#3d3d3d"]
"""


@pytest.fixture(scope="module")
def styles_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("styles") / "styles.toml"
    file.write_text(STYLE)
    return file


@pytest.fixture(scope="module")
def front(postgres_url: str, styles_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With a pool of one connection: who asks for a second one while it holds the first waits in vain."""
    with migrated_database(postgres_url) as url:
        house = House(
            Settings(
                DATABASE_URL=url,
                DATABASE_POOL_SIZE=1,
                THETOOL_HOME=tmp_path_factory.mktemp("home"),
                MASTER_API_KEY=MASTER_KEY,
                RATE_LIMIT_ENABLED=False,
                LOG_LEVEL="WARNING",
                RESTYLE_STYLES=styles_file,
                RESTYLE_KEEP_DAYS=40,
            ),
            work=False,
        )
        yield house
        house.close()


@pytest.fixture(autouse=True)
def _a_worker_elsewhere(front: House) -> None:
    local.configure(front.settings)
    told = {"host": "", "pid": 1, "version": "", "slots": 1, "running": 0, "draining": False}
    local.queue.heartbeat(new_id(), kinds=[KIND], **told)


@pytest.mark.parametrize(
    ("fields", "wrong", "words"),
    [
        ({"remove": "[" * 100_000}, "remove", "JSON list"),
        ({"color_palette": "[" * 100_000}, "color_palette", "JSON list"),
        ({"preferences": "[" * 100_000}, "preferences", "no JSON"),
        ({"preferences": '{"prompt": "a\\u0000b"}'}, "prompt", "U+0000"),
        ({"preferences": '{"prompt": "\\ud800"}'}, "prompt", ""),
        ({"keep_furniture": ",".join(f"thing {number}" for number in range(21))}, "keep_furniture", "20"),
        ({"keep_furniture": "chair, Potted_plant", "remove": "potted plant"}, "", "both name potted plant"),
    ],
    ids=["deep list", "deep palette", "deep preferences", "NUL", "surrogate", "many labels", "kept and removed"],
)
def test_hostile_fields_are_refused_and_leave_nothing(
    front: House, fields: dict[str, str], wrong: str, words: str
) -> None:
    before = front.rows("select count(*) from blobs")
    problem = refused(submit(front, PHOTO, **fields), 422, "validation_error")
    assert problem["errors"][0]["field"].startswith(wrong)
    assert words in problem["errors"][0]["message"]
    assert front.rows("select count(*) from blobs") == before


def test_a_mask_that_is_empty_is_none_that_was_meant(front: House) -> None:
    """To paint the whole room instead would be the opposite of what was asked for."""
    problem = refused(submit(front, PHOTO, mask=b""), 422, "validation_error")
    assert problem["errors"][0] == {"field": "mask", "message": "is empty", "location": "form"}
    nothing_chosen = {"file": (io.BytesIO(PHOTO), "room.jpg"), "mask": (io.BytesIO(b""), "")}
    assert front.client.post("/transform/submit", data=nothing_chosen, headers=front.master).status_code == 200


def test_without_a_decoder_the_caller_is_told_to_try_again(front: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(self: Decoder, content: bytes, **options: Any) -> None:
        raise DecoderUnavailable("The process that decodes images did not start; try again.")

    monkeypatch.setattr(Decoder, "decode", decode)
    answer = submit(front, PHOTO)
    refused(answer, 503, "decoder_unavailable")
    assert answer.headers["Retry-After"]


def test_a_file_of_styles_that_is_broken_later_is_told_and_read_again_once_it_is_mended(
    front: House, styles_file: Path
) -> None:
    for number, text in enumerate(("styles = 3", "[styles]\nx = 1", "[stiles.x]", "a = " + "[" * 5_000, STYLE)):
        styles_file.write_text(text)
        os.utime(styles_file, (number, number))
        answer = front.get("/transform/styles")
        if text != STYLE:
            assert "RESTYLE_STYLES" in refused(answer, 503, "styles_unreadable")["detail"]
    assert "japandi" in [style["name"] for style in answer.json["styles"]]


def test_a_broken_file_of_styles_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="RESTYLE_STYLES"):
        create_app(Settings(RESTYLE_STYLES=tmp_path / "missing.toml", THETOOL_HOME=tmp_path))


def test_the_estimate_counts_what_waits_before_and_not_the_job_itself(front: House) -> None:
    fields = {"quality": "best", "variations": "3"}
    assert submit(front, PHOTO, **fields).json["estimated_time"] is None, "nothing is known yet, and nothing made up"
    front.rows("update jobs set status = 'cancelled', finished_at = now()")
    front.rows(
        "insert into restyle_runs (job_id, quality, variations, seconds, gpu_seconds, device) "
        "values (gen_random_uuid(), 'best', 3, 12.5, 12, 'one')"
    )
    assert [submit(front, PHOTO, **fields).json["estimated_time"] for _ in range(2)] == [12.5, 25.0]


def test_its_state_is_there_as_long_as_its_pictures(front: House) -> None:
    job_id = submit(front, PHOTO, style="japandi").json["job_id"]
    assert state(front, job_id)["status"] == "queued"
    assert front.rows("select keep_s, timeout_s from jobs where id = %s", job_id) == [(40 * 86_400, 3600)]
    refused(front.get(f"/transform/preview/{job_id}"), 404, "not_found")


def test_request_is_what_was_asked(front: House) -> None:
    asked = {"prompt": "a  piano", "keep_furniture": "couch,chair", "color_palette": json.dumps(["#112233"])}
    job_id = submit(front, PHOTO, **asked).json["job_id"]
    assert state(front, job_id)["request"] == {
        "prompt": "a piano",
        "keep_furniture": ["couch", "chair"],
        "color_palette": ["#112233"],
    }
