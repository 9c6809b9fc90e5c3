"""Long texts: apart from the short ones, and not lost when their process is."""

from __future__ import annotations

import time
from collections.abc import Callable

import psutil

from tests.analyze.house import House

SHORT = "I love this sofa, but the delivery was late."


def distinct(sentences: int) -> str:
    return " ".join(f"Number {number} was late and nobody answered the phone." for number in range(sentences))


def child_at_work(house: House, job: str) -> psutil.Process:
    """The child process that does the job, once it has said how far it is."""
    until = time.monotonic() + 60
    while not house.get(f"/api/v1/jobs/{job}").json["progress"]:
        assert time.monotonic() < until
        time.sleep(0.05)
    (child,) = [one for one in psutil.Process().children() if "thetool.jobs.child" in one.cmdline()]
    return child


def test_short_texts_are_answered_while_a_long_one_runs(make_house: Callable[..., House]) -> None:
    house = make_house(job_threads=1)
    long = house.analyze(distinct(10_000), wait=0, tasks=["topics"]).json["id"]
    child_at_work(house, long)
    for number in range(3):
        assert house.analyze(f"{SHORT} {number}", tasks=["language"]).json["status"] == "completed"
    assert house.get(f"/api/v1/jobs/{long}").json["status"] == "running"
    house.client.post(f"/api/v1/jobs/{long}/cancel", headers=house.master)


def test_a_long_text_whose_process_is_killed_is_analyzed_again_and_tells_how_far_it_is(
    make_house: Callable[..., House],
) -> None:
    house = make_house()
    text = distinct(1_400)
    job = house.analyze(text, wait=0).json["id"]
    child_at_work(house, job).kill()
    reached = house.get(f"/api/v1/jobs/{job}").json["progress"]
    seen: set[tuple[str | None, str | None]] = set()
    fractions: list[float] = []
    until = time.monotonic() + 120
    while (told := house.get(f"/api/v1/jobs/{job}").json)["status"] in ("queued", "running"):
        assert time.monotonic() < until
        if told["attempts"] == 2 and told["progress"] > reached:  # until it says something, the first attempt's counts
            seen.add((told["stage"], told["message"]))
            fractions.append(told["progress"])
        time.sleep(0.05)
    assert (told["status"], told["attempts"]) == ("completed", 2)
    assert told["result"]["result"]["statistics"]["characters"] == len(text)
    assert any(stage == "analyzing" and str(words).startswith("Finding topics") for stage, words in seen)
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 3
    assert house.rows("select count(*) from blobs where expires_at > now()") == [(0,)]
