from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from tests.jobs.making import lives, make, rows, until
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.scratch import PREFIX, clear, make_scratch, open_scratch_file, sweep
from thetool.jobs.snapshot import JobSnapshot
from thetool.jobs.waiting import wait_for

SECRET = "a-secret-of-the-worker"


def run(what: str, **params: object) -> JobSnapshot:
    """Run a job in a child; what it has under `text` says which."""
    return wait_for(make("sample.child", text=what, **params), 60)


def pid_of_child() -> int:
    result = run("echo").result
    assert result
    return int(result["text"])


def error_of(snapshot: JobSnapshot) -> tuple[str, str]:
    assert snapshot.status == "failed"
    assert snapshot.error
    return snapshot.error["code"], snapshot.error["message"]


def test_a_child_is_another_process_and_is_used_again(runner: Runner) -> None:
    first = pid_of_child()
    assert first != os.getpid()
    assert pid_of_child() == first


def test_a_child_ends_with_its_runner(runner: Runner) -> None:
    child = pid_of_child()
    runner.close()
    assert not lives(child)
    assert not list(Path("/tmp").glob(f"{PREFIX}{os.getpid()}-*"))


def test_a_failure_in_a_child_is_told_with_its_traceback_and_the_child_lives(runner: Runner) -> None:
    child = pid_of_child()
    snapshot = run("fail")
    assert error_of(snapshot) == ("job_failed", "ValueError: the child could not")
    assert snapshot.error
    assert "sample_jobs.py" in snapshot.error["traceback"]
    assert pid_of_child() == child


def test_a_transient_failure_in_a_child_is_tried_again(runner: Runner, quick_retries: None) -> None:
    snapshot = run("transient")
    assert (snapshot.status, snapshot.attempts) == ("completed", 2)


def test_progress_and_log_lines_come_out_of_a_child(runner: Runner) -> None:
    with capture_logs([__import__("structlog").contextvars.merge_contextvars]) as lines:
        job_id = make("sample.child", text="steps", seconds=0.5)
        wait_for(job_id, 60)
        echo = run("echo", number=7)
    assert ("step2", "Step 2", 0.5) in rows(runner.queue.url, "select stage, message, progress from job_events")
    (line,) = [line for line in lines if line["event"] == "echo from the child"]
    assert (line["job_id"], line["correlation_id"], line["number"]) == (str(echo.id), "test-request", "7.0")


@pytest.mark.parametrize("how", ["cancel", "timeout", "hand back", "lose"])
def test_a_child_is_killed_when_its_job_must_stop(runner: Runner, tmp_path: Path, how: str) -> None:
    """The child and all that it started: forked, run, and in a session of their own."""
    note = tmp_path / "pids"
    timeout = 3 if how == "timeout" else None
    job_id = make("sample.child", timeout=timeout, text="fork", seconds=60, path=str(note))
    until(lambda: note.exists() and note.read_text().count(" ") == 3, "it has started its own processes")
    pids = [int(pid) for pid in note.read_text().split()]
    if how == "cancel":
        stranger = Queue(runner.queue.url)
        stranger.cancel(job_id)
        stranger.close()
    elif how == "hand back":
        runner.hand_back()
    elif how == "lose":
        rows(runner.queue.url, "update jobs set claim_token = %s", str(uuid4()))
    until(lambda: not any(lives(pid) for pid in pids), "they are killed")
    until(lambda: runner.busy() == 0, "its slot is free")
    ends = {"cancel": "cancelled", "timeout": "failed", "hand back": "queued", "lose": "running"}
    assert rows(runner.queue.url, "select status from jobs") == [(ends[how],)]


def test_what_a_child_leaves_running_is_killed_when_its_job_ends(runner: Runner) -> None:
    snapshot = run("fork", seconds=0)
    assert snapshot.result
    until(lambda: not any(lives(int(pid)) for pid in snapshot.result["values"]), "they are killed")  # type: ignore[index]


def test_a_child_that_eats_memory_is_killed(runner: Runner) -> None:
    code, message = error_of(run("eat"))
    assert code == "out_of_memory"
    assert "300 MiB" in message
    assert run("echo").status == "completed"


def test_a_child_that_crashes_is_tried_again_then_failed(runner: Runner, quick_retries: None) -> None:
    snapshot = run("kill")
    assert error_of(snapshot) == ("crashed", "Its process was killed by signal 9 (SIGKILL).")
    assert snapshot.error
    assert snapshot.error["traceback"] == "last words\n"
    assert snapshot.attempts == 3
    assert run("echo").status == "completed"


