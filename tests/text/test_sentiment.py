"""Sentiment: classes, means weighted by length, nothing left out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.text.sentiment import label_of, model, sentiment

GOOD, BAD, PLAIN = "I love this sofa.", "The service was terrible.", "The table has four legs."


@pytest.mark.parametrize(
    ("text", "label"), [(GOOD, "positive"), (BAD, "negative"), (PLAIN, "neutral"), ("", "neutral")]
)
def test_classes(text: str, label: str) -> None:
    assert sentiment(text).label == label


@pytest.mark.parametrize(
    ("compound", "label"), [(0.05, "positive"), (0.049, "neutral"), (-0.049, "neutral"), (-0.05, "negative")]
)
def test_the_band_around_zero_is_neutral(compound: float, label: str) -> None:
    assert label_of(compound) == label


def test_the_whole_is_the_mean_of_its_sentences_weighted_by_length() -> None:
    text = f"{GOOD} {BAD} {PLAIN}"
    found = sentiment(text, each_sentence=True)
    assert found.sentences is not None
    assert [one.text for one in found.sentences] == [GOOD, BAD, PLAIN]
    assert [one.label for one in found.sentences] == ["positive", "negative", "neutral"]
    assert [text[one.start : one.end] for one in found.sentences] == [GOOD, BAD, PLAIN]
    lengths = [len(GOOD), len(BAD), len(PLAIN)]
    mean = sum(one.compound * length for one, length in zip(found.sentences, lengths, strict=True)) / sum(lengths)
    assert found.compound == pytest.approx(mean, abs=1e-4)
    assert found.sentences_used == 3


def test_sentences_are_listed_only_on_request() -> None:
    assert sentiment(GOOD).sentences is None


def test_the_end_of_a_long_text_counts() -> None:
    assert sentiment(f"{PLAIN} " * 500 + f"{BAD} " * 3_000).label == "negative"
    assert sentiment(f"{PLAIN} " * 500 + f"{BAD} " * 3_000).sentences_used == 3_500


def test_one_endless_sentence_is_scored_to_its_end() -> None:
    blank = "word " * 2_000
    assert sentiment(blank + "terrible " * 2_000).compound < -0.3
    assert sentiment(blank + "word " * 2_000).compound == 0


@pytest.mark.parametrize("piece", ["a", ".", "!", "😀", "good! ", "'", ":)", "a. ", "...a"])
@pytest.mark.timeout(60)  # VADER alone takes four minutes for a million full stops
def test_hostile_text_ends(piece: str) -> None:
    assert -1 <= sentiment(piece * 100_000).compound <= 1


@pytest.mark.parametrize(
    "text", ["This is great" + "!" * 200, "Is it terrible" + "?" * 200, "nice " + "*" * 99 + " one"]
)
def test_shortened_runs_of_marks_change_no_score(text: str) -> None:
    from vader import SentimentIntensityAnalyzer

    assert sentiment(text).compound == SentimentIntensityAnalyzer().polarity_scores(text)["compound"]


@given(st.text(max_size=300))
def test_never_crashes(text: str) -> None:
    assert -1 <= sentiment(text, each_sentence=True).compound <= 1


def test_the_watch_can_stop_it() -> None:
    class StopError(Exception):
        pass

    def watch(fraction: float) -> None:
        if fraction > 0.1:
            raise StopError

    with pytest.raises(StopError):
        sentiment("One good thing. " * 20_000, watch=watch)


def test_the_model_is_named() -> None:
    assert model().model_dump() == {"name": "nltk-vader-sentiment", "version": "1.0.0", "licence": "Apache-2.0"}
