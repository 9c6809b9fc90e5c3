"""What a column of numbers means."""

from __future__ import annotations

from dataclasses import dataclass

from thetool.tables.profile.schemas import Numbers, Semantic, SemanticType
from thetool.tables.profile.semantics.checksums import is_isbn, is_payment_card
from thetool.tables.profile.semantics.hints import suggests, tokens

_CHECKED = 0.95


@dataclass
class Facts:
    """What is known of a column of numbers."""

    name: str
    whole: bool
    values: int
    distinct: int
    numbers: Numbers
    percent: bool
    money: bool
    sample: list[int]

    def mean(self, kind: SemanticType, reason: str, share: float = 1) -> Semantic:
        """That they mean this."""
        return Semantic(type=kind, share=share, fits=round(share * self.values), of=self.values, reason=reason)

    def says(self, kind: SemanticType) -> bool:
        """Whether the name has a word for this."""
        return suggests(self.name, kind)


def meaning(facts: Facts) -> Semantic:
    """What a column of numbers means."""
    low, high = facts.numbers.min, facts.numbers.max
    if low is None or high is None:
        return facts.mean("empty", "It has no values.")
    if facts.percent:
        return facts.mean("percentage", "Its cells have percent signs.")
    if facts.money:
        return facts.mean("currency", "Its cells have signs of a currency.")
    found = _whole(facts, int(low), int(high)) if facts.whole else _place(facts, low, high)
    return found or _amount(facts, low, high)


def _whole(facts: Facts, low: int, high: int) -> Semantic | None:
    for kind, check in (("payment_card", is_payment_card), ("isbn", is_isbn)):
        if low >= 10**12 and len(facts.sample) >= 3:
            share = sum(check(str(number)) for number in facts.sample) / len(facts.sample)
            if share >= _CHECKED:
                reason = f"The check digits of {len(facts.sample):,} values, evenly spread, are right."
                return facts.mean(kind, reason, share)  # type: ignore[arg-type]
    if facts.says("postal_code") and low >= 0 and 1_000 <= high <= 999_999:
        return facts.mean("postal_code", "The name says so, and they are whole numbers of at most six digits.")
    if facts.says("phone") and low >= 10**6 and high < 10**15:
        return facts.mean("phone", "The name says so, and they are whole numbers of 7 to 15 digits.")
    if facts.says("year") and low >= 1000 and high <= 2200:
        return facts.mean("year", "The name says so, and they are whole numbers from 1000 to 2200.")
    return _key(facts, low, high)


def _key(facts: Facts, low: int, high: int) -> Semantic | None:
    unique = facts.distinct == facts.values > 2
    if unique and high - low == facts.values - 1:
        return facts.mean("identifier", "No value comes twice, and together they have no gaps.")
    if unique and facts.says("identifier"):
        return facts.mean("identifier", "The name says so, and no value comes twice.")
    if {"id", "key", "nr", "sku"} & tokens(facts.name):
        share = facts.distinct / facts.values
        return facts.mean("identifier", "The name says so, and they are whole numbers.", share)
    if low >= 1950 and high <= 2035 and facts.distinct >= 2 and facts.values > 2:
        return facts.mean("year", "All are whole numbers from 1950 to 2035.")
    return None


def _place(facts: Facts, low: float, high: float) -> Semantic | None:
    if facts.says("latitude") and low >= -90 and high <= 90:
        return facts.mean("latitude", "The name says so, and all are from -90 to 90.")
    if facts.says("longitude") and low >= -180 and high <= 180:
        return facts.mean("longitude", "The name says so, and all are from -180 to 180.")
    return None


def _amount(facts: Facts, low: float, high: float) -> Semantic:
    if facts.says("percentage") and low >= -100 and high <= 100:
        return facts.mean("percentage", "The name says so, and all are from -100 to 100.")
    if facts.says("currency"):
        return facts.mean("currency", "The name says so, and they are numbers.")
    if facts.whole and low == 0 and high == 1:
        return facts.mean("boolean", "All are 0 or 1.")
    return facts.mean("measure", "Numbers; no more can be said of them.")
