"""HTML: what a reader sees of it counts, and nothing else."""

from __future__ import annotations

import io

import pytest

from tests.analyze.house import House
from thetool.analyze.content import Text, content_of
from thetool.analyze.hypertext import MOST_CHARACTERS, is_html, visible_text

PAGE = """<!DOCTYPE html>
<html><head><title>A sofa</title><style>p > a { color: red }</style>
<script>if (a < b) document.write("<p>never</p>");</script></head>
<body class=x><!-- hidden > <p> --><h1>The  blue
sofa</h1><p>It is <b>love</b>ly &amp; soft, caf&eacute; &#228;.<br>5 &lt; 6</p>
<ul><li>one</li><li><a title="a > b" href='x'>two</a></li></ul>
<table><tr><td>1</td><td>2</td></tr></table></body></html>"""


def test_what_a_page_shows() -> None:
    expected = "A sofa\n\nThe blue sofa\n\nIt is lovely & soft, café ä.\n5 < 6\n\none\n\ntwo\n\n1 2"
    assert visible_text(PAGE).replace("\n\n", "\n") == expected.replace("\n\n", "\n")


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("a < b and c > d", "a < b and c > d"),
        ("<p>one<p>two", "one\n\ntwo"),
        ("<div><div><p>deep</div>", "deep"),
        ("text <!-- never closed <p>x", "text"),
        ("text <script>never closed", "text"),
        ("text <script", "text"),
        ("text <a href='", "text"),
        ("<p title='it\"s>ok'>x</p y>z", "x\n\nz"),
        ("<STYLE>a</STYLE >b", "b"),
        ("<scripted>x</scripted>", "x"),
        ("&lt;b&gt; &bogus; &#0; &", "<b> &bogus; \ufffd &"),
        ("", ""),
    ],
    ids=range(12),
)
def test_broken_and_odd_pages(source: str, shown: str) -> None:
    assert visible_text(source) == shown


@pytest.mark.parametrize(
    "part", ["<!--", "<a ", "<script>", "<p title='", "<", "&", '="', "</", " <b> </b>"], ids=range(9)
)
def test_a_megabyte_of_anything_is_passed_over_once(part: str) -> None:
    visible_text(part * (1_000_000 // len(part)))


def test_what_counts_as_html() -> None:
    assert is_html("a <b>word</b>", "text/html")
    assert is_html("\n<!doctype HTML><p>x", None)
    assert not is_html("<!doctype html><p>x", "text/plain")
    assert not is_html("In HTML <html> begins a page.", None)


def test_the_source_of_a_page_is_not_its_text() -> None:
    page = content_of(io.BytesIO(PAGE.encode()), "text/html")
    plain = content_of(io.BytesIO(PAGE.encode()), "text/plain")
    assert isinstance(page, Text)
    assert isinstance(plain, Text)
    assert (page.from_html, plain.from_html, plain.text) == (True, False, PAGE)
    assert "color" not in page.text


def test_a_note_says_that_it_was_html(house: House) -> None:
    def sent(media_type: str) -> dict:  # type: ignore[type-arg]
        path = "/analyze?tasks=statistics"
        answer = house.client.post(path, data=PAGE, headers=house.master, content_type=media_type)
        assert answer.status_code == 200
        body: dict = answer.json  # type: ignore[type-arg]
        return body

    page, source = sent("text/html"), sent("text/plain")
    assert [note["task"] for note in page["notes"]] == ["text"]
    assert source["notes"] == []
    assert page["result"]["statistics"]["words"] < source["result"]["statistics"]["words"]


def test_a_page_of_megabytes_is_read_as_it_is() -> None:
    page = "<!doctype html><p>" + "a " * (MOST_CHARACTERS // 2)
    assert not is_html(page, "text/html")
    assert is_html(page[:MOST_CHARACTERS], "text/html")
