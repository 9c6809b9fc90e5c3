"""What happens to the fleet, the service and their Postgres, at moments and in an order that a seed decides."""

from __future__ import annotations

import random
import signal
import threading
import time

from tests.chaos.fleet import LEASE_SECONDS, Fleet
from tests.chaos.proxy import Proxy
from tests.e2e.service import Service
from thetool.database.embedded import EmbeddedServer

BLOWS = (
    "kill a worker",
    "kill a worker",
    "stop a worker past its lease",
    "cut the connection",
    "cut the connection",
    "let a clock jump",
    "let a clock jump",
    "end a worker",
    "kill Postgres",
    "restart Postgres",
    "kill a worker of the service",
    "reload the service",
)
CONNECTIONS = 100


class Storm:
    """Every blow `rounds` times, shuffled by the seed, about `pause` seconds apart."""

    def __init__(self, seed: int, fleet: Fleet, proxy: Proxy, server: EmbeddedServer, service: Service) -> None:
        self._chance = random.Random(seed)
        self._fleet = fleet
        self._proxy = proxy
        self._server = server
        self._service = service
        self._sleepers: list[threading.Timer] = []
        self.service_pids: set[int] = set()
        self.history: list[str] = []

    def rage(self, rounds: int, pause: float) -> None:
        """Let it all happen, and everything that was stopped wake up."""
        for _ in range(rounds):
            blows = list(BLOWS)
            self._chance.shuffle(blows)
            for blow in blows:
                self.history.append(f"{time.strftime('%H:%M:%S')} {blow}")
                self._strike(blow)
                self.service_pids |= self._service.worker_pids()
                time.sleep(pause * self._chance.uniform(0.5, 1.5))
        for sleeper in self._sleepers:
            sleeper.join()

    def _strike(self, blow: str) -> None:
        fleet, name = self._fleet, self._chance.choice(sorted(self._fleet.processes))
        if blow == "kill a worker":
            fleet.end(name, signal.SIGKILL)
        elif blow == "end a worker":
            fleet.end(name, signal.SIGTERM)
        elif blow == "stop a worker past its lease":
            fleet.signal(name, signal.SIGSTOP)
            sleeper = threading.Timer(LEASE_SECONDS + 2, fleet.signal, (name, signal.SIGCONT))
            sleeper.start()
            self._sleepers.append(sleeper)
        elif blow == "cut the connection":
            self._proxy.cut(self._chance.choice([0, 0.5, LEASE_SECONDS + 1]))
        elif blow == "let a clock jump":
            fleet.jump(self._chance.choice(["+2h", "-1d", "+400d", "-30m"]))
        elif blow == "kill a worker of the service":
            for worker in self._service.workers()[:1]:
                worker.kill()
        elif blow == "reload the service":
            self._service.send(signal.SIGHUP)
        else:
            self._end_postgres(signal.SIGKILL if blow == "kill Postgres" else signal.SIGINT)

    def _end_postgres(self, number: signal.Signals) -> None:
        postmaster = self._server.cluster.postmaster()
        assert postmaster is not None
        postmaster.send_signal(number)
        postmaster.wait(60)
        self._server.start(CONNECTIONS)
