from __future__ import annotations

from typing import Any

import psycopg2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from thetool.database.connection import DatabaseUnavailable
from thetool.jobs.failure import Failure, backoff_seconds, failure_of, invalid_params
from thetool.jobs.registry import TransientError
from thetool.web.problems import Problem


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def test_an_error_is_final_and_readable() -> None:
    failure = failure_of(raised(ValueError("the file is upside down")))
    assert (failure.code, failure.message) == ("job_failed", "ValueError: the file is upside down")
    assert not failure.transient
    assert failure.traceback
    assert "in raised" in failure.traceback


def test_a_transient_error_may_be_tried_again() -> None:
    failure = failure_of(raised(TransientError("busy", retry_after=7)))
    assert (failure.code, failure.message, failure.transient, failure.retry_after) == (
        "transient_error",
        "busy",
        True,
        7,
    )


@pytest.mark.parametrize("error", [DatabaseUnavailable("away"), psycopg2.OperationalError("server closed")])
def test_a_database_that_is_away_is_transient(error: Exception) -> None:
    assert failure_of(error).transient


def test_a_problem_keeps_its_code() -> None:
    class Upside(Problem):
        code = "upside_down"

    failure = failure_of(Upside("turn it"))
    assert (failure.code, failure.message) == ("upside_down", "turn it")


@pytest.mark.parametrize(("status", "kept"), [(422, False), (404, False), (500, True), (503, True)])
def test_what_the_caller_did_wrong_has_no_traceback(status: int, kept: bool) -> None:
    class Wrong(Problem):
        code = "wrong"

    Wrong.status = status
    failure = failure_of(raised(Wrong("send another")))
    assert (failure.message, failure.traceback is not None) == ("send another", kept)


@pytest.mark.parametrize(("said", "kept"), [(503, 503), (None, None), (7, None), ("503", None)])
def test_what_another_service_answered_is_part_of_the_error(said: Any, kept: int | None) -> None:
    failure = Failure("webhook_status", "It would not.", response_status=said).bounded()
    assert failure.as_dict().get("response_status") == kept


def test_an_exit_is_a_failure() -> None:
    assert failure_of(SystemExit(3)).message.startswith("SystemExit")


def test_what_is_kept_is_bounded_and_storable() -> None:
    failure = failure_of(raised(ValueError("\0\ud800" + "x" * 10_000_000)))
    assert len(failure.message) <= 10_000
    assert "\0" not in failure.message
    assert len(failure.traceback or "") <= 20_000
    assert failure.as_json().isprintable()


def test_an_error_that_cannot_be_written_out_is_a_failure_all_the_same() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert failure_of(raised(MuteError())).message == "MuteError, which cannot say what it is"


@pytest.mark.parametrize(
    ("asked", "waits"),
    [(7, 7), (-1, 0), (10**400, 86_400), (float("inf"), 86_400), (float("nan"), 0), (None, 0), ("Tue, 1 Jan", 0)],
    ids=["sane", "negative", "huge", "infinite", "nan", "none", "text"],
)
def test_a_wait_that_makes_no_sense_is_bounded(asked: Any, waits: float) -> None:
    assert failure_of(TransientError("busy", retry_after=asked)).retry_after == waits
    assert Failure("job_failed", "", transient=True, retry_after=asked).bounded().retry_after == waits


def test_what_a_child_says_is_bounded() -> None:
    failure = Failure("Not a code!", "", "\0" * 100_000).bounded()
    assert failure.code == "job_failed"
    assert failure.message
    assert len(failure.traceback or "") <= 20_000


def test_parameters_that_do_not_fit_are_named() -> None:
    class Params(BaseModel):
        size: int

    with pytest.raises(ValidationError) as caught:
        Params.model_validate({"size": "big"})
    assert invalid_params(caught.value).message.startswith("size: ")


@given(st.integers(1, 10_000), st.floats(0, 3600))
def test_backoff_grows_and_is_bounded(attempt: int, at_least: float) -> None:
    seconds = backoff_seconds(attempt, at_least)
    longest = min(2.0 ** min(attempt - 1, 30), 600)
    assert max(at_least, longest / 2) <= seconds <= max(at_least, longest)
