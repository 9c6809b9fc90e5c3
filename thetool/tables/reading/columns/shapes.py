"""What single values look like: the first look at a column, in a sample of its values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from thetool.tables.reading.columns import dates, numbers, words

_PLAIN = re.compile(rf"(?P<integer>{numbers.INTEGER})|(?P<decimal>{numbers.DECIMAL})")
_WRITTEN = {mark: re.compile(numbers.anchored(numbers.pattern(mark))) for mark in ".,"}
_CAREFUL = re.compile(rf"{numbers.LEADING_ZERO}|{numbers.LONG}|{numbers.WITH_PLUS}")
_DATES = [
    (form.name, re.compile(dates.date_pattern(form)), re.compile(dates.datetime_pattern(form))) for form in dates.FORMS
]
_COMPACT = re.compile(dates.date_pattern(dates.BY_NAME["compact"]))
_TIME = re.compile(rf"\s*{dates.TIME}\s*", re.I)
_OFFSET = re.compile(rf"{dates.OFFSET}\s*$", re.I)
_DIGIT = re.compile(r"[0-9]")


@dataclass
class Look:
    """How many values of a sample look like what; a value may look like several things."""

    values: int = 0
    nulls: int = 0
    integers: int = 0
    decimals: int = 0
    written: int = 0  # numbers with signs, thousands, per cent, or a decimal comma
    careful: int = 0  # of these, with leading zeros, plus signs, many digits
    codes: int = 0  # no numbers, but of digits: phone numbers
    times: int = 0
    dates: Counter[str] = field(default_factory=Counter)
    timed: Counter[str] = field(default_factory=Counter)
    offsets: int = 0
    distinct: set[str] = field(default_factory=set)
    yes_no: int = 0

    @property
    def numbers(self) -> int:
        """Values that are numbers in some writing."""
        return self.integers + self.decimals + self.written

    @property
    def all_dates(self) -> int:
        """Values that are dates in some form, with a time or without."""
        return self.dates.total() + self.timed.total()


def look_at(values: Iterable[str | None]) -> Look:
    """Look at a sample of a column."""
    look = Look()
    for value, count in Counter(values).items():
        if value is not None:
            _count(look, value, count)
    return look


def _count(look: Look, value: str, count: int) -> None:
    plain = _PLAIN.fullmatch(value)
    if plain:
        look.values += count
        look.integers += count * (plain.lastgroup == "integer")
        look.decimals += count * (plain.lastgroup == "decimal")
        look.dates["compact"] += count * (len(value) == 8 and bool(_COMPACT.match(value)))
        look.yes_no += count * (value in ("0", "1"))
        look.distinct.add(value)
        return
    low = value.strip().lower()
    if low in words.NULL_WORDS:
        look.nulls += count
        return
    look.values += count
    if len(low) < 12 and (low in words.TRUE or low in words.FALSE):
        look.yes_no += count
        look.distinct.add(low)
        return
    look.distinct.add(low[:20])
    if len(low) <= 60 and _DIGIT.search(low):
        _count_digits(look, value, low, count)


def _count_digits(look: Look, value: str, low: str, count: int) -> None:
    careful = bool(_CAREFUL.match(value))
    if any(written.match(value) for written in _WRITTEN.values()):
        look.written += count
        look.careful += count * careful
        return
    if _TIME.fullmatch(low):
        look.times += count
        return
    for name, date, timed in _DATES:
        if date.match(low):
            look.dates[name] += count
            return
        if timed.match(low):
            look.timed[name] += count
            look.offsets += count * bool(_OFFSET.search(low[10:]))
            return
    look.codes += count * careful
