"""Which language a text is in, by n-grams: `eldc`, or `py3langid` where that has no wheel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

from pydantic import BaseModel, Field

from thetool.text.language_names import NAMES
from thetool.text.passages import Scores, passages
from thetool.text.sentences import Span, windows
from thetool.text.watching import Watch, unwatched
from thetool.weights.used import ModelUsed, of_package

MIN_LETTERS = 4
"""With fewer letters no detector says anything useful."""
MIN_SHARE = 0.6
"""A text whose commonest language has less than this share of it is mixed."""

_PY3LANGID_RELIABLE = 0.5  # "The delivery was late" has .91, "Thanks" .10, four Chinese characters .50
_READ_BYTES = 1000  # eldc reads no more of one text
_SHORT = 4_000  # characters: 1 ms
_SHORTEST = 100
_BEST = 10  # languages
_WATCH_EVERY = 500


class Language(BaseModel):
    """The language that most of a text is in."""

    code: str | None = Field(description="ISO 639-1 code, else 639-3; null when nothing can be said.")
    name: str | None = Field(description="Its English name.")
    score: float = Field(ge=0, le=1, description="How well it fits, by the detector; not a probability.")
    reliable: bool = Field(description="Whether the answer can be relied on: the opposite of `unsure`.")
    unsure: bool = Field(
        description="True when the answer is a guess: too short, mixed, or not trusted by the detector."
    )
    reason: str | None = Field(description="Why it is unsure.")
    shares: dict[str, float] = Field(description="Share of the text's letters in each language found; the ten largest.")

    def surely(self, code: str) -> bool:
        """Whether the text is reliably in this language."""
        return not self.unsure and self.code == code


class Guess(NamedTuple):
    """What a detector says of one piece of text."""

    code: str | None
    score: float
    reliable: bool


class Detector(NamedTuple):
    """A way to find the language of up to 1,000 bytes of text; safe to use from several threads."""

    model: ModelUsed
    guess: Callable[[str], Guess]
    scores: Scores
    """Of the languages that fit best."""


class NoDetector(Exception):  # noqa: N818  a state of the installation
    """Neither of the two packages is installed."""


def language(text: str, watch: Watch = unwatched) -> Language:
    """Find the language of `text`, passage by passage; each counts by its letters.

    Raises:
        NoDetector: when no detector is installed.
    """
    guess_piece = detector().guess
    letters: defaultdict[str, int] = defaultdict(int)
    scores: defaultdict[str, float] = defaultdict(float)
    trusted: defaultdict[str, int] = defaultdict(int)
    for number, (start, end) in enumerate(_pieces(text)):
        if number % _WATCH_EVERY == 0:
            watch(start / len(text))
        piece = text[start:end]
        weight = sum(map(str.isalpha, piece))
        found = guess_piece(_plain(piece)) if weight else Guess(None, 0, False)
        code = found.code or ""
        letters[code] += weight
        scores[code] += weight * found.score
        trusted[code] += weight * found.reliable
    return _summary(letters, scores, trusted)


@cache
def detector() -> Detector:
    """The detector of this installation; loaded once.

    Raises:
        NoDetector: when neither package is installed.
    """
    for load in (_eldc, _py3langid):
        try:
            return load()
        except ImportError:
            continue
    raise NoDetector("no language detector is installed; run: pip install eldc (or, where it has no wheel, py3langid)")


def detector_model() -> ModelUsed:
    """The detector that `detector()` would load, found without loading it.

    Raises:
        NoDetector: when neither package is installed.
    """
    from importlib.util import find_spec

    for module, licence in (("eldc", "Apache-2.0"), ("py3langid", "BSD-3-Clause")):
        if find_spec(module) is not None:
            return of_package(module, licence)
    return detector().model


def _pieces(text: str) -> Iterator[Span]:
    """Pieces that a detector reads whole: of a short text where its language changes, of a long one its paragraphs."""
    size = _READ_BYTES if text.isascii() else _READ_BYTES // 4
    if len(text) <= _SHORT:
        for passage in passages(text, detector().scores):
            yield from windows(text, passage, size)
    else:
        yield from _blocks(text, size)


def _blocks(text: str, size: int) -> Iterator[Span]:
    """Paragraphs, short ones together; what is longer than `size` is cut at a line's end or a blank."""
    start = 0
    while len(text) - start > size:
        half, end = start + size // 2, start + size
        cuts = (
            text.find("\n\n", start + _SHORTEST, end),
            text.rfind("\n", half, end),
            text.rfind(" ", half, end),
            end - 1,
        )
        cut = next(cut for cut in cuts if cut >= 0) + 1
        yield start, cut
        start = cut
    yield start, len(text)


def _summary(letters: dict[str, int], scores: dict[str, float], trusted: dict[str, int]) -> Language:
    total = sum(letters.values())
    found = {code: count for code, count in letters.items() if code and count}
    if not found:
        why = "no language fits" if total else "it has no letters"
        return Language(code=None, name=None, score=0, reliable=False, unsure=True, reason=why, shares={})
    order = sorted(found, key=lambda code: found[code], reverse=True)
    best = order[0]
    reason = _reason(total, found[best] / total, trusted[best] * 2 > found[best])
    return Language(
        code=best,
        name=NAMES.get(best),
        score=round(min(scores[best] / found[best], 1), 4),
        reliable=reason is None,
        unsure=reason is not None,
        reason=reason,
        shares={code: round(found[code] / total, 3) for code in order[:10]},
    )


def _reason(letters: int, share: float, trusted: bool) -> str | None:
    if letters < MIN_LETTERS:
        return f"it has fewer than {MIN_LETTERS} letters"
    if not trusted:
        return "it is too short, or fits several languages alike"
    if share < MIN_SHARE:
        return "it is in several languages"
    return None


def _plain(piece: str) -> str:
    """A piece that a C string can hold: no NUL, no lone surrogate."""
    return piece.replace("\0", " ").encode("utf-8", "replace").decode()


def _eldc() -> Detector:
    import eldc

    eldc.init()
    instance = eldc.instance()
    instance.set_scores(_BEST)

    def guess(piece: str) -> Guess:
        found = instance.detect_details(piece)
        if found.language == "und":
            return Guess(None, 0, False)
        return Guess(found.language, float(found.scores[found.language]), bool(found.reliable))

    def scores(piece: str) -> dict[str, float]:
        return dict(instance.detect_details(_plain(piece)).scores)

    return Detector(of_package("eldc", "Apache-2.0"), guess, scores)


def _py3langid() -> Detector:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)

    def guess(piece: str) -> Guess:
        code, probability = identifier.classify(piece)
        if code == "zxx":  # no language at all
            return Guess(None, 0, False)
        return Guess(code, float(probability), float(probability) >= _PY3LANGID_RELIABLE)

    def scores(piece: str) -> dict[str, float]:
        return {code: float(probability) for code, probability in identifier.rank(_plain(piece))[:_BEST]}

    return Detector(of_package("py3langid", "BSD-3-Clause"), guess, scores)
