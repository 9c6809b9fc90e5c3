"""Several roles at once."""

from __future__ import annotations

import threading

import pytest

from thetool.config import Settings
from thetool.weights import together
from thetool.weights.problems import PullFailed
from thetool.weights.pull import Progress
from thetool.weights.together import pull_together


def said(role: str) -> Progress:
    return Progress(role, "toy", "a.bin", "downloading", 1, 2)


def test_roles_are_pulled_at_once_and_one_that_fails_stops_no_other(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = threading.Barrier(3, timeout=30)

    def pull(_: Settings, role: str, progress: object) -> dict[str, object]:
        everybody.wait()
        if role == "bad":
            raise PullFailed(role, "It is nowhere.", "look for it")
        return {role: role}

    monkeypatch.setattr(together, "pull", pull)
    outcomes = pull_together(settings, ["good", "bad", "fine", "good"], lambda _: None)
    assert list(outcomes) == ["good", "bad", "fine"]
    assert outcomes["good"] == {"good": "good"}
    assert isinstance(outcomes["bad"], PullFailed)


def test_when_the_caller_gives_up_every_pull_ends(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = []

    def pull(_: Settings, role: str, progress: together.ProgressCallback) -> None:
        try:
            while True:
                progress(said(role))
        finally:
            ended.append(role)

    def show(progress: Progress) -> None:
        if progress.role == "first":
            raise RuntimeError("the window was closed")

    monkeypatch.setattr(together, "pull", pull)
    with pytest.raises(RuntimeError, match="window"):
        pull_together(settings, ["first", "second", "third"], show)
    assert sorted(ended) == ["first", "second", "third"]
