"""An application of the rooms up to storage, on Postgres and on a real S3 server process (moto's)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import boto3
import psycopg2
import pytest
from apiflask import APIFlask
from flask.ctx import AppContext
from flask.testing import FlaskClient

from tests.conftest import MASTER_KEY, migrated_database
from tests.storage.upload_app import build
from thetool.access.records import MASTER_OWNER_ID
from thetool.config import Settings
from thetool.database.ids import new_id
from thetool.storage.state import EXTENSION

SECRET = "not-a-secret"


@dataclass(frozen=True)
class S3Server:
    """A running server: its address, and a client of the tests' own."""

    endpoint: str
    client: Any


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """moto's S3 in a process of its own, on a free port."""
    command = [str(Path(sys.executable).parent / "moto_server"), "-p", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if found := re.search(r"Running on (http://127\.0\.0\.1:\d+)", line):
                break
        else:
            raise RuntimeError(f"moto_server did not start: {said}")
        # Its log goes on and must be read, or the server stops when the pipe is full.
        drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
        client = boto3.client(
            "s3",
            endpoint_url=found[1],
            region_name="us-east-1",
            aws_access_key_id="tests",
            aws_secret_access_key=SECRET,
        )
        yield S3Server(found[1], client)
    finally:
        process.terminate()
        process.wait(10)
    drain.wait(10)


@pytest.fixture
def bucket(s3_server: S3Server) -> str:
    """A fresh bucket."""
    name = f"bucket-{uuid4().hex}"
    s3_server.client.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def room_database(postgres_url: str) -> Iterator[str]:
    """One database for all tests of this room: to empty it is quicker than to make another."""
    with migrated_database(postgres_url) as url:
        yield url


@pytest.fixture
def database(room_database: str) -> str:
    """That database, with no owner but the master and nothing of anybody's."""
    with closing(psycopg2.connect(room_database)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("delete from blobs; delete from owners where id <> %s", (str(MASTER_OWNER_ID),))
    return room_database


@pytest.fixture(params=["postgres", "s3"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the files go; each test runs once for each."""
    return str(request.param)


only_postgres = pytest.mark.parametrize("place", ["postgres"], indirect=True)
only_s3 = pytest.mark.parametrize("place", ["s3"], indirect=True)


@pytest.fixture
def values(place: str, database: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, Any]:
    """The environment variables of the application."""
    values: dict[str, Any] = {
        "DATABASE_URL": database,
        "THETOOL_HOME": str(tmp_path / "home"),
        "MASTER_API_KEY": MASTER_KEY,
    }
    if place == "s3":
        server: S3Server = request.getfixturevalue("s3_server")
        values |= {
            "S3_ENDPOINT_URL": server.endpoint,
            "S3_BUCKET_NAME": request.getfixturevalue("bucket"),
            "S3_ACCESS_KEY_ID": "tests",
            "S3_SECRET_ACCESS_KEY": SECRET,
        }
    return values


@pytest.fixture
def settings(values: dict[str, Any]) -> Settings:
    """Settings with or without a bucket."""
    return Settings(**values)


_clients: dict[str, Any] = {}


@pytest.fixture
def app(settings: Settings) -> APIFlask:
    """The rooms up to storage, with a route that takes uploads.

    Its client is that of the test before: boto3 takes a fifth of a second to make one, and it knows no bucket.
    """
    app = build(settings)
    bucket = app.extensions[EXTENSION].s3
    if bucket is not None:
        endpoint = str(settings.s3_endpoint_url)
        if endpoint not in _clients:
            _clients[endpoint] = bucket._client()
        bucket._made = _clients[endpoint]
    return app


@pytest.fixture
def context(app: APIFlask) -> Iterator[AppContext]:
    """The application, current."""
    with app.app_context() as context:
        yield context


@pytest.fixture
def query(database: str) -> Callable[..., list[tuple[Any, ...]]]:
    """Ask the database behind the application's back."""

    def run(statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(database)) as connection, connection, connection.cursor() as cursor:
            cursor.execute(statement, tuple(str(value) if isinstance(value, UUID) else value for value in parameters))
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def new_owner(query: Callable[..., list[tuple[Any, ...]]]) -> Callable[[], UUID]:
    """Makes an owner."""

    def make() -> UUID:
        owner = new_id()
        query("insert into owners (id, name) values (%s, %s)", owner, f"owner {owner}")
        return owner

    return make


@pytest.fixture
def owner(new_owner: Callable[[], UUID]) -> UUID:
    """An owner."""
    return new_owner()


@pytest.fixture
def left(
    place: str, query: Callable[..., list[tuple[Any, ...]]], values: dict[str, Any], request: pytest.FixtureRequest
) -> Callable[[], tuple[int, int]]:
    """What there is now: how many rows of blobs, and how many chunks (or objects and unfinished uploads)."""

    def count() -> tuple[int, int]:
        blobs, chunks = query("select (select count(*) from blobs), (select count(*) from blob_chunks)")[0]
        if place == "postgres":
            return blobs, chunks
        client = request.getfixturevalue("s3_server").client
        objects = client.list_objects_v2(Bucket=values["S3_BUCKET_NAME"])["KeyCount"]
        uploads = client.list_multipart_uploads(Bucket=values["S3_BUCKET_NAME"]).get("Uploads", [])
        return blobs, chunks + objects + len(uploads)

    return count


@pytest.fixture
def issue(client: FlaskClient, master: dict[str, str]) -> Callable[..., dict[str, str]]:
    """Issues a key of a new owner; gives its headers."""

    def issue(**values: Any) -> dict[str, str]:
        name = f"owner {new_id()}"
        answer = client.post("/api/v1/keys", json={"name": "k", "owner": name, **values}, headers=master)
        assert answer.status_code == 201, answer.text
        return {"Authorization": f"Bearer {answer.json['key']}"}

    return issue
