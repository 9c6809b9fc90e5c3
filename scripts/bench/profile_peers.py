#!/usr/bin/env python3
"""One profile in a process of its own, for scripts/bench/tables.py: `profile_peers.py TOOL FILE FOLDER` prints JSON.

The file is read first, as the tool reads it; `steps` are seconds of reading and of profiling, `peak_mb` is the most
memory of both together, `says` what the answer has.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Work = tuple[Callable[[], object], Callable[[object], str]]


def thetool(file: Path, folder: Path) -> Work:
    """Ours: everything that the profile says, exact."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from thetool.tables.profile.table import profile_table
    from thetool.tables.reading.table import read_table

    def profile(reading: object) -> str:
        found = profile_table(folder, reading)
        exact = all(column.distinct.exact for column in found.column_profiles)
        return (
            f"statistics, top values, histograms, forms, meanings, {len(found.issues)} issues; "
            f"distinct {'exact' if exact else 'estimated'}, {found.duplicate_rows.count} duplicates"
        )

    return lambda: read_table(file, folder, filename=file.name), profile


def pandas(file: Path, folder: Path) -> Work:
    """What a person writes: describe, quantiles, distinct and top values, histograms, duplicates, lengths."""
    import numpy as np
    import pandas as pd

    def profile(frame: pd.DataFrame) -> str:
        said = []
        for name in frame:
            column = frame[name]
            said.append((column.isna().sum(), column.nunique(), column.value_counts().head(10)))
            if pd.api.types.is_numeric_dtype(column) and column.dtype != bool:
                values = column.dropna()
                said.append((values.describe(), values.skew(), np.histogram(values, 20)))
            else:
                lengths = column.dropna().astype(str).str.len()
                said.append((lengths.min(), lengths.max(), lengths.mean()))
        return f"statistics, top values, histograms, lengths; distinct exact, {frame.duplicated().sum()} duplicates"

    return lambda: pd.read_csv(file), profile


def duckdb(file: Path, folder: Path) -> Work:
    """SUMMARIZE, and the duplicates beside it."""
    import duckdb as duck

    connection = duck.connect()
    connection.execute("SET memory_limit = '800MB'; SET threads = 2")

    def profile(_: object) -> str:
        connection.execute("SUMMARIZE data").fetchall()
        rows, different = connection.execute(
            "SELECT (SELECT count(*) FROM data), (SELECT count(*) FROM (SELECT DISTINCT * FROM data))"
        ).fetchall()[0]
        return (
            f"SUMMARIZE (distinct and quartiles estimated, no top values or histograms), {rows - different} duplicates"
        )

    return lambda: connection.execute(f"CREATE TABLE data AS SELECT * FROM read_csv('{file}')"), profile


def ydata(file: Path, folder: Path) -> Work:
    """ydata-profiling, minimal."""
    import pandas as pd
    from ydata_profiling import ProfileReport

    def profile(frame: pd.DataFrame) -> str:
        report = ProfileReport(frame, minimal=True, progress_bar=False)
        return f"minimal: statistics, top values, histograms; {len(report.get_description().alerts)} alerts"

    return lambda: pd.read_csv(file), profile


TOOLS = {tool.__name__: tool for tool in (thetool, pandas, duckdb, ydata)}


def main() -> None:
    """Run one tool on one file."""
    tool, file, folder = sys.argv[1:]
    read, profile = TOOLS[tool](Path(file), Path(folder))
    start = time.perf_counter()
    table = read()
    middle = time.perf_counter()
    says = profile(table)
    steps = {"read": middle - start, "profile": time.perf_counter() - middle}
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"start": 0, "steps": steps, "kept": {"says": says}, "peak_mb": int(peak.split()[1]) / 1024}))


if __name__ == "__main__":
    main()
