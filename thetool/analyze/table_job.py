"""The job that analyzes a table, in a process apart: hostile files, much memory, and killed when it is to stop."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from uuid import UUID

from thetool.analyze.table_schemas import TableAnalysis
from thetool.analyze.telling import Silence, Telling
from thetool.analyze.wanted import Wanted
from thetool.jobs.context import JobContext
from thetool.jobs.local import local
from thetool.jobs.registry import job
from thetool.tables.market.options import MarketOptions
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.problems import (
    AmbiguousArchive,
    DamagedTable,
    EmptyTable,
    NotATable,
    TableTooLarge,
    UnfitReadOptions,
    UnreadableEncoding,
    UnsupportedTable,
)

TABLE = "analyze.table"
MEMORY_MB = 2048
DISK_MB = 8192
"""The file as it came, unpacked, as text and typed: of a table of 1 GiB that is up to 5."""

PROBLEMS = (
    UnsupportedTable,
    EmptyTable,
    NotATable,
    DamagedTable,
    TableTooLarge,
    AmbiguousArchive,
    UnreadableEncoding,
    UnfitReadOptions,
)
"""Why a file is not read; the same file with the same options would fail so again."""

_QUIET_BYTES = 1_000_000  # a table that takes no time reports no progress: that would be one more statement


class TableFile(Wanted):
    """A table in storage, as it came."""

    input: UUID
    filename: str | None = None
    reading: ReadOptions = ReadOptions()
    market: MarketOptions | None = None


@job(TABLE, runs="process", timeout=3600, memory_mb=MEMORY_MB, disk_mb=DISK_MB)
def analyze_table(context: JobContext, params: TableFile) -> TableAnalysis:
    """Read a table and analyze it."""
    from thetool.analyze.tables import TableRequest, look_at_table

    began = perf_counter()
    file = Path("table")
    context.copy(params.input, file)
    telling = Telling(context) if file.stat().st_size > _QUIET_BYTES else Silence(context)
    request = TableRequest(
        params.tasks, params.reading, params.market or MarketOptions(), params.filename, by_name=params.by_name
    )
    found = look_at_table(file, request, telling, unpacked_bytes=local.settings.max_table_bytes)
    return TableAnalysis(
        id=context.job_id,
        result=found.result,
        models=[],
        skipped=[*params.skipped, *found.skipped],
        notes=found.notes,
        elapsed_ms=round((perf_counter() - began) * 1000, 2),
        correlation_id=context.correlation_id,
    )
