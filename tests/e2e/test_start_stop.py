"""Starting and stopping: what the master brings up around its workers, and that nothing of it is left behind."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from tests.e2e.conftest import MakeService
from tests.e2e.service import Service, until

START_COMMANDS = {
    "gunicorn": ("-m", "gunicorn", "wsgi:app"),
    "wsgi.py": ("wsgi.py",),
    "thetool serve": ("-m", "thetool.cli", "serve"),
}


def is_clean(service: Service) -> bool:
    """Whether nothing of the service is left, and nothing went wrong."""
    left = service.processes()
    assert not left, left
    assert "Traceback" not in service.log(), service.log()
    return not (service.home / "server.json").exists()


@pytest.mark.parametrize("command", START_COMMANDS.values(), ids=START_COMMANDS)
def test_ctrl_c_stops_everything_also_after_a_reload(make_service: MakeService, command: tuple[str, ...]) -> None:
    service = make_service(embedded=True, WEB_CONCURRENCY=1).launch_and_wait(*command)
    assert "Gunicorn starting with 1 workers" in service.log()
    assert json.loads((service.home / "server.json").read_text()) == {
        "url": f"http://127.0.0.1:{service.port}",
        "pid": service.process.pid,
    }
    postgres = service.postgres()
    service.reload()
    assert service.postgres() == postgres, "the reload restarted Postgres"
    assert service.get("/api/v1/jobs")[0] == 200

    service.interrupt()
    assert service.wait() == 0
    assert is_clean(service)


def test_ctrl_c_while_it_starts(make_service: MakeService) -> None:
    service = make_service(embedded=True)
    service.launch()
    until(lambda: "Listening at" in service.log(), "the port is bound")
    service.interrupt()
    assert service.wait() == 0, service.log()
    assert is_clean(service)


def test_without_a_key_one_is_made_printed_and_kept(make_service: MakeService, tmp_path: Path) -> None:
    service = make_service(WEB_CONCURRENCY=1, MASTER_API_KEY="")
    service.folder = tmp_path  # `thetool serve` needs no checkout around it
    for _ in range(2):
        service.launch_and_wait("-m", "thetool.cli", "serve")
        service.send(signal.SIGTERM)
        assert service.wait() == 0
    key = (service.home / "master.key").read_text().strip()
    assert service.log().count(f"API key: {key}") == 2
    assert service.log().count("API key: ") == 2


def test_taken_port_is_one_clear_line_and_leaves_no_postgres(make_service: MakeService) -> None:
    service = make_service(embedded=True)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", service.port))
        taken.listen()
        service.launch()
        assert service.wait() == 1
    assert f"TheTool cannot start. Port {service.port} of 127.0.0.1 is taken" in service.log()
    assert not (service.home / "postgres").exists()
    assert is_clean(service)


@pytest.mark.parametrize("command", START_COMMANDS.values(), ids=START_COMMANDS)
def test_wrong_setting_is_one_line_that_names_it(make_service: MakeService, command: tuple[str, ...]) -> None:
    service = make_service(MAX_REQUESTS="many")
    service.launch(*command)
    assert service.wait() != 0
    assert len(service.log().splitlines()) == 1
    assert "MAX_REQUESTS" in service.log()
    assert is_clean(service)


def test_home_that_cannot_be_made_is_one_line(make_service: MakeService) -> None:
    service = make_service(embedded=True)
    service.home.write_text("a file, not a folder")
    service.launch()
    assert service.wait() == 1
    assert service.log().splitlines()[-1].startswith("TheTool cannot start.")
    assert is_clean(service)


@pytest.mark.parametrize("url", ["missing schema", "postgresql://nobody@127.0.0.1:1/none"])
def test_database_that_is_not_ready_is_said_and_does_not_stop_the_start(
    make_service: MakeService, empty_database: str, url: str
) -> None:
    expected = "python db_migrations.py" if url == "missing schema" else "The database cannot be reached"
    service = make_service(WEB_CONCURRENCY=1, DATABASE_URL=empty_database if url == "missing schema" else url)
    service.start()
    assert expected in service.log()


def test_usr2_is_refused_and_says_why(service: Service) -> None:
    before = service.worker_pids()
    service.send(signal.SIGUSR2)
    until(lambda: "USR2 is refused" in service.log(), "the refusal is logged")
    assert service.worker_pids() == before
    assert service.is_up()


def test_reload_with_a_wrong_setting_keeps_the_old_ones(service: Service) -> None:
    before = service.worker_pids()

    service.settings_file.write_text("THREADS=few\n")
    service.send(signal.SIGHUP)
    until(lambda: "Not reloaded, the old settings stay: THREADS" in service.log(), "the refusal is logged")
    assert service.worker_pids() == before

    service.settings_file.write_text("THREADS=20\n")
    assert not service.reload() & before


def test_more_and_fewer_workers(service: Service) -> None:
    before = service.worker_pids()
    service.send(signal.SIGTTIN)
    until(lambda: service.worker_pids() > before, "one worker more")
    service.send(signal.SIGTTOU)
    until(lambda: len(service.worker_pids()) == len(before), "one worker fewer")
    assert service.is_up()


def test_two_services_on_one_home_share_postgres_and_the_last_stops_it(make_service: MakeService) -> None:
    first = make_service(embedded=True, WEB_CONCURRENCY=1).start()
    second = make_service(embedded=True, WEB_CONCURRENCY=1, THETOOL_HOME=first.home).start()
    postgres = first.postgres()

    first.send(signal.SIGTERM)
    assert first.wait() == 0
    assert first.postgres() == postgres
    assert second.get("/api/v1/jobs")[0] == 200
    assert json.loads((first.home / "server.json").read_text())["pid"] == second.process.pid

    postgres.kill()
    until(lambda: first.postgres() not in (None, postgres), "Postgres that died is started again")
    until(lambda: second.get("/api/v1/jobs")[0] == 200, "the service finds it")

    second.send(signal.SIGTERM)
    assert second.wait() == 0
    assert not first.processes()
