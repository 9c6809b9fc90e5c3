"""A table of market prices, analysed: each symbol for itself, nothing kept from one to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from thetool.tables.market.candles import Candles, candles_of
from thetool.tables.market.columns import MarketColumns
from thetool.tables.market.continuity import continuous, interval_of
from thetool.tables.market.indicators import PARAMETERS, TITLES, compute
from thetool.tables.market.options import MarketOptions
from thetool.tables.market.report import IndicatorResult, Market, MarketNote, StrategyUsed, SymbolResult, Vote
from thetool.tables.market.series import ALL_POINTS, CLEAREST, points_each, series_of
from thetool.tables.market.strategies import CATEGORY_OF, Indicator
from thetool.tables.market.trade import trade_of
from thetool.tables.market.verdict import (
    checks_of,
    confidence_of,
    reasons_of,
    regime_of,
    score_of,
    strategy_used,
    verdict_of,
)
from thetool.tables.market.votes import opinion

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

Progress = Callable[[float, str], None]
"""Told how far it is, 0 to 1, and which symbol is next; may raise to stop the work."""

_VOTES: dict[int | None, Vote | None] = {1: "buy", 0: "hold", -1: "sell", None: None}
_DIGITS = 10


def analyze_market(
    frame: pl.DataFrame | pl.LazyFrame,
    columns: MarketColumns,
    options: MarketOptions | None = None,
    progress: Progress = lambda done, what: None,
) -> Market:
    """Judge the prices of a table, symbol by symbol, at each one's last row.

    Args:
        frame: the typed table, in the file's order.
        columns: as `find_market` found them.
        options: how to judge; without them as `MarketOptions()` says.
        progress: is told how far it is.
    """
    options = options or MarketOptions()
    used = strategy_used(options)
    found = candles_of(frame, columns, options)
    points, notes = points_each(len(found.candles)), list(found.notes)
    symbols, all_candles = [], []
    for number, candles in enumerate(found.candles):
        progress(number / len(found.candles), candles.symbol or "prices")
        all_candles.append(continuous(candles, options.adjust_splits))
        symbols.append(_symbol(all_candles[-1], used, options, points))
    if points is None:
        notes.append(_draw_the_clearest(symbols, all_candles))
    return Market(columns=columns, strategy=used, symbols=symbols, left_out=found.left_out, notes=notes)


def _draw_the_clearest(symbols: Sequence[SymbolResult], all_candles: Sequence[Candles]) -> MarketNote:
    """Of more symbols than an answer can hold the charts of, those with the clearest scores have one."""
    clearest = sorted(range(len(symbols)), key=lambda at: -abs(symbols[at].score or 0))[:CLEAREST]
    for at in clearest:
        symbols[at].series = series_of(all_candles[at], compute(all_candles[at]), ALL_POINTS // CLEAREST)
    message = (
        f"Of {len(symbols):,} symbols the {CLEAREST} with the clearest scores have a chart; the answer has no room."
    )
    return MarketNote(code="fewer_charts", message=message, rows=0)


def _symbol(candles: Candles, used: StrategyUsed, options: MarketOptions, points: int | None) -> SymbolResult:
    lines = compute(candles)
    latest = {key: {name: _number(line[-1]) for name, line in lines[key].items()} for key in lines}
    close = float(candles.close[-1])
    results = [_result(key, latest[key], close, used) for key in used.indicator_weights]
    score = score_of(results)
    verdict = verdict_of(score)
    checks = None
    if used.name == "weekly" and "buy" in verdict:
        values = {name: value for found in latest.values() for name, value in found.items()}
        checks = checks_of(values, close, *(float(candles.close[-rows:].mean()) for rows in (20, 50)))
    moments = candles.moments.astype("datetime64[ms]")
    return SymbolResult(
        symbol=candles.symbol,
        rows=len(candles),
        first=moments[0].item(),
        last=moments[-1].item(),
        interval=interval_of(candles),
        last_close=close,
        change_percent=(close / float(candles.close[-2]) - 1) * 100,
        score=score,
        verdict=verdict,
        regime=regime_of(latest["adx"]["adx"]),
        indicators=results,
        trade=trade_of(verdict, close, latest["atr"]["atr"], used, options),
        checks=checks,
        confidence=None if checks is None else confidence_of(checks),
        reasons=reasons_of(verdict, score, results),
        notes=candles.notes,
        series=None if points is None else series_of(candles, lines, points),
    )


def _result(key: Indicator, values: dict[str, float | None], close: float, used: StrategyUsed) -> IndicatorResult:
    vote, confidence, reason = opinion(key, values, close, PARAMETERS[key])
    return IndicatorResult(
        indicator=key,
        title=TITLES[key],
        category=CATEGORY_OF[key],
        values=values,
        parameters=PARAMETERS[key],
        vote=_VOTES[vote],
        confidence=confidence,
        weight=confidence * used.indicator_weights[key] * used.category_weights[CATEGORY_OF[key]],
        reason=reason,
    )


def _number(value: np.float64) -> float | None:
    """NaN is null; what is beyond ten digits is noise of the arithmetic."""
    number = float(value)
    return None if number != number else float(f"{number:.{_DIGITS}g}")
