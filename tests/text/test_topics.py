"""Topics, with the real model."""

from __future__ import annotations

import pytest

from thetool.config import Settings
from thetool.text.embeddings import SentenceEncoder
from thetool.text.topics import CUTOFF, TopicMatcher, default_labels, labels_of


@pytest.fixture(scope="session")
def matcher(embeddings_settings: Settings) -> TopicMatcher:
    return TopicMatcher.load(embeddings_settings)


@pytest.mark.parametrize(
    ("text", "topic"),
    [
        ("I ordered on Monday. The sofa came two weeks late. Nobody called me.", "delivery"),
        ("They equalised in the last minute. The keeper had no chance.", "sport"),
        ("The minister resigned. Her party wants new elections in spring.", "politics"),
        ("The soup was salty, the steak overcooked. Dessert saved the evening.", "food"),
        ("It will rain until Thursday. Then temperatures climb to thirty degrees.", "weather"),
    ],
)
def test_default_topics(matcher: TopicMatcher, text: str, topic: str) -> None:
    found = matcher.match(text)
    assert found.topics[0].label == topic
    assert found.topics[0].score == found.scores[topic] >= CUTOFF


@pytest.mark.parametrize("text", ["Lorem ipsum dolor sit amet.", "1234 5678 90.", "Yes. No. Maybe."])
def test_nothing_in_particular_has_no_topic(matcher: TopicMatcher, text: str) -> None:
    found = matcher.match(text)
    assert found.topics == []
    assert all(score < CUTOFF for score in found.scores.values())


def test_the_callers_own_topics(matcher: TopicMatcher) -> None:
    text = "My invoice is wrong: you charged me twice."
    names = matcher.match(text, labels_of(["billing", "gardening"]))
    assert [topic.label for topic in names.topics] == ["billing"]
    assert set(names.scores) == {"billing", "gardening"}
    phrases = {"b": ["An invoice or a payment.", "Money was charged twice."], "g": ["Plants.", "Growing flowers."]}
    assert matcher.match(text, labels_of(phrases)).topics[0].label == "b"


def test_scores_come_closest_first(matcher: TopicMatcher) -> None:
    scores = list(matcher.match("The match ended in a draw.").scores.values())
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == len(default_labels())


def test_all_of_a_long_text_counts(matcher: TopicMatcher) -> None:
    sport, food = "They scored a goal in the last minute. ", "The soup was salty, the steak overcooked. "
    found = matcher.match(sport * 10 + food * 2_000)
    assert found.topics[0].label == "food"
    assert found.sentences == found.sentences_used == 2_010
    assert found.share_read == 1


def test_a_sample_of_a_long_text_is_from_all_of_it_and_says_what_it_is(matcher: TopicMatcher) -> None:
    sport = "".join(f"Goal number {number} came in the last minute. " for number in range(100))
    food = "".join(f"Soup number {number} was salty and the steak overcooked. " for number in range(300))
    everything, sample = matcher.match(sport + food), matcher.match(sport + food, most=4_000)
    assert sample == matcher.match(sport + food, most=4_000)
    assert everything.sentences == everything.sentences_used == sample.sentences == 400
    assert 60 < sample.sentences_used < 120
    assert sample.share_read == pytest.approx(4_000 / len(sport + food), rel=0.1)
    assert sample.topics[0].label == everything.topics[0].label == "food"
    for label, score in everything.scores.items():
        assert sample.scores[label] == pytest.approx(score, abs=0.04)


def test_repeated_sentences_need_no_sample(matcher: TopicMatcher) -> None:
    found = matcher.match("The soup was salty. The steak was overcooked. " * 500, most=1_000)
    assert (found.sentences_used, found.share_read) == (1_000, 1)


def test_of_one_endless_sentence_a_sample_is_read_too(matcher: TopicMatcher) -> None:
    found = matcher.match(
        "".join(f"the soup and steak number {number} of this restaurant " for number in range(1_000)), most=5_000
    )
    assert (found.sentences, found.sentences_used) == (1, 1)
    assert found.share_read < 0.2
    assert found.topics[0].label == "food"


def test_repeated_sentences_are_computed_once(encoder: SentenceEncoder, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    encode = encoder.encode

    def counting(sentences: list[str], *rest: object) -> object:
        asked.extend(sentences)
        return encode(sentences)

    monkeypatch.setattr(encoder, "encode", counting)
    TopicMatcher(encoder).match("Same here. Other one. " * 2_000, labels_of({"a": ["one thing", "thing"]}))
    assert sorted(asked) == ["Other one.", "Same here.", "one thing", "thing"]


def test_an_endless_sentence_is_read_to_its_end(matcher: TopicMatcher) -> None:
    found = matcher.match("word " * 3_000 + "the soup and the steak of this restaurant " * 1_000)
    assert found.topics[0].label == "food"
    assert found.sentences_used == 1


@pytest.mark.parametrize("text", ["", "   ", "\u200b", "...", "😀" * 1_000])
def test_texts_without_words_have_no_topic(matcher: TopicMatcher, text: str) -> None:
    assert matcher.match(text).topics == []


def test_the_default_topics_have_two_phrases_each() -> None:
    assert len(default_labels()) >= 15
    assert all(len(phrases) >= 2 for _, phrases in default_labels())


def test_a_bare_name_makes_two_phrases_and_doubles_go() -> None:
    assert labels_of(["tax", "tax"]) == (("tax", ("tax", "This text is about tax.")),)
    assert labels_of({"tax": []}) == labels_of(["tax"])


def test_the_watch_can_stop_it(matcher: TopicMatcher) -> None:
    class StopError(Exception):
        pass

    def watch(fraction: float) -> None:
        raise StopError

    with pytest.raises(StopError):
        matcher.match("Some sentence here. " * 10, watch=watch)
