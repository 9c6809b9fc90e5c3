"""Language: right answers, and doubt where there is reason for it; with both detectors."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.text import language as module
from thetool.text.language import NoDetector, detector, detector_model, language
from thetool.text.language_names import NAMES

EXAMPLES = {
    "en": "The delivery was late and the table wobbles, but the staff were friendly.",
    "de": "Die Lieferung kam zu spät und der Tisch wackelt, aber das Personal war freundlich.",
    "fr": "La livraison était en retard et la table est bancale, mais le personnel était aimable.",
    "es": "La entrega llegó tarde y la mesa se tambalea, pero el personal fue amable.",
    "zh": "送货迟到了，桌子也不稳，但是工作人员很友好。",
    "ja": "配達が遅れて、テーブルがぐらつきますが、スタッフは親切でした。",
    "ar": "وصل التسليم متأخرا والطاولة تهتز لكن الموظفين كانوا ودودين.",
    "ru": "Доставка опоздала, и стол шатается, но персонал был дружелюбным.",
    "ko": "배송이 늦었고 테이블이 흔들리지만 직원들은 친절했습니다.",
}


@pytest.fixture(scope="module")
def detectors() -> dict[str, Any]:
    """Both detectors, loaded: the second is what there is where the first has no wheel."""
    assert find_spec("py3langid"), "requirements-dev.txt brings it"
    detector.cache_clear()
    loaded = {"eldc": detector()}
    detector.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "eldc", None)
        loaded["py3langid"] = detector()
    detector.cache_clear()
    return loaded


@pytest.fixture(params=["eldc", "py3langid"])
def each_detector(request: pytest.FixtureRequest, detectors: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The two detectors in turn."""
    monkeypatch.setattr(module, "detector", lambda: detectors[request.param])


@pytest.mark.usefixtures("each_detector")
def test_finds_languages() -> None:
    for code, text in EXAMPLES.items():
        found = language(text)
        assert (found.code, found.name, found.unsure) == (code, NAMES[code], False), text
        assert found.surely(code)
        assert found.reason is None


@pytest.mark.usefixtures("each_detector")
@pytest.mark.parametrize("text", ["ok", "bad", "1234 5678", "", " ", "!!!", "😀😀", "\0\0", "\ud800"])
def test_is_unsure_of_what_is_too_short(text: str) -> None:
    found = language(text)
    assert found.unsure
    assert found.reason
    assert not found.surely("en")


def test_a_text_in_two_languages_is_unsure_and_says_so() -> None:
    found = language(EXAMPLES["en"] * 14 + EXAMPLES["ru"] * 14)
    assert found.unsure
    assert found.reason == "it is in several languages"
    assert set(found.shares) == {"en", "ru"}


EN = (
    "The delivery was late and the table wobbles, but the staff were friendly. We called the shop twice last week. "
    "Nobody picked up the phone, so we wrote a letter."
)
DE = (
    "Die Lieferung kam zu spät und der Tisch wackelt, aber das Personal war freundlich. Wir haben letzte Woche zweimal "
    "im Laden angerufen. Niemand ging ans Telefon, deshalb schrieben wir einen Brief."
)
FR = (
    "La livraison était en retard et la table est bancale, mais le personnel était aimable. Nous avons appelé le "
    "magasin deux fois. Personne n'a répondu, alors nous avons écrit une lettre."
)


@pytest.mark.usefixtures("each_detector")
@pytest.mark.parametrize(
    "parts",
    [
        [("en", EXAMPLES["en"]), ("de", EXAMPLES["de"])],
        [("fr", EXAMPLES["fr"]), ("en", EXAMPLES["en"])],
        [("en", EN + "\n\n"), ("fr", FR)],
        [("de", f"{DE} {DE}\n\n"), ("en", EXAMPLES["en"])],
        [("en", EN + "\n"), ("de", DE + "\n"), ("fr", FR)],
        [("en", f"{EN} {EN} {EN}\n\n"), ("fr", f"{FR} {FR}\n\n"), ("en", EN + "\n")],
        [("en", "He looked at me and said: "), ("de", "„Es ist vorbei, und niemand kann es ändern.“ "), ("en", EN)],
        [("en", EN + "\n\n") for _ in range(20)] + [("fr", FR + "\n\n") for _ in range(10)],
    ],
    ids=["two", "two more", "paragraphs", "most German", "three", "and back", "quotation", "long"],
)
def test_shares_are_those_of_the_letters(parts: list[tuple[str, str]]) -> None:
    text = " ".join(part for _, part in parts)
    letters = sum(map(str.isalpha, text))
    wanted = {code: 0.0 for code, _ in parts}
    for code, part in parts:
        wanted[code] += sum(map(str.isalpha, part)) / letters
    shares = language(text).shares
    assert shares == pytest.approx(wanted, abs=0.12), "a piece may take in a few words of the next"


@pytest.mark.parametrize(
    "text",
    [
        "I met Giovanni Rossi in Milano. Wolfgang Müller came late. Then we drove to Zürich, by train.",
        "I like it. Very nice. Good place. Thanks a lot. It is ok. Not bad. Would buy again. Fast. Clean room.",
        "Shopping list:\n- milk\n- bread\n- butter\n- two apples\n- coffee\n- toilet paper\nPlease bring all of it.",
    ],
    ids=["names", "short sentences", "list"],
)
def test_words_from_elsewhere_make_no_text_mixed(text: str) -> None:
    assert language(text).shares == {"en": 1.0}


def test_all_of_a_long_text_counts_not_only_its_beginning() -> None:
    found = language(EXAMPLES["de"] * 20 + EXAMPLES["en"] * 200)
    assert found.surely("en")
    assert found.shares["en"] > 0.8


def test_the_model_is_named_without_loading_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert detector_model() == detector().model
    assert (detector_model().name, detector_model().licence) == ("eldc", "Apache-2.0")


def test_without_any_detector_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    detector.cache_clear()
    for package in ("eldc", "py3langid", "py3langid.langid"):
        monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(NoDetector, match="pip install eldc"):
        language("Some text")
    assert detector.cache_info().currsize == 0


@given(st.text(max_size=300))
def test_never_crashes(text: str) -> None:
    found = language(text)
    assert (found.code is None) <= found.unsure
    assert 0 <= found.score <= 1


def test_every_language_has_a_name() -> None:
    import eldc

    assert set(eldc.LANGUAGES) <= NAMES.keys()


def test_the_watch_can_stop_it() -> None:
    class StopError(Exception):
        pass

    def watch(fraction: float) -> None:
        if fraction > 0.4:
            raise StopError

    with pytest.raises(StopError):
        module.language(EXAMPLES["en"] * 20_000, watch)


@pytest.mark.parametrize(
    "text",
    [
        "x y z",
        "ok",
        "The delivery was late, and nobody called.",
        "1234",
        "Ich liebe dich. 今天天气很好",
    ],
)
def test_it_is_reliable_or_unsure_and_never_both(text: str) -> None:
    found = language(text)
    assert found.reliable is not found.unsure
    assert (found.reason is None) is found.reliable
