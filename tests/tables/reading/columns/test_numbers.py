"""Numbers as people write them; what only looks like one stays text."""

from __future__ import annotations

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.report import ColumnType


def column_of(*values: str) -> str:
    """One column `x`, beside another so that commas need no guess."""
    return "k;x\n" + "".join(f'row;"{value}"\n' for value in values)


@pytest.mark.parametrize(
    ("texts", "values"),
    [
        (["1", "-2", "0"], [1, -2, 0]),
        (["1.5", "-2", ".25"], [1.5, -2.0, 0.25]),
        (["1,5", "-2,25", "3"], [1.5, -2.25, 3.0]),
        (["1.234,5", "12.345.678,25", "-0,5"], [1234.5, 12345678.25, -0.5]),
        (["1,234.5", "12,345,678.25", "7"], [1234.5, 12345678.25, 7.0]),
        (["1 234,5", "12 345 678,25", "1"], [1234.5, 12345678.25, 1.0]),
        (["1\u00a0234", "12\u202f345", "1"], [1234, 12345, 1]),
        (["1'234.50", "12’345.00", "1.5"], [1234.5, 12345.0, 1.5]),
        (["1,23,45,678", "12,34,567", "1,000.5"], [12345678.0, 1234567.0, 1000.5]),
        (["(1.50)", "2.50", "3.00-"], [-1.5, 2.5, -3.0]),
        (["1e3", "2.5E-2", "-1e0"], [1000.0, 0.025, -1.0]),
        (["−5", "+6", " 7 "], [-5, 6, 7]),
    ],
)
def test_writings(read: Reader, texts: list[str], values: list[float]) -> None:
    found = read(column_of(*texts))
    assert found.values("x") == values
    assert found.column("x").untyped == 0


def test_currencies_and_percent(read: Reader) -> None:
    found = read(column_of("€ 1.234,50", "-2,00 €", "3,5 EUR", "$4,00"))
    assert found.values("x") == [1234.5, -2.0, 3.5, 4.0]
    assert found.column("x").currencies == {"€": 2, "$": 1, "EUR": 1}
    percent = read(column_of("12.5%", "3 %", "100%"))
    assert percent.values("x") == [12.5, 3.0, 100.0]
    assert percent.column("x").percent


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        (["00123", "123", "456"], "zero"),
        (["+4917012345678", "+4917087654321", "+43123456789"], "plus"),
        (["+49 170 1234567", "+49 170 7654321", "+43 1 2345678"], "plus"),
        (["1234567890123456", "1234567890123457", "1"], "16 digits"),
        (["1", "two", "3", "four"], "Mixed"),
        (["192.168.1.1", "10.0.0.1", "8.8.8.8"], ""),
        (["1.2.3", "1.10.0", "2.0.1"], ""),
    ],
)
def test_what_stays_text(read: Reader, texts: list[str], why: str) -> None:
    found = read(column_of(*texts))
    assert found.column("x").type is ColumnType.TEXT
    assert why in found.column("x").reason
    assert found.values("x") == texts


@pytest.mark.parametrize("name", ["zip", "ZIP Code", "phone", "customer_phone", "PLZ", "Telefon"])
def test_codes_by_name(read: Reader, name: str) -> None:
    found = read(f"k;{name}\na;10115\nb;80331\n")
    assert found.values(name) == ["10115", "80331"]


def test_a_leading_zero_in_the_last_row(read: Reader) -> None:
    found = read("id\n" + "\n".join(str(number) for number in range(10_000, 30_000)) + "\n00007\n")
    assert found.column("id").type is ColumnType.TEXT
    assert found.values("id")[-1] == "00007"


def test_thousands_or_decimals_as_the_other_columns_say(read: Reader) -> None:
    comma = read("a;b\n1.234;1,5\n2.345;2,25\n")
    assert comma.values("a") == [1234, 2345]
    point = read("a;b\n1.234;1.5\n2.345;2.25\n")
    assert point.values("a") == [1.234, 2.345]
    assert "other columns of the file have a decimal comma" in comma.column("a").reason
    assert "other columns of the file have a decimal point" in point.column("a").reason
    assert comma.codes() == point.codes() == set()


def test_a_guess_is_said_to_be_one(read: Reader) -> None:
    found = read('a,b\n"1,234",x\n"2,345",y\n')
    assert found.values("a") == [1234, 2345]
    assert "guess" in found.column("a").reason
    assert found.codes() == {"guessed_decimal_mark"}
    asked = read('a,b\n"1,234",x\n"2,345",y\n', columns={"a": {"decimal": ","}})
    assert asked.values("a") == [1.234, 2.345]
    assert asked.codes() == set()


def test_one_value_is_told_in_the_singular(read: Reader) -> None:
    assert read("a;n\nx;1.234\ny;\n").column("n").reason.startswith("Its one value can be read with either")


def test_a_guess_by_semicolons_speaks_of_semicolons(read: Reader) -> None:
    found = read("a;b;n\nx;y;1.234\nz;w;2.345\n")
    assert found.values("n") == [1234, 2345]
    assert found.column("n").reason == (
        "All 2 values can be read with either decimal mark; the comma is taken for it, because semicolons separate "
        "the fields: a guess."
    )
    assert [(note.code, note.count) for note in found.reading.notes] == [("guessed_decimal_mark", 1)]
    assert "'n'" in found.reading.notes[0].message


def test_what_is_no_number_is_counted_and_kept(read: Reader) -> None:
    found = read("k,x\n" + "".join(f"a,{number}\n" for number in range(30)) + "a,n/a\na,-\na,N/A\na,seventy-two\n")
    column = found.column("x")
    assert (column.type, column.untyped) == (ColumnType.INTEGER, 1)
    assert column.untyped_examples[0].text == "seventy-two"
    assert column.null_words == {"-": 1, "N/A": 1, "n/a": 1}
    assert [text for _, text in found.texts()[-4:]] == ["n/a", "-", "N/A", "seventy-two"]


def test_words_for_null_stay_in_texts(read: Reader) -> None:
    found = read("country,city\nNA,Windhoek\nDE,Bonn\nnull,x\n")
    assert found.values("country") == ["NA", "DE", "null"]
    assert read("country,city\nNA,Windhoek\nDE,Bonn\n", null_words=["NA"]).values("country") == [None, "DE"]
    assert read("zip,city\n01067,a\nNA,b\n", null_words=["NA"]).values("zip") == ["01067", None]


def test_own_words_for_null(read: Reader) -> None:
    found = read("k,x\na,1\nb,Unknown\nc,3\n", columns={"x": {"null_words": ["unknown"]}})
    assert found.values("x") == [1, None, 3]
    assert found.column("x").untyped == 0


@pytest.mark.parametrize(
    ("values", "asked"),
    [
        (["1", "99999999999999999999", "3"], {"columns": {"n": {"type": "integer"}}}),
        (["1,000", "99,999,999,999,999,999,999", *["3,000"] * 10], {}),
    ],
    ids=["asked for", "with thousands"],
)
def test_whole_numbers_beyond_64_bits_are_counted(read: Reader, values: list[str], asked: dict[str, object]) -> None:
    column = read("\n".join(["n", *values]) + "\n", delimiter=";", **asked).column("n")
    assert (column.type, column.untyped) == (ColumnType.INTEGER, 1)
    assert [example.text for example in column.untyped_examples] == [values[1]]
