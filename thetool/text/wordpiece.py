"""BERT's uncased WordPiece tokenizer, reading the vocabulary out of a Hugging Face `tokenizer.json`.

Source: Wu et al. 2016 (WordPiece), Devlin et al. 2018 (BERT). One encoder needs no more of the `tokenizers` package,
which brings a dozen others.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

import orjson

_LONGEST_WORD = 100
_CACHED_WORDS = 20_000
_CJK = (
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2CEAF),
    (0x2F800, 0x2FA1F),
)
_IGNORED = frozenset({"Cc", "Cf", "Co", "Cs"})

_ascii_word = re.compile(r"[0-9a-z]+|[!-/:-@\[-`{-~]")
_ascii_controls = dict.fromkeys((*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F))


class WordPiece:
    """Turns text into token ids. Safe to use from several threads.

    Raises:
        ValueError: `tokenizer_json` holds another kind of tokenizer.
    """

    def __init__(self, tokenizer_json: Path) -> None:
        model = orjson.loads(tokenizer_json.read_bytes())["model"]
        if model.get("type") != "WordPiece":
            raise ValueError(f"{tokenizer_json} is not a WordPiece tokenizer")
        self._vocabulary: dict[str, int] = model["vocab"]
        self._longest = max(map(len, self._vocabulary))
        self.start, self.end = self._vocabulary["[CLS]"], self._vocabulary["[SEP]"]
        self._unknown = (self._vocabulary["[UNK]"],)
        self._pieces_of = lru_cache(_CACHED_WORDS)(self._pieces)

    def encode(self, text: str) -> list[int]:
        """The ids of `text`, without the markers around them."""
        return [piece for word in words(text) for piece in self._pieces_of(word)]

    def _pieces(self, word: str) -> tuple[int, ...]:
        """The longest known piece first, then the longest known continuation, and so on."""
        if len(word) > _LONGEST_WORD:
            return self._unknown
        ids: list[int] = []
        start, prefix = 0, ""
        while start < len(word):
            ends = range(min(len(word), start + self._longest), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self._vocabulary), None)
            if end is None:
                return self._unknown
            ids.append(self._vocabulary[prefix + word[start:end]])
            start, prefix = end, "##"
        return tuple(ids)


def words(text: str) -> list[str]:
    """Clean, lower-case, strip accents, and split at blanks, punctuation and CJK characters."""
    if text.isascii():
        return _ascii_word.findall(text.translate(_ascii_controls).lower())
    spaced = "".join(map(_spaced, text))
    plain = "".join(c for c in unicodedata.normalize("NFD", spaced) if unicodedata.category(c) != "Mn")
    return "".join(f" {c} " if _is_punctuation(c) else c for c in plain.lower()).split()


def _spaced(character: str) -> str:
    """A character as it goes on: not at all, as a blank, or with blanks around it."""
    if character in "\t\n\r":
        return " "
    if unicodedata.category(character) in _IGNORED or character == "\ufffd":
        return ""
    if character.isspace():
        return " "
    return f" {character} " if any(low <= ord(character) <= high for low, high in _CJK) else character


def _is_punctuation(character: str) -> bool:
    if character.isascii():
        return character.isprintable() and not character.isalnum() and character != " "
    return unicodedata.category(character)[0] == "P"
