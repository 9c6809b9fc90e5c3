#!/usr/bin/env python3
"""One reading in a process of its own, for scripts/bench/tables.py: `table_peers.py TOOL FILE FOLDER` prints JSON.

`start` is the import, `steps` are seconds since the work began, and what became of three columns that are easily hurt:
a postal code with a zero before it, a phone number with a plus, a day as 14/04/2024.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Steps = dict[str, float]


def thetool(file: Path, folder: Path) -> tuple[float, Callable[[], tuple[Steps, dict[str, str]]]]:
    """Ours: text first, then types."""
    began = time.perf_counter()
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import polars as pl

    from thetool.tables.reading import delimited, spreadsheets  # noqa: F401  what the child has loaded
    from thetool.tables.reading.table import read_table

    def work() -> tuple[Steps, dict[str, str]]:
        steps: Steps = {}
        start = time.perf_counter()

        def progress(_fraction: float, stage: str) -> None:
            if stage == "typing":
                steps.setdefault("text", time.perf_counter() - start)

        read_table(file, folder, filename=file.name, progress=progress)
        steps["typed"] = time.perf_counter() - start
        return steps, _kept(pl.read_parquet(folder / "typed.parquet", n_rows=2).to_dicts()[1])

    return time.perf_counter() - began, work


def polars(file: Path, folder: Path) -> tuple[float, Callable[[], tuple[Steps, dict[str, str]]]]:
    """Polars by itself: it infers the types from the first 100 rows."""
    began = time.perf_counter()
    import polars as pl

    def work() -> tuple[Steps, dict[str, str]]:
        start = time.perf_counter()
        target = folder / "polars.parquet"
        pl.scan_csv(file, try_parse_dates=True).sink_parquet(target)
        return {"typed": time.perf_counter() - start}, _kept(pl.read_parquet(target, n_rows=2).to_dicts()[1])

    return time.perf_counter() - began, work


def pandas(file: Path, folder: Path) -> tuple[float, Callable[[], tuple[Steps, dict[str, str]]]]:
    """Pandas as it is."""
    began = time.perf_counter()
    import pandas as pd

    def work() -> tuple[Steps, dict[str, str]]:
        start = time.perf_counter()
        if file.suffix == ".xlsx":
            frame = pd.read_excel(file, engine="calamine")
        else:
            frame = pd.read_csv(file, low_memory=False)
        frame.to_parquet(folder / "pandas.parquet")
        return {"typed": time.perf_counter() - start}, _kept(frame.head(2).to_dict("records")[1])

    return time.perf_counter() - began, work


def duckdb(file: Path, folder: Path) -> tuple[float, Callable[[], tuple[Steps, dict[str, str]]]]:
    """DuckDB as it is, and with every column as text."""
    began = time.perf_counter()
    import duckdb as duck

    def work() -> tuple[Steps, dict[str, str]]:
        steps, connection = {}, duck.connect()
        connection.execute("SET memory_limit = '800MB'; SET preserve_insertion_order = false; SET threads = 2")
        for step, option in (("text", ", all_varchar = true"), ("typed", "")):
            start = time.perf_counter()
            source = f"read_csv('{file}'{option})"
            connection.execute(f"COPY (SELECT * FROM {source}) TO '{folder}/duckdb.parquet' (FORMAT parquet)")
            steps[step] = time.perf_counter() - start
        cursor = connection.execute(f"SELECT * FROM read_csv('{file}') LIMIT 2 OFFSET 1")
        names = [column[0] for column in cursor.description]
        return steps, _kept(dict(zip(names, cursor.fetchall()[0], strict=True)))

    return time.perf_counter() - began, work


def _kept(row: dict[str, object]) -> dict[str, str]:
    """The second row's postal code, phone number and birthday, as they have become."""
    return {name: repr(row[name]) for name in ("zip", "phone", "born") if name in row}


TOOLS = {tool.__name__: tool for tool in (thetool, polars, pandas, duckdb)}


def main() -> None:
    """Run one tool on one file."""
    tool, file, folder = sys.argv[1:]
    start, work = TOOLS[tool](Path(file), Path(folder))
    steps, kept = work()
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"start": start, "steps": steps, "kept": kept, "peak_mb": int(peak.split()[1]) / 1024}))


if __name__ == "__main__":
    main()
