"""The files that scripts/bench/tables.py reads: drawn at random from a seed, the same each time."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl

PART = 250_000
FIRST = ["Ana", "Björn", "Chloé", "David", "Elif", "Farid", "Greta", "Hiro", "Ines", "Jan", "Karin", "Lars", "Mia"]
LAST = ["Müller", "Smith", "Garcia", "Nowak", "Rossi", "Dubois", "Jensen", "Yılmaz", "Novák", "Silva", "Kowalska"]
CITIES = ["Berlin", "Paris", "New York", "São Paulo", "Kraków", "Oslo", "Wien", "Zürich", "Lyon", "Porto", "Gdańsk"]


def rows(count: int, seed: int, first: int = 1) -> pl.DataFrame:
    """`count` rows of 20 columns, all as people write them."""
    drawn = np.random.default_rng(seed)

    def words(of: list[str]) -> pl.Series:
        return pl.Series(of).gather(pl.Series(drawn.integers(0, len(of), count)))

    def whole(low: int, high: int) -> pl.Series:
        return pl.Series(drawn.integers(low, high, count))

    numbers = pl.int_range(first, first + count, eager=True)
    days = (pl.Series(drawn.integers(16_000, 20_500, count)).cast(pl.Int32)).cast(pl.Date)
    moments = pl.Series(drawn.integers(1_400_000_000, 1_760_000_000, count) * 1_000_000).cast(pl.Datetime("us"))
    frame = pl.DataFrame({"id": numbers, "first": words(FIRST), "last": words(LAST), "city": words(CITIES)})
    return frame.with_columns(
        email=pl.format("{}.{}@example.org", pl.col("first").str.to_lowercase(), "id"),
        zip=whole(0, 99_999).cast(pl.String).str.zfill(5),
        phone=pl.format("+49{}", whole(1_000_000_000, 9_999_999_999)),
        born=days.dt.strftime("%d/%m/%Y"),
        ordered=days.dt.strftime("%Y-%m-%d"),
        seen=moments.dt.strftime("%Y-%m-%d %H:%M:%S"),
        amount=pl.Series(drawn.gamma(2.0, 60.0, count)).round(2),
        price=pl.Series(drawn.gamma(2.0, 6.0, count)).round(2),
        quantity=whole(1, 100),
        discount=pl.format("{}%", whole(0, 40)),
        score=pl.Series(drawn.normal(0, 1, count)).round(4),
        active=words(["yes", "no"]),
        grade=words(["A", "B", "C", "D"]),
        ratio=pl.when(whole(0, 20) > 0).then(pl.Series(drawn.random(count)).round(3)),
        code=pl.format("{}-{}", words(["AB", "CD", "XY"]), whole(1000, 9999)),
        remark=words(["", "", "", "ok", "call back, please", "see file 12", 'the "big" one']),
    )


def csv_file(path: Path, count: int) -> Path:
    """A CSV of `count` rows; a million have about 180 MB. A part is repeated to make it long."""
    if path.exists():
        return path
    with path.open("wb") as file:
        for part, first in enumerate(range(0, min(count, 4 * PART), PART)):
            rows(min(PART, count - first), part, first + 1).write_csv(file, include_header=part == 0)
    while count > 4 * PART:
        return _repeated(path, count // (4 * PART))
    return path


def _repeated(path: Path, times: int) -> Path:
    """The rows of a file `times` times below each other."""
    once = path.with_suffix(".once")
    path.rename(once)
    with path.open("wb") as file, once.open("rb") as rows:
        head = rows.readline()
        file.write(head)
        for _ in range(times):
            rows.seek(len(head))
            shutil.copyfileobj(rows, file, 1 << 22)
    once.unlink()
    return path
