"""What stands between fields and around them."""

from __future__ import annotations

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.problems import UnfitReadOptions


def test_lists_within_fields_are_no_columns(read: Reader) -> None:
    found = read("id,name,tags\n" + "".join(f"{number},Ann,a;b\n" for number in range(50)))
    assert found.texts()[0] == ("0", "Ann", "a;b")
    assert "guessed_delimiter" in found.codes()


@pytest.mark.parametrize(
    ("content", "guessed"),
    [
        ("a;b|c\n1;2|5\n3;4|5\n", True),
        ("a,b,c\n1,2\n3,4,5\n6\n7,8,9\n1,2,3,4\n", True),
        ("a;b\n1,5;2,5\n3,5;4,5\n", False),
        ("a,b\n1,2\n3,4\n", False),
        ("Report\nof today\n\na,b\n1,2\n3,4\n", False),
        ("a\n1\n2\n", False),
    ],
)
def test_a_delimiter_that_is_a_guess_is_said_to_be_one(read: Reader, content: str, guessed: bool) -> None:
    found = read(content)
    assert ("guessed_delimiter" in found.codes()) is guessed
    assert found.reading.delimiter is not None
    assert ("A guess" in found.reading.delimiter.reason) is guessed
    assert "guessed_delimiter" not in read(content, delimiter=";").codes()


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^", "~", "\x1f"])
def test_delimiters(read: Reader, delimiter: str) -> None:
    rows = [["id", "name", "city"], ["1", "Ann", "Bern"], ["2", "Bo", "Oslo"], ["3", "Cy", "Rome"]]
    found = read("\n".join(delimiter.join(row) for row in rows))
    assert found.reading.delimiter is not None
    assert found.reading.delimiter.value == delimiter
    assert found.texts() == [tuple(row) for row in rows[1:]]
    assert found.reading.format.value == ("tsv" if delimiter == "\t" else "csv")


def test_decimal_commas_are_no_delimiters(read: Reader) -> None:
    found = read("x;y\n1,5;2,5\n3,25;4,75\n0,5;1,5\n")
    assert found.values("x") == [1.5, 3.25, 0.5]


def test_commas_in_prose_are_no_delimiters(read: Reader) -> None:
    found = read("Hello, world\nA line without\nOne, two, three, four\nAnd so on\nThe end\n")
    assert len(found.reading.columns) == 1


def test_delimiters_and_line_ends_within_quotes(read: Reader) -> None:
    found = read('id,text\n1,"a, b"\n2,"two\nlines"\n3,"say ""hi"""\n4,""\n')
    assert found.texts() == [("1", "a, b"), ("2", "two\nlines"), ("3", 'say "hi"'), ("4", None)]


def test_single_quotes(read: Reader) -> None:
    found = read("id,text\n1,'a, b'\n2,'c'\n3,'d, e'\n")
    assert found.texts() == [("1", "a, b"), ("2", "c"), ("3", "d, e")]


def test_quotes_that_are_inches(read: Reader) -> None:
    found = read('size,count\n5" pipe,1\n6" pipe,2\n"7"" pipe, long",3\n')
    assert found.texts() == [('5" pipe', "1"), ('6" pipe', "2"), ('7" pipe, long', "3")]


def test_quotes_after_backslashes(read: Reader) -> None:
    found = read('id,text\n1,"say \\"hi\\", you"\n2,"x"\n')
    assert found.texts() == [("1", 'say "hi", you'), ("2", "x")]


def test_asking_for_them(read: Reader) -> None:
    found = read("a b;c\n1 2;3\n", delimiter=" ", quote="")
    assert found.texts() == [("1", "2;3")]
    assert found.reading.delimiter is not None
    assert found.reading.delimiter.asked


@pytest.mark.parametrize("options", [{"delimiter": "\n"}, {"delimiter": "§"}, {"delimiter": ";", "quote": ";"}])
def test_what_cannot_be_asked_for(read: Reader, options: dict[str, str]) -> None:
    with pytest.raises(UnfitReadOptions):
        read("a;b\n1;2\n", **options)
