"""All analyses of one text, each part of the work watched. What no model here can judge is skipped, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thetool.analyze.schemas import Skipped, TextResult
from thetool.config import Settings
from thetool.text import sentiment as sentiments
from thetool.text.language import Language, detector, language
from thetool.text.statistics import statistics
from thetool.text.topics import Labels, TopicMatcher
from thetool.text.watching import Watch, part_of, unwatched
from thetool.weights.folder import chosen
from thetool.weights.used import ModelUsed, of_weights

Stage = Callable[[str], None]
"""Told what is being done now, in words for people."""

# Share of the work that each task is, roughly, as measured for long English prose.
_WORK = {"language": 2, "statistics": 8, "sentiment": 20, "topics": 170}
_WORDS = {
    "language": "Finding the language",
    "statistics": "Counting",
    "sentiment": "Judging the sentiment",
    "topics": "Finding topics",
}


@dataclass
class TextFindings:
    """What was found in a text, by which models, and what was left out."""

    result: TextResult = field(default_factory=TextResult)
    models: list[ModelUsed] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


@dataclass(frozen=True)
class TextRequest:
    """What to find in a text."""

    tasks: Sequence[str]
    labels: Labels | None = None
    each_sentence: bool = False


def analyze_text(
    text: str, request: TextRequest, settings: Settings, *, watch: Watch = unwatched, stage: Stage | None = None
) -> TextFindings:
    """Run the tasks on `text`, one after the other.

    Raises:
        WeightsMissing: a task needs weights that are not here.
        NoDetector: no language detector is installed.
    """
    findings = TextFindings()
    done, total = 0, sum(_WORK[task] for task in request.tasks)
    spoken: Language | None = None
    for task in sorted(request.tasks, key=list(_WORK).index):
        if stage is not None:
            stage(_WORDS[task])
        watch_part = part_of(watch, done / total, (done + _WORK[task]) / total)
        done += _WORK[task]
        if task == "statistics":
            findings.result.statistics = statistics(text, watch_part)
            continue
        if spoken is None:
            spoken = language(text, unwatched if task != "language" else watch_part)
            findings.models.append(detector().model)
        if task == "language":
            findings.result.language = spoken
        elif task == "sentiment":
            _sentiment(text, request, spoken, findings, watch_part)
        else:
            _topics(text, request, spoken, findings, watch_part, settings)
    return findings


def _sentiment(text: str, request: TextRequest, spoken: Language, findings: TextFindings, watch: Watch) -> None:
    if not spoken.surely("en"):
        findings.skipped.append(Skipped(task="sentiment", reason=_not_english(spoken)))
        return
    findings.result.sentiment = sentiments.sentiment(text, each_sentence=request.each_sentence, watch=watch)
    findings.models.append(sentiments.model())


def _topics(
    text: str, request: TextRequest, spoken: Language, findings: TextFindings, watch: Watch, settings: Settings
) -> None:
    if spoken.code != "en":  # a guess is good enough: what the model does not know stays below the cut-off
        findings.skipped.append(Skipped(task="topics", reason=_not_english(spoken)))
        return
    findings.result.topics = TopicMatcher.load(settings).match(text, request.labels, watch)
    findings.models.append(of_weights(chosen(settings, "embeddings")))


def _not_english(spoken: Language) -> str:
    if spoken.unsure:
        return f"The model knows English only, and whether this is English cannot be told: {spoken.reason}."
    return f"The model knows English only, and this is {spoken.name or spoken.code}."
