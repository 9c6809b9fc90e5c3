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
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel, Field

from thetool.config import Settings
from thetool.text.embeddings import SentenceEncoder, load_encoder, unit
from thetool.text.layout import Layout
from thetool.text.sentences import sentences, windows
from thetool.text.watching import Watch, part_of, unwatched

if TYPE_CHECKING:
    from thetool.text.embeddings import Vectors

CUTOFF = 0.2
"""Below this a topic does not apply: texts about nothing in particular score .13 to .19, others .26 and more."""

SAMPLE_CHARACTERS = 65_536
"""So much of a longer text is read where a sample is enough: some 700 sentences. The scores differ by up to .02 from
those of all of it (docs/decisions/0002-texts.md)."""

_LONGEST_PIECE = 1_000  # characters; about what the model reads at once, so that a sample is of many places
_CHUNK = 512
_KNOWN = 4_096

Labels = tuple[tuple[str, tuple[str, ...]], ...]
"""Each topic's name and the phrases that describe it."""


class _Piece(NamedTuple):
    """A sentence, or a part of a very long one; `sentence` is its number, from 1."""

    start: int
    end: int
    sentence: int


class Topic(BaseModel):
    """A topic that applies."""

    label: str = Field(description="Its name.")
    score: float = Field(description="Cosine similarity, -1 to 1; not a probability.")


class Topics(BaseModel):
    """What a text is about."""

    topics: list[Topic] = Field(description="The topics at or above the cut-off, closest first; none may apply.")
    scores: dict[str, float] = Field(description="The score of every topic that was asked about.")
    cutoff: float = Field(description="Topics that score less are left out of `topics`.")
    sentences: int = Field(ge=0, description="How many sentences the text has.")
    sentences_used: int = Field(ge=0, description="How many of them were read, wholly or in part.")
    share_read: float = Field(
        ge=0, le=1, description="Share of the text that was read: 1, or less where a sample of a long text was enough."
    )


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

    def match(
        self,
        text: str,
        labels: Labels | None = None,
        watch: Watch = unwatched,
        *,
        most: int | None = None,
        layout: Layout | None = None,
    ) -> Topics:
        """Score `text`, which must be English, against each topic of `labels` (without them: our own).

        Args:
            text: English; nothing is checked here.
            labels: the topics, as `labels_of` gives them.
            watch: is told how far it is.
            most: of a text with more characters than that, repeated sentences not counted, read about so many only, in
                sentences from all over it.
            layout: the text's, when it is known already.
        """
        labels = labels or default_labels()
        centres = self._centres(labels)
        found = list(_pieces(text, part_of(watch, 0, 0), layout))
        used = found if most is None or _fits(text, found, most) else _sample(found, most)
        vector = self._vector(text, used, watch)
        scores = {label: float(score) for (label, _), score in zip(labels, centres @ vector[0], strict=True)}
        order = sorted(scores, key=lambda label: scores[label], reverse=True)
        return Topics(
            topics=[Topic(label=label, score=round(scores[label], 4)) for label in order if scores[label] >= CUTOFF],
            scores={label: round(scores[label], 4) for label in order},
            cutoff=CUTOFF,
            sentences=found[-1].sentence if found else 0,
            sentences_used=len({piece.sentence for piece in used}),
            share_read=1 if used is found else round(_length(used) / _length(found), 4),
        )

    def _vector(self, text: str, pieces: Sequence[_Piece], watch: Watch) -> Vectors:
        """The unit vector of these parts of the text, as one row."""
        import numpy as np

        done = 0.0
        known: dict[str, Vectors] = {}
        total = np.zeros((1, self._encoder.size), np.float32)
        characters = _length(pieces) or 1
        for weights in _chunks(text, pieces):
            if len(known) > _KNOWN:
                known.clear()
            part = sum(weights.values()) / characters
            new = [words for words in weights if words not in known]
            vectors = self._encoder.encode(new, part_of(watch, done, done + part))
            known.update(zip(new, vectors, strict=True))
            for words, weight in weights.items():
                total += known[words] * weight
            done += part
            watch(min(done, 1))
        return unit(total)

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


def _pieces(text: str, watch: Watch, layout: Layout | None) -> Iterator[_Piece]:
    for number, span in enumerate(sentences(text, watch, layout), 1):
        for start, end in windows(text, span, _LONGEST_PIECE):
            yield _Piece(start, end, number)


def _length(pieces: Sequence[_Piece]) -> int:
    return sum(piece.end - piece.start for piece in pieces)


def _fits(text: str, pieces: Sequence[_Piece], most: int) -> bool:
    """Whether no more than `most` characters are to be read: what comes again is read once."""
    different: set[str] = set()
    characters = 0
    for start, end, _ in pieces if len(text) > most else ():
        words = text[start:end]
        if words not in different:
            different.add(words)
            characters += end - start
            if characters > most:
                return False
    return True


def _sample(pieces: Sequence[_Piece], most: int) -> Sequence[_Piece]:
    """Pieces of about `most` characters in all, one out of each of as many equal parts; always the same ones.

    Which one of its part is left to chance (with a fixed seed): every tenth line of a log may well be of one sort.
    """
    number = max(1, len(pieces) * most // max(_length(pieces), 1))
    if number >= len(pieces):
        return pieces
    chance = Random(0)  # noqa: S311  not a secret
    bounds = [part * len(pieces) // number for part in range(number + 1)]
    return [pieces[chance.randrange(first, after)] for first, after in pairwise(bounds)]


def _chunks(text: str, pieces: Sequence[_Piece]) -> Iterator[dict[str, int]]:
    """What the pieces hold, some at a time; what several of them hold once, with its length in all."""
    weights: dict[str, int] = {}
    for start, end, _ in pieces:
        words = text[start:end]
        weights[words] = weights.get(words, 0) + len(words)
        if len(weights) >= _CHUNK:
            yield weights
            weights = {}
    if weights:
        yield weights
