"""Forms of text that tell what a value is: a pattern for all values, and for some a check of the number itself.

The patterns are for Python's `re` and for the Rust engine of Polars alike: no look-around, no back-references; in both
they take time that grows with the text. A value is looked at without blanks around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import orjson
import polars as pl

from thetool.tables.profile.schemas import SemanticType
from thetool.tables.profile.semantics import places
from thetool.tables.profile.semantics.checksums import is_iban, is_ip_address, is_isbn, is_payment_card

LONGEST = 500
Words = Callable[[], frozenset[str] | dict[str, str]]


@dataclass(frozen=True)
class Form:
    """A form: the values whose whole text has `pattern`, or are among `words`."""

    type: SemanticType
    pattern: str = ""
    words: Words | None = None
    small_letters: bool = False
    check: Callable[[str], bool] | None = None
    check_says: str = ""
    longest: int = LONGEST

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.pattern)

    def fits(self, value: str) -> bool:
        """Whether one value has the form and passes its check."""
        value = value.strip()
        if len(value) > self.longest:
            return False
        if self.words is not None:
            return (value.lower() if self.small_letters else value) in self.words()
        return bool(self._compiled.fullmatch(value)) and (self.check is None or self.check(value))

    def mask(self, values: pl.Series) -> pl.Series:
        """For each value whether it has the form; its check is not made."""
        stripped = values.str.strip_chars()
        if self.words is not None:
            known = pl.Series(list(self.words()), dtype=pl.String)
            return (stripped.str.to_lowercase() if self.small_letters else stripped).is_in(known.implode())
        return stripped.str.contains(rf"\A(?:{self.pattern})\z")


_year = r"(?:1[0-9]|2[01])[0-9]{2}"
_month = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_day_of_year = rf"{_year}[-/.](?:0?[1-9]|1[0-2])[-/.](?:0?[1-9]|[12][0-9]|3[01])"
_day = (
    rf"(?i:{_day_of_year}|[0-3]?[0-9][-/.][0-3]?[0-9][-/.](?:{_year}|[0-9]{{2}})"
    rf"|[0-3]?[0-9](?:st|nd|rd|th)?[ -]{_month}[ ,-]+(?:{_year}|[0-9]{{2}})"
    rf"|{_month} [0-3]?[0-9](?:st|nd|rd|th)?,? {_year})"
)
_clock = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
_amount = r"[0-9](?:[0-9., '\u00a0\u202f]*[0-9])?"
_sign = r"(?:[$€£¥₹₽₩₺₴₪₫฿]|US\$|A\$|C\$|R\$|zł|Kč|kr\.?|Fr\.?|[A-Z]{3})"
_half_byte = r"[0-9A-Fa-f]"
_LONGEST_JSON = 10_000
_WHOLE_CELL = 32_000_000


def _is_json(value: str) -> bool:
    """Whether it is JSON; of a very long one its brackets are enough."""
    if len(value) > _LONGEST_JSON:
        return True
    try:
        orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    return True


FORMS = [
    Form("email", r'[^ \t\r\n@,;:<>()"\\]+@(?:[^ \t\r\n@.,;:<>()"\\/]+\.)+[^ \t\r\n@.,;:<>()"\\/0-9]{2,24}'),
    Form("url", r"(?i:(?:https?|ftps?)://|www\.)[^\s/.?#]+\.?[^\s]*"),
    Form("uuid", r"\{?H{8}-H{4}-H{4}-H{4}-H{12}\}?".replace("H", _half_byte)),
    Form(
        "json",
        r"(?s:\{.*\}|\[.*\])",
        check=_is_json,
        check_says="they are valid JSON",
        longest=_WHOLE_CELL,
    ),
    Form("mac_address", r"H{2}(?:(?::H{2}){5}|(?:-H{2}){5})".replace("H", _half_byte)),
    Form(
        "ip_address",
        r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.[0-9]{1,3}){0,3}",
        check=is_ip_address,
        check_says="its parts are in range",
    ),
    Form("iban", r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}", check=is_iban, check_says="the check digits are right"),
    Form(
        "isbn",
        r"97[89][- ]?[0-9](?:[- ]?[0-9]){9}|[0-9](?:[- ]?[0-9]){8}[- ]?[0-9Xx]",
        check=is_isbn,
        check_says="the check digit is right",
    ),
    Form(
        "payment_card",
        r"[2-6][0-9]{3}[- ]?[0-9]{4}[- ]?[0-9]{4}[- ]?[0-9]{1,7}|3[0-9]{3}[- ]?[0-9]{6}[- ]?[0-9]{5}",
        check=is_payment_card,
        check_says="the check digit is right",
    ),
    Form("coordinates", r"\(?[-+]?[0-8]?[0-9]\.[0-9]{2,}\s*[,;]\s*[-+]?(?:1[0-7]|[0-9])?[0-9]\.[0-9]{2,}\)?"),
    Form("datetime", rf"{_day}[T ,]+{_clock}(?:Z| ?[-+][0-9]{{2}}:?[0-9]{{2}})?"),
    Form("date", _day),
    Form("time", _clock),
    Form("percentage", rf"[-+]?{_amount} ?%"),
    Form("currency", rf"\(?[-+]? ?(?:{_sign} ?[-+]?{_amount}|{_amount} ?{_sign})\)?"),
    Form(
        "phone",
        r"(?:\+ ?[1-9]|\(\+?[0-9]|0(?:[1-9]|0[1-9]))(?:[ ./()-]{0,3}[0-9]){5,14}(?i: ?(?:x|ext\.?) ?[0-9]{1,6})?"
        r"|(?:1[ .-])?[2-9][0-9]{2}[ .-]?[0-9]{3}[ .-]?[0-9]{4}(?i: ?(?:x|ext\.?) ?[0-9]{1,6})?",
    ),
    Form(
        "postal_code",
        r"[0-9]{5}(?:-[0-9]{4})?|[0-9]{4}|[0-9]{6}|[0-9]{2}-[0-9]{3}|[0-9]{3}-[0-9]{4}|[0-9]{4}-[0-9]{3}"
        r"|[0-9]{5}-[0-9]{3}|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z][ -]?[0-9][A-Z][0-9]"
        r"|[0-9]{4} ?[A-Z]{2}|[0-9]{3} [0-9]{2}",
    ),
    Form("state", words=places.us_states),
    Form("country_code", words=places.country_codes),
    Form("currency_code", words=places.currencies),
    Form("country", words=places.country_names, small_letters=True),
]
