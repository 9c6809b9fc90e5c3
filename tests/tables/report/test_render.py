"""The report: one file, nothing from elsewhere, and nothing of a table's values becomes markup."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.tables.profile.conftest import write
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import find_market
from thetool.tables.profile.schemas import ProfileOptions
from thetool.tables.profile.table import profile_table
from thetool.tables.report.render import MOST_COLUMNS, render_report
from thetool.tables.report.wording import number, percent, size, visible

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></title><svg onload=alert(1)>",
    "{{ 7 * 7 }}",
    "javascript:alert(1)",
    "\u202egnp.exe",
    "\x00\x1b[31m",
]
VOID = {"meta", "rect", "path", "br", "link", "img", "input"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; checks that elements are closed in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID or tag == "rect":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def report(folder: Path, columns: dict[str, Any], **more: Any) -> str:
    reading = write(folder, columns)
    reading.filename = more.pop("filename", "table.csv")
    profile = profile_table(folder, reading, ProfileOptions(correlations=True), now=NOW)
    return render_report(reading, profile, now=NOW, **more)


@pytest.fixture
def usual() -> dict[str, Any]:
    return {
        "id": list(range(1, 41)),
        "city": ["Berlin", "Paris", "berlin", "Rome"] * 10,
        "amount": [float(number % 9) for number in range(39)] + [900.0],
        "day": [date(2026, 1, 1) + timedelta(days=number) for number in range(40)],
        "paid": [True, False] * 20,
        "nothing": pl.Series([None] * 40, dtype=pl.String),
    }


def test_it_tells_what_the_profile_says(tmp_path: Path, usual: dict[str, Any]) -> None:
    page = Page(report(tmp_path, usual))
    for told in ("40", "table.csv", "case", "To mend it: Write “berlin” as “Berlin”.", "Nothing stands out"):
        assert (told in page.text) == (told != "Nothing stands out")
    assert page.text.index("What to look at") < page.text.index("How it was read")
    assert {"main", "h1", "h2", "h3", "svg", "table", "th"} <= page.tags
    assert len(page.ids) == len(set(page.ids))
    links = {(value or "").removeprefix("#") for name, value in page.attributes if name == "href"}
    assert links <= set(page.ids)


def test_it_needs_nothing_from_elsewhere(tmp_path: Path, usual: dict[str, Any]) -> None:
    text = report(tmp_path, usual)
    page = Page(text)
    assert not page.tags & {"script", "link", "img", "iframe", "object", "embed", "form"}
    assert not [name for name, _ in page.attributes if name == "src" or name.startswith("on") or name == "style"]
    assert not re.search(r"https?://|url\(|@import", text)
    assert "default-src 'none'" in text


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nothing_of_a_table_becomes_markup(tmp_path: Path, hostile: str) -> None:
    plain = Page(report(tmp_path / "plain", {"plain": ["x", "plain", " plain"] * 9, "other": ["x", "x", "y"] * 9}))
    columns = {hostile: [hostile, "x", f" {hostile}"] * 9, "other": ["x", "x", hostile] * 9}
    text = report(tmp_path / "hostile", columns, filename=hostile)
    page = Page(text)
    assert page.tags <= plain.tags
    assert visible(hostile) in page.text
    assert not set(text) & {"\x00", "\x1b", "\u202e"}


def test_a_table_without_rows_or_columns(tmp_path: Path) -> None:
    assert "Nothing stands out" in Page(report(tmp_path / "a", {})).text
    assert (
        "Columns 2"
        in Page(report(tmp_path / "b", {"a": pl.Series([], dtype=pl.Int64), "b": pl.Series([], dtype=pl.String)})).text
    )


def test_more_columns_than_are_shown_are_said(tmp_path: Path) -> None:
    page = Page(report(tmp_path, {f"c{number}": ["x", "y"] for number in range(MOST_COLUMNS + 1)}))
    assert f"The first {MOST_COLUMNS} columns are shown" in page.text
    assert f"c{MOST_COLUMNS - 1}" in page.text


def test_a_market_is_drawn(tmp_path: Path) -> None:
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(120)]
    close = [100 + number % 17 + number / 10 for number in range(120)]
    columns = {
        "date": days,
        "open": [value - 0.5 for value in close],
        "high": [value + 1 for value in close],
        "low": [value - 1 for value in close],
        "close": close,
        "volume": [float(1000 + number) for number in range(120)],
    }
    write(tmp_path, columns)
    frame = pl.read_parquet(tmp_path / "typed.parquet")
    found = find_market(frame)
    assert found is not None
    market = analyze_market(frame, found)
    page = Page(report(tmp_path, columns, market=market))
    assert market.symbols[0].verdict in page.text
    assert market.disclaimer in page.text
    assert "path" in page.tags


def test_numbers_for_people() -> None:
    assert [number(value) for value in (1234, 0.5, 2.0, 1e300, -0.00012345678, None)] == [
        "1,234",
        "0.5",
        "2",
        "1e+300",
        "-0.000123457",
        "–",
    ]
    assert [percent(share) for share in (0, 0.0001, 0.012, 0.5, 0.9999, 1)] == [
        "0 %",
        "under 0.1 %",
        "1.2 %",
        "50 %",
        "over 99 %",
        "100 %",
    ]
    assert [size(many) for many in (12, 1200, 3_400_000)] == ["12 bytes", "1.2 KiB", "3.2 MiB"]
