"""The embedded server after kills, with damaged files, frozen, without room: real servers, real kills."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

import thetool.database.embedded
from tests.database.conftest import script
from tests.database.serving import START, START_AND_STAY, ask, kill, pid_of
from thetool.database import cluster
from thetool.database.binaries import EmbeddedPostgresError
from thetool.database.embedded import EmbeddedServer


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


@pytest.mark.parametrize(
    "seconds", [pytest.param(0.25, marks=pytest.mark.slow), 0.4, pytest.param(0.6, marks=pytest.mark.slow), 0.8]
)
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
