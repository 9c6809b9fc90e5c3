"""Waits until the service that is its parent process answers, then says where it is and what to try.

`python scripts/announce.py PID STARTED`, where STARTED is when `scripts/run` began, in seconds since 1970. Ends
quietly, with status 0, when that process ends first.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from thetool.access.local_key import FILE_NAME, known_local_key
from thetool.config import Settings, SettingsError, load_settings

TEXT = '{"text": "I love this sofa, but the delivery was late."}'


def address(home: Path, pid: int) -> str | None:
    """Where that process listens, once it does."""
    try:
        said = json.loads((home / "server.json").read_text())
        return str(said["url"]) if said["pid"] == pid else None
    except (OSError, ValueError, KeyError):
        return None


def is_ready(url: str) -> bool:
    """Whether the service takes work."""
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.HTTPError):
        return False


def words(settings: Settings, url: str, seconds: float) -> str:
    """Where it is, and what to try. A key that was set is not shown: it may be a secret of production."""
    if settings.master_api_key:
        key, shown = "$MASTER_API_KEY", "the one in MASTER_API_KEY"
    else:
        file = settings.home / FILE_NAME
        key, shown = f"$(cat {shlex.quote(str(file))})", f"{known_local_key(settings.home)}  (kept in {file})"
    return f"""
  TheTool is ready after {seconds:.1f} s: {url}
  API key: {shown}

  Open that address in a browser and sign in with the key, or try:
    curl -s {url}/analyze -H "Authorization: Bearer {key}" -H 'Content-Type: application/json' -d '{TEXT}'

  Ctrl-C stops it, its database included.
"""


def main() -> None:
    pid, started = int(sys.argv[1]), float(sys.argv[2].replace(",", "."))  # bash writes it as the locale does
    try:
        settings = load_settings()
    except SettingsError:
        return  # the service says so
    while os.getppid() == pid:
        url = address(settings.home, pid)
        if url and is_ready(url):
            print(words(settings, url, time.time() - started), flush=True)
            return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
