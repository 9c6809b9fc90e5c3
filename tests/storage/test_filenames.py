from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.http import parse_options_header

from thetool.storage.filenames import clean_filename, clean_media_type, content_disposition


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Größe 1.png", "Größe 1.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ("a\r\nSet-Cookie: b=c", "aSet-Cookie: b=c"),
        ("nul\x00.txt", "nul.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("..", None),
        ("/", None),
        ("", None),
        (None, None),
        ("\udc80", "?"),
        ("x" * 300 + ".tar", "x" * 196 + ".tar"),
        ("x" * 300, "x" * 200),
    ],
)
def test_clean_filename(sent: str | None, kept: str | None) -> None:
    assert clean_filename(sent) == kept


@given(st.text(max_size=300))
@example('a"b.txt')
@example("a\\b")
@example("a;filename=evil.exe")
@example("%41.txt")
@example("日本語.txt")
def test_any_name_comes_back_from_the_header(sent: str) -> None:
    name = clean_filename(sent)
    header = content_disposition("attachment", name)
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert kind == "attachment"
    if name is None:
        assert options == {}
    else:
        assert options["filename"] == name  # of `filename` and `filename*` the second wins
        assert header.count("filename=") == 1 or "filename=" in name


@pytest.mark.parametrize("media_type", ["image/png", "text/plain; charset=utf-8", "application/vnd.ms-excel"])
def test_media_types_are_kept(media_type: str) -> None:
    assert clean_media_type(media_type) == media_type


@pytest.mark.parametrize("media_type", ["", "png", "a/b\r\nX: y", "text/html; x=<script>", "a/" + "b" * 100, "é/x"])
def test_what_is_no_media_type(media_type: str) -> None:
    assert clean_media_type(media_type) == "application/octet-stream"
