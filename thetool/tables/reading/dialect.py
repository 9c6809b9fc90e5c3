"""What stands between fields, and around them: found by trying, the one with which the rows are alike."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

COMMON = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_OTHERS = "^~:\x1f\x01\x1e#!"
NONE = "\x1f"
"""Where there is one column: a character that stands in no text."""
_ROWS = 400
_LEAST_ALIKE, _GOOD = 0.4, 0.9
_CLEARLY = 0.1  # better than another
_FIELD_LIMIT = 16 << 20

csv.field_size_limit(_FIELD_LIMIT)


@dataclass(frozen=True)
class Dialect:
    """How a text is cut into fields; `escape` is set where quotes within are written with a backslash."""

    delimiter: str
    quote: str
    escape: str | None = None

    def rows(self, lines: Iterable[str], *, strict: bool = False) -> Iterator[list[str]]:
        """The rows of these lines."""
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote or None,
            quoting=csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE,
            escapechar=self.escape,
            doublequote=self.escape is None,
            strict=strict,
        )


@dataclass(frozen=True)
class _Trial:
    alike: float
    even: float  # of the rows with several fields, those that have as many as most
    width: int
    delimiter: str
    stray: float
    first: bool  # whether the first row, mostly that of the names, is as the others

    @property
    def score(self) -> float:
        """Rows alike count most; fields that hold other delimiters, and other names than fields, speak against it."""
        return self.alike - self.stray * 0.5 - (not self.first) * 0.2 + min(self.width, 20) / 1000


def name_of(delimiter: str) -> str:
    """How people call it."""
    return COMMON.get(delimiter, repr(delimiter)[1:-1])


def find_delimiter(text: str, quote: str) -> tuple[str | None, str, bool]:
    """The delimiter of a text's first lines, None where there is one column, the reason, and whether it is a guess."""
    trials = _trials(text, COMMON, quote, _LEAST_ALIKE)
    if not any(trial.alike > _GOOD for trial in trials):
        trials += _trials(text, _OTHERS, quote, 0.98)
    if not trials:
        return None, "No delimiter cuts the lines into fields alike: one column.", False
    best = max(trials, key=lambda trial: trial.score)
    share = f"{best.alike:.0%} of the first rows" if best.alike < 1 else "all of the first rows"
    why = f"With {name_of(best.delimiter)}, {share} have {best.width} fields."
    other = next((one for one in trials if one is not best and best.score - one.score < _CLEARLY), None)
    if other:
        return best.delimiter, f"{why} A guess: with {name_of(other.delimiter)} there would be {other.width}.", True
    if best.even <= _GOOD:
        return best.delimiter, f"{why} A guess: the others have more or fewer.", True
    return best.delimiter, why, False


def _trials(text: str, delimiters: Iterable[str], quote: str, least: float) -> list[_Trial]:
    trials = [trial for delimiter in delimiters if (trial := _try(text, delimiter, quote)) is not None]
    return [trial for trial in trials if trial.width > 1 and trial.alike >= least]


def _try(text: str, delimiter: str, quote: str) -> _Trial | None:
    if delimiter not in text:
        return None
    rows = [row for row in first_rows(text, Dialect(delimiter, quote), _ROWS) if any(field.strip() for field in row)]
    if not rows:
        return None
    widths = Counter(map(len, rows))
    width, alike = max(widths.items(), key=lambda one: (one[1] * min(one[0], 2), one[0]))
    strong = [other for other in ";\t|" if other != delimiter and other in text]
    body = [field for row in rows for field in row]
    stray = sum(any(other in field for other in strong) for field in body) / len(body) if strong else 0.0
    several = sum(count for fields, count in widths.items() if fields > 1)
    return _Trial(
        alike / len(rows), alike / several if several else 0.0, width, delimiter, stray, len(rows[0]) == width
    )


def first_rows(text: str, dialect: Dialect, count: int) -> list[list[str]]:
    """The first rows of a text, as many as can be read; the last may be cut off where the text is."""
    rows: list[list[str]] = []
    try:
        for row in dialect.rows(io.StringIO(text, newline="")):
            rows.append(row)
            if len(rows) >= count:
                break
    except csv.Error:
        return rows
    return rows


def find_quote(text: str) -> tuple[str, str]:
    """The quote of a text's first lines, and the reason."""
    edges = [text.count(f"{edge}{quote}") for quote in "\"'" for edge in (",", ";", "\t", "|", "\n")]
    double, single = sum(edges[:5]) + text.startswith('"'), sum(edges[5:]) + text.startswith("'")
    if double:
        return '"', "Fields begin with it."
    if single > 2 and _closes(text, "'") >= single * 0.8:
        return "'", "Fields begin and end with it, and none with the usual quotes."
    return '"', "None in the first lines; the usual one is understood."


def _closes(text: str, quote: str) -> int:
    return sum(text.count(f"{quote}{edge}") for edge in (",", ";", "\t", "|", "\n", "\r\n"))
