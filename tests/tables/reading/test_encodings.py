"""The encoding is found, or said to be a guess; wrong bytes far down are seen."""

from __future__ import annotations

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading import encodings
from thetool.tables.reading.problems import UnreadableEncoding

GERMAN = "Name;Straße;Größe\n" + "".join(
    f"{name};{street};{size}\n"
    for name, street, size in [
        ("Jürgen Müller", "Schöne Straße", "groß"),
        ("Käthe Löwe", "Über den Brücken", "mäßig"),
        ("Jörg Weiß", "Grünstraße", "größer"),
        ("Bärbel Krüger", "Mühlenweg", "schön"),
    ]
    * 5
)
POLISH = "miasto;ulica;opis\n" + "".join(
    f"{line}\n"
    for line in [
        "Łódź;Główna;mieszkanie do wynajęcia",
        "Gdańsk;Długa;piękny widok na morze",
        "Kraków;Święta;łazienka i kuchnia",
    ]
    * 5
)
RUSSIAN = "город;улица\n" + "Москва;Тверская улица\nСанкт-Петербург;Невский проспект\nКазань;Большая Красная\n" * 5


@pytest.mark.parametrize("mark", [True, False])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_with_a_mark_and_without(read: Reader, encoding: str, mark: bool) -> None:
    found = read((("\ufeff" if mark else "") + "name\tcity\nJürgen\tKöln\nZoë\tLiège\n").encode(encoding))
    assert found.texts() == [("Jürgen", "Köln"), ("Zoë", "Liège")]
    assert found.reading.encoding is not None
    assert found.reading.encoding.value == encoding
    assert ("mark" in found.reading.encoding.reason) == mark
    assert found.column("name").original_name == "name"


def test_utf_8_with_a_mark(read: Reader) -> None:
    found = read("\ufeffid,ü\n1,ö\n")
    assert [column.original_name for column in found.reading.columns] == ["id", "ü"]


def test_a_mark_before_a_table_without_names(read: Reader) -> None:
    assert read("\ufeff1,2\n3,4\n").texts() == [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    ("text", "encoding", "as_found"),
    [
        (GERMAN, "latin-1", "cp1252"),
        (POLISH, "cp1250", "cp1250"),
        (POLISH, "iso8859-2", "iso8859-2"),
        (RUSSIAN, "cp1251", "cp1251"),
    ],
)
def test_older_encodings_are_guessed(read: Reader, text: str, encoding: str, as_found: str) -> None:
    found = read(text.encode(encoding))
    assert found.texts() == read(text).texts()
    again = read(text.encode(encoding)).reading.encoding
    assert again is not None
    assert again.value == as_found
    assert "guess" in again.reason
    assert "guessed_encoding" in found.codes()


JAPANESE = (
    "名前,住所,電話\n田中太郎,東京都新宿区,03-1234-5678\n鈴木花子,大阪府大阪市,06-1234-5678\n"
    "佐藤次郎,北海道札幌市,011-123-4567\n"
)
GOODS = "商品,価格,備考\nりんご,100,おいしいです\nみかん,200,とても甘いです\nバナナ,150,フィリピン産\n"


@pytest.mark.parametrize("text", [JAPANESE, GOODS, JAPANESE.replace("\n", "\r\n")])
def test_shift_jis_of_names_and_of_words(read: Reader, text: str) -> None:
    found = read(text.encode("cp932"))
    assert found.texts() == read(text).texts()
    assert read(text.encode("cp932")).codes() == {"guessed_encoding"}


@pytest.mark.parametrize("content", ["a,b\nKöln,1\n".encode(), "a,b\nKöln,1\n".encode("utf-16"), b"a,b\nKoeln,1\n"])
def test_what_is_known_is_no_guess(read: Reader, content: bytes) -> None:
    assert "guessed_encoding" not in read(content).codes()


def test_too_few_words_to_tell(read: Reader) -> None:
    found = read("a;b\ncafé;1\n".encode("cp1252"))
    assert found.texts() == [("café", "1")]
    assert found.reading.encoding is not None
    assert "commonest" in found.reading.encoding.reason
    assert found.codes() == {"guessed_encoding"}


def test_a_wrong_byte_after_a_megabyte(read: Reader) -> None:
    rows = [f"{number},plain text of some length" for number in range(40_000)]
    rows[39_000] = "39000,Köln"
    found = read(("id,note\n" + "\n".join(rows)).encode("latin-1"))
    assert found.reading.rows == 40_000
    assert found.texts()[39_000] == ("39000", "Köln")


def test_mixed_encodings_are_counted(read: Reader) -> None:
    rows = [f"{number};Zürich".encode("cp1252" if number % 10 == 0 else "utf-8") for number in range(1, 31)]
    found = read(b"n;city\n" + b"\n".join(rows) + b"\n")
    assert {city for _, city in found.texts()} == {"Zürich"}
    assert [note.count for note in found.reading.notes if note.code == "mixed_encodings"] == [3]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("chunk", [8 << 20, 64])
def test_mixed_encodings_line_by_line(read: Reader, line_end: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "CHUNK", chunk)
    rows = ["Jörg;1", "Zoë;2", "Ægir;3", "Łódź;4", "plain;5"] * 20
    lines = [row.encode("latin-1" if row[0] == "Æ" else "utf-8") for row in ["name;n", *rows]]
    found = read(line_end.encode().join(lines))
    assert found.texts() == [tuple(row.split(";")) for row in rows]
    assert [note.count for note in found.reading.notes if note.code == "mixed_encodings"] == [20]


def test_one_line_in_another_encoding_is_told_in_the_singular(read: Reader) -> None:
    rows = [f"{number};Zürich".encode("cp1252" if number == 9 else "utf-8") for number in range(1, 31)]
    messages = [note.message for note in read(b"n;city\n" + b"\n".join(rows) + b"\n").reading.notes]
    assert messages == ["1 line is not UTF-8, as the others are; read as Windows-1252."]


def test_asking_for_an_encoding(read: Reader) -> None:
    found = read("ключ;цена\nхлеб;5\n".encode("koi8-r"), encoding="koi8-r")
    assert found.texts() == [("хлеб", "5")]
    assert found.reading.encoding is not None
    assert found.reading.encoding.asked


@pytest.mark.parametrize("asked", ["klingon", "rot13", "unicode_escape"])
def test_no_such_encoding(read: Reader, asked: str) -> None:
    with pytest.raises(UnreadableEncoding, match=asked):
        read("a,b\n1,2\n", encoding=asked)


def test_asking_for_one_that_it_is_not(read: Reader) -> None:
    with pytest.raises(UnreadableEncoding, match="not utf-8"):
        read("a;b\nKöln;1\n".encode("latin-1"), encoding="utf-8")


@pytest.mark.parametrize("line_end", [b"\r", b" "], ids=["old Macintosh line ends", "one endless line"])
def test_a_letter_far_before_the_first_line_end(read: Reader, line_end: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encodings, "CHUNK", 1_000)
    found = read(b"a,b\r" + b"caf\xe9,2" + line_end + (b"1,2" + line_end) * 2_000)
    assert any("café" in (cell or "") for row in found.texts() for cell in row)
