"""What a text looks like, and where its sentences end because of that."""

from __future__ import annotations

import textwrap
from inspect import getsource

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.text.layout import layout_of
from thetool.text.sentences import sentences

PROSE = (
    "The sofa came on Monday and we like it. It is comfortable, and the colour fits the room we painted last year. "
    "Two of the cushions were missing, so I wrote to the shop and asked for them. They answered within an hour and "
    "sent new ones, which came on Thursday. I would buy from them again. "
) * 3
GERMAN = (
    "Das Sofa kam am Montag und gefällt uns sehr. Es ist bequem, und die Farbe passt zu dem Zimmer, das wir im letzten "
    "Jahr gestrichen haben. Zwei der Kissen fehlten, sodass ich dem Laden schrieb und nach ihnen fragte. "
) * 3
CHINESE = "这张沙发很舒服，颜色也很适合我们去年刚刷过的房间，可是送货晚了两个星期，没有人给我们打电话。" * 12

LOG = "\n".join(
    f"2026-11-2{day} 10:{minute:02}:07,113 {level} [pool-{minute}] shop.orders: order {minute * 7} {what}"
    for day in range(3)
    for minute in range(20)
    for level, what in [("INFO", "was paid"), ("ERROR", "could not be sent")]
)
ACCESS_LOG = '10.0.0.7 - - [21/Nov/2026:10:12:07 +0000] "GET /sofa HTTP/1.1" 200 5120 "-" "curl/8"\n' * 5
TRACE = (
    "2026-11-21 10:00:00 ERROR shop: failed\n\tat shop.Orders.send(Orders.java:17)\n"
    "\tat shop.Main.main(Main.java:3)\nCaused by: java.io.IOException: away\n2026-11-21 10:00:01 INFO shop: up\n"
)
LEVELS = "INFO starting\nWARNING low on disk\nERROR disk full\nINFO stopping\n"
LOGFMT = "level=info msg=started port=8000\nlevel=warn msg=slow took=3s\n"
CSV = 'id,name,text\n1,Ann,"I love it, really"\n2,Bob,fine\n3,Cy,"late, again"\n'
TSV = "id\tname\n1\tAnn\n2\tBob\n"
MARKDOWN_TABLE = "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
JSON = '{"text": "I love it.",\n "stars": 5}'
NDJSON = '{"id": 1, "text": "a"}\n{"id": 2, "text": "b"}\n'
JAVASCRIPT = "function add(a, b) {\n  return a + b;\n}\n\nconst two = add(1, 1);\nconsole.log(two);\n"
REVIEWS = "\n".join(
    ["Great sofa", "The delivery was late", "Nobody answered when I called them about it", "Never again", "Too soft"]
)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (LOG, "log"),
        (ACCESS_LOG, "log"),
        (TRACE, "log"),
        (LEVELS, "log"),
        (LOGFMT, "log"),
        (CSV, "table"),
        (CSV.replace(",", ";"), "table"),
        (TSV, "table"),
        (MARKDOWN_TABLE, "table"),
        ("a,b,c\r\n1,2,3\r\n", "table"),
        (JSON, "json"),
        ("[1, 2, 3]", "json"),
        (NDJSON, "json"),
        (JAVASCRIPT, "code"),
        (getsource(textwrap), "code"),
        (REVIEWS, "lines"),
        (PROSE, "prose"),
        (textwrap.fill(PROSE, 72), "prose"),
        (textwrap.fill(GERMAN, 80), "prose"),
        ("Dear Ann,\n\nthank you, it came.\n\nYours, Bob", "prose"),
        ("Apples, pears, and plums\ngrow here, there, and\nnowhere, it seems, else.", "prose"),
        ("[Chorus] I love this sofa [end]", "prose"),
        ("At 10:00:00 it began; nobody came.", "prose"),
        ("", "prose"),
        ("\n\n\n", "prose"),
    ],
    ids=range(25),
)
def test_what_it_looks_like(text: str, form: str) -> None:
    assert layout_of(text).form == form


@pytest.mark.parametrize("width", [50, 72, 100])
@pytest.mark.parametrize("text", [PROSE, GERMAN], ids=["English", "German"])
def test_wrapping_prose_changes_no_sentence(text: str, width: int) -> None:
    wrapped = textwrap.fill(text, width)
    found = [" ".join(wrapped[start:end].split()) for start, end in sentences(wrapped)]
    assert found == [text[start:end] for start, end in sentences(text)]


def test_wrapped_chinese_is_joined() -> None:
    wrapped = "\n".join(CHINESE[at : at + 38] for at in range(0, len(CHINESE), 38))
    assert sum(1 for _ in sentences(wrapped)) == sum(1 for _ in sentences(CHINESE))


@pytest.mark.parametrize("text", [LOG, ACCESS_LOG, CSV, NDJSON, REVIEWS], ids=["log", "access", "csv", "json", "lines"])
def test_what_is_no_running_prose_has_a_sentence_a_line(text: str) -> None:
    assert [text[start:end] for start, end in sentences(text)] == text.splitlines()


def test_a_heading_and_a_paragraph_below_it_are_two() -> None:
    text = "A sofa for two\n" + textwrap.fill(PROSE, 72)
    first = next(sentences(text))
    assert text[slice(*first)] == "A sofa for two"


def test_a_long_log_is_judged_by_pieces_of_it() -> None:
    assert layout_of((LOG + "\n") * 500).form == "log"
    assert layout_of("\n".join([textwrap.fill(PROSE, 72)] * 500)).width is not None


@given(st.text(alphabet=st.sampled_from('a1 ,;|\t\n.{}[]"=:>-#\r'), max_size=300))
def test_any_text_has_a_form(text: str) -> None:
    assert layout_of(text).form in ("prose", "lines", "log", "table", "json", "code")


@pytest.mark.parametrize(
    "text",
    [
        "\n>" * 100_000,
        "a\n" * 100_000,
        ";#" * 50_000,
        "a=" * 100_000 + "\nb",
        '"' * 100_001 + "\nx",
        "\n " * 50_000 + "x",
    ],
    ids=["quotes", "short lines", "code", "pairs", "open quotes", "blanks"],
)
@pytest.mark.timeout(60)  # each takes under a second; quadratic time would be minutes
def test_hostile_text_ends(text: str) -> None:
    layout_of(text)
    assert sum(1 for _ in sentences(text)) <= len(text)
