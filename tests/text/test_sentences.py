"""Splitting into sentences: the rules, and linear time on texts made to be slow."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.text.sentences import sentences, windows


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("it is bad. really bad. no.", ["it is bad.", "really bad.", "no."]),
        ('He said "Stop!" Then he left.', ['He said "Stop!"', "Then he left."]),
        ("(All of it.) Yes.", ["(All of it.)", "Yes."]),
        ("Dr. Who met Mrs. Hall. They left.", ["Dr. Who met Mrs. Hall.", "They left."]),
        ("J. R. R. Tolkien wrote it. I read it.", ["J. R. R. Tolkien wrote it.", "I read it."]),
        ("Some fruit, e.g. apples. More.", ["Some fruit, e.g. apples.", "More."]),
        ("Bread, milk etc. were there. Etc.", ["Bread, milk etc. were there.", "Etc."]),
        ("He works at Acme Inc. They pay well.", ["He works at Acme Inc.", "They pay well."]),
        ("At 5 p.m. we left. At 6 p.m. They came.", ["At 5 p.m. we left.", "At 6 p.m.", "They came."]),
        ("Is it? No. Never.", ["Is it?", "No.", "Never."]),
        ("Pi is 3.14 and example.com is up. Good", ["Pi is 3.14 and example.com is up.", "Good"]),
        ("Wait... what?! Yes.", ["Wait...", "what?!", "Yes."]),
        ("A heading\n\nA paragraph\nwith two lines", ["A heading", "A paragraph\nwith two lines"]),
        ("To buy:\n- milk\n- bread\n1. eggs", ["To buy:", "- milk", "- bread", "1. eggs"]),
        ("1. Mix it\n 2. Bake it. In 2019. Done", ["1. Mix it", "2. Bake it.", "In 2019.", "Done"]),
        ("今天天气很好。我们去公园吧！好", ["今天天气很好。", "我们去公园吧！", "好"]),
        ("「行こう。」と言った。", ["「行こう。」", "と言った。"]),
        ("هل أنت بخير؟ نعم.", ["هل أنت بخير؟", "نعم."]),
        ("यह एक वाक्य है। यह दूसरा है।", ["यह एक वाक्य है।", "यह दूसरा है।"]),
        ("Great! 😀😀 Next.", ["Great!", "😀😀 Next."]),
        ("Great! :-) !!! Next.", ["Great! :-) !!!", "Next."]),
        ("page one\fpage two", ["page one", "page two"]),
        ("...", ["..."]),
        ("", []),
        (" \n\n\t ", []),
    ],
)
def test_rules(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@given(st.text(alphabet=st.sampled_from("ab .!?\n\t。\"')(-1Drec😀ا\f\r"), max_size=200) | st.text(max_size=200))
def test_everything_visible_is_in_exactly_one_sentence(text: str) -> None:
    end_before = 0
    for start, end in sentences(text):
        assert start < end
        assert not text[end_before:start].strip()
        assert text[start:end].strip() == text[start:end]
        end_before = end
    assert not text[end_before:].strip()


@given(st.text(max_size=200), st.integers(1, 40))
def test_windows_cover_the_span_and_keep_the_bound(text: str, longest: int) -> None:
    pieces = list(windows(text, (0, len(text)), longest))
    assert "".join(text[start:end] for start, end in pieces) == text
    assert all(0 < end - start <= longest for start, end in pieces)


def test_windows_are_cut_at_blanks() -> None:
    text = "aaa bbb ccc"
    assert [text[a:b] for a, b in windows(text, (0, 11), 8)] == ["aaa bbb", " ccc"]


HOSTILE = {
    "one line": "a" * 200_000,
    "full stops": "." * 200_000,
    "stops and blanks": ". " * 100_000,
    "short sentences": "a. " * 70_000,
    "blanks": " " * 200_000 + "x",
    "line ends": "\n" * 200_000,
    "line ends and blanks": "\n " * 100_000,
    "list items": "\n- " * 70_000,
    "quotes": "." + '"' * 200_000 + "x",
    "emoji": "😀" * 200_000,
    "right to left": "مرحبا بالعالم. " * 15_000,
    "abbreviations": "e.g. " * 40_000,
    "initials": "A. " * 70_000,
    "a stop and many blanks": ("etc." + " " * 1_000) * 200,
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(60)  # each takes under a second; quadratic time would be minutes
def test_long_hostile_text_ends(name: str) -> None:
    assert sum(1 for _ in sentences(HOSTILE[name])) <= len(HOSTILE[name])


def test_the_watch_can_stop_it() -> None:
    class StopError(Exception):
        pass

    def watch(fraction: float) -> None:
        assert 0 < fraction <= 1
        raise StopError

    with pytest.raises(StopError):
        list(sentences("a. " * 50_000, watch))
