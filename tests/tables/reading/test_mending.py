"""Files that are not regular: what was mended is counted, and nothing is lost."""

from __future__ import annotations

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading import delimited, json_stream
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import NotATable, TableTooLarge


def test_short_and_long_rows(read: Reader) -> None:
    found = read("a,b,c\n1,2,3\n4,5\n6,7,8,9,10\n11,12,13,\n")
    assert found.texts() == [
        ("1", "2", "3", None),
        ("4", "5", None, None),
        ("6", "7", "8", "9,10"),
        ("11", "12", "13", None),
    ]
    counts = {note.code: note.count for note in found.reading.notes}
    assert counts == {"short_rows": 1, "long_rows": 1, "guessed_delimiter": None}
    assert "line 3" in next(note.message for note in found.reading.notes if note.code == "short_rows")


@pytest.mark.parametrize(
    "rows", [["7,8,9,10", "11,12,13,14,15"], ["7,8,9,1,234"], ["7,8,9,2024-01-02", "1,2,3,2024-02-03"]]
)
def test_what_rows_have_too_much_is_never_a_number(read: Reader, rows: list[str]) -> None:
    found = read("\n".join(["a,b,c", "1,2,3", "4,5,6", *rows]))
    assert found.values("extra_fields") == [None, None, *(row.split(",", 3)[3] for row in rows)]
    assert found.column("extra_fields").type == "text"
    assert "too much" in found.column("extra_fields").reason


def test_what_rows_have_too_much_is_of_the_type_that_is_asked_for(read: Reader) -> None:
    found = read("a,b\n1,2\n3,4,5\n", columns={"extra_fields": {"type": "integer"}})
    assert found.values("extra_fields") == [None, 5]


def test_a_short_and_a_long_row_do_not_make_up(read: Reader) -> None:
    rows = ["1,2,3"] * 5_000
    rows[4_000], rows[4_500] = "1,2", "1,2,3,4"
    found = read("a,b,c\n" + "\n".join(rows))
    assert {note.code: note.count for note in found.reading.notes} == {"short_rows": 1, "long_rows": 1}
    assert found.reading.rows == 5_000


def test_blank_lines_are_no_rows(read: Reader) -> None:
    assert read("a,b\n1,2\n\n3,4\r\n\r\n5,6\n\n").texts() == [("1", "2"), ("3", "4"), ("5", "6")]


def test_rows_of_empty_fields_are_rows(read: Reader) -> None:
    assert read("a,b\n1,2\n,\n3,4\n").texts() == [("1", "2"), (None, None), ("3", "4")]


def test_old_line_ends(read: Reader) -> None:
    assert read(b"a,b\r1,2\r3,4\r").texts() == [("1", "2"), ("3", "4")]


def test_nul_characters(read: Reader) -> None:
    found = read(b"a,b\n" + b"1,2\n" * 50 + b"3,x\0y\n")
    assert found.texts()[-1] == ("3", "xy")
    assert [note.count for note in found.reading.notes if note.code == "nul_characters"] == [1]


@pytest.mark.parametrize(("nuls", "told"), [(1, "1 NUL character was left"), (2, "2 NUL characters were left")])
def test_one_nul_character_is_told_in_the_singular(read: Reader, nuls: int, told: str) -> None:
    found = read(b"a,b\n" + b"1,2\n" * 50 + b"3,x" + b"\0" * nuls + b"y\n")
    assert [note.message.startswith(told) for note in found.reading.notes] == [True]


def test_bytes_that_are_no_text(read: Reader) -> None:
    with pytest.raises(NotATable, match="control characters"):
        read(bytes(range(256)) * 40)


def test_two_tables(read: Reader) -> None:
    first = "".join(f"{number},item {number},{number * 3}\n" for number in range(1, 20))
    second = "".join(f"K{number},{number}\n" for number in range(1, 6))
    content = f"id,item,price\n{first}\nkey,share\n{second}"
    found = read(content)
    assert (found.reading.rows, len(found.reading.columns)) == (19, 3)
    other = found.reading.other_tables[0]
    assert (other.first_line, other.last_line, other.columns, other.names) == (22, 27, 2, ["key", "share"])
    assert "other_tables" in found.codes()
    again = read(content, header_row=other.first_line)
    assert again.texts()[0] == ("K1", "1")
    assert again.reading.rows == 5


def test_two_tables_of_the_same_width(read: Reader) -> None:
    first, second = "id,name,born\n1,Ann,2001\n2,Bo,2002\n", "city,mayor,people\nUlm,Cy,9\nBonn,Di,8\n"
    found = read(f"{first}\n{second}")
    assert found.texts() == [("1", "Ann", "2001"), ("2", "Bo", "2002")]
    [other] = found.reading.other_tables
    assert (other.first_line, other.last_line, other.names) == (5, 7, ["city", "mayor", "people"])
    told = next(note.message for note in found.reading.notes if note.code == "other_tables")
    assert "header_row" in told and "last_row" in told  # noqa: PT018
    assert read(f"{first}\n{second}", header_row=5).texts() == [("Ulm", "Cy", "9"), ("Bonn", "Di", "8")]
    assert read(f"{first}\n{second}", last_row=7).reading.rows == 5


@pytest.mark.parametrize("row", ["3,n/a,2003", "3,,2003", "Cy,unknown,", "3,Cy,2003"])
def test_a_row_below_a_blank_line_is_no_other_table(read: Reader, row: str) -> None:
    found = read(f"id,name,born\n1,Ann,2001\n2,Bo,2002\n\n{row}\n4,Di,2004\n\n")
    assert (found.reading.rows, found.reading.other_tables) == (4, [])
    note = next(note for note in found.reading.notes if note.code == "blank_lines")
    assert (note.count, "line 4" in note.message) == (1, True)


def test_blank_lines_without_end_are_refused(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "LIMITS", Limits(blank_lines=500))
    monkeypatch.setattr(json_stream, "_MOST_BLANK_LINES", 500)
    for line_end in ("\n", "\r\n", "\r"):
        for table in ("a,b\n1,2", 'a,b\n1,"2"'):
            text = table.replace("\n", line_end) + line_end * 1_100 + table.replace("\n", line_end)
            with pytest.raises(TableTooLarge, match="blank"):
                read(text)
    with pytest.raises(TableTooLarge, match="blank"):
        read('{"a": 1}\n' + "\n" * 600 + '{"a": 2}\n')


def test_the_last_row_with_any_line_end(read: Reader) -> None:
    rows = ["report", "", "a,b", "1,2", "3,4", "5,6", "total,12"]
    for line_end in ("\n", "\r\n", "\r"):
        found = read(line_end.join(rows), last_row=5)
        assert (found.reading.header.value, found.texts()) == (3, [("1", "2"), ("3", "4")])
        footer = read(line_end.join([*rows[:-1], "", "made by Ann"])).reading.footer
        assert footer is not None
        assert footer.first_line == 8


def test_a_quote_that_is_never_closed(read: Reader) -> None:
    found = read('id,text\n1,"open\n2,b\n3,c\n')
    assert "open" in (found.texts()[0][1] or "")
    joined = "\n".join(text or "" for row in found.texts() for text in row)
    assert all(part in joined for part in ("2,b", "3,c"))


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_the_last_line_need_not_end(read: Reader, line_end: str) -> None:
    assert read(line_end.join(["a,b", "1,2", '3,"4"'])).texts() == [("1", "2"), ("3", "4")]
