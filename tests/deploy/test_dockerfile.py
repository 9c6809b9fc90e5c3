"""No Docker engine builds the image here, so its steps are run by hand, in a fresh virtual environment and folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import time
import tomllib
import urllib.error
import urllib.request
import venv
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
KEY = "image-master-key-0123456789abcdef01234567"


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile as (instruction, arguments), continuation lines joined, comments dropped."""
    text = re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1].strip()) for line in lines if line.strip()]


def arguments_of(instruction: str) -> list[str]:
    return [arguments for name, arguments in instructions() if name == instruction]


def test_each_copied_source_is_there_and_reaches_the_build() -> None:
    ignored = (ROOT / ".dockerignore").read_text().split()
    for arguments in arguments_of("COPY"):
        for source in shlex.split(arguments)[:-1]:
            assert (ROOT / source).exists(), source
            assert source.rstrip("/") not in ignored


def test_runs_as_a_normal_user_in_production_without_torch() -> None:
    assert arguments_of("USER")[-1] != "root"
    assert any("ENVIRONMENT=production" in arguments for arguments in arguments_of("ENV"))
    assert "torch" not in (ROOT / "requirements-prod.txt").read_text().replace("without torch", "")


def test_railway_drains_longer_than_the_worker_and_asks_a_real_route() -> None:
    from thetool.config import Settings

    deploy = tomllib.loads((ROOT / "railway.toml").read_text())["deploy"]
    assert deploy["drainingSeconds"] > Settings.model_fields["graceful_timeout"].default + 10
    assert deploy["healthcheckPath"] == "/health/ready"
    assert deploy["preDeployCommand"] == ["python db_migrations.py"]


def copy_into(image: Path) -> None:
    for arguments in arguments_of("COPY"):
        *sources, target = shlex.split(arguments)
        for source in sources:
            destination = image / target
            if (ROOT / source).is_dir():
                shutil.copytree(
                    ROOT / source, destination, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True
                )
            else:
                shutil.copy(ROOT / source, destination / source)


def run_the_steps(image: Path, data: Path) -> dict[str, str]:
    """Do what ENV and RUN say, in their order; gives the environment of the command."""
    environment = outside_environment() | {"PATH": f"{image / '.venv/bin'}:/usr/bin:/bin", "HOME": str(data)}
    for instruction, arguments in instructions():
        if instruction == "ENV":
            for name, value in (pair.split("=", 1) for pair in shlex.split(arguments)):
                environment[name] = re.sub(r"^/data\b", str(data), re.sub(r"^/app\b", str(image), value))
            environment.pop("PIP_NO_CACHE_DIR", None)  # the packages need not be fetched anew for each test run
        elif instruction == "RUN" and not arguments.startswith("useradd"):  # nobody is added to this machine's users
            subprocess.run(["sh", "-ec", arguments], cwd=image, env=environment, check=True)
    return environment


def outside_environment() -> dict[str, str]:
    passed_on = ("PIP_INDEX_URL", "PIP_CONFIG_FILE", "SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")
    return {name: os.environ[name] for name in passed_on if name in os.environ}


def borrow_packages(environment: Path) -> None:
    """Give a virtual environment those of the tests' packages that production names or needs, and no other."""
    (site_packages,) = environment.glob("lib/python*/site-packages")
    for name in {"pip"} | needed_by((ROOT / "requirements-prod.txt").read_text().splitlines()):
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}:
            if not (site_packages / top).is_symlink():
                (site_packages / top).symlink_to(package.locate_file(top))
    for program in ("pip", "gunicorn"):
        script = environment / "bin" / program
        script.write_text(f'#!/bin/sh\nexec python -m {program} "$@"\n')
        script.chmod(0o755)


def needed_by(requirements: list[str]) -> set[str]:
    """The names of the packages of a requirements file, and of all that they need."""
    lines = (line.partition("#")[0].strip() for line in requirements)
    found: set[tuple[str, ...]] = set()
    left = [each for line in lines if line and applies(each := Requirement(line), {""})]
    while left:
        wanted = left.pop()
        if (key := (wanted.name, *sorted(wanted.extras))) not in found:
            found.add(key)
            needed = (Requirement(line) for line in distribution(wanted.name).requires or [])
            left += [each for each in needed if applies(each, {"", *wanted.extras})]
    return {name for name, *_ in found}


def applies(requirement: Requirement, extras: set[str]) -> bool:
    return requirement.marker is None or any(requirement.marker.evaluate({"extra": extra}) for extra in extras)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("packages", ["borrowed", pytest.param("installed", marks=pytest.mark.slow)])
def test_the_steps_and_the_command_give_a_service_that_answers(
    tmp_path: Path, empty_database: str, weights_dir: Path, packages: str
) -> None:
    image, data = tmp_path / "app", tmp_path / "data"
    image.mkdir()
    data.mkdir()
    copy_into(image)
    shutil.copytree(weights_dir, image / "weights")  # pulling them anew takes minutes: tests/weights/test_registries.py
    venv.create(image / ".venv", with_pip=packages == "installed", symlinks=True)
    if packages == "borrowed":
        borrow_packages(image / ".venv")
    environment = run_the_steps(image, data)

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment |= {"DATABASE_URL": empty_database, "MASTER_API_KEY": KEY, "PORT": str(port), "HOST": "127.0.0.1"}
    migrations = subprocess.run(
        ["python", "db_migrations.py"], cwd=image, env=environment, check=True, capture_output=True, text=True
    )
    assert "[OK] Database migrations completed" in migrations.stdout

    log = (tmp_path / "log").open("w")
    command = json.loads(arguments_of("CMD")[0])
    process = subprocess.Popen(command, cwd=image, env=environment, stdout=log, stderr=log)
    try:
        assert analysis_from(port, process) == "positive", (tmp_path / "log").read_text()
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


def analysis_from(port: int, process: subprocess.Popen[str]) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/analyze",
        data=json.dumps({"text": "What a lovely, comfortable chair. I am very happy with it."}).encode(),
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return str(json.load(answer)["result"]["sentiment"]["label"])
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return "no answer"