def test_a_child_that_cannot_be_started_now_is_tried_again(
    runner: Runner, quick_retries: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, refusals = subprocess.Popen, [OSError(errno.EAGAIN, "Resource temporarily unavailable")]

    def refuse_once(*arguments: Any, **more: Any) -> Any:
        if refusals:
            raise refusals.pop()
        return start(*arguments, **more)

    monkeypatch.setattr(subprocess, "Popen", refuse_once)
    snapshot = run("echo")
    assert (snapshot.status, snapshot.attempts) == ("completed", 2)
    assert len(list(Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*"))) == 1


def test_a_worker_with_many_open_files_follows_its_child(runner: Runner) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096) if hard > 0 else 4096, hard))
    files: list[int] = []
    try:
        while not files or files[-1] < 1100:
            files.append(os.open(os.devnull, os.O_RDONLY))
        assert run("echo").status == "completed"
    finally:
        for file in files:
            os.close(file)
        runner.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_child_that_is_killed_from_outside_is_replaced(runner: Runner, quick_retries: None, tmp_path: Path) -> None:
    note = tmp_path / "pid"
    job_id = make("sample.child", text="sleep", seconds=1, path=str(note))
    until(lambda: note.exists() and note.read_text(), "it runs")
    os.kill(int(note.read_text()), signal.SIGKILL)
    snapshot = wait_for(job_id, 60)
    assert (snapshot.status, snapshot.attempts) == ("completed", 2)


def test_a_child_that_exits_by_itself_is_told(runner: Runner, quick_retries: None) -> None:
    assert error_of(run("exit")) == ("crashed", "Its process ended by itself with status 3.")


def test_a_child_has_no_secrets(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MASTER_API_KEY", "DATABASE_URL", "SECRET_KEY", "OPENAI_API_KEY", "S3_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)
    result = run("environment").result
    assert result
    assert any(value.startswith("PYTHONPATH=") for value in result["values"])
    assert not any(SECRET in value for value in result["values"])


def test_a_child_that_talks_nonsense_is_killed(runner: Runner) -> None:
    assert error_of(run("nonsense"))[0] == "bad_child"
    assert run("echo").status == "completed"


@pytest.mark.parametrize(
    "words",
    ['F{"code":"a","message":["no text"]}', 'F{"code":"a"}', 'L["info",[]]', 'G[0.5,["no text"],null]'],
    ids=["message", "missing", "log", "stage"],
)
def test_a_child_whose_words_are_of_the_wrong_type_is_killed(runner: Runner, words: str) -> None:
    snapshot = run("wrong words", path=words)
    assert error_of(snapshot)[0] == "bad_child"
    assert snapshot.attempts == 1


def test_a_result_comes_whole_or_not_at_all(runner: Runner) -> None:
    large = run("large", number=5_000_000)
    assert large.result
    assert large.result["text"] == "y" * 5_000_000
    assert error_of(run("big"))[0] == "result_too_large"


def test_the_worker_writes_what_belongs_to_a_childs_result(runner: Runner) -> None:
    snapshot = wait_for(make("sample.child_hook", text="named by a child"), 60)
    assert snapshot.status == "completed"
    assert rows(runner.queue.url, "select name from owners") == [("named by a child",)]


def test_thread_jobs_go_on_while_a_child_works(runner: Runner) -> None:
    long = make("sample.child", text="sleep", seconds=60)
    assert wait_for(make("sample.noop"), 30).status == "completed"
    assert wait_for(long, 0).status == "running"


def test_a_childs_folder_is_emptied_between_jobs(tmp_path: Path) -> None:
    folder = make_scratch()
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "kept").touch()
    assert clear(folder)
    assert list(folder.iterdir()) == []
    assert (tmp_path / "kept").exists()
    folder.rmdir()


def test_folders_of_dead_workers_are_swept() -> None:
    mine = make_scratch()
    dead = mine.with_name(f"{PREFIX}999999999-x")
    dead.mkdir()
    sweep()
    assert mine.exists()
    assert not dead.exists()
    mine.rmdir()


@pytest.mark.parametrize("name", ["../secret", "link", "pipe", "folder", "", "..", "missing"])
def test_only_a_plain_file_of_its_folder_is_stored(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "scratch"
    folder.mkdir()
    (tmp_path / "secret").write_text(SECRET)
    (folder / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    began = time.monotonic()
    with pytest.raises((ValueError, OSError)):
        open_scratch_file(folder, name)
    assert time.monotonic() - began < 10
    (folder / "plain").write_text("fine")
    with open_scratch_file(folder, "plain") as file:
        assert file.read() == b"fine"
