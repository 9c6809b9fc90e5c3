"""Where another way to read the file would do, it does."""

from __future__ import annotations

from pathlib import Path

from tests.tables.profile.conftest import NOW
from thetool.tables.profile.issue_schemas import Issue
from thetool.tables.profile.table import profile_table
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.table import read_table


def test_what_would_mend_it_by_reading_anew_does(tmp_path: Path) -> None:
    """Each option that is named is taken, and the issue is gone."""
    source = tmp_path / "table.csv"
    source.write_text("price;note\n" + "1.5;good\n2,5;unknown\n3.75;fair\n" * 9 + "4.25;x\n")

    def issues(options: ReadOptions) -> dict[str, Issue]:
        reading = read_table(source, tmp_path, options, filename="table.csv")
        return {issue.code: issue for issue in profile_table(tmp_path, reading, now=NOW).issues}

    found = issues(ReadOptions())
    for code in ("mixed_decimals", "null_words"):
        reread = found[code].reread
        assert reread is not None
        assert code not in issues(ReadOptions.model_validate(reread.options))
