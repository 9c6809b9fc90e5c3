"""Word pieces and sentence vectors, with the real model."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thetool.config import Settings
from thetool.text import embeddings
from thetool.text.embeddings import MAX_TOKENS, SentenceEncoder, load_encoder
from thetool.text.wordpiece import WordPiece, words
from thetool.weights.folder import locate
from thetool.weights.problems import WeightsMissing


@pytest.fixture(scope="session")
def tokenizer(embeddings_settings: Settings) -> WordPiece:
    return WordPiece(locate(embeddings_settings, "embeddings")["tokenizer.json"])


def test_encodes_as_the_original_tokenizer_does(tokenizer: WordPiece) -> None:
    # Made with the `tokenizers` package: Tokenizer.from_file(...).encode(text, add_special_tokens=False).ids
    assert tokenizer.encode("Hello, World!") == [7592, 1010, 2088, 999]
    assert tokenizer.encode("unaffable") == [14477, 20961, 3468]
    assert tokenizer.encode("Café 中文") == [7668, 1746, 1861]
    assert (tokenizer.start, tokenizer.end) == (101, 102)
    assert tokenizer.encode("x" * 101) == [100]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't STOP", ["don", "'", "t", "stop"]),
        ("Café\u200b au lait", ["cafe", "au", "lait"]),
        ("a\x00b\x0bc\td", ["abc", "d"]),
        ("天气x", ["天", "气", "x"]),
        ("“Ja”—nein", ["“", "ja", "”", "—", "nein"]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@given(st.text(alphabet=st.characters(max_codepoint=127)))
def test_the_short_cut_for_ascii_gives_the_same(text: str) -> None:
    assert words(text) == words(text + " é")[:-1]


def test_another_kind_of_tokenizer_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "tokenizer.json"
    file.write_text(json.dumps({"model": {"type": "BPE", "vocab": {}}}))
    with pytest.raises(ValueError, match="not a WordPiece"):
        WordPiece(file)


def test_close_in_meaning_is_close_in_vectors(encoder: SentenceEncoder) -> None:
    cat, kitten, tax = encoder.encode(["A cat sleeps.", "The kitten is asleep.", "He paid his taxes."])
    assert cat @ kitten > 0.5 > 0.3 > cat @ tax
    assert np.linalg.norm([cat, kitten, tax], axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


def test_a_batch_gives_what_single_calls_give_in_order(encoder: SentenceEncoder) -> None:
    sentences = [f"Sentence {number} " + "and more " * (number * 7 % 40) for number in range(40)]
    together = encoder.encode(sentences)
    alone = np.concatenate([encoder.encode([sentence]) for sentence in sentences])
    assert np.abs(together - alone).max() < 1e-4


def test_the_end_of_a_long_sentence_counts(encoder: SentenceEncoder) -> None:
    beginning = "the cat sleeps on the sofa " * 50
    assert len(beginning.split()) > MAX_TOKENS
    one, other = encoder.encode([beginning + "tax " * 300, beginning + "rain " * 300])
    assert one @ other < 0.99


def test_nothing_gives_zeros(encoder: SentenceEncoder) -> None:
    assert encoder.encode([]).shape == (0, encoder.size)
    assert not encoder.encode(["", "\u200b"]).any()


def test_batches_hold_every_piece_and_a_bounded_number_of_tokens() -> None:
    pieces = sorted(((number, [0] * (number % 250 + 3)) for number in range(400)), key=lambda piece: len(piece[1]))
    batches = list(embeddings._batches(pieces))
    assert [piece for batch in batches for piece in batch] == pieces
    assert all(len(batch) * len(batch[-1][1]) <= embeddings.BATCH_TOKENS for batch in batches)
    assert list(embeddings._batches([])) == []


def test_the_watch_hears_of_each_batch(encoder: SentenceEncoder) -> None:
    heard: list[float] = []
    encoder.encode(["some words " * 20] * 60, heard.append)
    assert len(heard) > 2
    assert heard[-1] == 1


def test_is_loaded_once_however_many_ask(embeddings_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "_loaded", {})
    found: list[SentenceEncoder] = []
    threads = [threading.Thread(target=lambda: found.append(load_encoder(embeddings_settings))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(one) for one in found}) == 1
    assert len(found) == 4


def test_missing_weights_say_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="thetool weights pull embeddings"):
        load_encoder(Settings(WEIGHTS_DIR=tmp_path))
