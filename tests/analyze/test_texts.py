"""All analyses of one text, without a service around them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from thetool.analyze import texts
from thetool.analyze.tasks import names_for, plan
from thetool.analyze.telling import in_words, seconds_left
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


LOG = "\n".join(f"2026-11-21 10:00:{second:02} ERROR the payment could not be sent" for second in range(30))


def test_what_is_no_prose_is_not_judged_as_if_it_were(with_weights: Settings) -> None:
    found = analyze_text(LOG, TextRequest(names_for("text")), with_weights)
    (skipped,) = found.skipped
    assert (skipped.task, skipped.how) == (
        "sentiment",
        "Name the task to have it judged as if it were prose: tasks=sentiment.",
    )
    assert "a log" in skipped.reason
    assert {note.task for note in found.notes} == {"language", "topics"}
    assert found.result.statistics
    assert (found.result.statistics.form, found.result.statistics.sentences) == ("log", 30)


def test_letters_that_english_has_not_are_reason_enough(with_weights: Settings) -> None:
    found = analyze_text("नमस्ते दुनिया", TextRequest(["sentiment"]), with_weights)
    assert "this is not English" in found.skipped[0].reason


def test_what_is_asked_for_by_name_is_judged_with_a_note(with_weights: Settings) -> None:
    found = analyze_text(LOG, TextRequest(["sentiment"], by_name=True), with_weights)
    assert found.result.sentiment
    assert found.result.sentiment.sentences_used == 30
    assert not found.skipped
    assert [note.task for note in found.notes] == ["sentiment"]


def test_of_a_long_text_a_sample_is_read_for_topics_and_that_is_said(
    with_weights: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "SAMPLE_CHARACTERS", 8_000)
    text = "".join(f"The soup number {number} was salty. " for number in range(3_000))
    found = analyze_text(text, TextRequest(["topics"]), with_weights)
    assert found.result.topics
    read = found.result.topics.sentences_used
    assert read < found.result.topics.sentences == 3_000
    (note,) = found.notes
    assert f"{read:,} of 3,000 sentences" in note.note
    assert "exhaustive=true" in note.note


def test_exhaustive_reads_all_of_it(with_weights: Settings) -> None:
    text = "The soup was salty. The steak was overcooked. " * 2_000
    found = analyze_text(text, TextRequest(["topics"], exhaustive=True), with_weights)
    assert found.result.topics
    assert (found.result.topics.sentences_used, found.result.topics.share_read) == (4_000, 1)
    assert found.notes == []


@pytest.mark.parametrize(
    ("elapsed", "fraction", "words"),
    [(1, 0.5, None), (10, 0.005, None), (5, 0.5, "a few seconds"), (30, 0.5, "about 30 s"), (60, 0.1, "about 9 min")],
)
def test_the_estimate(elapsed: float, fraction: float, words: str | None) -> None:
    left = seconds_left(elapsed, fraction)
    assert (None if left is None else in_words(left)) == words
