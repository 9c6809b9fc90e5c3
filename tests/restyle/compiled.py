"""Paint with compiled networks in a process of its own, and say what was compiled and what was found compiled.

python -m tests.restyle.compiled FOLDER_WITH_TINY_MODELS THETOOL_HOME
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from tests.restyle.test_levers import loaded, painted
from tests.restyle.tiny_models import named


def main(models: Path, home: Path) -> None:
    """Print how far the picture is off the one of networks that are not compiled, and the counts of graphs."""
    from torch._dynamo.utils import counters

    plain, _ = painted(loaded(named(models)))
    compiled, _ = painted(loaded(named(models), RESTYLE_COMPILE=True, THETOOL_HOME=home))
    graphs = counters["aot_autograd"]
    told = {
        "off": float(np.abs(plain - compiled).mean()),
        "compiled": graphs["autograd_cache_miss"],
        "found": graphs["autograd_cache_hit"],
        "breaks": len(counters["graph_break"]),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
