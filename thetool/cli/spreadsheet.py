"""A CSV file that grows row by row: what is in it is on the disk, whatever happens next."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from thetool.cli.problems import CommandFailed

FIRST_COLUMNS = ("input", "status", "problem")


class Spreadsheet:
    """Rows in the CSV file at `path`.

    The first row decides the columns. A later one that has more of them makes the file be written anew beside itself,
    with all its rows, and put in its place; so the file is whole at every moment.
    """

    def __init__(self, path: Path, *, replace: bool) -> None:
        """Make the file, empty.

        Raises:
            CommandFailed: it is there already and `replace` is not set, or cannot be written.
        """
        self._path = path.resolve()
        self._columns: list[str] = list(FIRST_COLUMNS)
        try:
            self._file = self._path.open("w" if replace else "x", encoding="utf-8", newline="")
        except FileExistsError as error:
            raise CommandFailed(f"{path} is there already. To write over it: --force") from error
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written: {error.strerror}") from error
        self._empty = True

    def __enter__(self) -> Spreadsheet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, row: Mapping[str, Any]) -> None:
        """Write a row, and have it on the disk."""
        new = [column for column in row if column not in self._columns]
        if new or self._empty:
            self._columns += new
            self._write_anew()
        _writer(self._file, self._columns).writerow(row)
        self._file.flush()

    def _write_anew(self) -> None:
        """The rows so far under the columns of now."""
        with self._path.open(encoding="utf-8", newline="") as before:
            rows = list(csv.DictReader(before))
        beside = self._path.with_name(f".{self._path.name}.part")
        with beside.open("w", encoding="utf-8", newline="") as file:
            writer = _writer(file, self._columns)
            writer.writeheader()
            writer.writerows(rows)
        shutil.copymode(self._path, beside)
        os.replace(beside, self._path)
        self._file.close()
        self._file = self._path.open("a", encoding="utf-8", newline="")
        self._empty = False


def _writer(file: IO[str], columns: Sequence[str]) -> csv.DictWriter[str]:
    return csv.DictWriter(file, columns)
