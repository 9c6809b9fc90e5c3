"""Values of a JSON text of any length, one after the other: never more of it in memory than the longest."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from thetool.tables.reading.problems import DamagedTable, TableTooLarge
from thetool.tables.reading.report import ReadingNote

_CHUNK = 1 << 20
_MOST_KEYS = 1_000  # of repeated ones, that are counted each
_MOST_BLANK_LINES = 10_000_000
_blank = re.compile(r"[ \t\n\r]*")


class Literal(str):
    """A number (or NaN), as it is written."""

    __slots__ = ()


def text_of(value: Any) -> str | None:
    """A value as text: a string as it is, a number as it is written, what is nested as JSON."""
    if value is None:
        return None
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return str(value)
    return _json(value)


def _json(value: Any) -> str:
    if isinstance(value, Literal):
        return value
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{_json(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class JsonStream:
    """A JSON text, read from its beginning to its end."""

    def __init__(self, file: io.TextIOBase, most_characters: int) -> None:
        self._file = file
        self._most = most_characters
        self._text = ""
        self._at = 0
        self._before = 0  # characters that were let go
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=Literal, parse_int=Literal, parse_constant=Literal
        )
        self._repeated: list[str] = []  # keys within the value that is being read
        self._all_repeated: Counter[str] = Counter()
        self.notes: list[ReadingNote] = []

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """An object, of whose repeated keys the last has its way, as everywhere; that there are some is noted."""
        found = dict(pairs)
        if len(found) < len(pairs):
            self._repeated += [key for key, times in Counter(key for key, _ in pairs).items() if times > 1]
        return found

    def repeated_note(self) -> list[ReadingNote]:
        """That keys come more than once in an object."""
        if not self._all_repeated:
            return []
        count = sum(self._all_repeated.values())
        keys = ", ".join(repr(key)[:100] for key in list(self._all_repeated)[:10])
        told = f"Keys that come more than once in an object: {keys} ({count:,} times). Of each the last value was read."
        return [ReadingNote(code="repeated_json_keys", message=told, count=count)]

    def _note_repeated(self) -> None:
        for key in self._repeated:
            if key in self._all_repeated or len(self._all_repeated) < _MOST_KEYS:
                self._all_repeated[key] += 1
        self._repeated.clear()

    def lines(self) -> Iterator[Any]:
        """The value of each line that is not blank."""
        blank = 0
        for number, line in enumerate(self._bounded_lines(), 1):
            if not line.strip():
                blank += 1
                if blank > _MOST_BLANK_LINES:
                    raise TableTooLarge(f"More than {_MOST_BLANK_LINES:,} of its lines are blank: it is no table.")
            else:
                try:
                    value = self._decoder.decode(line)
                except ValueError as error:
                    raise DamagedTable(f"Line {number:,} is not JSON: {error}.") from error
                except RecursionError as error:
                    raise DamagedTable(f"Line {number:,} is nested too deeply.") from error
                self._note_repeated()
                yield value

    def _bounded_lines(self) -> Iterator[str]:
        while line := self._file.readline(self._most + 1):
            if len(line) > self._most:
                raise TableTooLarge(
                    f"A line is longer than {self._most:,} characters, the most that a record may have."
                )
            yield line

    def elements(self) -> Iterator[Any]:
        """The records of a document: the elements of its list, or of the first list of objects in it."""
        start = self._peek()
        if start == "[":
            yield from self._list()
        elif start == "{":
            yield from self._document()
        else:
            yield self._value()
        if self._peek():
            raise self._wrong("there is more after the end")

    def _list(self) -> Iterator[Any]:
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            yield self._value()
            if self._next_or_end("]"):
                return

    def _document(self) -> Iterator[Any]:
        """A list of objects under a key; else columns, when all values are lists of one length; else one record."""
        self._expect("{")
        others: dict[str, Any] = {}
        found: str | None = None
        ended = self._peek() == "}"
        self._at += ended
        while not ended:
            key = self._value()
            if type(key) is not str:
                raise self._wrong("a key is no text")
            self._expect(":")
            if key in others or key == found:
                self._repeated.append(key)
                self._note_repeated()
            if found is None and self._peek() == "[" and self._peek_second() in "{[":
                found = key
                yield from self._list()
            else:
                others[key] = self._value()
            ended = self._next_or_end("}")
        if found is not None:
            left = f" Left out beside it: {', '.join(others)[:300]}." if others else ""
            self.notes.append(
                ReadingNote(code="records_within", message=f"The rows are the list {found!r} of the document.{left}")
            )
        elif columns := _columns(others):
            yield from columns
        elif others:
            self.notes.append(ReadingNote(code="one_record", message="The document is one record: a table of one row."))
            yield others

    def _next_or_end(self, end: str) -> bool:
        """Whether the list or object ends; else a comma was read."""
        found = self._peek()
        if found not in (",", end) or not found:
            raise self._wrong(f"',' or {end!r} is missing")
        self._at += 1
        return found == end

    def _expect(self, character: str) -> None:
        if self._peek() != character:
            raise self._wrong(f"{character!r} is missing")
        self._at += 1

    def _peek(self) -> str:
        """The next character that is not blank; empty at the end."""
        while True:
            self._at = _blank.match(self._text, self._at).end()  # type: ignore[union-attr]
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _peek_second(self) -> str:
        """The character after the next; something else where nothing is."""
        while True:
            at = _blank.match(self._text, self._at + 1).end()  # type: ignore[union-attr]
            if at < len(self._text):
                return self._text[at]
            if not self._more():
                return " "

    def _value(self) -> Any:
        """The value that begins here. When it goes beyond what was read, twice as much is."""
        if not self._peek():
            raise self._wrong("it ends too early")
        want = _CHUNK
        while True:
            self._repeated.clear()
            try:
                value, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise self._wrong("it is nested too deeply") from error
            except ValueError as error:
                if not self._more(want):
                    raise self._wrong(str(error).split(":")[0]) from error
            else:
                # a number at the end of what was read may go on
                if end < len(self._text) or not self._more(want):
                    self._check(end - self._at)
                    self._at = end
                    self._note_repeated()
                    return value
            want *= 2
            self._check(len(self._text) - self._at - _CHUNK)

    def _check(self, characters: int) -> None:
        if characters > self._most:
            told = f"A value has more than {self._most:,} characters, the most that a record may have."
            raise TableTooLarge(told)

    def _more(self, characters: int = _CHUNK) -> bool:
        """Read on; let go of what was used."""
        chunk = self._file.read(characters)
        self._before += self._at
        self._text = self._text[self._at :] + chunk
        self._at = 0
        return bool(chunk)

    def _wrong(self, why: str) -> DamagedTable:
        return DamagedTable(f"It is not JSON at character {self._before + self._at:,}: {why}.")


def _columns(document: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Rows of `{"a": [1, 2], "b": [3, 4]}` and of `{"a": {"0": 1}, "b": {"0": 3}}`."""
    values = list(document.values())
    if values and all(isinstance(value, list) for value in values) and len(set(map(len, values))) == 1:
        return [dict(zip(document, row, strict=True)) for row in zip(*values, strict=True)]
    if len(values) > 1 and all(isinstance(value, dict) and value.keys() == values[0].keys() for value in values):
        return [{key: column[at] for key, column in document.items()} for at in values[0]]
    return None
