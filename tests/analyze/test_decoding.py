"""Decoding: right for each encoding that real files have, and refused where a guess could be wrong."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.analyze.decoding import UndecodableText, decode
from thetool.web.problems import UnsupportedMediaType

TEXTS = {
    "de": "Die Lieferung kam zu spät, aber die Möbel sind schön und die Größe stimmt. Über den Preis ärgere ich mich.",
    "fr": "La livraison était en retard, mais les meubles sont très beaux. Déçu par le délai, ça ira à l'été.",
    "es": "La entrega llegó tarde, pero el año que viene volveré. ¡Qué señor más amable!",
    "pt": "A entrega atrasou, mas os móveis são lindos e a atenção é ótima.",
    "it": "La consegna è arrivata in ritardo, però la qualità è ottima; perché no?",
    "sv": "Leveransen var försenad men möblerna är så fina. Jättebra!",
    "da": "Leveringen blev forsinket, men møblerne er smukke på stuen. Rødgrød med fløde.",
    "en": "I paid £40 for this – it was awful.",
    "pl": "Dostawa była spóźniona, ale obsługa była miła. Stół się chwieje, ąęśćż.",
    "cs": "Dodávka přišla pozdě, ale nábytek je krásný. Příště zase.",
    "hu": "A szállítás késett, de a bútor gyönyörű és jó minőségű.",
    "tr": "Teslimat gecikti ama mobilyalar çok güzel, şikayetim yok, ığdır.",
    "ru": "Доставка опоздала, и стол шатается, но персонал был дружелюбным.",
    "uk": "Доставка запізнилася, але персонал був дуже привітний, її столи гарні.",
    "el": "Η παράδοση άργησε και το τραπέζι κουνιέται.",
    "he": "המשלוח איחר אבל הצוות היה אדיב מאוד",
    "ar": "وصل التسليم متأخرا لكن الموظفين كانوا ودودين",
    "ja": "配達が遅れて、テーブルがぐらつきますが、スタッフは親切でした。",
    "zh": "送货迟到了，桌子也不稳，但是工作人员很友好。",
    "zh-tw": "送貨遲到了，桌子也不穩，但是工作人員很友好。",
    "ko": "배송이 늦었고 테이블이 흔들리지만 직원들은 친절했습니다.",
}
OLDER = [
    ("de", "latin-1"), ("de", "cp1252"), ("fr", "cp1252"), ("es", "cp1252"), ("pt", "latin-1"), ("it", "latin-1"),
    ("sv", "latin-1"), ("da", "cp1252"), ("en", "cp1252"), ("pl", "cp1250"), ("pl", "iso8859-2"), ("cs", "cp1250"),
    ("hu", "cp1250"), ("tr", "cp1254"), ("ru", "cp1251"), ("ru", "koi8-r"), ("uk", "cp1251"), ("el", "iso8859-7"),
    ("he", "cp1255"), ("ar", "cp1256"), ("ja", "shift_jis"), ("ja", "euc_jp"), ("zh", "gb18030"), ("zh-tw", "big5"),
    ("ko", "euc_kr"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "encoding"), OLDER)
@pytest.mark.parametrize("times", [1, 50])
def test_older_encodings(language: str, encoding: str, times: int) -> None:
    text = f"{TEXTS[language]}\n" * times
    assert decode(text.encode(encoding)) == text


def test_an_older_encoding_is_found_far_into_a_long_text() -> None:
    text = "Plain text, for a long while.\n" * 100_000 + TEXTS["de"]
    assert decode(text.encode("cp1252")) == text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("language", TEXTS)
def test_unicode(language: str, encoding: str) -> None:
    text = f"In English: {TEXTS[language]} And more in plain letters, as most files have them."
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize("charset", ["latin-1", "ISO-8859-1", "cp437", "utf-16-le", "Shift_JIS", "koi8-r"])
def test_the_declared_character_set_is_believed(charset: str) -> None:
    text = "plain ASCII that any of them holds"
    assert decode(text.encode(charset), charset) == text


@pytest.mark.parametrize(
    "charset", ["zip", "hex", "base64", "rot13", "idna", "punycode", "unicode_escape", "utf-7", "x", "\0"]
)
def test_what_is_no_character_set_is_refused(charset: str) -> None:
    with pytest.raises(UndecodableText):
        decode(b"abc", charset)


NOT_CERTAIN = {
    "a word": "café".encode("latin-1"),
    "short": "Zürich".encode("cp1252"),
    "one bad byte": b"This is a normal English text with one \xff bad byte in it.",
    "UTF-8 cut off": ("Größe und Länge sind schön " * 30).encode() + b"\xc3",
    "Chinese cut off": TEXTS["zh"].encode()[:-1],
    "Japanese cut off": (TEXTS["ja"] * 3).encode()[:-1],
    "two encodings": TEXTS["de"].encode() + TEXTS["de"].encode("latin-1"),
    "half a surrogate pair": "abc".encode("utf-16") + b"\x00\xd8",
    "an odd byte": "abc".encode("utf-16") + b"a",
}


@pytest.mark.parametrize("name", NOT_CERTAIN)
def test_what_is_not_certain_is_refused(name: str) -> None:
    with pytest.raises(UndecodableText) as caught:
        decode(NOT_CERTAIN[name])
    assert (caught.value.status, caught.value.code) == (422, "undecodable_text")


def test_noise_is_hardly_ever_taken_for_a_text() -> None:
    chance = random.Random(7)  # noqa: S311
    taken = 0
    for _ in range(500):
        noise = bytes(chance.randrange(chance.choice((1, 128, 160)), 256) for _ in range(chance.choice((10, 40, 200))))
        try:
            decode(noise)
        except (UndecodableText, UnsupportedMediaType):
            continue
        taken += 1
    assert taken <= 3


@pytest.mark.parametrize("content", [b"a\0b", bytes(range(256)), b"\0" * 100, b"text\0" * 50])
def test_what_has_nuls_and_is_no_utf_16_is_no_text(content: bytes) -> None:
    with pytest.raises(UnsupportedMediaType):
        decode(content)


@given(st.binary(max_size=300), st.sampled_from([None, "utf-8", "latin-1", "utf-16", "cp1252", "nonsense"]))
def test_any_bytes_give_a_text_or_a_problem(content: bytes, charset: str | None) -> None:
    try:
        text = decode(content, charset)
    except (UndecodableText, UnsupportedMediaType):
        return
    assert "\0" not in text
    text.encode()


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\ufeff"), max_size=200))
def test_utf_8_is_never_read_otherwise(text: str) -> None:
    assert decode(text.encode()) == text


@pytest.mark.parametrize("content", [b"a" * 5_000_000 + b"\xff", b"\xff" * 5_000_000, b"a \xe9" * 1_500_000])
@pytest.mark.timeout(60)  # each takes well under a second; quadratic time would be minutes
def test_long_hostile_content_ends(content: bytes) -> None:
    with pytest.raises(UndecodableText):
        decode(content)
