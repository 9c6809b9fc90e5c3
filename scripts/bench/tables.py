#!/usr/bin/env python3
"""Reading and profiling tables, beside pandas, DuckDB and others by themselves: seconds, and the most memory.

    scripts/bench/tables.py [--repeats 3] [--large FILE]
    scripts/bench/tables.py --profile [--repeats 3]

Each run is a process of its own. The files are made once and kept in the cache folder, as are the virtual environments
of the peers. `--large` makes a CSV of 5 GB at FILE, reads it once with ours and with DuckDB, and removes it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "thetool-bench"
PEERS = {
    "pandas": ["pandas==3.1.1", "pyarrow==26.0.1", "python-calamine==0.9.1"],
    "duckdb": ["duckdb==2.0.1"],
    "ydata": ["ydata-profiling==4.18.4", "setuptools<81"],
}


def python_of(peer: str) -> str:
    """The Python of a peer's virtual environment, which is made when it is not there; ours for what we have."""
    if peer not in PEERS:
        return sys.executable
    place = CACHE / f"venv-{peer}"
    python = place / "bin" / "python"
    if not (place / "ready").exists():
        venv.create(place, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEERS[peer]], check=True)
        (place / "ready").touch()
    return str(python)


def measured(tool: str, file: Path, repeats: int, script: str = "table_peers.py") -> dict[str, object]:
    """The fastest of some runs (what else the machine does only makes them slower), and the most memory of any."""
    runs = []
    for _ in range(repeats):
        with TemporaryDirectory(dir=file.parent) as folder:
            done = subprocess.run(
                [python_of(tool), HERE / script, tool, file, folder],
                capture_output=True,
                text=True,
                check=False,
            )
        if done.returncode:
            return {"error": done.stderr.strip().splitlines()[-1][:100]}
        runs.append(json.loads(done.stdout))
    steps = {step: min(run["steps"][step] for run in runs) for step in runs[0]["steps"]}
    peak = max(run["peak_mb"] for run in runs)
    start = min(run["start"] for run in runs)
    return {"start": start, "steps": steps, "peak": peak, "kept": runs[0]["kept"]}


def show(name: str, found: dict[str, object]) -> None:
    """One line of the table."""
    if "error" in found:
        print(f"| {name} | – | – | – | {found['error']} |", flush=True)
        return
    steps = found["steps"]
    text = f"{steps['text']:.2f}" if "text" in steps else "–"
    kept = ", ".join(found["kept"].values())
    print(f"| {name} | {text} | {steps['typed']:.2f} | {found['peak']:.0f} | {kept} |", flush=True)


def head(what: str) -> None:
    """The first lines of a table."""
    columns = [what, "text, s", "typed, s", "peak, MB", "row 2: postal code, phone, birthday"]
    print(f"\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")


def workbook(path: Path) -> Path:
    """An XLSX of 100,000 rows and 20 columns, as Polars writes it."""
    if not path.exists():
        from openpyxl import Workbook
        from table_files import rows

        book = Workbook(write_only=True)
        sheet = book.create_sheet()
        frame = rows(100_000, 7)
        sheet.append(frame.columns)
        for row in frame.rows():
            sheet.append(row)
        book.save(path)
    return path


def wide(path: Path) -> Path:
    """A CSV of 10,000 columns: words, numbers and days."""
    if not path.exists():
        from table_files import rows

        frame = rows(200, 9)
        kinds = [frame[name].to_list() for name in ("city", "amount", "ordered", "quantity", "born")]
        columns = [kinds[at % len(kinds)] for at in range(10_000)]
        lines = [",".join(f"c{at}" for at in range(10_000))]
        lines += [",".join(str(column[row]) for column in columns) for row in range(200)]
        path.write_text("\n".join(lines))
    return path


def small(path: Path) -> list[float]:
    """Milliseconds to read 200 rows and 20 columns once more, in a process that has read one before."""
    from table_files import rows

    from thetool.tables.reading.table import read_table

    rows(200, 3).write_csv(path)
    times = []
    with TemporaryDirectory(dir=path.parent) as folder:
        for _ in range(60):
            start = time.perf_counter()
            read_table(path, Path(folder))
            times.append(1000 * (time.perf_counter() - start))
    return times[5:]


