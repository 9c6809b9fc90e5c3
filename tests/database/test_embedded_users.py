"""Whose server it is: the user that it runs as, what he is given, and who hears a Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.database.conftest import REPOSITORY, script
from tests.database.serving import START, pid_of
from thetool.database.binaries import EmbeddedPostgresError, server_identity
from thetool.database.embedded import EmbeddedServer

SITE_PACKAGES = str(Path(psutil.__file__).parents[1])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def test_ctrl_c_reaches_the_starter_alone(used_home: Path) -> None:
    body = """
        import sys, time, pathlib
        from thetool.database.embedded import EmbeddedServer
        server = EmbeddedServer(pathlib.Path(sys.argv[1]))
        server.start(20)
        try:
            print("started", flush=True)
            time.sleep(600)
        except KeyboardInterrupt:
            time.sleep(0.5)
            print(server.is_running(), server.stop())
    """
    starter = script(body, used_home, start_new_session=True)
    starter.stdout.readline()
    os.killpg(starter.pid, signal.SIGINT)
    out, error = starter.communicate(timeout=60)
    assert out.split() == ["True", "True"], error


def test_the_server_is_given_no_secrets_and_no_mode_is_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MASTER_API_KEY", "secret-of-the-caller")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    folders = [closed, *closed.parents]
    modes = [folder.stat().st_mode for folder in folders]
    server = EmbeddedServer(closed / "home")
    server.start(20)
    environment = Path(f"/proc/{pid_of(server)}/environ").read_bytes()
    assert b"secret-of-the-caller" not in environment
    assert b"PATH=" in environment
    assert [folder.stat().st_mode for folder in folders] == modes
    assert (closed / "home/postgres/data").stat().st_mode & 0o777 == 0o700
    assert server.stop()


@needs_root
def test_root_hands_the_server_to_another_user(server: EmbeddedServer) -> None:
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    assert postmaster.uids().effective != 0
    assert server.cluster.data.stat().st_uid == postmaster.uids().effective


@needs_root
def test_a_normal_user_runs_it_as_himself() -> None:
    nobody = pwd.getpwnam("nobody")
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    python = python_for(identity)
    body = START + "    print(server.cluster.postmaster().uids().effective, server.stop(), server.is_running())"
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        starter = script(body, Path(folder) / "home", python=python, env={"PYTHONPATH": SITE_PACKAGES}, **identity)
        out, error = starter.communicate(timeout=60)
    assert out.split()[1:] == [str(nobody.pw_uid), "True", "False"], error


def python_for(identity: dict[str, Any]) -> str:
    """A Python that the user can run: ours may be below a closed /root, the system's is for all."""
    for python in (sys.executable, "/usr/bin/python3"):
        with contextlib.suppress(OSError):
            command = [python, "-c", "import psutil, psycopg2"]
            if subprocess.run(command, env={"PYTHONPATH": SITE_PACKAGES}, cwd=REPOSITORY, **identity).returncode == 0:
                return python
    pytest.skip("'nobody' can run no Python that has our packages")


@needs_root
def test_data_of_another_user_is_refused_with_a_reason(used_home: Path) -> None:
    owner = (used_home / "postgres/data").stat()
    assert owner.st_uid != 0
    code = os.fork()
    if code == 0:
        os.setuid(65533)
        try:
            server_identity(owner)
        except EmbeddedPostgresError as error:
            os._exit(0 if "belongs to another user" in str(error) else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(code, 0)[1]) == 0
