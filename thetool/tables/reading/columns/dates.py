"""Dates and times as people write them, and which of day and month comes first."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_MONTHS = {
    "jan": "january januar januari janvier janv enero ene gennaio gen janeiro leden stycznia styczeń января янв",
    "feb": "february februar februari février févr fév febrero febbraio fevereiro fev únor lutego luty февраля фев",
    "mar": "march märz mrz maart mrt mars marzo março mart březen marca marzec марта мар",
    "apr": "april avril avr abril abr aprile duben kwietnia kwiecień апреля апр",
    "may": "mai mei mayo maggio mag maio květen maja мая май",
    "jun": "june juni juin junio giugno giu junho červen czerwca czerwiec июня июн",
    "jul": "july juli juillet juil julio luglio lug julho červenec lipca lipiec июля июл",
    "aug": "august augustus août agosto ago srpen sierpnia sierpień августа авг",
    "sep": "september sept septembre septiembre settembre set setembro září września wrzesień сентября сен сент",
    "oct": "october oktober okt octobre octubre ottobre ott outubro out říjen października październik октября окт",
    "nov": "november novembre noviembre novembro listopad listopada ноября ноя нояб",
    "dec": "december dezember dez décembre déc diciembre dic dicembre dezembro prosinec grudnia grudzień декабря дек",
}
MONTHS = {name: short for short, others in _MONTHS.items() for name in (short, *others.split())}
_NAME = "(?:" + "|".join(sorted(map(str, MONTHS), key=len, reverse=True)) + r")"
_DAYS = "(?:mon|tue|wed|thu|fri|sat|sun|mo|di|mi|do|fr|sa|so)"
_WEEKDAY = rf"(?:{_DAYS}[a-z]*\.?,? +)?"
WORDS = f"(?:{_NAME}|{_DAYS})"
"""Words that a date may begin with."""
_EARLIEST = datetime.date(1000, 1, 1)


@dataclass(frozen=True)
class Form:
    """One way to write a date: its pattern (small letters, no anchors) and what `strptime` reads, by the order."""

    name: str
    pattern: str
    formats: dict[str, str]
    named: bool = False

    def __hash__(self) -> int:
        return hash(self.name)


def _numeric() -> list[Form]:
    forms = []
    for mark in "-/.":
        escaped = rf"\{mark}"
        two = "[0-9]{1,2}"
        forms += [
            Form(f"Y{mark}", f"[0-9]{{4}}{escaped}{two}{escaped}{two}", {"ymd": f"%Y{mark}%m{mark}%d"}),
            Form(
                f"{mark}Y",
                f"{two}{escaped}{two}{escaped}[0-9]{{4}}",
                {"dmy": f"%d{mark}%m{mark}%Y", "mdy": f"%m{mark}%d{mark}%Y"},
            ),
            Form(
                f"{mark}y",
                f"{two}{escaped}{two}{escaped}[0-9]{{2}}",
                {"dmy": f"%d{mark}%m{mark}%y", "mdy": f"%m{mark}%d{mark}%y", "ymd": f"%y{mark}%m{mark}%d"},
            ),
        ]
    return forms


FORMS: tuple[Form, ...] = (
    *_numeric(),
    Form("compact", "(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])", {"ymd": "%Y%m%d"}),
    Form("d mon Y", rf"{_WEEKDAY}[0-9]{{1,2}}\.?[ -]*{_NAME}[.,]?[ -]*[0-9]{{4}}", {"any": "%d %b %Y"}, named=True),
    Form("d mon y", rf"{_WEEKDAY}[0-9]{{1,2}}\.?[ -]*{_NAME}[.,]?[ -]*[0-9]{{2}}", {"any": "%d %b %y"}, named=True),
    Form(
        "mon d Y", rf"{_WEEKDAY}{_NAME}\.? *[0-9]{{1,2}}(?:st|nd|rd|th)?,? *[0-9]{{4}}", {"any": "%b %d %Y"}, named=True
    ),
)
BY_NAME = {form.name: form for form in FORMS}
TIME = r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?: ?[ap]\.?m\.?)?"
OFFSET = r" ?(?:z|utc|gmt|[-+][0-9]{2}:?(?:[0-9]{2})?)"
_BETWEEN = r"(?:t| +|, *)"
_WITH_TIME = rf"^\s*(.*?[0-9]){_BETWEEN}({TIME})({OFFSET})?\s*$"


def date_pattern(form: Form) -> str:
    """A whole value (small letters) that is a date in this form."""
    return rf"^\s*(?:{form.pattern})\s*$"


def datetime_pattern(form: Form) -> str:
    """A whole value (small letters) that is a date in this form, and a time."""
    return rf"^\s*(?:{form.pattern}){_BETWEEN}{TIME}(?:{OFFSET})?\s*$"


@dataclass(frozen=True)
class Dates:
    """How the dates of a column are read: its forms, which of day and month comes first, whether they have times."""

    forms: tuple[str, ...]
    order: str | None
    timed: bool = False
    offsets: bool = False
    clock: str | None = None
    """What `strptime` reads after the date, where all have it, and nothing else."""
    only_days: bool = False
    """Whether the times are left out, all being midnight."""

    def formats(self) -> list[str]:
        """What `strptime` is given for each form."""
        return [strptime for name in self.forms if (strptime := _format(BY_NAME[name], self.order))]

    def value(self, text: pl.Expr) -> pl.Expr:
        """Date or Datetime of each text; null where it does not fit."""

        if not self.timed:
            return self._date(text)
        if self.clock is not None:
            moments = text.str.to_datetime(self.formats()[0] + self.clock, strict=False, time_unit="us")
            return _sane(moments.dt.date() if self.only_days else moments)
        lowered = text.str.to_lowercase()
        date = self._date(lowered.str.extract(_WITH_TIME, 1).fill_null(lowered), lowered=True)
        time = time_value(lowered.str.extract(_WITH_TIME, 2).fill_null("0:00"))
        moment = date.dt.combine(time)
        if not self.offsets:
            return moment
        return (moment - _offset(lowered.str.extract(_WITH_TIME, 3))).dt.replace_time_zone("UTC")

    def _date(self, text: pl.Expr, *, lowered: bool = False) -> pl.Expr:
        import polars as pl

        values = []
        for name in self.forms:
            form = BY_NAME[name]
            strptime = _format(form, self.order)
            if strptime is None:
                continue
            source = (text if lowered else text.str.to_lowercase()) if form.named else text
            source = _english(source, form) if form.named else source.str.strip_chars()
            value = _sane(source.str.to_date(strptime, strict=False))
            guard = len(self.forms) > 1 or name.endswith("y") or name == "compact"
            lower = text if lowered or not form.named else text.str.to_lowercase()
            values.append(pl.when(lower.str.contains(date_pattern(form))).then(value) if guard else value)
        return pl.coalesce(*values) if values else pl.lit(None, pl.Date)


def _format(form: Form, order: str | None) -> str | None:
    formats = form.formats
    return next(iter(formats.values())) if len(formats) == 1 else formats.get(order or "")


def _sane(value: pl.Expr) -> pl.Expr:
    """Without years before 1000, which are years of two digits that were read as four, and after 9999."""
    import polars as pl

    return pl.when((value >= _EARLIEST) & (value.dt.year() <= datetime.MAXYEAR)).then(value)


def _english(lowered: pl.Expr, form: Form) -> pl.Expr:
    """`5. März 2024` as `5 mar 2024`: months as `strptime` knows them."""
    spaced = lowered.str.replace(rf"^{_WEEKDAY}", "") if form.named else lowered
    spaced = spaced.str.replace_all(r"([0-9])(?:st|nd|rd|th)\b", "${1}").str.replace_all(r"[\s.,-]+", " ")
    spaced = spaced.str.replace_all(rf"({_NAME})", " ${1} ").str.replace_all(" +", " ")
    names, shorts = _months()
    return spaced.str.replace_many(names, shorts).str.strip_chars()


@cache
def _months() -> tuple[list[str], list[str]]:
    names = [name for name in MONTHS if name != MONTHS[name]]
    return [f" {name} " for name in names], [f" {MONTHS[name]} " for name in names]


def time_value(lowered: pl.Expr) -> pl.Expr:
    """The time of day of `9:30`, `09:30:15.25`, `9:30 pm`; null where it does not fit."""
    import polars as pl

    usual = lowered.str.strip_chars().str.replace(",", ".", literal=True)
    halves = usual.str.replace_all(r"[. ]*([ap])\.?m\.?$", " ${1}m")
    tries = [usual.str.to_time(clock, strict=False) for clock in ("%H:%M:%S%.f", "%H:%M")]
    tries += [halves.str.to_time(clock, strict=False) for clock in ("%I:%M:%S%.f %p", "%I:%M %p")]
    return pl.when(lowered.str.contains(rf"^\s*{TIME}\s*$")).then(pl.coalesce(*tries))


def _offset(text: pl.Expr) -> pl.Expr:
    """What `+02:00`, `-0530` and `Z` add to UTC."""
    import polars as pl

    hours = text.str.extract(r"([-+][0-9]{2})", 1).cast(pl.Int64, strict=False).fill_null(0)
    minutes = text.str.extract(r"[-+][0-9]{2}:?([0-9]{2})", 1).cast(pl.Int64, strict=False).fill_null(0)
    west = text.str.contains("-", literal=True).fill_null(False)
    return pl.duration(hours=hours, minutes=pl.when(west).then(-minutes).otherwise(minutes))