def profiles(repeats: int) -> None:
    """The profile of a million rows, in one process with the reading; then of small and of wide tables."""
    from table_files import csv_file

    million = csv_file(CACHE / "million.csv", 1_000_000)
    columns = ["profile of 1,000,000 × 20", "reading, s", "profile, s", "peak of both, MB", "what it says"]
    print(f"| {' | '.join(columns)} |\n|{' --- |' * len(columns)}")
    for tool in ("thetool", "pandas", "duckdb", "ydata"):
        found = measured(tool, million, 1 if tool == "ydata" else repeats, "profile_peers.py")
        if "error" in found:
            print(f"| {tool} | – | – | – | {found['error']} |", flush=True)
            continue
        steps = found["steps"]
        says = found["kept"]["says"]
        print(f"| {tool} | {steps['read']:.2f} | {steps['profile']:.2f} | {found['peak']:.0f} | {says} |", flush=True)
    wide_file = measured("thetool", wide(CACHE / "wide.csv"), 1, "profile_peers.py")
    print(f"\n200 × 10,000: {wide_file['steps']['profile']:.1f} s, {wide_file['peak']:.0f} MB")
    times = small_profile(CACHE / "small.csv")
    print(f"200 × 20 once more: p50 {statistics.median(times):.1f} ms, p95 {sorted(times)[-3]:.1f} ms")


def small_profile(path: Path) -> list[float]:
    """Milliseconds to profile 200 rows and 20 columns once more, in a process that has profiled one before."""
    from table_files import rows

    from thetool.tables.profile.table import profile_table
    from thetool.tables.reading.table import read_table

    rows(200, 3).write_csv(path)
    times = []
    with TemporaryDirectory(dir=path.parent) as folder:
        reading = read_table(path, Path(folder))
        for _ in range(60):
            start = time.perf_counter()
            profile_table(Path(folder), reading)
            times.append(1000 * (time.perf_counter() - start))
    return times[5:]


def large(path: Path) -> None:
    """31 million rows, 5 GB."""
    from table_files import csv_file

    try:
        csv_file(path, 31_000_000)
        head(f"CSV, {path.stat().st_size / 1e9:.2f} GB")
        for tool in ("thetool", "duckdb"):
            show(tool, measured(tool, path, 1))
    finally:
        path.unlink(missing_ok=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--large", type=Path)
    parser.add_argument("--profile", action="store_true", help="profiles in place of readings")
    parser.add_argument("--prepare", action="store_true", help="only make files and environments")
    arguments = parser.parse_args()
    sys.path.insert(0, str(HERE.parents[1]))
    if arguments.large:
        large(arguments.large)
        return
    from table_files import csv_file

    CACHE.mkdir(parents=True, exist_ok=True)
    if arguments.profile:
        profiles(arguments.repeats)
        return
    files = {
        "CSV, 1,000,000 × 20, {size} MB": (
            csv_file(CACHE / "million.csv", 1_000_000),
            ("thetool", "polars", "pandas", "duckdb"),
        ),
        "XLSX, 100,000 × 20, {size} MB": (workbook(CACHE / "book.xlsx"), ("thetool", "pandas")),
        "CSV, 200 × 10,000, {size} MB": (wide(CACHE / "wide.csv"), ("thetool", "polars", "pandas", "duckdb")),
    }
    if arguments.prepare:
        for peer in PEERS:
            python_of(peer)
        return
    for name, (file, tools) in files.items():
        head(name.format(size=round(file.stat().st_size / 1e6)))
        for tool in tools:
            show(tool, measured(tool, file, arguments.repeats))
    times = small(CACHE / "small.csv")
    print(f"\n200 × 20 once more: p50 {statistics.median(times):.1f} ms, p95 {sorted(times)[-3]:.1f} ms")


if __name__ == "__main__":
    main()
