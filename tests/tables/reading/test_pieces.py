"""Text tables read piece by piece give the rows that the whole reading gives, and say of ragged ones what is wrong."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from thetool.tables.reading import pieces
from thetool.tables.reading.names import ROW
from thetool.tables.reading.options import ReadOptions
from thetool.tables.reading.pieces import TextPieces
from thetool.tables.reading.problems import TableTooLarge
from thetool.tables.reading.table import read_table


def read(path: Path, folder: Path) -> tuple[pl.DataFrame, dict[int, str], TextPieces]:
    text = TextPieces(path, folder, ReadOptions())
    frames, wrong, before = [], {}, 0
    for piece in text.pieces():
        wrong |= {before + at: words for at, words in piece.wrong.items()}
        before += piece.frame.height
        frames.append(piece.frame)
    assert text.fraction() == 1
    text.close()
    return pl.concat(frames), wrong, text


CONTENTS = {
    "plain": "a,b\n" + "".join(f"{n},{n / 4}\n" for n in range(500)),
    "no last line end": "a;b\n1,5;2\n3;4",
    "line ends in fields": 'name,words\n' + 'x,"one\ntwo, ""three"""\ny,\n' * 60,
    "quotes within": 'size,words\n5" pipe,it\'s\n' + '7" pipe,"a, b"\n' * 60,
    "preamble and footer": "Report of today\n\nname,value\n" + "a,1\n" * 50 + "Total,50\n",
    "one column": "value\n" + "1\n" * 50,
    "carriage returns": "a,b\r\n" + "1,2\r\n" * 50,
    "backslashes": 'a,b\n' + '"1 \\"one\\"",2\n' * 20,
}  # fmt: skip


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS)
@pytest.mark.parametrize("block", [16, 1 << 20])
def test_the_rows_are_those_of_the_whole_reading(
    content: str, block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pieces, "BLOCK", block)
    monkeypatch.setattr(pieces, "ROWS_OF_A_PIECE", 7)
    path = tmp_path / "table.csv"
    path.write_bytes(content.encode())
    frame, wrong, _ = read(path, tmp_path)
    assert wrong == {}
    read_table(path, tmp_path, filename="table.csv")
    assert frame.equals(pl.read_parquet(tmp_path / "text.parquet").drop(ROW))


def test_other_encodings_leave_no_copy(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("größe;preis\nklein;1,50\n".encode("utf-16"))
    frame, _, text = read(path, tmp_path)
    assert (text.names, frame.rows()) == (["größe", "preis"], [("klein", "1,50")])
    assert [one.name for one in tmp_path.iterdir()] == ["table.csv"]


@pytest.mark.parametrize("block", [16, 1 << 20])
def test_ragged_rows_are_named_and_the_others_read(block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", block)
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2\n" * 30 + "3\n\n4,5,\n6,7,8\n" + "1,2\n" * 30)
    frame, wrong, _ = read(path, tmp_path)
    assert frame.height == 63
    assert frame.rows()[30:33] == [("3", None), ("4", "5"), ("6", "7")]
    assert wrong == {
        30: "the row has 1 field, the table 2 columns",
        32: "the row has 3 fields, the table 2 columns",
    }


def test_a_quote_that_is_never_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "BLOCK", 1 << 16)
    monkeypatch.setattr(pieces, "LONGEST_LINE", 1 << 17)
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" + "1,2\n" * 300_000 + '"3,4\n' + "1,2\n" * 100_000)
    text = TextPieces(path, tmp_path, ReadOptions())
    with pytest.raises(TableTooLarge, match="near line 300,"):
        list(text.pieces())
