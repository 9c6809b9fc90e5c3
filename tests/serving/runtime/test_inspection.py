"""What is found out about a model by running it on made-up rows."""

from __future__ import annotations

import numpy as np

from tests.serving import graphs
from tests.serving.graphs import FLOAT, INT64, data, node
from thetool.serving.runtime.inspection import inspect


def test_rows_of_integers_that_depend_on_one_another_never_share_a_run() -> None:
    centred = data(
        [
            node("Cast", ["x"], ["f"], to=FLOAT),
            node("ReduceMean", ["f"], ["m"], keepdims=1),
            node("Sub", ["f", "m"], ["y"]),
        ],
        [("x", INT64, ["n"])],
        [("y", FLOAT, ["n"])],
    )
    assert not inspect(centred, run_bytes=2**28).row_by_row
    two_kinds = data(
        [node("Gather", ["k", "x"], ["y"])], [("x", INT64, ["n"])], [("y", FLOAT, ["n"])], {"k": np.float32([1, 2])}
    )
    assert inspect(two_kinds, run_bytes=2**28).row_by_row
    assert inspect(graphs.identity(graphs.STRING), run_bytes=2**28).row_by_row
