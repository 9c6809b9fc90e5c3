"""`--encoding`: sent along, or told why it does not count."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.played import Played
from thetool.cli.encodings import contradiction


def test_the_encoding_can_be_named(run: Run, service: Played, three: Path) -> None:
    assert run("analyze", str(three / "a.txt"), "--encoding", "windows-1252").exit_code == 0
    assert service.sent[0]["charset"] == "cp1252"
    assert run("analyze", str(three / "a.txt"), "--encoding", "no such").exit_code == 2
    refused = run("analyze", "-", input="undecodable")
    assert "--encoding windows-1252" in refused.stderr
    assert refused.exit_code == 1


@pytest.mark.parametrize(
    ("mark", "encoding", "told"),
    [
        (codecs.BOM_UTF8, "cp1252", "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-8", "utf-16-le"),
        (codecs.BOM_UTF32_LE, "utf-16", "utf-32-le"),
        (codecs.BOM_UTF8, "utf-8-sig", None),
        (codecs.BOM_UTF16_BE, "utf-16", None),
        (b"", "cp1252", None),
    ],
)
def test_a_mark_may_say_otherwise(mark: bytes, encoding: str, told: str | None) -> None:
    said = contradiction(mark + b"fine", encoding)
    assert said == (told and f"It begins with the byte order mark of {told}, and is read as that, not as {encoding}.")


def test_a_mark_that_says_otherwise_is_told(run: Run, service: Played, tmp_path: Path) -> None:
    file = tmp_path / "marked.txt"
    file.write_bytes(codecs.BOM_UTF8 + b"fine")
    result = run("analyze", str(file), "--encoding", "windows-1252", "--json")
    assert result.exit_code == 0
    assert result.stderr == f"{file}: {contradiction(file.read_bytes(), 'cp1252')}\n"


def test_words_and_addresses_have_no_encoding_to_name(run: Run, service: Played) -> None:
    refused = run("analyze", "--text", "fine", "--encoding", "windows-1252")
    assert refused.exit_code == 2
    assert "--encoding is for files" in refused.stderr
    assert service.sent == []
    result = run("analyze", "https://example.com/cup.jpg", "--encoding", "windows-1252")
    assert (result.exit_code, "--encoding is for files" in result.stderr) == (0, True)
