"""Why a file is not read as a table: each problem says what to do next."""

from __future__ import annotations

from thetool.web.problems import Problem, UnsupportedMediaType

TAKEN = "CSV (with any delimiter), JSON records, JSON Lines, Parquet, XLSX and ODS, each also packed with gzip or zip"


class UnsupportedTable(UnsupportedMediaType):
    """The content is no table in a format that is read here."""

    title = "The content is not a table that is read here"


class EmptyTable(Problem):
    """There is nothing in the file, or no row that could be a table."""

    status = 422
    code = "empty_table"
    title = "There is no table in the file"


class DamagedTable(Problem):
    """It begins as a file of its format, but cannot be read to the end: cut off, corrupt, or made to do harm."""

    status = 422
    code = "damaged_table"
    title = "The file is damaged"


class TableTooLarge(Problem):
    """Unpacked, it is larger than a table may be, or has more columns or larger records."""

    status = 422
    code = "table_too_large"
    title = "The table is too large"


class UnreadableEncoding(Problem):
    """The text does not fit the encoding that was asked for, or there is no such encoding."""

    status = 422
    code = "unreadable_encoding"
    title = "The text is not in this encoding"


class UnfitReadOptions(Problem):
    """The options do not fit the file: a sheet, a line or a column that it does not have."""

    status = 422
    code = "unfit_read_options"
    title = "The options do not fit the file"


class AmbiguousArchive(Problem):
    """A zip file holds several files, or none: which one is meant cannot be told."""

    status = 422
    code = "ambiguous_archive"
    title = "The archive does not hold exactly one file"


class NotATable(Problem):
    """It is text, but of another kind: a web page, a program, prose."""

    status = 422
    code = "not_a_table"
    title = "The text is not a table"
