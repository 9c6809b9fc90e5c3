"""All analyses of one text, without a service around them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from thetool.analyze.tasks import names_for, plan
from thetool.analyze.texts import TextRequest, analyze_text
from thetool.config import Settings
from thetool.web.problems import ValidationFailed
from thetool.weights.problems import WeightsMissing

TEXT = "I love this sofa. The delivery was late. " * 300


@pytest.fixture(scope="module")
def with_weights(weights_dir: Path) -> Settings:
    return Settings(WEIGHTS_DIR=weights_dir)


def test_progress_goes_from_nothing_to_all_of_it_and_only_upwards(with_weights: Settings) -> None:
    heard: list[float] = []
    stages: list[str] = []
    analyze_text(TEXT, TextRequest(names_for("text")), with_weights, watch=heard.append, stage=stages.append)
    assert stages == ["Finding the language", "Counting", "Judging the sentiment", "Finding topics"]
    assert all(before <= after + 1e-9 for before, after in itertools.pairwise(heard))
    assert heard[0] < 0.02
    assert heard[-1] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize(
    ("tasks", "models"),
    [
        (["statistics"], []),
        (["language"], ["eldc"]),
        (["sentiment"], ["eldc", "nltk-vader-sentiment"]),
        (["topics"], ["eldc", "minilm-int8"]),
        (["language", "sentiment", "topics"], ["eldc", "nltk-vader-sentiment", "minilm-int8"]),
    ],
)
def test_the_models_named_are_those_that_were_asked(
    with_weights: Settings, tasks: list[str], models: list[str]
) -> None:
    found = analyze_text("I love this sofa, it is beautiful.", TextRequest(tasks), with_weights)
    assert [model.name for model in found.models] == models
    assert set(found.result.model_dump()) == set(tasks)


def test_a_guess_of_english_is_good_enough_for_topics_and_not_for_sentiment(with_weights: Settings) -> None:
    found = analyze_text(
        "Refund", TextRequest(["sentiment", "topics"], labels=(("money", ("refund", "price")),)), with_weights
    )
    assert [one.task for one in found.skipped] == ["sentiment"]
    assert found.result.topics
    assert found.result.topics.topics[0].label == "money"


def test_a_plan_without_names_takes_what_is_there(tmp_path: Path, with_weights: Settings) -> None:
    assert plan("text", None, with_weights).tasks == names_for("text")
    without = plan("text", [], Settings(WEIGHTS_DIR=tmp_path))
    assert without.tasks == ("sentiment", "language", "statistics")
    assert [task for task, _, _ in without.unavailable] == ["topics"]
    assert {model.name for model in without.models} == {"eldc", "nltk-vader-sentiment"}


def test_a_plan_with_names_takes_those_or_nothing(tmp_path: Path, with_weights: Settings) -> None:
    assert plan("text", ["topics", "language", "topics"], with_weights).tasks == ("language", "topics")
    with pytest.raises(WeightsMissing):
        plan("text", ["topics"], Settings(WEIGHTS_DIR=tmp_path))
    with pytest.raises(ValidationFailed):
        plan("text", ["entities"], with_weights)
