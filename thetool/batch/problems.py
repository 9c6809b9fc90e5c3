"""Why a file is not predicted: each problem says what to do next."""

from __future__ import annotations

from thetool.web.problems import Problem


class UnfitColumns(Problem):
    """The file lacks columns that the model takes, or has others; the message names both."""

    status = 422
    code = "unfit_columns"
    title = "The file's columns do not fit the model"


class NoRowFits(Problem):
    """No row at the beginning of the file could be predicted: the first reasons are told."""

    status = 422
    code = "no_row_fits"
    title = "None of the rows can be predicted"


class UnfitModel(Problem):
    """The model takes or gives something that has no rows, or what it gives cannot be written in this format."""

    status = 422
    code = "unfit_model"
    title = "The model cannot be asked row by row"
