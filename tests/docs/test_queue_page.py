"""The page about the queue shows a program; it is run as it stands there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/queue.md").read_text()
MUST_NOT_LOAD = ("flask", "gunicorn", "apiflask", "werkzeug.serving")


def program() -> str:
    return blocks()[0]


def blocks() -> list[str]:
    return [str(code) for code in re.findall(r"```python\n(.+?)```", PAGE, re.DOTALL)]


def run(code: str, folder: Path, **environment: str) -> str:
    file = folder / "jobs_demo.py"
    file.write_text(code)
    done = subprocess.run(
        [sys.executable, file],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "ENV_FILE": os.devnull, **environment},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_the_program_on_a_postgres_that_is_there(database: str, tmp_path: Path) -> None:
    code = program() + f"import sys\nassert not set({MUST_NOT_LOAD}) & set(sys.modules)\n"
    assert run(code, tmp_path, DATABASE_URL=database, THETOOL_HOME=str(tmp_path / "home")) == "{'total': 42.0}"


def test_the_program_on_a_postgres_of_its_own(tmp_path: Path) -> None:
    assert run(program(), tmp_path, THETOOL_HOME=str(tmp_path / "home")) == "{'total': 42.0}"


def test_the_parent_on_the_page_adds_up_what_its_children_gave(database: str, tmp_path: Path) -> None:
    first, parent = blocks()
    code = first.replace("with available", f"{parent}\nwith available").replace(
        'submit("demo.add", Numbers(values=[1, 2, 39])', 'submit("demo.add_all", Lists(lists=[[1, 2], [39], []])'
    )
    assert run(code, tmp_path, DATABASE_URL=database, THETOOL_HOME=str(tmp_path / "home")) == "{'total': 42.0}"


def test_it_is_as_short_as_the_page_says() -> None:
    """Thirty lines, those that are blank or import apart."""
    lines = [line for line in program().splitlines() if line.strip() and not line.startswith(("from ", "import "))]
    assert len(lines) <= 30
