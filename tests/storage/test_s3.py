"""What is special to a bucket: it can be away, lose objects, and keep parts of uploads that nobody finished."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from tests.storage.conftest import S3Server, only_s3
from thetool.config import Settings
from thetool.storage.blobs import delete, delete_all_of, get, read, read_bytes, store
from thetool.storage.problems import BlobLost, StorageUnavailable
from thetool.storage.s3 import S3, _make_client
from thetool.storage.state import storage
from thetool.storage.sweep import sweep
from thetool.web.problems import NotFound

pytestmark = [pytest.mark.usefixtures("context"), only_s3]

MIB = 1 << 20


def keep(content: bytes, owner: UUID) -> Any:
    return store(content, owner_id=owner, media_type="text/plain")


@pytest.fixture
def away(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Lets the bucket be away (nothing listens at its address) and come back."""
    nowhere = S3(settings.model_copy(update={"s3_endpoint_url": "http://127.0.0.1:9"}))
    present = storage().s3

    def switch(is_away: bool) -> None:
        monkeypatch.setattr(storage(), "s3", nowhere if is_away else present)

    return switch


def test_objects_are_named_by_owner_and_blob(owner: UUID, bucket: str, s3_server: S3Server) -> None:
    blob = keep(b"x", owner)
    (found,) = s3_server.client.list_objects_v2(Bucket=bucket)["Contents"]
    assert found["Key"] == f"{owner}/{blob.id}"


def test_away_while_storing(owner: UUID, left: Callable[[], Any], away: Callable[[bool], None]) -> None:
    away(True)
    for size in (1, 9 * MIB):
        with pytest.raises(StorageUnavailable) as caught:
            keep(bytes(size), owner)
    assert (caught.value.status, caught.value.code) == (503, "storage_unavailable")
    away(False)
    assert left() == (2, 0)  # rows that nobody sees, until the sweep comes
    keep(b"x", owner)


def test_away_while_reading(owner: UUID, away: Callable[[bool], None]) -> None:
    blob = keep(b"x", owner)
    away(True)
    with pytest.raises(StorageUnavailable):
        next(read(blob.id))
    away(False)
    assert read_bytes(blob.id, 1) == b"x"


def test_a_deletion_is_tried_again(
    owner: UUID, left: Callable[[], Any], away: Callable[[bool], None], query: Callable[..., Any]
) -> None:
    blob = keep(b"x", owner)
    away(True)
    with pytest.raises(StorageUnavailable):
        delete(blob.id)
    with pytest.raises(NotFound):  # out of sight already
        get(blob.id)
    query("update blobs set expires_at = now() - interval '1 second'")
    assert sweep() == 0
    assert left() == (1, 1)
    away(False)
    assert sweep() == 0  # it was just tried
    query("update blobs set expires_at = now() - interval '1 second'")
    assert sweep() == 1
    assert left() == (0, 0)


def test_an_object_that_is_gone(owner: UUID, bucket: str, s3_server: S3Server) -> None:
    blob = keep(b"x", owner)
    s3_server.client.delete_object(Bucket=bucket, Key=f"{owner}/{blob.id}")
    with pytest.raises(BlobLost):
        read_bytes(blob.id, 1)
    assert delete(blob.id)


def test_an_object_that_is_shorter_than_it_was(owner: UUID, bucket: str, s3_server: S3Server) -> None:
    blob = keep(b"12345", owner)
    s3_server.client.put_object(Bucket=bucket, Key=f"{owner}/{blob.id}", Body=b"123")
    with pytest.raises(BlobLost):
        read_bytes(blob.id, 5)


def test_an_owners_objects_without_a_row_go_too(owner: UUID, bucket: str, s3_server: S3Server) -> None:
    keep(b"x", owner)
    s3_server.client.put_object(Bucket=bucket, Key=f"{owner}/orphan", Body=b"x")
    s3_server.client.create_multipart_upload(Bucket=bucket, Key=f"{owner}/half")
    s3_server.client.put_object(Bucket=bucket, Key="elsewhere", Body=b"x")
    delete_all_of(owner)
    assert [found["Key"] for found in s3_server.client.list_objects_v2(Bucket=bucket)["Contents"]] == ["elsewhere"]
    assert not s3_server.client.list_multipart_uploads(Bucket=bucket).get("Uploads")


def test_a_bucket_that_is_not_there(settings: Settings, owner: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage(), "s3", S3(settings.model_copy(update={"s3_bucket_name": "no-such-bucket"})))
    with pytest.raises(StorageUnavailable, match="NoSuchBucket"):
        keep(b"x", owner)


def test_without_a_bucket_older_files_say_what_is_missing(owner: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    blob = keep(b"x", owner)
    monkeypatch.setattr(storage(), "s3", None)
    with pytest.raises(StorageUnavailable, match="S3_BUCKET_NAME"):
        read_bytes(blob.id, 1)


def test_files_of_before_the_bucket_are_still_read(owner: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = storage().s3
    monkeypatch.setattr(storage(), "s3", None)
    blob = keep(b"x", owner)
    monkeypatch.setattr(storage(), "s3", bucket)
    assert blob.place == "postgres"
    assert read_bytes(blob.id, 1) == b"x"


def test_threads_share_one_client(owner: UUID) -> None:
    clients, failures = set(), []

    def work(number: int) -> None:
        try:
            content = bytes([number]) * 1000
            assert read_bytes(store(content, owner_id=owner, media_type="text/plain").id, 1000) == content
            assert of.s3
            clients.add(id(of.s3._client()))
        except Exception as error:
            failures.append(error)

    of = storage()  # threads without an application use that of the process
    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(clients) == 1


def test_settings_of_the_client(settings: Settings) -> None:
    client = _make_client(settings)
    assert client.meta.config.request_checksum_calculation == "when_required"  # R2 answers 501 to the newer ones
    assert client.meta.config.s3["addressing_style"] == "path"
    amazon = _make_client(settings.model_copy(update={"s3_endpoint_url": None, "s3_region": "eu-central-1"}))
    assert "eu-central-1.amazonaws.com" in amazon.meta.endpoint_url


def test_boto3_is_not_loaded_before_it_is_needed() -> None:
    code = "import sys, thetool.storage.routes; print('boto3' in sys.modules or 'botocore' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
