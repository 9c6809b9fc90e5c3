"""Files as data sellers, exchanges and trading programs write them, from the bytes to the last close."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.tables.market.prices import prices
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import look_for_market
from thetool.tables.reading.table import TYPED, read_table

Row = dict[str, Any]
ROWS: list[Row] = list(prices(80).iter_rows(named=True))
LAST = ROWS[-1]["Close"]


def rows(line: Callable[[Row], str], newest_first: bool = False) -> str:
    return "".join(f"{line(row)}\n" for row in (reversed(ROWS) if newest_first else ROWS))


def german(value: float) -> str:
    return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))


def mt5(row: Row) -> str:
    day, at = divmod(row["_row"] - 1, 40)
    prices = "\t".join(f"{row[name]:.5f}" for name in ("Open", "High", "Low", "Close"))
    return f"2024.01.{2 + day:02d}\t{9 + at // 12:02d}:{at % 12 * 5:02d}:00\t{prices}\t{row['Volume']}\t0\t3"


FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "Yahoo": (
        "Date,Open,High,Low,Close,Adj Close,Volume\n"
        + rows(lambda r: "{Date},{Open:.6f},{High:.6f},{Low:.6f},{Close:.6f},{Close:.6f},{Volume}".format(**r)),
        {"adjusted_close": "Adj Close"},
    ),
    "Investing": (
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        + rows(
            lambda r: (
                '"{Date:%m/%d/%Y}","{Close:,.2f}","{Open:,.2f}","{High:,.2f}","{Low:,.2f}","{Volume}K","0.5%"'.format(
                    **r
                )
            ),
            newest_first=True,
        ),
        {"close": "Price", "volume": "Vol."},
    ),
    "Nasdaq": (
        "Date,Close/Last,Volume,Open,High,Low\n"
        + rows(
            lambda r: "{Date:%m/%d/%Y},${Close:.2f},{Volume},${Open:.2f},${High:.2f},${Low:.2f}".format(**r),
            newest_first=True,
        ),
        {"close": "Close/Last"},
    ),
    "a German page": (
        "Datum;Erster;Hoch;Tief;Schlusskurs;Stuecke;Volumen\n"
        + rows(
            lambda r: ";".join(
                [
                    f"{r['Date']:%d.%m.%Y}",
                    *(german(r[n]) for n in ("Open", "High", "Low", "Close")),
                    str(r["Volume"]),
                    "1.000",
                ]
            )
        ),
        {"volume": "Stuecke"},
    ),
    "MetaTrader 4": (
        rows(lambda r: "{Date:%Y.%m.%d},00:00,{Open:.5f},{High:.5f},{Low:.5f},{Close:.5f},{Volume}".format(**r)),
        {"found_by": "values", "time": "column_2", "volume": "column_7"},
    ),
    "MetaTrader 5": (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n" + rows(mt5),
        {"time": "<TIME>", "volume": "<TICKVOL>"},
    ),
    "Binance": (
        "Open time,Open,High,Low,Close,Volume,Close time\n"
        + rows(
            lambda r: "{time},{Open:.4f},{High:.4f},{Low:.4f},{Close:.4f},{Volume}.5,{time}".format(
                time=1_704_067_200_000 + 3_600_000 * r["_row"], **r
            )
        ),
        {"date": "Open time"},
    ),
    "an interface": (
        json.dumps([{"ticker": "ACME", **{name.lower(): str(r[name]) for name in r if name != "_row"}} for r in ROWS]),
        {"symbol": "ticker"},
    ),
}


@pytest.mark.parametrize("source", FILES)
def test_files_of_many_sources(source: str, tmp_path: Path) -> None:
    text, expected = FILES[source]
    file = tmp_path / "prices"
    file.write_text(text)
    read_table(file, tmp_path)
    table = pl.scan_parquet(tmp_path / TYPED)
    columns = look_for_market(table)
    assert expected.items() <= columns.model_dump().items()
    found = analyze_market(table, columns).symbols[0]
    assert found.rows == 80
    assert found.last_close == pytest.approx(LAST, rel=1e-4)
    assert found.notes == []
    assert all(result.vote for result in found.indicators if result.indicator != "ema")
    if source == "MetaTrader 5":
        assert (found.interval, found.last) == ("5 minutes", datetime(2024, 1, 3, 12, 15))
    elif source == "Binance":
        assert (found.interval, found.last) == ("1 hour", datetime(2024, 1, 4, 8))
    else:
        assert (found.interval, found.last.date()) == ("1 day", ROWS[-1]["Date"])
