"""Different spellings of one thing: large and small letters, marks and accents, slips of the pen.

Clusters by a key are OpenRefine's fingerprints (small letters, without accents, marks and blanks, words in order);
slips are pairs of rare and frequent values with a small edit distance (Damerau and Levenshtein, restricted). Values
with different digits are different things.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from thetool.tables.profile.semantics.places import countries

MOST_VALUES = 20_000
MOST_CATEGORIES = 1_000
LONGEST = 100
RARER = 2
_NEARLY = 0.8
Counts = dict[str, int]
_word = re.compile(r"[^\W_]+")
_digits = re.compile(r"\d+")


@dataclass
class Spellings:
    """Values that are one thing, by the spelling that most rows have; `rows` have one of the others."""

    mapping: dict[str, list[str]]
    rows: int

    @property
    def others(self) -> list[str]:
        """The rarer spellings."""
        return [value for values in self.mapping.values() for value in values]


def by_case(counts: Counts) -> Spellings:
    """Values that differ only by large and small letters."""
    if len({value.casefold() for value in counts}) == len(counts):
        return Spellings({}, 0)
    return _clusters(counts, counts, _folded, _best_case)


def similar(counts: Counts, countries_: bool, slips: bool) -> Spellings:
    """Values that differ by little more than case: marks and accents, names of one country, slips of the pen."""
    values = _one_of_each_case(counts)
    found = _clusters(counts, values, _country if countries_ else fingerprint)
    if slips:
        known = {*found.mapping, *found.others}
        left = [value for value in values if value not in known or value in found.mapping]
        more = _slips(counts, left)
        for value, others in more.items():
            found.mapping[value] = [*found.mapping.get(value, []), *others]
            found.rows += sum(counts[other] for other in others)
    return found


def fingerprint(value: str) -> str:
    """OpenRefine's fingerprint: words in small letters without accents, in order, each once."""
    plain = value.casefold()
    if not plain.isascii():
        apart = unicodedata.normalize("NFKD", plain)
        plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(sorted(set(_word.findall(plain))))


def _folded(value: str) -> str:
    return " ".join(value.split()).casefold()


def _country(value: str) -> str:
    return countries().get(value.strip().lower(), "")


def _slips(counts: Counts, values: Iterable[str]) -> dict[str, list[str]]:
    """Rare values that differ by a letter or two from one that is `RARER` times as frequent."""
    frequent = sorted(values, key=lambda value: (-counts[value], value))
    keys = [_folded(value) for value in frequent]
    mapping: dict[str, list[str]] = {}
    taken: set[str] = set()
    for place, key in enumerate(keys):
        if not place or not 5 <= len(key) <= LONGEST or RARER * counts[frequent[place]] > counts[frequent[0]]:
            continue
        allowed = 1 if len(key) < 10 else 2
        for other, _, at in process.extract(key, keys[:place], scorer=OSA.distance, score_cutoff=allowed, limit=3):
            common, rare = frequent[at], frequent[place]
            if _one_thing(key, other) and counts[common] >= RARER * counts[rare] and common not in taken:
                mapping.setdefault(common, []).append(rare)
                taken.add(rare)
                break
    return mapping


def _one_thing(one: str, other: str) -> bool:
    """Whether two values may be one thing: the same digits, the same first letter, not both a country's name."""
    if _digits.findall(one) != _digits.findall(other) or one[0] != other[0]:
        return False
    return not (one in countries() and other in countries())


def _one_of_each_case(counts: Counts) -> list[str]:
    """Of values that differ only by case, the best."""
    same: dict[str, list[str]] = {}
    for value in counts:
        same.setdefault(_folded(value), []).append(value)
    return [spellings[0] if len(spellings) == 1 else _best_case(counts, spellings)[0] for spellings in same.values()]


def _most_frequent(counts: Counts, spellings: list[str]) -> list[str]:
    """Spellings of one thing, the most frequent first."""
    return sorted(spellings, key=lambda value: (-counts[value], value.isupper(), value))


def _best_case(counts: Counts, spellings: list[str]) -> list[str]:
    """The most frequent first, but a capitalised one before it when that is nearly as frequent."""
    ordered = _most_frequent(counts, spellings)
    least = min(_NEARLY * counts[ordered[0]], counts[ordered[0]] - 1)
    near = (value for value in ordered if counts[value] >= max(1, least) and _is_capitalised(value))
    best = next(near, ordered[0])
    return [best, *(value for value in ordered if value != best)]


def _is_capitalised(value: str) -> bool:
    return value.strip()[:1].isupper() and not value.isupper()


def _clusters(
    counts: Counts,
    values: Iterable[str],
    key_of: Callable[[str], str],
    order: Callable[[Counts, list[str]], list[str]] = _most_frequent,
) -> Spellings:
    clusters: dict[str, list[str]] = {}
    for value in values:
        if len(value) <= LONGEST and (key := key_of(value)):
            clusters.setdefault(key, []).append(value)
    mapping: dict[str, list[str]] = {}
    rows = 0
    for spellings in clusters.values():
        if len(spellings) > 1 and len({" ".join(value.split()) for value in spellings}) > 1:
            best, *others = order(counts, spellings)
            mapping[best] = others
            rows += sum(counts[value] for value in others)
    return Spellings(mapping, rows)
