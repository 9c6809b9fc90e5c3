"""Starting and stopping: what the master brings up around its workers, and that nothing of it is left behind."""

from __future__ import annotations

import json
import signal
import socket

import pytest

from tests.e2e.conftest import MakeService
from tests.e2e.service import KEY, Service, until

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
    service = make_service(embedded=True).launch_and_wait(*command)
    assert "Gunicorn starting with 2 workers" in service.log()
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
    assert service.wait() == 0
    assert is_clean(service)


def test_without_a_key_one_is_made_printed_and_kept(make_service: MakeService) -> None:
    service = make_service(embedded=True, MASTER_API_KEY="")
    service.start()
    key = (service.home / "master.key").read_text().strip()
    assert f"API key: {key}" in service.log()
    service.send(signal.SIGTERM)
    assert service.wait() == 0
    service.start()
    assert service.log().count(f"API key: {key}") == 2


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


def test_missing_schema_is_said_in_the_log(make_service: MakeService, empty_database: str) -> None:
    service = make_service(DATABASE_URL=empty_database)
    service.start()
    assert "python db_migrations.py" in service.log()


def test_database_away_does_not_stop_the_start(make_service: MakeService) -> None:
    service = make_service(DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    service.start()
    assert "The database cannot be reached" in service.log()


def test_usr2_is_refused_and_says_why(service: Service) -> None:
    before = service.worker_pids()
    service.send(signal.SIGUSR2)
    until(lambda: "USR2 is refused" in service.log(), "the refusal is logged")
    assert service.worker_pids() == before
    assert service.is_up()


def test_reload_with_a_wrong_setting_keeps_the_old_ones(make_service: MakeService) -> None:
    service = make_service()
    service.start()
    before = service.worker_pids()
    settings = service.home.parent / "settings.env"

    settings.write_text("THREADS=few\n")
    service.send(signal.SIGHUP)
    until(lambda: "Not reloaded, the old settings stay: THREADS" in service.log(), "the refusal is logged")
    assert service.worker_pids() == before

    settings.write_text("ANALYZE_WAIT_SECONDS=3\n")
    assert not service.reload() & before
    assert service.is_up()


def test_two_services_on_one_home_share_postgres_and_the_last_stops_it(make_service: MakeService) -> None:
    first = make_service(embedded=True).start()
    second = make_service(embedded=True, THETOOL_HOME=first.home).start()
    postgres = first.postgres()

    first.send(signal.SIGTERM)
    assert first.wait() == 0
    assert first.postgres() == postgres
    assert second.get("/api/v1/jobs")[0] == 200
    assert json.loads((first.home / "server.json").read_text())["pid"] == second.process.pid

    second.send(signal.SIGTERM)
    assert second.wait() == 0
    assert is_clean(first)


def test_postgres_that_died_is_started_again(make_service: MakeService) -> None:
    service = make_service(embedded=True).start()
    job = service.submit("polite", 0)
    killed = service.postgres()
    killed.kill()
    until(lambda: service.postgres() not in (None, killed), "Postgres is back")
    until(lambda: service.get(f"/api/v1/jobs/{job}")[0] == 200, "the service finds it")


def test_serves_when_started_from_another_folder(make_service: MakeService, tmp_path) -> None:
    service = make_service()
    service.folder = tmp_path
    service.launch_and_wait("-m", "thetool.cli", "serve", "--port", str(service.port), "--workers", "1")
    assert service.get("/api/v1/jobs")[0] == 200
    assert KEY not in service.log()
