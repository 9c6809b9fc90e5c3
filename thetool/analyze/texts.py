"""All analyses of one text, each part of the work watched. What no model here can judge is skipped, with the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from thetool.analyze.remarks import Note, Skipped
from thetool.analyze.schemas import TextResult
from thetool.config import Settings
from thetool.text import sentiment as sentiments
from thetool.text.language import Language, detector, language
from thetool.text.layout import NO_PROSE, Form, Layout, layout_of
from thetool.text.statistics import statistics
from thetool.text.topics import SAMPLE_CHARACTERS, Labels, TopicMatcher, Topics
from thetool.text.watching import Watch, part_of, unwatched
from thetool.weights.folder import chosen
from thetool.weights.problems import WeightsUnavailable
from thetool.weights.used import ModelUsed, of_weights

Stage = Callable[[str], None]
"""Told what is being done now, in words for people."""

# In the order in which they are made, with the seconds that a core takes for a million characters, roughly.
_SECONDS = {"language": 0.1, "statistics": 0.5, "sentiment": 1.2, "topics": 60.0}
_WORDS = {
    "language": "Finding the language",
    "statistics": "Counting",
    "sentiment": "Judging the sentiment",
    "topics": "Finding topics",
}
_NAMES: dict[Form, str] = {"log": "a log", "table": "a table", "json": "JSON", "code": "source code"}
_LOOKED_AT = 10_000
_JUDGE_ANYWAY = "Name the task to have it judged as if it were prose: tasks=sentiment."


@dataclass
class TextFindings:
    """What was found in a text, by which models, and what was left out."""

    result: TextResult = field(default_factory=TextResult)
    models: list[ModelUsed] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True)
class TextRequest:
    """What to find in a text.

    Args:
        tasks: names of analyses.
        labels: topics to look for; None is our own.
        each_sentence: give each sentence's own sentiment.
        by_name: the caller named the tasks, and wants them even where they say little.
        exhaustive: read every sentence for topics, however many there are.
    """

    tasks: Sequence[str]
    labels: Labels | None = None
    each_sentence: bool = False
    by_name: bool = False
    exhaustive: bool = False

    def seconds(self, task: str, text: str) -> float:
        """What a task takes, roughly."""
        read = len(text)
        if task == "topics" and not self.exhaustive:
            read = min(read, SAMPLE_CHARACTERS)
        return _SECONDS[task] * read / 1e6


def analyze_text(
    text: str, request: TextRequest, settings: Settings, *, watch: Watch = unwatched, stage: Stage | None = None
) -> TextFindings:
    """Run the tasks on `text`, one after the other.

    Raises:
        WeightsMissing: a task needs weights that are not here.
        NoDetector: no language detector is installed.
    """
    work = _Work(text, request, settings)
    done, total = 0.0, sum(request.seconds(task, text) for task in request.tasks) or 1
    for task in sorted(request.tasks, key=list(_SECONDS).index):
        if stage is not None:
            stage(_WORDS[task])
        after = done + request.seconds(task, text)
        work.do(task, part_of(watch, done / total, after / total))
        done = after
    return work.findings


class _Work:
    """The tasks of one text, and what they share: its language and its layout."""

    def __init__(self, text: str, request: TextRequest, settings: Settings) -> None:
        self.findings = TextFindings()
        self._text = text
        self._request = request
        self._settings = settings
        self._layout: Layout = layout_of(text)
        self._spoken: Language | None = None

    def do(self, task: str, watch: Watch) -> None:
        """Make one analysis."""
        if task == "statistics":
            self.findings.result.statistics = statistics(self._text, watch, self._layout)
            return
        if self._spoken is None:
            self._spoken = language(self._text, watch if task == "language" else part_of(watch, 0, 0))
            self.findings.models.append(detector().model)
        if task == "language":
            self.findings.result.language = self._spoken
            self._note_form(task)
        elif task == "sentiment":
            self._sentiment(self._spoken, watch)
        else:
            self._topics(self._spoken, watch)

    def _sentiment(self, spoken: Language, watch: Watch) -> None:
        if self._layout.form in NO_PROSE and not self._request.by_name:
            why = f"It looks like {_NAMES[self._layout.form]}, and the model judges prose only."
            self._skip("sentiment", why, _JUDGE_ANYWAY)
        elif not spoken.surely("en"):
            self._skip("sentiment", _not_english(spoken, self._text))
        else:
            self.findings.result.sentiment = sentiments.sentiment(
                self._text, each_sentence=self._request.each_sentence, watch=watch, layout=self._layout
            )
            self.findings.models.append(sentiments.model())
            self._note_form("sentiment")

    def _topics(self, spoken: Language, watch: Watch) -> None:
        if spoken.code != "en":  # a guess is good enough: what the model does not know stays below the cut-off
            self._skip("topics", _not_english(spoken, self._text))
            return
        most = None if self._request.exhaustive else SAMPLE_CHARACTERS
        try:
            matcher = TopicMatcher.load(self._settings)
        except WeightsUnavailable as missing:  # they went, or were found damaged, since the request was planned
            if self._request.by_name:
                raise
            self._skip("topics", missing.what, missing.how_to)
            return
        found = matcher.match(self._text, self._request.labels, watch, most=most, layout=self._layout)
        self.findings.result.topics = found
        self.findings.models.append(of_weights(chosen(self._settings, "embeddings")))
        self._note_form("topics")
        if found.share_read < 1:
            self.findings.notes.append(Note(task="topics", note=_sampled(found)))

    def _skip(self, task: str, reason: str, how: str | None = None) -> None:
        self.findings.skipped.append(Skipped(task=task, reason=reason, how=how))

    def _note_form(self, task: str) -> None:
        if self._layout.form in NO_PROSE:
            what = f"The text looks like {_NAMES[self._layout.form]}; the model is made for prose, so take care."
            self.findings.notes.append(Note(task=task, note=what))


def _sampled(found: Topics) -> str:
    return (
        f"A sample was read, spread evenly over the text: {found.sentences_used:,} of {found.sentences:,} sentences, "
        f"{found.share_read:.1%} of the text. exhaustive=true reads all of it, which may take minutes."
    )


def _not_english(spoken: Language, text: str) -> str:
    language = spoken.name or spoken.code
    if not spoken.unsure:
        return f"The model knows English only, and this is {language}."
    if spoken.code and spoken.code != "en" and not _is_latin(text):
        return f"The model knows English only, and this is not English; it may be {language}."
    return f"The model knows English only, and whether this is English cannot be told: {spoken.reason}."


def _is_latin(text: str) -> bool:
    """Whether at least half of a text's letters, as far as it is looked at, are those of English."""
    letters = [letter for letter in text[:_LOOKED_AT] if letter.isalpha()]
    return 2 * sum(map(str.isascii, letters)) >= len(letters)
