"""What the master sees to around its workers: port, embedded Postgres, schema, local key, address for the command line.

It lives in a module of its own: a reload runs the configuration file again, and what that knew is forgotten.
"""

from __future__ import annotations

import atexit
import errno
import json
import logging
import os
import resource
import socket
import tempfile
import time
from pathlib import Path

import psycopg2

from thetool.access.local_key import FILE_NAME, local_key
from thetool.config import Settings, SettingsError, get_settings, older_names_in_use
from thetool.database.binaries import EmbeddedPostgresError
from thetool.database.embedded import EmbeddedServer, connections_needed
from thetool.database.revive import Revival
from thetool.database.schema import is_current

ADDRESS_FILE = "server.json"
ANNOUNCED = "THETOOL_ANNOUNCED"
"""Set by `scripts/run`, which itself says where the service is and what the key is."""
PORT_SECONDS = 3
WATCH_SECONDS = 2

_log = logging.getLogger(__name__)
_server: EmbeddedServer | None = None
_revival: Revival | None = None
_next_watch = 0.0


class StartError(Exception):
    """TheTool cannot start; the message is one line that says why and how to mend it."""


def raise_file_limit() -> None:
    """Allow as many open files as the system lets us: many shells allow 1024, and a worker may need more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def require_free_port(host: str, port: int) -> None:
    """Check that the port can be had, before anything is started for it.

    Waits a few seconds for it: the workers of a master that was killed notice within one second, then close it.

    Raises:
        StartError: it is taken, or not for us to take.
    """
    deadline = time.monotonic() + PORT_SECONDS
    other = port % 65_535 + 1
    while True:
        try:
            _try_to_bind(host, port)
            return
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StartError(f"Cannot listen on {host} port {port}: {error.strerror}. Set HOST or PORT.") from error
            if time.monotonic() > deadline:
                raise StartError(
                    f"Port {port} of {host} is taken: another program, or another TheTool, listens there. "
                    f"Stop it, or choose another port, such as --port {other} (or PORT={other})."
                ) from error
        time.sleep(0.1)


def _try_to_bind(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def prepare(settings: Settings, url: str) -> None:
    """Bring up what the workers stand on; it is taken down again when this process ends.

    Raises:
        StartError: it cannot be done.
    """
    try:
        atexit.register(_clean_up, settings.home, os.getpid())
        for older, name in older_names_in_use().items():
            _log.info("%s is read as %s; that is its name here", older, name)
        if settings.database_url is None:
            _start_embedded(settings)
        else:
            _warn_about_schema(settings)
        if settings.master_api_key is None:
            key = local_key(settings.home)
            if ANNOUNCED not in os.environ:
                print(f"API key: {key}  (kept in {settings.home / FILE_NAME})", flush=True)
        _write_address(settings.home, url)
    except (SettingsError, EmbeddedPostgresError, psycopg2.Error, OSError) as error:
        raise StartError(str(error).strip()) from error


def _start_embedded(settings: Settings) -> None:
    """Start the embedded Postgres, or join one that runs, and migrate it: nobody else would."""
    global _server
    _server = EmbeddedServer(settings.home)
    _server.start(_room(settings))
    if is_current(settings):
        return
    from thetool.database.migrate import MigrationError, upgrade

    try:
        upgrade(settings)
    except MigrationError as error:
        raise StartError(str(error)) from error


def _room(settings: Settings) -> int:
    """The connections that the server must allow: while a reload replaces the workers, there are twice as many."""
    return 2 * connections_needed(settings)


def warn_about_room(settings: Settings) -> None:
    """Say so when settings read anew ask for more connections than the embedded Postgres was started with."""
    if _server is None or (room := _server.cluster.max_connections()) is None or room >= _room(settings):
        return
    _log.warning(
        "The embedded Postgres has room for %s connections, and these settings may need %s: "
        "stop TheTool and start it again, which gives Postgres more.",
        room,
        _room(settings),
    )


def _warn_about_schema(settings: Settings) -> None:
    """Say so when requests cannot work yet. No reason not to start: the database may come back, or be migrated."""
    try:
        if not is_current(settings):
            _log.error("The database has not the newest schema; run: python db_migrations.py")
    except psycopg2.OperationalError as error:
        _log.error(
            "The database cannot be reached (%s); until then requests are answered with 503.", str(error).strip()
        )


def watch(now: float) -> None:
    """Start the embedded Postgres again if it has died (out of memory, say); called by the master all the time."""
    global _next_watch, _revival
    if _server is None or now < _next_watch:
        return
    _next_watch = now + WATCH_SECONDS
    if _revival is not None:
        trouble = _revival.trouble()
        if trouble is None:
            return
        if trouble:
            _log.error("%s", trouble)
        _revival = None
    if not _server.is_running():
        _log.error("The embedded Postgres is gone; starting it again")
        _revival = Revival(get_settings().home, _room(get_settings()))


def _write_address(home: Path, url: str) -> None:
    """Tell the command line where the service is; the file appears whole or not at all."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=home, prefix=f".{ADDRESS_FILE}-")
    with os.fdopen(descriptor, "w") as file:
        json.dump({"url": url, "pid": os.getpid()}, file)
    os.replace(name, home / ADDRESS_FILE)


def _clean_up(home: Path, owner: int) -> None:
    """Take down what `prepare` brought up; a forked worker that ends inherits this call, and must not."""
    if os.getpid() != owner:
        return
    _remove_address(home / ADDRESS_FILE)
    if _revival is not None:
        _revival.give_up()
    if _server is not None:
        try:
            _server.stop()
        except (EmbeddedPostgresError, OSError) as error:
            _log.error("%s", error)


def _remove_address(file: Path) -> None:
    """Remove the file unless another service of this home has written its own since."""
    try:
        if json.loads(file.read_text())["pid"] == os.getpid():
            file.unlink()
    except (OSError, ValueError, KeyError) as error:
        _log.debug("No address to remove: %s", error)
