"""All analyses of one table: read, profiled, and judged as a market where it holds prices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import polars as pl

from thetool.analyze.remarks import Note, Skipped
from thetool.analyze.table_bounds import bounded
from thetool.analyze.table_schemas import Preview, TableResult
from thetool.tables.market.analysis import analyze_market
from thetool.tables.market.columns import NoMarketError, look_for_market
from thetool.tables.market.options import MarketOptions
from thetool.tables.profile.schemas import ProfileOptions
from thetool.tables.profile.table import profile_table
from thetool.tables.reading.limits import LIMITS
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.table import read_table

PREVIEW_ROWS, PREVIEW_COLUMNS, PREVIEW_CHARACTERS = 50, 100, 300

_WORDS = {
    "unpacking": "Unpacking the file",
    "reading": "Reading the table",
    "typing": "Finding the types of the columns",
    "writing": "Reading the values as these types",
}
# Where each stage of the work ends, by what they take of a million rows.
_READ, _PROFILED = 0.6, 0.9


class Watcher(Protocol):
    """Is told how far the work is; may raise to stop it."""

    def watch(self, fraction: float) -> None:
        """How far it is, from 0 to 1."""

    def stage(self, words: str, name: str) -> None:
        """What is being done now, in words for people and in one for programs."""


@dataclass(frozen=True)
class TableRequest:
    """What to find in a table.

    Args:
        tasks: names of analyses.
        reading: how the file is read.
        market: how prices are judged.
        filename: as the sender named the file; its ending tells the format where the content does not.
        by_name: the caller named the tasks: one that does not fit is skipped with the reason, and not silently.
    """

    tasks: Sequence[str]
    reading: ReadOptions
    market: MarketOptions
    filename: str | None = None
    by_name: bool = False


@dataclass
class TableFindings:
    """What was found in a table, and what was left out."""

    result: TableResult
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def look_at_table(file: Path, request: TableRequest, watcher: Watcher, *, unpacked_bytes: int) -> TableFindings:
    """Read the file of a table, and analyze it. Its two Parquet files are left in a folder beside it.

    Args:
        file: as it came; `.tables` beside it is made.
        request: what is wanted.
        watcher: is told how far it is.
        unpacked_bytes: how large a file may be that comes packed.

    Raises:
        UnsupportedTable and the other problems of `thetool.tables.reading.problems`: it cannot be read.
    """
    folder = file.with_name(f"{file.name}.tables")
    folder.mkdir()
    told = _Reading(watcher)
    limits = replace(LIMITS, unpacked_bytes=unpacked_bytes, sheet_bytes=min(LIMITS.sheet_bytes, unpacked_bytes))
    reading = read_table(file, folder, request.reading, filename=request.filename, progress=told.watch, limits=limits)
    found = TableFindings(TableResult(reading=reading, preview=_preview(folder)))
    if {"profile", "correlations"} & set(request.tasks):
        watcher.stage("Looking at each column", "profiling")
        options = ProfileOptions(correlations="correlations" in request.tasks)
        found.result.profile = profile_table(folder, reading, options, _part(watcher, _READ, _PROFILED))
    if "market" in request.tasks:
        _market(folder, request, found, watcher)
    found.notes += bounded(found.result)
    return found


def _market(folder: Path, request: TableRequest, found: TableFindings, watcher: Watcher) -> None:
    table = pl.scan_parquet(folder / "typed.parquet")
    try:
        columns = look_for_market(table, request.market.market_columns)
    except NoMarketError as error:
        if request.by_name:
            found.skipped.append(Skipped(task="market", reason=f"It holds no market prices: {error}", how=_HOW))
        return
    watcher.stage("Judging the prices", "judging")
    found.result.market = analyze_market(table, columns, request.market, _part(watcher, _PROFILED, 1))


_HOW = (
    "A table of prices has columns of a date, open, high, low and close, and 50 rows of a symbol or more; where they "
    "are called otherwise, market_columns says which they are."
)


class _Reading:
    """Tells of the stages of a reading as the first part of the whole."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._stage = ""

    def watch(self, fraction: float, stage: str) -> None:
        """How far the reading is, and what it does now."""
        if stage != self._stage:
            self._stage = stage
            self._watcher.stage(_WORDS.get(stage, "Reading the table"), stage)
        self._watcher.watch(_READ * min(1.0, fraction))


def _part(watcher: Watcher, start: float, end: float) -> Callable[[float, str], None]:
    """What tells of one stage as a part of the whole."""
    return lambda fraction, _: watcher.watch(start + (end - start) * min(1.0, fraction))


def _preview(folder: Path) -> Preview:
    """The first rows and columns, as the file has them."""
    table = pl.scan_parquet(folder / "text.parquet")
    names = [name for name in table.collect_schema().names() if name != "_row"][:PREVIEW_COLUMNS]
    rows = table.select(names).head(PREVIEW_ROWS).collect().rows()
    return Preview(columns=names, rows=[[_short(cell) for cell in row] for row in rows])


def _short(cell: str | None) -> str | None:
    if cell is None or len(cell) <= PREVIEW_CHARACTERS:
        return cell
    return f"{cell[: PREVIEW_CHARACTERS - 1]}…"
