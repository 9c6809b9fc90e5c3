"""Starts an embedded Postgres that has died: `python -m thetool.database.revive HOME MAX_CONNECTIONS`.

A process of its own, because a recovery may take a minute, and the master that asks for it has signals to handle. (Not
a thread: the master forks, and what a thread holds at that moment stays held in the forked worker.)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from thetool.database.binaries import EmbeddedPostgresError
from thetool.database.embedded import EmbeddedServer

LAUNCH_SECONDS = 3


class Revival:
    """One attempt to start the server again.

    Args:
        home: `THETOOL_HOME`.
        max_connections: as for `EmbeddedServer.start`.
    """

    def __init__(self, home: Path, max_connections: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "thetool.database.revive", home, str(max_connections)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def trouble(self) -> str | None:
        """Why it did not succeed, in words, or "" when it did; None while it is under way."""
        if self._process.poll() is None:
            return None
        return self._process.communicate()[1].strip()

    def give_up(self) -> None:
        """End the attempt; a server that it has launched already lives on, for its users to stop.

        It is given time to launch: only a server that has written its pid file can be found.
        """
        try:
            self._process.communicate(timeout=LAUNCH_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()


def main(home: str, max_connections: str) -> int:
    """Start the server and leave it to who uses it; returns the exit status."""
    try:
        EmbeddedServer(Path(home)).start(int(max_connections))
    except (EmbeddedPostgresError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
