from __future__ import annotations

import pytest
from pydantic import BaseModel

from tests.jobs import sample_jobs
from thetool.jobs import registry
from thetool.jobs.context import JobContext
from thetool.jobs.registry import UnknownKind, get_kind, job


class In(BaseModel):
    pass


class Out(BaseModel):
    pass


def good(context: JobContext, params: In) -> Out:
    return Out()


@pytest.fixture(autouse=True)
def _forget_new_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))


def test_a_kind_knows_its_handler_and_models() -> None:
    assert job("test.good", timeout=5, max_attempts=2)(good) is good
    kind = get_kind("test.good")
    assert (kind.handler, kind.params_model, kind.result_model) == (good, In, Out)
    assert (kind.timeout, kind.max_attempts, kind.runs, kind.queue) == (5, 2, "thread", "cpu")
    assert kind.module == __name__


def test_an_unknown_kind_is_a_problem_of_the_request() -> None:
    with pytest.raises(UnknownKind) as caught:
        get_kind("no.such")
    assert (caught.value.status, caught.value.code) == (422, "unknown_kind")


def test_a_kind_belongs_to_one_function() -> None:
    job("test.mine")(good)
    job("test.mine")(good)  # a module that is loaded again

    def other(context: JobContext, params: In) -> Out:
        return Out()

    with pytest.raises(ValueError, match="already registered"):
        job("test.mine")(other)


def without_hints(context, params):  # type: ignore[no-untyped-def]
    return None


def with_plain_types(context: JobContext, params: dict[str, str]) -> Out:
    return Out()


def with_two(context: JobContext, params: In, more: In) -> Out:
    return Out()


@pytest.mark.parametrize("handler", [without_hints, with_plain_types, with_two])
def test_a_handler_takes_and_gives_one_model(handler: object) -> None:
    with pytest.raises(TypeError, match="a handler is"):
        job("test.bad")(handler)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "noroom"},
        {"kind": "two words.verb"},
        {"kind": "test.x", "queue": "disk"},
        {"kind": "test.x", "runs": "fiber"},
        {"kind": "test.x", "timeout": 0},
        {"kind": "test.x", "timeout": 86_401},
        {"kind": "test.x", "max_attempts": 0},
        {"kind": "test.x", "memory_mb": 0},
    ],
)
def test_arguments_out_of_bounds_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        job(**wrong)(good)  # type: ignore[arg-type]


def test_a_child_cannot_import_main(monkeypatch: pytest.MonkeyPatch) -> None:
    def handler(context: JobContext, params: In) -> Out:
        return Out()

    monkeypatch.setattr(handler, "__module__", "__main__")
    with pytest.raises(ValueError, match="__main__"):
        job("test.main", runs="process")(handler)


def test_sample_kinds_are_registered_by_importing() -> None:
    assert get_kind("sample.child").module == sample_jobs.__name__
