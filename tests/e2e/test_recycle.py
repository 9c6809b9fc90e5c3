"""Workers that are worn out are replaced, one at a time, and nobody notices."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests.e2e.conftest import MakeService
from tests.e2e.service import ROOT, Service, until
from tests.e2e.traffic import Traffic


def test_request_limit_refuses_no_request_and_loses_no_job(make_service: MakeService) -> None:
    service = make_service(MAX_REQUESTS=200).start()
    first = service.worker_pids()
    jobs = [service.submit("polite", 5) for _ in range(2)]  # one in each worker
    for job in jobs:
        service.until_job(job, "running")
    with Traffic(service) as traffic:
        until(lambda: "Asking to be replaced" in service.log(), "a worker asks to be replaced")
        most = 0

        def replaced() -> bool:
            nonlocal most
            most = max(most, len(service.worker_pids()))
            return len(first - service.worker_pids()) == 1 and len(service.worker_pids()) == 2

        until(replaced, "one worker replaced", 60)
    assert traffic.failures == []
    assert most == 3, "one at a time"
    for job in jobs:
        row = service.until_job(job, "completed")
        assert (row["attempts"], row["lost"]) == (1, 0)


def test_memory_limit(make_service: MakeService) -> None:
    service = make_service(WORKER_MAX_RSS_MB=400, WEB_CONCURRENCY=1).start()
    (first,) = service.worker_pids()
    with Traffic(service) as traffic:
        service.post("/sample/eat/400")
        until(lambda: service.worker_pids() and first not in service.worker_pids(), "the worker is replaced")
    assert traffic.failures == []
    assert "MiB of memory in use" in service.log()


def test_new_workers_that_cannot_boot_leave_the_old_ones_serving(service: Service) -> None:
    before = service.worker_pids()
    obstacle = service.home / "do-not-boot"
    obstacle.touch()
    with Traffic(service) as traffic:
        service.send(signal.SIGHUP)
        until(lambda: "The others go on serving" in service.log(), "the failure is logged")
        assert service.worker_pids() & before == before
        obstacle.unlink()
        until(lambda: not service.worker_pids() & before and len(service.worker_pids()) == 2, "new workers", 60)
    assert traffic.failures == []


def test_first_workers_that_cannot_boot_end_the_service(make_service: MakeService) -> None:
    service = make_service()
    service.home.mkdir()
    (service.home / "do-not-boot").touch()
    service.launch()
    assert service.wait() == 3
    assert not service.processes()


def test_the_code_is_read_once_for_all_workers(service: Service) -> None:
    for worker in service.workers():
        memory = worker.memory_full_info()
        assert memory.uss < 0.6 * memory.rss, "most of it is shared with the master"


def test_a_developers_service_reads_the_code_anew_in_each_worker() -> None:
    program = "import sys; from thetool import config, serve; serve._import_application(config.get_settings())"
    program += "; assert 'thetool.app' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], env={"DEBUG": "true", "ENV_FILE": os.devnull}, cwd=ROOT, check=True)
