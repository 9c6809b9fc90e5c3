"""Bytes in an S3 or R2 bucket, under `owner/blob`. boto3 is loaded when the bucket is first used."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import structlog

from thetool.config import Settings
from thetool.storage.place import Key
from thetool.storage.problems import BlobLost, StorageUnavailable

# R2 wants parts of one size; S3 wants at least 5 MiB and at most 10,000 of them (78 GiB at this size).
PART_BYTES = 8 << 20
READ_BYTES = 4 << 20
CONNECTIONS = 32
_NOT_THERE = frozenset({"NoSuchKey", "NoSuchUpload", "InvalidRange", "404"})

log = structlog.get_logger(__name__)


class S3:
    """The bucket of the settings as a place for bytes."""

    name = "s3"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._bucket = settings.s3_bucket_name
        self._lock = threading.Lock()
        self._made: Any = None

    def write(self, key: Key, chunks: Iterable[bytes]) -> None:
        """Send the chunks on, at most one part in memory.

        Raises:
            StorageUnavailable: the bucket cannot be reached, or refuses.
        """
        parts = _parts(chunks)
        first = next(parts)
        if len(first) < PART_BYTES:
            with self._answering() as client:
                client.put_object(Bucket=self._bucket, Key=_object_key(key), Body=first)
        else:
            self._write_parts(_object_key(key), first, parts)

    def read(self, key: Key, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`, a request a piece: a slow reader holds no connection to the bucket.

        Raises:
            BlobLost: the object is not in the bucket.
            StorageUnavailable: the bucket cannot be reached, or refuses.
        """
        while start < stop:
            end = min(start + READ_BYTES, stop)
            wanted = f"bytes={start}-{end - 1}"
            with self._answering(lost=f"blob {key.blob_id} is not in the bucket") as client:
                answer = client.get_object(Bucket=self._bucket, Key=_object_key(key), Range=wanted)
                piece: bytes = answer["Body"].read()
            if len(piece) != end - start:
                raise BlobLost(f"blob {key.blob_id} has no bytes at {start + len(piece)}")
            yield piece
            start = end

    def remove(self, key: Key) -> None:
        """Remove the object, and the parts of one that was never finished."""
        self._abort_uploads(_object_key(key))
        with self._answering() as client:
            client.delete_object(Bucket=self._bucket, Key=_object_key(key))

    def remove_all_of(self, owner_id: UUID) -> None:
        """Remove everything under the owner's prefix."""
        self._abort_uploads(f"{owner_id}/")
        with self._answering() as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=f"{owner_id}/")
            for page in pages:
                for found in page.get("Contents", ()):
                    client.delete_object(Bucket=self._bucket, Key=found["Key"])

    def _write_parts(self, name: str, first: bytearray, rest: Iterator[bytearray]) -> None:
        with self._answering() as client:
            upload = client.create_multipart_upload(Bucket=self._bucket, Key=name)["UploadId"]
        sent = [self._send_part(name, upload, 1, first)]
        for number, part in enumerate(rest, 2):
            sent.append(self._send_part(name, upload, number, part))
        with self._answering(lost=f"{name} was deleted while it was written") as client:
            client.complete_multipart_upload(
                Bucket=self._bucket, Key=name, UploadId=upload, MultipartUpload={"Parts": sent}
            )

    def _send_part(self, name: str, upload: str, number: int, part: bytearray) -> dict[str, Any]:
        with self._answering(lost=f"{name} was deleted while it was written") as client:
            answer = client.upload_part(Bucket=self._bucket, Key=name, UploadId=upload, PartNumber=number, Body=part)
        part.clear()  # here and now: callers still hold it while the next one is gathered
        return {"PartNumber": number, "ETag": answer["ETag"]}

    def _abort_uploads(self, prefix: str) -> None:
        with self._answering() as client:
            pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=self._bucket, Prefix=prefix)
            for page in pages:
                for upload in page.get("Uploads", ()):
                    client.abort_multipart_upload(Bucket=self._bucket, Key=upload["Key"], UploadId=upload["UploadId"])

    @contextmanager
    def _answering(self, lost: str | None = None) -> Iterator[Any]:
        """The client; what it raises becomes our own words."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            yield self._client()
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if lost and code in _NOT_THERE:
                raise BlobLost(lost) from None
            log.warning("bucket refused", operation=error.operation_name, code=code)
            raise StorageUnavailable(f"The bucket refused: {code}.") from error
        except BotoCoreError as error:
            log.warning("bucket away", error=type(error).__name__)
            raise StorageUnavailable("The bucket does not answer.") from error

    def _client(self) -> Any:
        """One client a process; boto3's clients may be shared by threads, but not be made by several at once."""
        with self._lock:
            if self._made is None:
                self._made = _make_client(self._settings)
            return self._made


def _make_client(settings: Settings) -> Any:
    import boto3
    from botocore.config import Config

    secret, endpoint = settings.s3_secret_access_key, settings.s3_endpoint_url
    # `auto` is R2's word; Amazon's regions have names, and boto3 finds its own when none is given.
    region = None if settings.s3_region == "auto" and endpoint is None else settings.s3_region
    return boto3.session.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        config=Config(
            connect_timeout=3,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            max_pool_connections=CONNECTIONS,
            # R2 and other services answer 501 to the newer default checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if endpoint else "auto"},
        ),
    )


def _object_key(key: Key) -> str:
    return f"{key.owner_id}/{key.blob_id}"


def _parts(chunks: Iterable[bytes]) -> Iterator[bytearray]:
    """The chunks joined to parts of `PART_BYTES`, the last one shorter; of nothing, one empty part.

    Each is given away as it was gathered: bytes would be a copy here, and another one in botocore.
    """
    part = bytearray()
    empty = True
    for chunk in chunks:
        part += chunk
        empty = False
        if len(part) >= PART_BYTES:
            yield part
            part = bytearray()
    if part or empty:
        yield part
