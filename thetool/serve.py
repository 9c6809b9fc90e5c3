"""How the service is started: gunicorn's configuration, and `thetool serve`, which runs gunicorn with it."""

from __future__ import annotations

import gc
import math
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from gunicorn.arbiter import Arbiter

from thetool import start
from thetool.config import Settings, SettingsError, get_settings
from thetool.master import Master
from thetool.telemetry.gunicorn_log import GunicornLog
from thetool.telemetry.shared_counts import share_counts
from thetool.worker import Worker

CONFIGURATION = Path(__file__).with_name("gunicorn_conf.py")
HEARTBEAT_SECONDS = 120
# Longer than proxies keep an idle connection (nginx and AWS: 60 s): the side that sends must be the side that closes.
KEEPALIVE_SECONDS = 75
IDLE_CONNECTIONS = 700
# Beyond GRACEFUL_TIMEOUT: to hand jobs back and to end the open requests, before the master kills.
LEAVING_SECONDS = 10


def gunicorn_options() -> dict[str, Any]:
    """gunicorn's configuration, from settings read anew.

    Raises:
        SystemExit: a setting is wrong; one line says which.
    """
    get_settings.cache_clear()
    try:
        settings = get_settings()
    except SettingsError as error:
        _stop(str(error))
    return _sizes(settings) | {
        "bind": [f"[{settings.host}]:{settings.port}" if ":" in settings.host else f"{settings.host}:{settings.port}"],
        "worker_class": Worker,
        "on_starting": on_starting,
        "when_ready": when_ready,
        "logger_class": GunicornLog,  # no access log: our own has a line for each request
        "reload": settings.debug,
        "preload_app": False,
        # Workers recycle themselves (thetool.worker): gunicorn's way stops serving before a successor does.
        "max_requests": 0,
        # Whom to believe about the caller's address is decided in the application, by TRUSTED_PROXIES.
        "forwarded_allow_ips": "",
        # The heartbeat is a file's time stamp; in memory, no busy disk can hold it up.
        "worker_tmp_dir": "/dev/shm" if os.access("/dev/shm", os.W_OK) else None,  # noqa: S108
        "control_socket_disable": True,
        "proc_name": "thetool",
    }


def _sizes(settings: Settings) -> dict[str, Any]:
    return {
        "workers": settings.workers,
        "threads": settings.threads,
        "worker_connections": settings.threads + IDLE_CONNECTIONS,
        "keepalive": KEEPALIVE_SECONDS,
        "timeout": HEARTBEAT_SECONDS,
        "graceful_timeout": math.ceil(settings.graceful_timeout) + LEAVING_SECONDS,
    }


def on_starting(server: Arbiter) -> None:
    """gunicorn's hook before it binds."""
    Master.adopt(server)
    start.raise_file_limit()
    try:
        for address in server.cfg.address:
            if isinstance(address, tuple):
                start.require_free_port(*address[:2])
    except start.StartError as error:
        _stop(str(error))


def when_ready(server: Arbiter) -> None:
    """gunicorn's hook between the bind and the first worker."""
    try:
        start.prepare(get_settings(), _local_url(server))
    except start.StartError as error:
        _stop(str(error))
    share_counts(get_settings())
    _import_application(get_settings())
    server.log.info("Gunicorn starting with %s workers", server.num_workers)


def _import_application(settings: Settings) -> None:
    """Read the code once, for all workers to come: each boots in a fifth of the time, and shares the memory of it.

    The application itself is made in each worker. With DEBUG, code that changes is read anew, so by each worker.
    """
    if settings.debug:
        return
    import thetool.app  # noqa: F401

    gc.collect()
    gc.freeze()  # nobody looks through it again: that took time in each worker, and copied the pages


def _local_url(server: Arbiter) -> str:
    """The address for programs on this machine; port 0 has become a real one by now."""
    address = server.LISTENERS[0].getsockname()
    if not isinstance(address, tuple):
        return f"http+unix://{address}"
    host, port = str(address[0]), address[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _stop(message: str) -> NoReturn:
    print(f"TheTool cannot start. {message}", file=sys.stderr, flush=True)
    raise SystemExit(1)


def serve(host: str | None = None, port: int | None = None, workers: int | None = None) -> NoReturn:
    """Become gunicorn, with the settings of the environment; the arguments outrank them. Does not return."""
    given = {"HOST": host, "PORT": port, "WEB_CONCURRENCY": workers}
    os.environ.update({name: str(value) for name, value in given.items() if value is not None})
    arguments = [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION), "thetool.app:create_app()"]
    # Not in this process: a reload starts from `sys.argv`, and DEBUG needs a master that has not read the code.
    os.execv(sys.executable, arguments)  # noqa: S606
