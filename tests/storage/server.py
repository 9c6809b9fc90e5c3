"""A real gunicorn with the small upload application, for what only a real server shows."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.conftest import MASTER_KEY

ROOT = Path(__file__).parent.parent.parent
KEY = {"Authorization": f"Bearer {MASTER_KEY}"}


class Server:
    """One worker process that listens at `port`."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        """Send a request with the master key; gives the JSON of the answer."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request(method, path, body, KEY | headers, encode_chunked=isinstance(body, Iterator))
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status in (200, 201), text
            return dict(json.loads(text))

    def upload(self, pieces: Iterable[bytes], **headers: str) -> dict[str, Any]:
        """Send the pieces as they come."""
        return self.ask("POST", "/upload", iter(pieces), **({"Transfer-Encoding": "chunked"} | headers))

    @contextmanager
    def download(self, blob_id: str) -> Iterator[http.client.HTTPResponse]:
        """An answer to read at leisure."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)) as connection:
            connection.request("GET", f"/files/{blob_id}", headers=KEY)
            yield connection.getresponse()


@contextmanager
def serve(values: dict[str, Any]) -> Iterator[Server]:
    """Start it with these environment variables, on a free port; stop it at the end."""
    command = [sys.executable, "-m", "gunicorn", "tests.storage.upload_app:from_environment()"]
    options = ["-k", "gthread", "--threads", "8", "-b", "127.0.0.1:0", "-c", "/dev/null", "--graceful-timeout", "1"]
    environment = {**os.environ, **{name: str(value) for name, value in values.items()}}
    process = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, cwd=ROOT
    )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise RuntimeError(f"gunicorn did not start: {said}")
        threading.Thread(target=process.stdout.read, daemon=True).start()  # a full pipe would stop it
        yield Server(int(found[1]))
    finally:
        process.terminate()
        process.wait(30)
