#!/usr/bin/env python3
"""What a key and its rate limit cost a request: the application called in this process, without HTTP.

    scripts/bench/access.py [--requests 500] [--rounds 5]

Prints medians over the rounds, in microseconds. `DATABASE_URL` may name a Postgres; else an embedded one is started.
"""

from __future__ import annotations

import argparse
import logging
import statistics
import tempfile
import time
from pathlib import Path

from flask.testing import FlaskClient

from thetool.access import routes, setup
from thetool.config import Settings
from thetool.database import connection
from thetool.database.embedded import available
from thetool.database.migrate import upgrade
from thetool.web.api import create_api

MASTER_KEY = "bench-master-key-0123456789abcdef"
PATH = "/api/v1/keys/current"


def client_of(settings: Settings) -> FlaskClient:
    """The rooms up to access, and nothing else."""
    app = create_api(settings)
    connection.init_app(app, settings)
    setup.init_app(app, settings)
    app.register_blueprint(routes.blueprint)
    return app.test_client()


def median_us(client: FlaskClient, key: str, requests: int) -> float:
    """Median time of one request."""
    headers = {"Authorization": f"Bearer {key}"}
    times = []
    for _ in range(requests):
        began = time.perf_counter()
        answer = client.get(PATH, headers=headers)
        times.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise SystemExit(answer.text)
    return statistics.median(times) * 1e6


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    logging.disable()
    with tempfile.TemporaryDirectory(prefix="thetool-bench-") as home:
        many = {"RATE_LIMIT_PER_MINUTE": 10**9, "RATE_LIMIT_BURST": 10**9}
        settings = Settings(THETOOL_HOME=Path(home), MASTER_API_KEY=MASTER_KEY, LOG_LEVEL="ERROR", **many)
        with available(settings):
            upgrade(settings)
            limited, free = client_of(settings), client_of(settings.model_copy(update={"rate_limit_enabled": False}))
            headers = {"Authorization": f"Bearer {MASTER_KEY}"}
            key = limited.post("/api/v1/keys", json={"name": "bench"}, headers=headers).json["key"]
            cases = {
                "master key, no limits": (free, MASTER_KEY),
                "master key, limits on": (limited, MASTER_KEY),
                "issued key, no limits": (free, key),
                "issued key, limits on": (limited, key),
            }
            rounds = [
                {name: median_us(client, sent, arguments.requests) for name, (client, sent) in cases.items()}
                for _ in range(arguments.rounds)
            ]
    for name in cases:
        print(f"| {name} | {statistics.median(one[name] for one in rounds):,.0f} |")


if __name__ == "__main__":
    main()
