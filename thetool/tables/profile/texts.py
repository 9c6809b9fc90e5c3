"""Lengths and forms of the values of a column of text."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from thetool.tables.profile.schemas import Pattern, Texts

SHOWN = 200
PATTERNS = 5
PATTERN_LENGTH = 40
_form = str.maketrans(
    {chr(code): "A" for code in range(ord("A"), ord("Z") + 1)}
    | {chr(code): "a" for code in range(ord("a"), ord("z") + 1)}
    | {chr(code): "9" for code in range(ord("0"), ord("9") + 1)}
)
_run = re.compile(r"A{5,}|a{5,}|9{5,}")
_other_letter = re.compile(r"[^\W\d_a-zA-Z]")
_other_digit = re.compile(r"[^\D0-9]")


def shown(value: str) -> str:
    """A value as it is shown: cut after `SHOWN` characters."""
    return value if len(value) <= SHOWN else value[:SHOWN] + "…"


def pattern(value: str) -> str:
    """The form of a value: `AA-999` for `FR-123`; runs of more than four are `A+`, `a+`, `9+`."""
    return _forms([value])[0]


def patterns(sample: list[str]) -> list[Pattern]:
    """The most frequent forms of `sample`, the values of rows in their order."""
    values = Counter(sample)
    forms: Counter[str] = Counter()
    first: dict[str, str] = {}
    for (value, rows), form in zip(values.items(), _forms(list(values)), strict=True):
        forms[form] += rows
        first.setdefault(form, value)
    return [
        Pattern(pattern=form, count=count, share=count / len(sample), example=shown(first[form]))
        for form, count in forms.most_common(PATTERNS)
    ]


def _forms(values: list[str]) -> list[str]:
    """The form of each value, all at once, which is ten times as fast as one by one."""
    together = "\n".join(value[:PATTERN_LENGTH].replace("\n", " ") for value in values).translate(_form)
    if not together.isascii():
        together = _other_digit.sub("9", together)
        together = _other_letter.sub(lambda letter: "A" if letter[0].isupper() else "a", together)
    forms = _run.sub(_short_run, together).split("\n")
    return [form + "…" if len(value) > PATTERN_LENGTH else form for form, value in zip(forms, values, strict=True)]


def _short_run(run: re.Match[str]) -> str:
    return run[0][0] + "+"


class Lengths:
    """The shortest, the longest and the mean length of texts, in characters."""

    def __init__(self) -> None:
        self.shortest: int | None = None
        self.longest = 0
        self.characters = 0
        self.rows = 0

    def add(self, lengths: NDArray[np.uint32], rows: NDArray[np.uint32]) -> None:
        """Add the lengths of different values, each of which comes in so many `rows`."""
        if not len(lengths):
            return
        shortest = int(lengths.min())
        self.shortest = shortest if self.shortest is None else min(shortest, self.shortest)
        self.longest = max(self.longest, int(lengths.max()))
        self.characters += int(np.dot(lengths.astype(np.int64), rows.astype(np.int64)))
        self.rows += int(rows.sum())

    def told(self, sample: list[str]) -> Texts | None:
        """What is said of them; `sample` are values of rows in their order, all or evenly spread."""
        if self.shortest is None:
            return None
        return Texts(
            shortest=self.shortest,
            longest=self.longest,
            mean_length=self.characters / self.rows,
            patterns=patterns(sample),
            patterns_of=len(sample),
        )
