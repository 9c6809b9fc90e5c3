"""The master key: the one that was set, or on a developer's machine one that is made once and kept."""

from __future__ import annotations

import fcntl
import os
import secrets
from pathlib import Path

from thetool.config import Settings, SettingsError

FILE_NAME = "master.key"


def master_key(settings: Settings) -> str:
    """The key that may do everything: `MASTER_API_KEY`, else the local key (production never gets here without one).

    Raises:
        SettingsError: when the local key can neither be read nor made.
    """
    if settings.master_api_key is not None:
        return settings.master_api_key.get_secret_value()
    return local_key(settings.home)


def local_key(home: Path) -> str:
    """The key kept in `home`/master.key; made if there is none.

    The file is its own lock, so that processes which start together agree on one key, and none reads half of it.
    An empty file (a crash between making and writing it) is filled.

    Raises:
        SettingsError: when the file can neither be read nor made.
    """
    path = home / FILE_NAME
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            return file.read().strip() or _write_new(file.fileno())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"MASTER_API_KEY: is not set, and {path} cannot hold a local one: {error}") from error


def known_local_key(home: Path) -> str | None:
    """The key kept in `home`/master.key, if there is one; never makes one.

    Raises:
        SettingsError: when it is there and cannot be read.
    """
    path = home / FILE_NAME
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW), encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            return file.read().strip() or None
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error


def _write_new(descriptor: int) -> str:
    key = f"ttm_{secrets.token_urlsafe(32)}"
    os.pwrite(descriptor, f"{key}\n".encode("ascii"), 0)
    os.fsync(descriptor)
    return key
