"""The first lines of docs/models.md, as they stand there: a file, a prediction, versions and aliases."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.e2e.service import KEY, Service

PAGE = (Path(__file__).parents[3] / "docs/models.md").read_text()


def test_the_how_to_works_word_for_word(service: Service, tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(import numpy\n.*?)```", PAGE, re.DOTALL)
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    first, command, _, aliases, history, batch, batch_command = blocks
    address = f"http://127.0.0.1:{service.port}"
    environment = {
        **os.environ,
        "KEY": KEY,
        "ADDRESS": address,
        "THETOOL_API_KEY": KEY,
        "THETOOL_URL": address,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }

    def run(block: str) -> str:
        done = subprocess.run(
            ["bash", "-euc", block.replace("curl ", "curl -fsS ")],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return done.stdout

    assert '"predictions":[[0.997' in run(first)
    assert "iris@production is 1.0.0 now." in run(command)
    assert re.findall(r'"version":"([^"]*)"', run(aliases)) == ["1.1.0", "1.0.0"]
    assert "No predictions." in run(history)
    assert (tmp_path / "iris.csv").read_text().count(",iris,1.") == 3
    done = json.loads(run(batch))
    with service.connection() as connection:
        connection.request("GET", done["download_url"])
        written = connection.getresponse().read().decode()
    assert written in PAGE
    assert (done["rows"], done["failed_rows"]) == (2, 1)
    assert "flowers.parquet: 2 rows, 1 failed." in run(batch_command)
