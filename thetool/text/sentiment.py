"""Sentiment of English text by VADER: a list of words with rules.

Asked about another language it gives confident nonsense (German "Hell und freundlich", bright and friendly, has -.68),
so ask it only about text that is reliably English (`thetool.text.language`). It misses what has no word of mood in it.
Source: Hutto and Gilbert 2014; the list and the rules as in the package `nltk-vader-sentiment`.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from thetool.text.layout import Layout
from thetool.text.sentences import sentences, windows
from thetool.text.watching import Watch, unwatched
from thetool.weights.used import ModelUsed, of_package

if TYPE_CHECKING:
    from vader import SentimentIntensityAnalyzer

Label = Literal["positive", "neutral", "negative"]

NEUTRAL_BAND = 0.05
"""VADER's own custom: between minus and plus this, a text is neutral."""

_LONGEST_PIECE = 2_000  # characters; a longer sentence is scored in pieces
_WATCH_EVERY = 500
_long_mark = re.compile(r"([!-/:-@\[-`{-~]{16})[!-/:-@\[-`{-~]+")


class SentenceSentiment(BaseModel):
    """The sentiment of one sentence."""

    text: str = Field(description="The sentence.")
    start: int = Field(ge=0, description="Where it begins, in characters from the text's start.")
    end: int = Field(ge=0, description="Where it ends.")
    compound: float = Field(ge=-1, le=1, description="From -1 (most negative) to 1 (most positive).")
    label: Label = Field(description="The class: neutral between -.05 and .05.")


class Sentiment(BaseModel):
    """The sentiment of a text: the mean of its sentences, each weighted by its length."""

    compound: float = Field(ge=-1, le=1, description="From -1 (most negative) to 1 (most positive).")
    label: Label = Field(description="The class: neutral between -.05 and .05.")
    sentences_used: int = Field(ge=0, description="How many sentences the mean is of; none is left out.")
    sentences: list[SentenceSentiment] | None = Field(
        default=None, description="Each sentence's own sentiment, where it was asked for."
    )


def sentiment(
    text: str, *, each_sentence: bool = False, watch: Watch = unwatched, layout: Layout | None = None
) -> Sentiment:
    """Score English text, sentence by sentence.

    Args:
        text: English; nothing is checked here.
        each_sentence: also give every sentence's own score.
        watch: is told how far it is.
        layout: the text's, when it is known already.
    """
    score = lru_cache(maxsize=4096)(_compound)  # repeated sentences are scored once
    weighted = weight = 0.0
    number = 0
    listed: list[SentenceSentiment] = []
    for number, (start, end) in enumerate(sentences(text, watch, layout), 1):
        if number % _WATCH_EVERY == 1:
            watch(start / len(text))
        compound = 0.0
        for first, last in windows(text, (start, end), _LONGEST_PIECE):
            compound += score(text[first:last]) * (last - first)
            if last - start > _LONGEST_PIECE:
                watch(last / len(text))
        weighted += compound
        weight += end - start
        if each_sentence:
            listed.append(_one(text, start, end, compound / (end - start)))
    mean = weighted / weight if weight else 0.0
    return Sentiment(
        compound=round(mean, 4),
        label=label_of(mean),
        sentences_used=number,
        sentences=listed if each_sentence else None,
    )


def label_of(compound: float) -> Label:
    """The class of a compound score."""
    if compound >= NEUTRAL_BAND:
        return "positive"
    return "negative" if compound <= -NEUTRAL_BAND else "neutral"


def model() -> ModelUsed:
    """The word list and its rules."""
    return of_package("nltk-vader-sentiment", "Apache-2.0")


def _one(text: str, start: int, end: int, compound: float) -> SentenceSentiment:
    return SentenceSentiment(
        text=text[start:end], start=start, end=end, compound=round(compound, 4), label=label_of(compound)
    )


def _compound(piece: str) -> float:
    # VADER takes quadratic time for a long run of punctuation (1,000,000 full stops: four minutes), and no rule of it
    # looks at more than a few of them.
    return float(_analyzer().polarity_scores(_long_mark.sub(r"\1", piece))["compound"])


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    from vader import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()
