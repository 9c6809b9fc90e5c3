"""What columns mean: by their values; the misfires of older profilers are here as cases."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.tables.profile.conftest import Profiled
from thetool.tables.profile.semantics.forms import FORMS
from thetool.tables.profile.semantics.hints import suggests
from thetool.tables.profile.word_columns import SUSPICIOUS

CASES: list[tuple[str, str, list[Any]]] = [
    ("email", "x", ["anna@example.com", "b.c+d@mail.example.co.uk", "müller@bücher.example"]),
    ("url", "x", ["https://example.com/a?b=c", "www.example.org", "http://[::1]:8080/x"]),
    ("uuid", "x", ["550e8400-e29b-41d4-a716-446655440000", "6BA7B810-9DAD-11D1-80B4-00C04FD430C8"]),
    ("json", "x", ['{"a": 1}', '[1, {"b": null}]', "{}"]),
    ("mac_address", "x", ["00:1B:44:11:3A:B7", "00-1b-44-11-3a-b8"]),
    ("ip_address", "x", ["192.168.1.1", "10.0.0.255", "2001:db8::ff00:42:8329"]),
    ("iban", "x", ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432"]),
    ("isbn", "x", ["978-3-16-148410-0", "0-306-40615-2"]),
    ("payment_card", "x", ["4111 1111 1111 1111", "5555-5555-5555-4444"]),
    ("payment_card", "x", [4111111111111111, 5555555555554444, 4012888888881881]),
    ("phone", "x", ["+49 30 123456", "(555) 123-4567", "555-123-4567", "030 / 12 34 56"]),
    ("phone", "Telefon", ["0301234567", "0171555444"]),
    ("postal_code", "x", ["SW1A 1AA", "EC1A 1BB", "M1 1AE"]),
    ("postal_code", "zip", ["07701", "10001"]),
    ("postal_code", "plz", [10115, 80331]),
    ("coordinates", "x", ["52.5200, 13.4050", "-33.8688, 151.2093"]),
    ("country", "x", ["Germany", "france", "USA", "Deutschland"]),
    ("country_code", "x", ["DE", "FR", "GB", "US"]),
    ("country_code", "x", ["DEU", "FRA", "GBR"]),
    ("state", "state", ["CA", "NY", "TX"]),
    ("currency_code", "x", ["EUR", "USD", "CHF"]),
    ("currency", "x", ["$1,200.50", "€ 3", "12,50 €"]),
    ("percentage", "x", ["12 %", "3.5%"]),
    ("date", "x", ["2026-01-31", "31.01.2026", "Jan 3, 2026", "3rd March 2025"]),
    ("time", "x", ["12:30", "09:15:59", "11:00 pm"]),
    ("latitude", "lat", [52.52, -33.8688]),
    ("longitude", "lng", [151.2093, -0.1]),
    ("year", "x", [1999, 2024, 2010]),
    ("identifier", "x", [7, 8, 9, 10]),
    ("identifier", "order_id", [10, 10, 35, 700]),
    ("identifier", "x", ["AB-001", "AB-002", "CD-003"]),
    ("name", "customer_name", ["Anna Smith", "Bob O'Neil", "Zoë Ångström"]),
    ("free_text", "x", ["The parcel came late and was damaged", "I would buy it again any time"]),
    ("category", "x", ["new", "paid", "new", "paid", "new"]),
    ("boolean", "x", [0, 1, 1, 0]),
    ("empty", "x", pl.Series([None, None], dtype=pl.String)),
    # misfires: amounts and ages are no phone numbers, five digits no postal codes, "paid" no key
    ("measure", "age", [31, 45, 62, 45]),
    ("measure", "score", [12345, 99999, 10001, 10001]),
    ("measure", "paid", [30, 40, 50, 50]),
    ("measure", "x", [52.52, -33.8688]),
    ("text", "x", ["0001234567", "0001234567", "0001299999", "0000000012", "0000000013"]),
    ("text", "x", ["a@b", "Rome", "12-x", "y", "z z"]),
    ("text", "x", ["4111 1111 1111 1112", "5555-5555-5555-4445", "5555-5555-5555-4445", "1", "2"]),
    # Italian words that are codes of countries stand in a column of words
    ("category", "x", ["IT", "HR", "IT", "HR", "IT"]),
]


@pytest.mark.parametrize(("meaning", "name", "values"), CASES)
def test_what_values_mean(profiled: Profiled, meaning: str, name: str, values: list[Any]) -> None:
    found = profiled({name: values}).column_profiles[0].semantic
    assert found.type == meaning, found.reason
    assert found.reason.endswith(".")


def test_the_share_is_of_all_values(profiled: Profiled) -> None:
    values = [f"user{number}@example.com" for number in range(1, 97)] + ["none yet", "@", "a@b", "user at example.com"]
    column = profiled({"contact": values}).column_profiles[0].semantic
    assert (column.type, column.fits, column.of, column.share) == ("email", 96, 100, 0.96)


def test_every_row_counts_in_a_long_column(profiled: Profiled) -> None:
    values = [f"user{number}@example.com" for number in range(30_000)]
    values[28_765] = "nobody"
    profile = profiled({"contact": values})
    column = profile.column_profiles[0].semantic
    assert (column.type, column.fits, column.of) == ("email", 29_999, 30_000)
    issue = next(one for one in profile.issues if one.code == "invalid_values")
    assert issue.example is not None
    assert (issue.rows, issue.example.row, issue.example.value) == (1, 28_766, "nobody")


def test_checks_of_a_long_column_say_how_many_were_made(profiled: Profiled) -> None:
    def iban(number: int) -> str:
        digits = f"{number:018d}"
        check = 98 - int(digits + "131400") % 97
        return f"DE{check:02d}{digits}"

    column = profiled({"account": [iban(number) for number in range(30_000)]}).column_profiles[0].semantic
    assert column.type == "iban"
    assert column.share == 1
    assert "10,000" in column.reason


def test_patterns_mean_the_same_in_python_and_in_polars() -> None:
    values = [str(value) for _, _, cells in CASES for value in cells if value is not None]
    values += ["", " ", "a@@b.c", "http://", "1.2.3", "+", "12:60", "DE", "x" * 501, "２０２６", "٣", "a\nb@c.de"]
    for form in FORMS:
        if form.check is None:
            mask = form.mask(pl.Series(values)).to_list()
            assert mask == [form.fits(value) for value in values], form.type


def test_the_suspicious_pattern_has_a_rust_form() -> None:
    assert pl.Series(["plain", " a", "b\u00a0\u00a0c"]).str.contains(SUSPICIOUS).to_list() == [False, True, True]


@pytest.mark.parametrize("name", ["customer_id", "customerId", "Customer ID", "ID", "user.id"])
def test_names_of_keys(name: str) -> None:
    assert suggests(name, "identifier")


@pytest.mark.parametrize("name", ["paid", "width", "idea", "valid"])
def test_names_that_only_end_like_keys(name: str) -> None:
    assert not suggests(name, "identifier")
