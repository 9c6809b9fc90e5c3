"""Yes and no, in several languages."""

from __future__ import annotations

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading.report import ColumnType


@pytest.mark.parametrize(
    "words",
    [
        "true false",
        "Yes No",
        "Y N",
        "ja nein",
        "J N",
        "oui non",
        "sí no",
        "vero falso",
        "sim não",
        "tak nie",
        "да нет",
        "WAHR FALSCH",
    ],
)
def test_languages(read: Reader, words: str) -> None:
    true, false = words.split()
    found = read(f"k;x\na;{true}\nb;{false}\nc;{true}\nd;\n")
    assert found.values("x") == [True, False, True, None]


@pytest.mark.parametrize("values", [["no", "se", "dk"], ["y", "y", "y"], ["yes", "nein", "yes"], ["a", "n", "y"]])
def test_words_that_do_not_belong_together(read: Reader, values: list[str]) -> None:
    found = read("k;x\n" + "".join(f"a;{value}\n" for value in values))
    assert found.values("x") == values


def test_ones_and_zeros_are_numbers(read: Reader) -> None:
    assert read("k;x\na;1\nb;0\n").column("x").type is ColumnType.INTEGER
    assert read("k;x\na;1\nb;0\n", columns={"x": {"type": "boolean"}}).values("x") == [True, False]


def test_a_third_word_is_counted(read: Reader) -> None:
    found = read("k;x\n" + "a;yes\nb;no\n" * 20 + "c;perhaps\n")
    assert found.column("x").untyped_examples[0].text == "perhaps"
    assert found.column("x").untyped == 1


def test_words_that_the_sample_does_not_have(read: Reader) -> None:
    rows = ["yes", "no"] * 900 + ["ja", "n/a", "maybe"]
    found = read("k;x\n" + "".join(f"{at};{word}\n" for at, word in enumerate(rows)))
    assert found.values("x") == [True, False] * 900 + [True, None, None]
    column = found.column("x")
    assert (column.true_words, column.untyped, column.null_words) == (["ja", "yes"], 1, {"n/a": 1})


def test_asked_for_where_there_is_none(read: Reader) -> None:
    found = read("x\nfoo\nbar\n", columns={"x": {"type": "boolean"}})
    assert (found.values("x"), found.column("x").untyped) == ([None, None], 2)
