"""The embedded server as it starts, is shared and stops: real servers."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tests.database.conftest import script
from tests.database.serving import START_AND_STAY, ask, kill, pid_of
from thetool.config import Settings
from thetool.database import cluster
from thetool.database.embedded import EmbeddedServer, available, connections_needed


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
