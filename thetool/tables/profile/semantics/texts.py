"""What a column of text means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import polars as pl

from thetool.tables.profile.finding import first_with
from thetool.tables.profile.schemas import Distinct, Semantic, SemanticType, Texts
from thetool.tables.profile.semantics.forms import FORMS, Form
from thetool.tables.profile.semantics.hints import suggests

ENOUGH = 0.8
NEARLY_ALL = 0.95
_SCREENED = 40
_LOOKED_AT = 100
_DECIMAL = re.compile(r"[-+]?[0-9]+[.,][0-9]+")
_EACH_BY_ITSELF = 1_000
_CATEGORIES = 1_000
_SURE_BY_FORM = frozenset(form.type for form in FORMS) - {
    "postal_code",
    "phone",
    "state",
    "country_code",
    "currency_code",
}


@dataclass
class Odd:
    """The first value that has not the form of the others."""

    row: int
    value: str


@dataclass
class Fit:
    """How many values have a form."""

    form: Form
    rows: int = 0
    of: int = 0
    checked: int = 0
    passed: int = 0
    odd: Odd | None = None

    @property
    def share(self) -> float:
        """Of the values looked at; of those whose check was made, where not all were."""
        share = self.rows / self.of if self.of else 0
        return share * (self.passed / self.checked) if self.checked else share


@dataclass
class Meaning:
    """The forms that a column's values may have, counted batch by batch."""

    fits: list[Fit] | None = None
    digits_alone: int = 0
    decimals: int = 0
    words: int = 0
    looked_at: int = field(default=0)

    def add(self, start: int, text: pl.Series, counts: pl.DataFrame, sample: list[str]) -> None:
        """Add a batch: the column's cells from row `start` on, its different values with their rows, a sample."""
        if not counts.height:
            return
        for value in sample[:: max(1, len(sample) // _LOOKED_AT)]:
            self.looked_at += 1
            self.digits_alone += value.strip().isdigit()
            self.decimals += _DECIMAL.fullmatch(value.strip()) is not None
            self.words += len(value.split())
        if self.fits is None:
            self.fits = [Fit(form) for form in screened(sample)]
        for fit in self.fits:
            self._count(fit, start, text, counts, sample)

    def _count(self, fit: Fit, start: int, text: pl.Series, counts: pl.DataFrame, sample: list[str]) -> None:
        values = counts["value"]
        if len(values) <= _EACH_BY_ITSELF:
            mask = pl.Series([fit.form.fits(value) for value in values.to_list()], dtype=pl.Boolean)
        else:
            mask = fit.form.mask(values)
            if fit.form.check is not None:
                formed = [value for value in sample if fit.form._compiled.fullmatch(value.strip())]
                fit.checked += len(formed)
                fit.passed += sum(map(fit.form.check, formed))
        rows, of = int(counts["rows"].filter(mask).sum()), int(counts["rows"].sum())
        fit.rows += rows
        fit.of += of
        if fit.odd is None and rows < of <= rows / ENOUGH:
            at = first_with(text, values.filter(~mask))
            fit.odd = Odd(start + at + 1, text[at])


def screened(sample: list[str]) -> list[Form]:
    """The forms that most of some values of the sample have."""
    some = list(dict.fromkeys(sample[:: max(1, len(sample) // _SCREENED)]))[:_SCREENED]
    first = [form for form in FORMS if any(form.fits(value) for value in some[:5])]
    return [form for form in first if sum(map(form.fits, some)) >= 0.6 * len(some)]


def meaning(
    name: str, found: Meaning, values: int, distinct: Distinct, texts: Texts | None
) -> tuple[Semantic, Fit | None]:
    """What a column of text means, and the form that decided it, if one did."""
    if texts is None or not values:
        return Semantic(type="empty", share=1, fits=0, of=0, reason="It has no values."), None
    fit = _best(name, found, distinct)
    if fit is not None:
        return _by_form(fit), fit
    return _by_counts(name, found, values, distinct, texts), None


def _best(name: str, found: Meaning, distinct: Distinct) -> Fit | None:
    good = [fit for fit in found.fits or [] if fit.share >= ENOUGH and _sure(name, fit, found, distinct)]
    if not good:
        return None
    best = max(fit.share for fit in good)
    same = [fit for fit in good if fit.share >= best - 0.05]
    hinted = [
        fit
        for fit in same
        if fit.form.type in ("state", "country_code", "currency_code") and suggests(name, fit.form.type)
    ]
    return (hinted or same)[0]


def _sure(name: str, fit: Fit, found: Meaning, distinct: Distinct) -> bool:
    """Whether the form says enough: digits alone and two letters may be anything, unless the name has a word for it."""
    kind = fit.form.type
    if kind in _SURE_BY_FORM or suggests(name, kind):
        return True
    digits = found.digits_alone / max(1, found.looked_at)
    if kind == "phone":
        return digits < 0.5
    if kind == "postal_code":
        return digits < 0.5 and not suggests(name, "identifier")
    return fit.share >= NEARLY_ALL and distinct.count >= 3


def _by_form(fit: Fit) -> Semantic:
    says = f"The values are {_called[fit.form.type]} by their form"
    if fit.form.check_says:
        checked = f" ({fit.checked:,} of them, evenly spread, were checked)" if fit.checked else ""
        says += f", and {fit.form.check_says}{checked}"
    fits = round(fit.share * fit.of)
    return Semantic(type=fit.form.type, share=fit.share, fits=fits, of=fit.of, reason=f"{says}.")


_called: dict[SemanticType, str] = {
    "email": "e-mail addresses",
    "url": "addresses of web pages",
    "uuid": "UUIDs",
    "json": "objects or lists",
    "mac_address": "MAC addresses",
    "ip_address": "IP addresses",
    "iban": "IBANs",
    "isbn": "ISBNs",
    "payment_card": "numbers of payment cards",
    "coordinates": "pairs of latitude and longitude",
    "datetime": "dates with a time of day",
    "date": "dates",
    "time": "times of day",
    "percentage": "percentages",
    "currency": "amounts of money",
    "phone": "telephone numbers",
    "postal_code": "postal codes",
    "state": "codes of US states",
    "country_code": "ISO codes of countries",
    "currency_code": "ISO codes of currencies",
    "country": "countries",
}


def _by_counts(name: str, found: Meaning, values: int, distinct: Distinct, texts: Texts) -> Semantic:
    words = found.words / max(1, found.looked_at)
    different = min(1.0, distinct.count / values)

    def said(kind: SemanticType, reason: str, share: float = 1) -> Semantic:
        return Semantic(type=kind, share=share, fits=round(share * values), of=values, reason=reason)

    compact = words <= 1.05 and texts.longest <= 64 and found.decimals < 0.5 * found.looked_at
    with_digits = sum(form.share for form in texts.patterns if "9" in form.pattern)
    if compact and different == 1 and values > 2 and (with_digits >= ENOUGH or suggests(name, "identifier")):
        return said("identifier", "No value comes twice, none has blanks, most have digits.")
    if compact and suggests(name, "identifier") and with_digits >= ENOUGH:
        return said("identifier", "The name says so, and the values are short, without blanks, with digits.", different)
    if words >= 5 or texts.mean_length > 60:
        mean = f"{words:.1f}"
        return said("free_text", f"A value has {'1 word' if mean == '1.0' else f'{mean} words'} on average.")
    if suggests(name, "name") and words <= 4 and with_digits < 0.2 and texts.longest <= 80:
        return said("name", "The column's name says so, and the values are a few words without digits.")
    if distinct.count <= _CATEGORIES and (different <= 0.5 or distinct.count <= 20 and different < 0.8):
        different_values = "1 value" if distinct.count == 1 else f"{distinct.count:,} different values"
        return said("category", f"{different_values} in {values:,} {'row' if values == 1 else 'rows'}.")
    return said("text", "No more can be said of the values.")
