"""Texts in the encodings from before Unicode, where nothing says which it is.

Every encoding that fits the bytes is tried; the one is taken whose reading makes the words with letters beyond ASCII
reliably a language that is written in it, and none when several do, or there are too few such words to tell.
(charset-normalizer, which asks about frequencies of characters, took German in Latin-1 for HP Roman-8, French for
Turkish, and UTF-8 with its end cut off for Korean.)
"""

from __future__ import annotations

import codecs
import re

from thetool.text.language import detector

_WESTERN = frozenset(("en", "de", "fr", "es", "it", "pt", "nl", "da", "no", "sv", "fi", "is", "ca", "eu"))
_CENTRAL = frozenset(("pl", "cs", "sk", "hu", "ro", "hr", "sl", "sq"))
_OLDER = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "iso8859-2": _CENTRAL,
    "cp1251": frozenset(("ru", "uk", "bg", "be", "sr")),
    "koi8-r": frozenset(("ru",)),
    "koi8-u": frozenset(("uk",)),
    "cp1253": frozenset(("el",)),
    "cp1254": frozenset(("tr",)),
    "cp1255": frozenset(("he",)),
    "cp1256": frozenset(("ar", "fa", "ur")),
    "cp1257": frozenset(("lt", "lv", "et")),
    "cp932": frozenset(("ja", "zh")),  # names and addresses are mostly kanji, which pass for Chinese
    "euc_jp": frozenset(("ja",)),
    "gb18030": frozenset(("zh",)),
    "big5": frozenset(("zh",)),
    "cp949": frozenset(("ko",)),
}
# First bytes of the commoner half of these sets' characters: a language model takes any character for Chinese, but
# real texts hold few of the rare ones, and noise as many as there are.
_COMMON = {"gb18030": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "cp949": (0xB0, 0xC8)}
_MIN_COMMON = 0.9
_MIN_LETTERS = 0.75
_MIN_KANA = 0.2
_KANJI = (0x88, 0x97)  # first bytes of the commoner kanji in Shift-JIS; no other set has its common characters there
_MULTIBYTE = frozenset((*_COMMON, "cp932", "euc_jp"))
_SAMPLE_BYTES = 65_536
_SAMPLE_CHARACTERS = 1_000
_MIN_CHARACTERS = 20  # of words with letters beyond ASCII; with fewer, noise passes for a language too often
_MIN_IDEOGRAPHS = 10
_LEAD = 0.01  # between the scores of the best and the next reading; right ones lead by .012 and more
_MOST_STRAYS = 0.08

_beyond_ascii = re.compile(r"[^\x00-\x7f]+")
_byte_beyond_ascii = re.compile(rb"[\x80-\xff]")
_control = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9f]")
# Bytes of Windows-1252 that stray into English: quotes, dashes, signs of currency and rights, letters of loan words.
_stray_bytes = re.compile(
    rb"[\x00-\x7f\x80\x85\x91-\x97\x99\xa0\xa3\xa7\xa9\xae\xb0\xb1\xbd\xe0\xe1\xe8-\xeb\xef\xf1\xf6\xfc]*"
)
_two_beyond_ascii = re.compile(rb"[\x80-\xff]{2}")


def decode(content: bytes) -> str | None:
    """The text that bytes which are not UTF-8 hold; None when no encoding fits, or none for certain."""
    encoding = likeliest(content)
    return _english_with_strays(content) if encoding is None else _reading(content, encoding, whole=True)


def likeliest(content: bytes) -> str | None:
    """The encoding (as Python calls it) in which the words make most sense; None when that is not certain."""
    sample = _sample(content)
    readings: dict[str, tuple[float, str]] = {}
    for encoding, languages in _OLDER.items():
        reading = _reading(sample, encoding)
        if reading is not None and reading not in readings:
            readings[reading] = (_score(reading, languages, encoding), encoding)
    best, runner_up = ([*sorted(readings.values(), reverse=True), (0.0, ""), (0.0, "")])[:2]
    return best[1] if best[0] >= runner_up[0] + _LEAD else None


def _sample(content: bytes) -> bytes:
    """A part that begins with the word that holds the first byte beyond ASCII: so it begins with a whole character."""
    found = _byte_beyond_ascii.search(content)
    first = found.start() if found else 0
    start = max(content.rfind(blank, max(0, first - 40), first) for blank in (b" ", b"\n")) + 1 or first
    return content[start : start + _SAMPLE_BYTES]


def _reading(content: bytes, encoding: str, *, whole: bool = False) -> str | None:
    """The text in this encoding; None when it does not fit. A sample (not `whole`) may end within a character."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(content, whole)
    except UnicodeDecodeError:
        return None
    return None if _control.search(text) else text


def _score(text: str, languages: frozenset[str], encoding: str) -> float:
    """How well the words with letters beyond ASCII fit a language; 0 when it is none of `languages`, or doubtful."""
    words = _words_beyond_ascii(text)
    if len(words) < (_MIN_IDEOGRAPHS if encoding in _MULTIBYTE else _MIN_CHARACTERS):
        return 0.0
    if not _is_mostly_letters(words) or (encoding in _MULTIBYTE and not _has_common_characters(words, encoding)):
        return 0.0
    guess = detector().guess(words)
    return guess.score if guess.reliable and guess.code in languages else 0.0


def _is_mostly_letters(words: str) -> bool:
    beyond = [character for character in words if not character.isascii()]
    return sum(map(str.isalpha, beyond)) >= len(beyond) * _MIN_LETTERS


def _has_common_characters(words: str, encoding: str) -> bool:
    letters = [character for character in words if character.isalpha() and not character.isascii()]
    if encoding not in _COMMON and _kana(letters) >= len(letters) * _MIN_KANA:
        return True
    if encoding == "euc_jp":
        return False
    first, last = _COMMON.get(encoding, _KANJI)
    letters = [letter for letter in letters if encoding in _COMMON or not _kana([letter])]
    return sum(first <= letter.encode(encoding)[0] <= last for letter in letters) >= len(letters) * _MIN_COMMON


def _kana(letters: list[str]) -> int:
    return sum("\u3041" <= letter <= "\u30ff" for letter in letters)


def _words_beyond_ascii(text: str) -> str:
    words: list[str] = []
    length = end = 0
    for found in _beyond_ascii.finditer(text):
        if found.start() < end:
            continue  # the same word
        before, after = text[max(0, found.start() - 30) : found.start()], text[found.end() : found.end() + 30]
        head = before[-1:].strip() and before.split()[-1]
        tail = after[:1].strip() and after.split()[0]
        words.append(head + found[0] + tail)
        end = found.end() + len(tail)
        length += len(words[-1]) + 1
        if length > _SAMPLE_CHARACTERS:
            break
    return " ".join(words)[:_SAMPLE_CHARACTERS]


def _english_with_strays(content: bytes) -> str | None:
    """English as Windows wrote it: ASCII, but for a typographic mark or an accent here and there."""
    if not _stray_bytes.fullmatch(content) or _two_beyond_ascii.search(content):
        return None
    text = content.decode("cp1252")
    if sum(map(len, _beyond_ascii.findall(text))) > len(text) * _MOST_STRAYS:
        return None
    guess = detector().guess(text[:_SAMPLE_CHARACTERS])
    return text if guess.reliable and guess.code == "en" else None
