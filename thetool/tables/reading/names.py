"""Names of columns: each has one, no two the same."""

from __future__ import annotations

from collections.abc import Sequence

from thetool.tables.reading.report import ReadingNote

ROW = "_row"
_MOST_CHARACTERS = 300


def named(originals: Sequence[str | None]) -> tuple[list[str], list[ReadingNote]]:
    """Usable names for what the file calls its columns, and what was changed.

    Blanks around, line ends within and control characters are no part of a name. `*` and `^…$`, which Polars would take
    for patterns, get parentheses. A column without a name is `column_3` (the third); the
    second of the same name is `name_2`, and so is a column that is called as ours, `_row`.
    """
    names: list[str] = []
    taken = {ROW}
    numbers: dict[str, int] = {}  # the last that each name got: thousands of one name take no longer than others
    unnamed, repeated, patterns = [], [], []
    wanted = [_clean(original or "") for original in originals]
    everything = set(wanted)
    for number, name in enumerate(wanted, 1):
        if not name:
            unnamed.append(number)
        others = everything if name in taken or not name else set()
        chosen = _free(name or f"column_{number}", taken, others, numbers)
        if name and chosen != name:
            repeated.append(f"{name} → {chosen}")
        elif name and name != (originals[number - 1] or "").strip() and name.startswith("("):
            patterns.append(f"{name[1:-1]} → {name}")
        names.append(chosen)
        taken.add(chosen)
    return names, _notes(unnamed, repeated + patterns)


def _clean(original: str) -> str:
    name = " ".join("".join(one for one in original if one.isprintable() or one.isspace()).split())[:_MOST_CHARACTERS]
    return f"({name})" if name == "*" or (name.startswith("^") and name.endswith("$")) else name


def _free(name: str, taken: set[str], others: set[str], numbers: dict[str, int]) -> str:
    if name not in taken and name not in others:
        return name
    number = numbers.get(name, 1) + 1
    while f"{name}_{number}" in taken or f"{name}_{number}" in others:
        number += 1
    numbers[name] = number
    return f"{name}_{number}"


def _notes(unnamed: list[int], repeated: list[str]) -> list[ReadingNote]:
    notes = []
    if unnamed:
        which = _some([str(number) for number in unnamed])
        told = f"{_columns(len(unnamed))} had no name and got one by position: {which}."
        notes.append(ReadingNote(code="unnamed_columns", message=told, count=len(unnamed)))
    if repeated:
        told = (
            f"{_columns(len(repeated))} had a name that cannot stand, or was taken, and got another: {_some(repeated)}."
        )
        notes.append(ReadingNote(code="renamed_columns", message=told, count=len(repeated)))
    return notes


def _columns(count: int) -> str:
    return "One column" if count == 1 else f"{count} columns"


def _some(things: list[str]) -> str:
    return ", ".join(things[:10]) + (", …" if len(things) > 10 else "")
