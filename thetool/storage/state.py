"""What storage keeps for one application: its database, the places for bytes, and how full they are."""

from __future__ import annotations

from functools import cached_property
from typing import cast

from flask import Flask, current_app, has_app_context
from sqlalchemy import Engine

from thetool.config import Settings
from thetool.database.orm import db
from thetool.storage.place import Place
from thetool.storage.postgres import Postgres
from thetool.storage.problems import StorageUnavailable
from thetool.storage.s3 import S3
from thetool.storage.usage import DatabaseUsage

EXTENSION = "thetool_storage"


class Storage:
    """One application's storage; opens no connection until it is used."""

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self.settings = settings
        self.s3 = S3(settings) if settings.s3_bucket_name else None

    @cached_property
    def engine(self) -> Engine:
        """The application's connection pool; each use of it here is one short transaction."""
        with self._app.app_context():
            return db.engine

    @cached_property
    def usage(self) -> DatabaseUsage:
        """How many bytes the database holds."""
        return DatabaseUsage(self.engine)

    @property
    def place(self) -> Place:
        """Where new blobs go: the bucket, when there is one."""
        return self.s3 or Postgres(self.engine)

    def place_named(self, name: str) -> Place:
        """Where an older blob is.

        Raises:
            StorageUnavailable: it is in a bucket, and none is set any more.
        """
        if name == Postgres.name:
            return Postgres(self.engine)
        if self.s3 is None:
            raise StorageUnavailable("This file is in a bucket, and S3_BUCKET_NAME is not set.")
        return self.s3


_of_process: Storage | None = None


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its storage."""
    global _of_process
    _of_process = app.extensions[EXTENSION] = Storage(app, settings)


def storage() -> Storage:
    """The current application's storage; in a thread without one (a job's), that of this process's application.

    Raises:
        RuntimeError: when no application was made in this process.
    """
    if has_app_context():
        return cast(Storage, current_app.extensions[EXTENSION])
    if _of_process is None:
        raise RuntimeError("storage needs an application: call create_app() first")
    return _of_process
