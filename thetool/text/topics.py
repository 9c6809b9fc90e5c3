"""Topics without training: each is described by phrases, and a text gets those that it is closest to in meaning.

A text's vector is the mean of its sentences' vectors, each weighted by the sentence's length; a topic's is the mean of
its phrases' vectors. The score is the cosine between them (Yin et al. 2019 call the task zero-shot classification).
The model knows English only.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field

from thetool.config import Settings
from thetool.text.embeddings import SentenceEncoder, load_encoder, unit
from thetool.text.sentences import sentences, windows
from thetool.text.watching import Watch, part_of, unwatched

if TYPE_CHECKING:
    from thetool.text.embeddings import Vectors

CUTOFF = 0.2
"""Below this a topic does not apply: texts about nothing in particular score .13 to .19, others .26 and more."""

_LONGEST_PIECE = 10_000  # characters; bounds the memory that one endless sentence takes
_CHUNK = 256
_KNOWN = 2_048

Labels = tuple[tuple[str, tuple[str, ...]], ...]
"""Each topic's name and the phrases that describe it."""


class Topic(BaseModel):
    """A topic that applies."""

    label: str = Field(description="Its name.")
    score: float = Field(description="Cosine similarity, -1 to 1; not a probability.")


class Topics(BaseModel):
    """What a text is about."""

    topics: list[Topic] = Field(description="The topics at or above the cut-off, closest first; none may apply.")
    scores: dict[str, float] = Field(description="The score of every topic that was asked about.")
    cutoff: float = Field(description="Topics that score less are left out of `topics`.")
    sentences_used: int = Field(ge=0, description="How many sentences the mean is of; none is left out.")


class TopicMatcher:
    """Says which topics a text is about. Safe to use from several threads."""

    def __init__(self, encoder: SentenceEncoder) -> None:
        self._encoder = encoder
        self._centres = lru_cache(maxsize=64)(self._centres_of)

    @classmethod
    def load(cls, settings: Settings) -> TopicMatcher:
        """The matcher of the model that the settings choose; loaded once a process.

        Raises:
            WeightsMissing: when the model's weights are not here.
        """
        return _matcher(load_encoder(settings))

    def match(self, text: str, labels: Labels | None = None, watch: Watch = unwatched) -> Topics:
        """Score `text`, which must be English, against each topic of `labels` (without them: our own).

        Args:
            text: English; nothing is checked here.
            labels: the topics, as `labels_of` gives them.
            watch: is told how far it is.
        """
        labels = labels or default_labels()
        centres = self._centres(labels)
        number, vector = self._vector(text, watch)
        scores = {label: float(score) for (label, _), score in zip(labels, centres @ vector[0], strict=True)}
        order = sorted(scores, key=lambda label: scores[label], reverse=True)
        return Topics(
            topics=[Topic(label=label, score=round(scores[label], 4)) for label in order if scores[label] >= CUTOFF],
            scores={label: round(scores[label], 4) for label in order},
            cutoff=CUTOFF,
            sentences_used=number,
        )

    def _vector(self, text: str, watch: Watch) -> tuple[int, Vectors]:
        """The number of sentences, and the text's unit vector as one row."""
        import numpy as np

        sentences_used = done = 0
        known: dict[str, Vectors] = {}
        total = np.zeros((1, self._encoder.size), np.float32)
        for sentences_used, end, weights in _chunks(text, watch):  # noqa: B007  the last one counts
            if len(known) > _KNOWN:
                known.clear()
            new = [sentence for sentence in weights if sentence not in known]
            vectors = self._encoder.encode(new, part_of(watch, done / len(text), end / len(text)))
            known.update(zip(new, vectors, strict=True))
            for sentence, weight in weights.items():
                total += known[sentence] * weight
            done = end
            watch(done / len(text))
        return sentences_used, unit(total)

    def _centres_of(self, labels: Labels) -> Vectors:
        """One unit row a label."""
        import numpy as np

        vectors = self._encoder.encode([phrase for _, phrases in labels for phrase in phrases])
        ends = np.cumsum([len(phrases) for _, phrases in labels])
        return unit(np.stack([rows.mean(0) for rows in np.split(vectors, ends[:-1])]))


def labels_of(given: Sequence[str] | Mapping[str, Sequence[str]]) -> Labels:
    """The topics that a caller describes: by phrases, or by a name alone, which then makes two phrases itself."""
    if isinstance(given, Mapping):
        return tuple((label, tuple(phrases) or _phrases(label)) for label, phrases in given.items())
    return tuple((label, _phrases(label)) for label in dict.fromkeys(given))


@cache
def default_labels() -> Labels:
    """The topics asked about when the caller names none."""
    text = resources.files("thetool.text").joinpath("topics.toml").read_text("utf-8")
    return labels_of(tomllib.loads(text)["topics"])


def _phrases(label: str) -> tuple[str, str]:
    return label, f"This text is about {label}."


@cache
def _matcher(encoder: SentenceEncoder) -> TopicMatcher:
    return TopicMatcher(encoder)


def _chunks(text: str, watch: Watch) -> Iterator[tuple[int, int, dict[str, int]]]:
    """Some sentences at a time: how many there were so far, where the last ends, and each with its length in all."""
    weights: dict[str, int] = {}
    number = last = 0
    for start, end in sentences(text, watch):
        number += 1
        for first, last in windows(text, (start, end), _LONGEST_PIECE):
            sentence = text[first:last]
            weights[sentence] = weights.get(sentence, 0) + len(sentence)
            if len(weights) >= _CHUNK or last - start > _LONGEST_PIECE:
                yield number, last, weights
                weights = {}
    if weights:
        yield number, last, weights
