"""A child that forks, fills the memory or the disk: its job fails and says why, the worker lives, nothing is left."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from tests.jobs.hostile_jobs import Params
from tests.jobs.making import OWNER, lives, until
from thetool.jobs import disk
from thetool.jobs.disk import TooManyFiles, folder_bytes
from thetool.jobs.runner import Runner
from thetool.jobs.scratch import PREFIX, make_scratch, remove
from thetool.jobs.snapshot import JobSnapshot
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for


def run(what: str, note: Path | None = None, kind: str = "sample_hostile.child") -> JobSnapshot:
    params = Params(what=what, note=str(note) if note else None)
    return wait_for(submit(kind, params, owner_id=OWNER).job_id, 100)


others: set[Path] = set()
"""Folders that another test of this process left, or has open still."""


def scratch_folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*"))


@pytest.fixture(autouse=True)
def _leave_out_others() -> None:
    others.clear()
    others.update(scratch_folders())


def assert_nothing_is_left(note: Path) -> None:
    """No process, no folder; and the slot takes the next job."""
    started = [int(line) for line in note.read_text().split()] if note.exists() else []
    until(lambda: not any(lives(pid) for pid in started), "all that it started is gone")
    until(lambda: not scratch_folders() - others, "its folder is gone")
    assert run("echo").status == "completed"


CASES = [
    ("fork_many", "sample_hostile.roomy", "too_many_processes", "more than 64 processes"),
    ("fork_ever", "sample_hostile.roomy", "too_many_processes", "more than 64 processes"),
    ("fill_with_forks", "sample_hostile.child", "out_of_memory", "more than 400 MiB of memory"),
    ("at_once_in_another_language", "sample_hostile.child", "out_of_memory", "needed more memory than the 400 MiB"),
    ("many_files", "sample_hostile.child", "out_of_disk", "more than 32 MiB"),
    ("without_a_name", "sample_hostile.child", "out_of_disk", "more than 32 MiB"),
    ("in_memory_files", "sample_hostile.roomy", "out_of_disk", "more than 32 MiB"),
]


@pytest.mark.parametrize(("what", "kind", "code", "words"), CASES, ids=[case[0] for case in CASES])
def test_a_child_that_takes_too_much_is_killed(
    runner: Runner, tmp_path: Path, what: str, kind: str, code: str, words: str
) -> None:
    note = tmp_path / "pids"
    job = run(what, note, kind)
    assert job.status == "failed"
    assert job.error
    assert (job.error["code"], words in job.error["message"]) == (code, True), job.error
    assert job.attempts == 1
    assert_nothing_is_left(note)


def test_memory_is_refused_that_is_asked_for_in_one_go(runner: Runner) -> None:
    child = run("echo").result
    job = run("at_once")
    assert (job.status, job.attempts) == ("failed", 1)
    assert job.error
    assert (job.error["code"], "400 MiB" in job.error["message"]) == ("out_of_memory", True)
    assert run("echo").result == child  # the process is as good as before


def test_a_file_stops_growing_wherever_it_lies(runner: Runner, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    job = run("one_file", note)
    assert job.error
    assert job.error["code"] == "out_of_disk"
    assert "File too large" in job.error["message"]
    assert Path(f"{note}.big").stat().st_size <= 32 * 2**20
    assert run("echo").status == "completed"


def test_a_child_that_makes_files_without_end_is_killed(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MOST_ENTRIES", 2000)
    job = run("empty_files")
    assert job.error
    assert job.error["code"] == "out_of_disk"
    assert_nothing_is_left(tmp_path / "none")


def test_folders_that_are_hard_to_remove_are_removed(runner: Runner, tmp_path: Path) -> None:
    job = run("deep_folders")
    assert job.status in ("completed", "failed")  # a look at the disk may come before the end
    assert_nothing_is_left(tmp_path / "none")


def test_a_folder_is_measured(tmp_path: Path) -> None:
    assert folder_bytes(tmp_path / "none") == 0
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/file").write_bytes(b"x" * 1_000_000)
    (tmp_path / "link").symlink_to("/")
    assert 1_000_000 <= folder_bytes(tmp_path) < 1_100_000


def test_a_folder_is_not_counted_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "MOST_ENTRIES", 3)
    for number in range(3):
        (tmp_path / str(number)).touch()
    folder_bytes(tmp_path)
    (tmp_path / "one more").touch()
    with pytest.raises(TooManyFiles):
        folder_bytes(tmp_path)


def test_a_closed_folder_is_removed() -> None:
    folder = make_scratch()
    (folder / "closed").mkdir()
    (folder / "closed/file").touch()
    (folder / "closed").chmod(0)
    remove(folder)
    assert not folder.exists()
