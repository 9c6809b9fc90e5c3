"""The whole life of jobs behind a real PgBouncer in transaction mode: no prepared statements, no LISTEN."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import parse_dsn

from tests.conftest import POSTGRES_FOLDER
from tests.jobs.making import OWNER, make, new_job, rows, until
from tests.jobs.sample_jobs import Params
from thetool.config import Settings
from thetool.jobs.local import local
from thetool.jobs.queue import Queue
from thetool.jobs.runner import Runner
from thetool.jobs.submit import submit
from thetool.jobs.waiting import wait_for

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
pytestmark = pytest.mark.skipif(PGBOUNCER is None, reason="needs Debian's pgbouncer: apt-get install pgbouncer")

# Each transaction gets the server connection that was idle longest: what one statement left is not there for the next.
CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 4
server_round_robin = 1
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.fixture
def pooled(database: str) -> Iterator[str]:
    """Address of that database through a PgBouncer, which runs as the user of the Postgres (never as root)."""
    server = parse_dsn(database)
    place, listen = {"host": server["host"], "port": server.get("port", "5432"), "user": server["user"]}, free_port()
    owner = os.stat(server["host"])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "pgbouncer.ini")
        file.write_text(CONFIGURATION.format(**place, listen=listen))
        if os.geteuid() == 0:
            os.chown(folder, owner.st_uid, owner.st_gid)
            file.chmod(0o644)
            open_the_way(Path(server["host"]))
        who = {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []} if os.geteuid() == 0 else {}
        assert PGBOUNCER
        process = subprocess.Popen([PGBOUNCER, "-q", file], cwd="/", stderr=subprocess.DEVNULL, **who)  # type: ignore[call-overload]
        try:
            url = f"postgresql://{server['user']}@127.0.0.1:{listen}/{server['dbname']}"
            until(lambda: answers(url), "PgBouncer answers")
            open_all_server_connections(url)
            yield url
        finally:
            process.terminate()
            process.wait(10)


def open_the_way(folder: Path) -> None:
    """Let another user pass through the folders of the run's Postgres, to the socket in this one."""
    for parent in folder.parents:
        parent.chmod(parent.stat().st_mode | 0o011)
        if parent.name.startswith(POSTGRES_FOLDER):
            break


def open_all_server_connections(url: str) -> None:
    """It makes as many as there are transactions at a time."""
    clients = [psycopg2.connect(url) for _ in range(4)]
    for client in clients:
        client.cursor().execute("select 1")
    for client in clients:
        client.rollback()
        client.close()


def answers(url: str) -> bool:
    try:
        psycopg2.connect(url).close()
    except psycopg2.OperationalError:
        return False
    return True


@pytest.fixture
def runner(job_settings: Settings, pooled: str) -> Iterator[Runner]:
    """A runner that knows the database by the pooler's address only."""
    settings = job_settings.model_copy(update={"database_url": pooled})
    local.configure(settings)
    runner = Runner(settings)
    runner.start()
    yield runner
    runner.close()
    local.configure(job_settings)


@pytest.fixture
def stranger(pooled: str) -> Iterator[Queue]:
    """Another process, behind the pooler too."""
    stranger = Queue(pooled)
    yield stranger
    stranger.close()


def test_statements_fall_back_to_plain_ones(stranger: Queue) -> None:
    for _ in range(10):
        assert stranger.enqueue(new_job())
    assert not stranger.connection.prepares
    with stranger.connection.transaction():
        assert stranger.enqueue(new_job())
    assert rows(stranger.url, "select count(*) from jobs") == [(11,)]


def test_a_transaction_is_right_at_the_first_try(stranger: Queue) -> None:
    """What a first one prepared is not there for the second, and nothing in it can be tried again."""
    for _ in range(3):
        with stranger.connection.transaction():
            assert stranger.enqueue(new_job())
    assert stranger.connection.prepares
    assert rows(stranger.url, "select count(*) from jobs") == [(3,)]


def test_jobs_run_and_report(runner: Runner) -> None:
    done = [make("sample.noop", text=str(number)) for number in range(30)]
    steps, failed, child = (
        make("sample.steps", seconds=0.1),
        make("sample.fail", text="no"),
        make("sample.child", text="echo"),
    )
    assert [wait_for(job_id, 30).status for job_id in done] == ["completed"] * 30
    assert wait_for(failed, 30).status == "failed"
    assert (wait_for(steps, 30).stage, wait_for(child, 60).status) == ("checking", "completed")
    assert rows(runner.queue.url, "select distinct attempts, lost from jobs") == [(1, 0)]


def test_jobs_are_found_and_waited_for_without_a_notification(runner: Runner, stranger: Queue) -> None:
    jobs = [new_job() for _ in range(60)]
    assert len(stranger.enqueue_many(jobs)) == 60
    assert {wait_for(job.id, 30).status for job in jobs} == {"completed"}


def test_a_running_job_is_cancelled(runner: Runner, stranger: Queue) -> None:
    thread, child = make("sample.sleep", seconds=60), make("sample.child", text="sleep", seconds=60)
    queued = submit("sample.noop", Params(), owner_id=OWNER, concurrency_key="k", priority=-1)
    running = "select count(*) from jobs where status = 'running' and kind in ('sample.sleep', 'sample.child')"
    until(lambda: rows(runner.queue.url, running) == [(2,)], "both run")
    for job_id in (thread, child):
        assert stranger.cancel(job_id) == "running"
    assert {wait_for(job_id, 30).status for job_id in (thread, child)} == {"cancelled"}
    assert wait_for(queued.job_id, 30).status == "completed"


def test_what_belongs_together_is_written_together(runner: Runner, quick_retries: None) -> None:
    hook = submit("sample.child_hook", Params(text="renamed"), owner_id=OWNER)
    again = make("sample.transient", number=2)
    assert (wait_for(hook.job_id, 60).status, wait_for(again, 30).attempts) == ("completed", 2)
    assert rows(runner.queue.url, "select name from owners where id = %s", str(OWNER)) == [("renamed",)]


def test_a_limit_of_jobs_at_a_time_holds(runner: Runner) -> None:
    jobs = [
        submit("sample.sleep", Params(seconds=0.02), owner_id=OWNER, concurrency_key="one at a time").job_id
        for _ in range(5)
    ]
    assert {wait_for(job_id, 30).status for job_id in jobs} == {"completed"}


def test_a_runner_that_leaves_hands_its_jobs_back(runner: Runner) -> None:
    job_id = make("sample.sleep", seconds=60)
    until(lambda: runner.busy() == 1, "it runs")
    runner.close()
    assert rows(runner.queue.url, "select id, status, attempts from jobs") == [(str(job_id), "queued", 0)]
    assert rows(runner.queue.url, "select count(*) from workers") == [(0,)]
