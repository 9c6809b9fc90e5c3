"""The shape of a text, also where chunks are cut, beside a count by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thetool.tables.reading import survey as surveying
from thetool.tables.reading.survey import CHUNK, survey

texts = st.lists(st.sampled_from(['"', ",", "\n", "\r\n", "a", "bc", '""', "\0"]), max_size=40).map("".join)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "text"


@given(text=texts, size=st.integers(1, 9))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_chunks_make_no_difference(path: Path, text: str, size: int) -> None:
    path.write_bytes(text.encode())
    length = len(text.encode())
    whole = survey(path, 0, length, ",", '"')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(surveying, "CHUNK", size)
        parts = survey(path, 0, length, ",", '"')
    assert (whole.line_ends, whole.delimiters, whole.nuls) == (parts.line_ends, parts.delimiters, parts.nuls)
    assert (whole.odd_quotes, whole.lone_returns) == (parts.odd_quotes, parts.lone_returns)
    assert (whole.rows, whole.empty_quotes) == (parts.rows, parts.empty_quotes)
    assert whole.blank_lines == parts.blank_lines


@given(text=texts)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_regular_is_as_the_standard_reader_has_it(path: Path, text: str) -> None:
    path.write_bytes(text.encode())
    found = survey(path, 0, len(text.encode()), ",", '"')
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if text and found.is_regular(2):
        assert len(rows) == found.rows
        assert {len(row) for row in rows} == {2} or any(len(row) > 2 for row in rows)


def test_returns_without_end_are_gone_through_once(tmp_path: Path) -> None:
    """Each byte after the first piece copied all of the pieces before it."""
    file = tmp_path / "text"
    file.write_bytes(b"a,b\n1,2\n" + b"\r" * (CHUNK + 100_000))
    found = survey(file, 0, file.stat().st_size, ",", '"')
    assert (found.line_ends, found.lone_returns) == (2, True)
