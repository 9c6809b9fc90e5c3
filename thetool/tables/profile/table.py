"""The profile of a table that was read: `profile_table`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from thetool.tables.profile.columns import Survey, survey_of
from thetool.tables.profile.duplicates import RowHashes
from thetool.tables.profile.schemas import ColumnProfile, DuplicateRows, Profile, ProfileOptions
from thetool.tables.profile.source import Source

Progress = Callable[[float], None]
"""Called now and then with the share of the work that is done (0 to 1); raises to stop the work."""


def unwatched(share: float) -> None:
    """Watch nothing, stop nothing."""


def profile_table(
    folder: Path,
    options: ProfileOptions | None = None,
    progress: Progress = unwatched,
    now: datetime | None = None,
) -> Profile:
    """Say what is in the table of `folder`, which `read_table` wrote: `text.parquet` and `typed.parquet`.

    Every statistic is over all rows, but where the profile says otherwise. Takes memory for one column at a time of a
    long table, plus 8 bytes a row. `now` decides which dates are in the future.
    """
    options = options or ProfileOptions()
    source = Source(folder)
    hashes = RowHashes(source.rows)
    told: list[ColumnProfile] = []
    memory = 0
    for names in source.groups():
        surveys = {name: survey_of(name, source.types[name], source.rows, options) for name in names}
        memory += _survey(source, surveys, hashes)
        for survey in surveys.values():
            told.append(survey.told(now or datetime.now(UTC)))
            progress(0.95 * len(told) / len(source.types))
    duplicates, _ = hashes.duplicates(source) if source.types else (_no_duplicates(), None)
    progress(1.0)
    return Profile(
        rows=source.rows,
        columns=len(told),
        cells_empty=sum(column.nulls for column in told),
        duplicate_rows=duplicates,
        memory_bytes=memory,
        column_profiles=told,
        issues=[],
        notes=[],
    )


def _survey(source: Source, surveys: dict[str, Survey], hashes: RowHashes) -> int:
    """Go through all rows of some columns; the bytes that their typed values take."""
    memory = 0
    for tile in source.tiles(list(surveys)):
        memory += int(tile.typed.estimated_size())
        for name, survey in surveys.items():
            hashes.add(tile.start, tile.text[name])
            survey.add(tile.start, tile.text[name], tile.typed[name])
    return memory


def _no_duplicates() -> DuplicateRows:
    return DuplicateRows(count=0, exact=True, method="the table has no columns")
