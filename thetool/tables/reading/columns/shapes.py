"""What single values look like: the first look at a column, in a sample of its values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from thetool.tables.reading.columns import dates, numbers, words

_PLAIN = re.compile(rf"(?P<integer>{numbers.INTEGER})|(?P<decimal>{numbers.DECIMAL})")
_WRITTEN = {mark: re.compile(numbers.anchored(numbers.pattern(mark)), re.I) for mark in ".,"}
_CAREFUL = re.compile(rf"{numbers.LEADING_ZERO}|{numbers.LONG}|{numbers.WITH_PLUS}")
_DATES = [
    (form.name, re.compile(dates.date_pattern(form)), re.compile(dates.datetime_pattern(form))) for form in dates.FORMS
]
_COMPACT = re.compile(dates.date_pattern(dates.BY_NAME["compact"]))
_TIME = re.compile(rf"\s*{dates.TIME}\s*", re.I)
_OFFSET = re.compile(rf"{dates.OFFSET}\s*$", re.I)
_DIGIT = re.compile(r"[0-9]")
_DIGITS = str.maketrans(dict.fromkeys("0123456789", "1"))
_MAY_BEGIN = re.compile(rf"\s*[-+−(]?\s*(?:[0-9.,]|{numbers.CURRENCY}|{dates.WORDS})", re.I)
_NUMBER = re.compile(r"[0-9]+")
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?\s*$")
_CLOCK = re.compile(r"\S*(T| )[0-9]{2}:[0-9]{2}(:[0-9]{2})?(\.[0-9]+)?")


@dataclass
class Look:
    """How many values of a sample look like what; a value may look like several things."""

    whole: bool = False  # the sample is the column
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
    clocks: Counter[str] = field(default_factory=Counter)  # what `strptime` reads after the date
    midnights: int = 0
    offsets: int = 0
    days_first: int = 0  # dates whose first number is too large for a month
    months_first: int = 0  # dates whose second number is
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


def look_at(values: Iterable[str | None], nulls: frozenset[str]) -> Look:
    """Look at a sample of a column."""
    look = Look()
    for value, count in Counter(values).items():
        if value is not None:
            _count(look, value, count, nulls)
    return look


def _count(look: Look, value: str, count: int, nulls: frozenset[str]) -> None:
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
    if low in nulls:
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
    kind, form = _kind_of(low.translate(_DIGITS))
    careful = kind in ("written", "other") and bool(_CAREFUL.match(value))
    if kind == "written":
        look.written += count
        look.careful += count * careful
    elif kind == "time":
        look.times += count
    elif kind == "other":
        look.codes += count * careful
    else:
        parts = [int(part) for part in _NUMBER.findall(low)[:2]]
        look.days_first += count * (len(parts) == 2 and 12 < parts[0] <= 31)
        look.months_first += count * (len(parts) == 2 and 12 < parts[1] <= 31)
        if kind == "date":
            look.dates[form] += count
            return
        look.timed[form] += count
        look.offsets += count * bool(_OFFSET.search(low[10:]))
        look.clocks[_clock(value)] += count
        look.midnights += count * bool(_MIDNIGHT.search(value))


@lru_cache(maxsize=4096)
def _kind_of(shape: str) -> tuple[str, str]:
    """What values of this shape (small letters, each digit a 1) are, and in which form when they are dates."""
    if not _MAY_BEGIN.match(shape):
        return "other", ""
    if any(written.match(shape) for written in _WRITTEN.values()):
        return "written", ""
    if _TIME.fullmatch(shape):
        return "time", ""
    for name, date, timed in _DATES:
        if date.match(shape):
            return "date", name
        if timed.match(shape):
            return "timed", name
    return "other", ""


def _clock(value: str) -> str:
    """How `strptime` reads what comes after the date; empty when it is not one of the usual ways."""
    found = _CLOCK.fullmatch(value)
    if found is None:
        return ""
    return f"{found[1]}%H:%M{':%S' if found[2] else ''}{'%.f' if found[3] else ''}"
