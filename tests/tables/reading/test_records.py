"""JSON in its several shapes."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.tables.reading.conftest import Reader
from thetool.tables.reading import json_stream, records
from thetool.tables.reading.limits import Limits
from thetool.tables.reading.problems import DamagedTable, EmptyTable, TableTooLarge
from thetool.tables.reading.table import read_table


def test_values_are_kept_as_they_are_written(read: Reader) -> None:
    found = read('[{"a": 1.10, "b": "007", "c": true, "d": {"x": [1.0, null, "ä"]}}, {"a": 2e3, "e": ""}]')
    assert found.texts() == [
        ("1.10", "007", "true", '{"x":[1.0,null,"ä"]}', None),
        ("2e3", None, None, None, ""),
    ]
    assert found.values("a") == [1.1, 2000.0]
    assert found.values("b") == ["007", None]
    assert "nested_values" in found.codes()


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]',
        '{"a": 1, "b": "x"}\n\n{"a": 2, "b": "y"}\n',
        '{"a": [1, 2], "b": ["x", "y"]}',
        '{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}',
        '{"count": 2, "rows": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}], "next": null}',
        '{"rows": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}',
    ],
)
def test_shapes(read: Reader, content: str) -> None:
    found = read(content)
    assert [column.name for column in found.reading.columns] == ["a", "b"]
    assert found.texts() == [("1", "x"), ("2", "y")]
    assert read(content.encode("utf-16")).texts() == found.texts()


def test_what_stands_beside_the_records_is_told(read: Reader) -> None:
    found = read('{"count": 2, "rows": [{"a": 1}], "next": null}')
    assert "count, next" in next(note.message for note in found.reading.notes if note.code == "records_within")


def test_lists_values_and_one_record(read: Reader) -> None:
    assert read('[[1, "x"], [2]]').texts() == [("1", "x"), ("2", None)]
    assert read("[1, 2.5, null]").texts() == [("1",), ("2.5",), (None,)]
    assert read('{"a": 1, "b": {"c": 2}}').texts() == [("1", '{"c":2}')]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[{"a": 1}, {"a": ', "character"),
        ('[{"a": 1} {"a": 2}]', "missing"),
        ('[{"a": 1}] x', "after the end"),
        ('{"a": 1}\n{"a": \n', "Line 2"),
        ("[" * 200_000, "deep"),
        ('[{"a": 1}, {a: 2}]', "character"),
    ],
)
def test_damaged(read: Reader, content: str, told: str) -> None:
    with pytest.raises(DamagedTable, match=told):
        read(content, format="json" if content.startswith("[") else "jsonl")


@pytest.mark.parametrize("content", ["[]", "{}", '{"rows": []}'])
def test_without_records(read: Reader, content: str) -> None:
    if content == '{"rows": []}':
        assert read(content, format="json").reading.rows == 1
        return
    with pytest.raises(EmptyTable):
        read(content, format="json")


def test_bit_by_bit(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with small pieces and small batches, where keys come later."""
    drawn = random.Random(7)
    made = [{f"k{drawn.randrange(6)}": drawn.choice([1.5, "ä,\\", None, True, [1, {"x": 2}]])} for _ in range(300)]
    content = json.dumps({"first": [1], "rows": made}, ensure_ascii=False)
    whole = read(content)
    monkeypatch.setattr(json_stream, "_CHUNK", 3)
    monkeypatch.setattr(records, "ROW_GROUP", 17)
    parts = read(content)
    assert parts.texts() == whole.texts()
    assert parts.reading.rows == len(made)
    assert parts.text.equals(whole.text)


def test_characters_that_are_none(read: Reader) -> None:
    found = read('[{"a": "\\ud800x", "b\\u0000": "\\u0000"}, {"a": "ä"}]')
    assert found.values("a") == ["\ufffdx", "ä"]
    assert [column.name for column in found.reading.columns] == ["a", "b"]
    assert "\0" not in found.reading.model_dump_json()


@pytest.mark.parametrize(
    "content",
    [
        '[{"a": 1, "b": 2, "a": 3}, {"a": 4, "b": {"x": 1, "x": 2}}]',
        '{"a": 1, "b": 2, "a": 3}\n{"a": 4, "b": {"x": 1, "x": 2}}\n',
        '{"rows": [{"a": 1, "b": 2, "a": 3}, {"a": 4, "b": {"x": 1, "x": 2}}]}',
    ],
)
def test_repeated_keys_are_told(read: Reader, content: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "_CHUNK", 5)  # a value that is begun several times is counted once
    found = read(content)
    assert found.texts() == [("3", "2"), ("4", '{"x":2}')]
    note = next(note for note in found.reading.notes if note.code == "repeated_json_keys")
    assert (note.count, "'a', 'x'" in note.message) == (2, True)
    assert "repeated_json_keys" in read('{"a": 1, "a": 2}').codes()
    assert "repeated_json_keys" in read('{"a": [{"x": 1}], "a": [{"x": 2}]}').codes()


def test_records_without_keys(read: Reader) -> None:
    with pytest.raises(EmptyTable):
        read("[{}, {}]")


def test_limits(tmp_path: Path) -> None:
    limits = Limits(record_characters=100, columns=3)
    for content, told in [
        ('[{"a": "' + "x" * 200 + '"}]', "record"),
        ('{"a": "' + "x" * 200 + '"}\n{}\n', "record"),
        ('[{"a": 1, "b": 1, "c": 1, "d": 1}]', "keys"),
    ]:
        (tmp_path / "source").write_text(content)
        with pytest.raises(TableTooLarge, match=told):
            read_table(tmp_path / "source", tmp_path, limits=limits)


def test_many_keys_of_which_each_record_has_few(read: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """The empty cells are bounded, too."""
    monkeypatch.setattr(records, "_BATCH_CELLS", 100)
    heights = []
    written = records._Batches.finish
    monkeypatch.setattr(
        records._Batches,
        "finish",
        lambda batches: (heights.append(batches._height * len(batches._columns)), written(batches))[1],
    )
    found = read(json.dumps([{f"k{number}": number} for number in range(50)]))
    assert max(heights) < 130
    assert [row[place] for place, row in enumerate(found.texts())] == [str(number) for number in range(50)]
