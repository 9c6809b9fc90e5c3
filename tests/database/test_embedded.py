"""The embedded server under all that can happen to it: real servers, real kills."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

import thetool.database.embedded
from tests.database.conftest import REPOSITORY, script
from thetool.config import Settings
from thetool.database import cluster
from thetool.database.binaries import EmbeddedPostgresError, server_identity
from thetool.database.embedded import EmbeddedServer, available, connections_needed

SITE_PACKAGES = str(Path(psutil.__file__).parents[1])
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
START = """
    import sys, time, pathlib
    from thetool.database.embedded import EmbeddedServer
    server = EmbeddedServer(pathlib.Path(sys.argv[1]))
    server.start(20)
    print(server.cluster.postmaster().pid, flush=True)
"""
START_AND_STAY = START + "    time.sleep(600)\n"


def ask(server: EmbeddedServer, statement: str) -> Any:
    with contextlib.closing(psycopg2.connect(server.dsn)) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0] if cursor.description else None


def pid_of(server: EmbeddedServer) -> int:
    postmaster = server.cluster.postmaster()
    assert postmaster is not None
    return postmaster.pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def server(used_home: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(used_home)
    server.start(20)
    yield server
    server.stop()


@pytest.fixture
def server_with_a_row(server: EmbeddedServer) -> EmbeddedServer:
    ask(server, "create table kept (value text)")
    ask(server, "insert into kept values ('a row')")
    return server


def test_a_first_start_makes_a_database_with_the_rules_of_unicode(home: Path) -> None:
    server = EmbeddedServer(home)
    assert not server.is_running()
    assert server.start(23) == server.dsn
    assert server.is_running()
    assert ask(server, "select lower('É')") == "é"
    assert ask(server, "select upper('straße' || 'é') ~ 'É'")
    assert ask(server, "show max_connections") == "23"
    assert ask(server, "show fsync") == "on"
    assert ask(server, "show listen_addresses") == ""
    assert ask(server, "show server_encoding") == "UTF8"
    assert server.stop()
    assert not server.is_running()


def test_the_last_user_stops_it(server: EmbeddedServer, used_home: Path) -> None:
    second = EmbeddedServer(used_home)
    pid = pid_of(server)
    second.start(20)
    assert pid_of(second) == pid
    assert not server.stop()
    assert second.is_running()
    assert second.stop()
    assert not second.is_running()


def test_a_server_that_ends_before_it_is_told_to_is_no_error(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["sleep", "60"]) as ended:
        seen = [psutil.Process(ended.pid)]
        ended.kill()
    monkeypatch.setattr(cluster.Cluster, "postmaster", lambda self: seen.pop() if seen else None)
    cluster.Cluster(home).shut_down()
    assert not seen


def test_stopping_what_does_not_run_is_no_error(home: Path, used_home: Path) -> None:
    assert EmbeddedServer(used_home).stop()
    assert not EmbeddedServer(home / "nowhere").stop()


def test_a_forked_child_stops_nothing(server: EmbeddedServer) -> None:
    child = os.fork()
    if child == 0:
        os._exit(7 if server.stop() else 3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert server.is_running()
    assert server.stop()


def test_a_killed_server_is_started_again_with_all_rows(server_with_a_row: EmbeddedServer) -> None:
    server = server_with_a_row
    kill(pid_of(server))
    server.start(20)
    assert ask(server, "select value from kept") == "a row"


def test_the_server_outlives_a_killed_starter_and_the_next_user_stops_it(used_home: Path) -> None:
    starter = script(START_AND_STAY, used_home)
    pid = int(starter.stdout.readline())
    starter.kill()
    starter.wait()
    server = EmbeddedServer(used_home)
    server.start(20)
    assert pid_of(server) == pid
    assert server.stop()


def test_eight_first_starts_at_once_are_one_server(home: Path) -> None:
    starters = [script(START_AND_STAY, home) for _ in range(8)]
    try:
        pids = {int(starter.stdout.readline()) for starter in starters}
    finally:
        for starter in starters:
            starter.kill()
            starter.communicate()
    assert len(pids) == 1


def test_starts_and_stops_at_once_end_with_none(used_home: Path) -> None:
    def use(_: int) -> None:
        server = EmbeddedServer(used_home)
        server.start(20)
        assert ask(server, "select 1") == 1
        server.stop()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(use, range(18)))
    assert not EmbeddedServer(used_home).is_running()


@pytest.mark.parametrize("seconds", [0.25, 0.4, 0.6, 0.8])
def test_a_start_killed_while_it_makes_the_database_harms_no_other(home: Path, seconds: float) -> None:
    starter = script(START, home)
    time.sleep(seconds)
    starter.kill()
    starter.communicate()
    server = EmbeddedServer(home)
    server.start(20)
    assert ask(server, "select 1") == 1
    assert server.stop()
    assert [path.name for path in (home / "postgres").glob("initdb-*")] == []


def damage(server: EmbeddedServer, pid: int) -> None:
    """Leave what a crash leaves, with the number of a process that is there but is no server."""
    kill(pid_of(server))
    while server.cluster.postmaster() is not None:
        time.sleep(0.01)
    data = server.cluster.data
    for name, length in (("postmaster.pid", 8), (".s.PGSQL.5432.lock", 5)):
        lines = (data / "postmaster.pid").read_text().splitlines()[:length]
        (data / name).write_text("\n".join([str(pid), *lines[1:]]) + "\n")


def test_a_pid_file_that_names_another_program_fools_nobody(server_with_a_row: EmbeddedServer) -> None:
    other = subprocess.Popen(["sleep", "600"])
    try:
        damage(server_with_a_row, other.pid)
        assert server_with_a_row.cluster.postmaster() is None
        server_with_a_row.start(20)
        assert ask(server_with_a_row, "select value from kept") == "a row"
        server_with_a_row.stop()
        assert other.poll() is None, "it was no server, and it was stopped"
    finally:
        other.kill()
        other.wait()


def test_a_pid_file_that_names_a_zombie_fools_nobody(server_with_a_row: EmbeddedServer) -> None:
    zombie = subprocess.Popen(["true"])
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)
    damage(server_with_a_row, zombie.pid)
    server_with_a_row.start(20)
    assert ask(server_with_a_row, "select value from kept") == "a row"
    zombie.wait()


def test_a_home_of_a_long_path_gets_a_short_socket(home: Path) -> None:
    deep = home / ("a folder with a long name " * 4) / "ü"
    server = EmbeddedServer(deep)
    server.start(20)
    short = server.cluster.socket_folder
    assert not short.is_relative_to(home)
    assert ask(server, "select 1") == 1
    kill(pid_of(server))
    EmbeddedServer(deep).start(20)
    assert server.cluster.socket_folder == short
    assert server.stop()
    assert not short.exists()


def test_a_leftover_with_room_for_fewer_is_started_anew(used_home: Path) -> None:
    starter = script(START_AND_STAY, used_home)
    starter.stdout.readline()
    starter.kill()
    starter.wait()
    server = EmbeddedServer(used_home)
    server.start(31)
    assert ask(server, "show max_connections") == "31"
    EmbeddedServer(used_home).start(44)
    assert ask(server, "show max_connections") == "31", "a server in use is left alone"
    server.stop()


def test_data_of_another_major_version_is_refused_and_kept(used_home: Path) -> None:
    version = used_home / "postgres/data/PG_VERSION"
    version.write_text("12\n")
    with pytest.raises(EmbeddedPostgresError, match=r"made by Postgres 12.*Dump it"):
        EmbeddedServer(used_home).start(20)
    assert version.read_text() == "12\n"


def test_a_server_that_cannot_start_says_why(used_home: Path) -> None:
    (used_home / "postgres/data/postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match="no_such_setting"):
        EmbeddedServer(used_home).start(20)


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedPostgresError, match="THETOOL_HOME"):
        EmbeddedServer(tmp_path / "file").start(20)


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", tmp_path], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("a small disk needs root, who may mount one")
    try:
        with pytest.raises(EmbeddedPostgresError, match="the disk of .* is full"):
            EmbeddedServer(tmp_path / "home").start(20)
        assert list((tmp_path / "home/postgres").glob("initdb-*")) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_frozen_server_is_named_and_thawed_again_goes_on(
    server_with_a_row: EmbeddedServer, used_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thetool.database.embedded, "START_SECONDS", 0.2)
    monkeypatch.setattr(cluster, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(cluster, "GENTLE_STOP_SECONDS", 0.2)
    monkeypatch.setattr(cluster, "QUICK_STOP_SECONDS", 0.2)
    pid = pid_of(server_with_a_row)
    os.kill(pid, signal.SIGSTOP)
    with pytest.raises(EmbeddedPostgresError, match="does not answer"):
        EmbeddedServer(used_home).start(20)
    with pytest.raises(EmbeddedPostgresError, match=f"kill -9 {pid}"):
        server_with_a_row.stop()
    os.kill(pid, signal.SIGCONT)
    monkeypatch.undo()
    server_with_a_row.start(20)
    assert ask(server_with_a_row, "select value from kept") == "a row"


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


def test_available_starts_and_stops_the_embedded_server_alone(used_home: Path) -> None:
    settings = Settings(THETOOL_HOME=used_home)
    server = EmbeddedServer(used_home)
    with available(settings):
        assert ask(server, "show max_connections") == str(connections_needed(settings))
        with available(settings):
            pass
        assert server.is_running()
    assert not server.is_running()
    with available(Settings(THETOOL_HOME=used_home, DATABASE_URL="postgresql://elsewhere/")):
        assert not server.is_running()
