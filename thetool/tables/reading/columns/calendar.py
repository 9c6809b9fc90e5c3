"""Whether a column holds dates, with times or without, and whether the day or the month comes first."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from thetool.tables.reading.columns import dates
from thetool.tables.reading.columns.dates import BY_NAME, FORMS, Dates
from thetool.tables.reading.columns.decision import ENOUGH, Asking, Decision, Question, share_told, text
from thetool.tables.reading.columns.shapes import Look
from thetool.tables.reading.report import ColumnType

_ORDERS = ("dmy", "mdy", "ymd")
SAID = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}


def decide(question: Question) -> Asking:
    """Decide on a column that mostly looks like dates."""
    look, values, asked, column = question.look, question.values, question.asked, question.column
    forms = tuple(name for name in BY_NAME if look.dates[name] or look.timed[name])
    if len(forms) == 1 and not look.nulls and asked is None and not (look.timed and look.dates):
        tries = _first_tries(forms, look, question.order)
        asks = {dates.order or "": dates.value(column).is_not_null() for dates in tries}
        if only_days := 0 < look.midnights == look.all_dates and tries[0].clock is not None:
            asks["midnights"] = column.str.contains(r"[T ]00:00(?::00(?:\.0+)?)?$")
        counts = yield asks
        midnights = counts.pop("midnights", 0)
        if max(counts.values()) == values:
            only_days = only_days and midnights == values
            tries = [replace(one, only_days=only_days) for one in tries]
            return _chosen(question, tries, counts, 0, {})
    lowered = column.str.to_lowercase()
    asks = {"nulls": question.is_nothing()}
    for form in FORMS:
        asks[f"date {form.name}"] = lowered.str.contains(dates.date_pattern(form))
        asks[f"timed {form.name}"] = lowered.str.contains(dates.datetime_pattern(form))
    asks["offsets"] = lowered.str.contains(rf":[0-9.,]+(?: ?[ap]m)?{dates.OFFSET}\s*$")
    found = yield asks
    seen = {form.name: found[f"date {form.name}"] + found[f"timed {form.name}"] for form in FORMS}
    forms = tuple(name for name, count in seen.items() if count and (name != "compact" or look.dates[name]))
    if not forms:
        return text("No value is a date.", values) if asked is None else _none(question, found["nulls"])
    timed = any(found[f"timed {name}"] for name in forms)
    tries = _tries(forms, question.order, timed=timed and asked is not ColumnType.DATE, offsets=found["offsets"] > 0)
    counts = yield {dates.order or "": dates.value(column).is_not_null() for dates in tries}
    if asked is None and max(counts.values()) < (values - found["nulls"]) * ENOUGH:
        return text(f"Mixed: only {max(counts.values()):,} of {values - found['nulls']:,} values are dates.", values)
    return _chosen(question, tries, counts, found["nulls"], {name: seen[name] for name in forms})


def _none(question: Question, nulls: int) -> Decision:
    kind = question.asked or ColumnType.DATE
    value = pl.lit(None, pl.Date if kind is ColumnType.DATE else pl.Datetime("us"))
    return Decision(
        kind,
        "It was asked for; no value is one.",
        lambda _: value,
        asked=True,
        nulls=question.nulls,
        values=question.values,
        null_words=nulls,
    )


def _tries(forms: tuple[str, ...], order: str | None, *, timed: bool, offsets: bool) -> list[Dates]:
    orders = {one for name in forms for one in BY_NAME[name].formats if len(BY_NAME[name].formats) > 1}
    if not orders:
        return [Dates(forms, None, timed, offsets)]
    wanted = [order] if order else [one for one in _ORDERS if one in orders]
    return [Dates(forms, one, timed, offsets) for one in wanted]


def _first_tries(forms: tuple[str, ...], look: Look, order: str | None) -> list[Dates]:
    """What the sample says: one form, one kind of time, and mostly one order."""
    if order is None and bool(look.days_first) != bool(look.months_first):
        order = "dmy" if look.days_first else "mdy"
    clock = next(iter(look.clocks)) if len(look.clocks) == 1 and not look.offsets else None
    tries = _tries(forms, order, timed=bool(look.timed), offsets=bool(look.offsets))
    return [replace(one, clock=clock or None) for one in tries]


def _chosen(
    question: Question, tries: list[Dates], counts: dict[str, int], nulls: int, seen: dict[str, int]
) -> Decision:
    best = max(counts.values())
    likely = [one for one in tries if counts[one.order or ""] == best]
    decisions = [_decision(question, one, best, nulls, seen) for one in _preferred(likely)]
    first = decisions[0]
    said = SAID[first.date_order or "dmy"]
    if len(decisions) > 1:
        first.otherwise = decisions[1]
    elif first.date_order in ("dmy", "mdy") and len(tries) == 1 and not seen:
        first.reason += f" {said.capitalize()}: otherwise some would be none."
    elif len(tries) > 1:
        other = max(count for order, count in counts.items() if order != first.date_order)
        first.reason += f" Read with {said} {best:,} are dates, otherwise {other:,}."
    return first


def _preferred(likely: list[Dates]) -> list[Dates]:
    """Points stand in dates with the day first; with slashes nobody knows, and the month is taken to be first."""
    slashes = any(name in ("/Y", "/y") for name in likely[0].forms)
    ranks = ("mdy", "dmy", "ymd") if slashes else ("dmy", "mdy", "ymd")
    ordered = sorted(likely, key=lambda one: ranks.index(one.order) if one.order else 0)
    points = all(name in (".Y", ".y") for name in likely[0].forms)
    return ordered[:1] if points else ordered


def _decision(question: Question, read: Dates, fits: int, nulls: int, seen: dict[str, int]) -> Decision:
    kind = question.asked or (ColumnType.DATETIME if read.timed and not read.only_days else ColumnType.DATE)
    counted = seen or dict.fromkeys(read.forms, fits)
    formats = {
        fmt: counted[name]
        for name in read.forms
        if (fmt := next(iter(Dates((name,), read.order).formats()), None)) is not None
    }
    what = "dates with a time" if read.timed else "dates"
    return Decision(
        kind,
        share_told(fits, question.values - nulls, what)
        + (" Times with an offset are told in UTC." if read.offsets else "")
        + (" Every time is midnight, so that the days say all." if read.only_days else ""),
        (lambda one: read.value(one).cast(pl.Datetime("us")))
        if kind is ColumnType.DATETIME and not read.offsets
        else read.value,
        asked=question.asked is not None,
        nulls=question.nulls,
        values=question.values,
        fits=fits,
        null_words=nulls,
        date_order=read.order or ("ymd" if all(name[0] in "Yc" for name in read.forms) else None),
        date_formats=formats,
    )


def decide_times(question: Question) -> Asking:
    """Decide on a column that mostly looks like times of the day."""
    value = dates.time_value(question.column.str.to_lowercase())
    counts = yield {"times": value.is_not_null(), "nulls": question.is_nothing()}
    real = question.values - counts["nulls"]
    if question.asked is None and counts["times"] < real * ENOUGH:
        return text(f"Mixed: only {counts['times']:,} of {real:,} values are times of the day.", question.values)
    return Decision(
        ColumnType.TIME,
        share_told(counts["times"], real, "times of the day"),
        lambda one: dates.time_value(one.str.to_lowercase()),
        asked=question.asked is not None,
        nulls=question.nulls,
        values=question.values,
        fits=counts["times"],
        null_words=counts["nulls"],
    )
