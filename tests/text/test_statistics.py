"""Counting: the documented definitions in several scripts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.text.statistics import statistics, word_pattern


def words(text: str) -> list[str]:
    return [found[0] for found in word_pattern().finditer(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't panic", ["Don't", "panic"]),
        ("O’Neill's cat", ["O’Neill's", "cat"]),
        ("well-known", ["well", "known"]),
        ("3.14 and 1,000.50", ["3.14", "and", "1,000.50"]),
        ("snake_case", ["snake", "case"]),
        ("the end.Next", ["the", "end", "Next"]),
        ("naïve café", ["naïve", "café"]),
        ("cafe\u0301 x", ["cafe\u0301", "x"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("天气好 ok", ["天", "气", "好", "ok"]),
        ("カタカナのテスト", ["カタカナ", "の", "テスト"]),
        ("안녕하세요 여러분", ["안녕하세요", "여러분"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("😀 !!! --", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_counts_of_a_small_text() -> None:
    found = statistics("The cat sat. The dog, too, sat down!\n\nAnother paragraph\n")
    assert found.model_dump() == {
        "form": "prose",
        "characters": 56,
        "characters_without_blanks": 45,
        "words": 10,
        "unique_words": 8,
        "sentences": 3,
        "paragraphs": 2,
        "lines": 3,
        "average_word_length": 4.1,
        "average_sentence_length": 3.33,
        "longest_sentence": {"words": 5, "characters": 23, "start": 13},
        "reading_time_seconds": 2.5,
    }


def test_a_chinese_text_is_read_by_characters() -> None:
    found = statistics("天" * 390)
    assert (found.words, found.unique_words, found.reading_time_seconds) == (390, 1, 60.0)


def test_an_english_text_is_read_by_words() -> None:
    assert statistics("word " * 238).reading_time_seconds == 60.0


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a\r\nb\r\n", 2), ("\n\n", 2)]
)
def test_lines(text: str, lines: int) -> None:
    assert statistics(text).lines == lines


@given(st.text())
def test_any_text_can_be_counted(text: str) -> None:
    found = statistics(text)
    assert found.characters == len(text)
    assert found.characters_without_blanks == sum(not character.isspace() for character in text)
    assert found.unique_words <= found.words <= found.characters
    assert found.lines == len(text.splitlines())
    assert (found.longest_sentence is None) == (found.words == 0)
    assert (found.paragraphs == 0) == (found.sentences == 0) == (not text.strip())


@pytest.mark.parametrize("piece", ["a", "1,", "a'", "'", "😀", "a\u0301", " ", "天", "a. ", "\u200d"])
@pytest.mark.timeout(60)  # each takes under a second; quadratic time would be minutes
def test_long_hostile_text_ends(piece: str) -> None:
    text = piece * 200_000
    assert statistics(text).characters == len(text)


def test_the_watch_hears_of_all_of_it() -> None:
    heard: list[float] = []
    statistics("Some words here. " * 30_000, heard.append)
    assert heard == sorted(heard)
    assert 0 < heard[0] < 0.3
    assert 0.9 < heard[-1] <= 1
