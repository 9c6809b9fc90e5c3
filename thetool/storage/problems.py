"""What goes wrong with files."""

from __future__ import annotations

from thetool.web.problems import BadRequest, Forbidden, Problem, TooLarge


class StorageFull(Problem):
    """Postgres holds as many bytes of files as `MAX_DATABASE_BLOB_BYTES` allows."""

    status = 507
    code = "storage_full"
    title = "There is no room for more files"


class StorageQuotaExceeded(TooLarge):
    """The caller's key allows its owner so many stored bytes, and no more."""

    code = "storage_quota"
    title = "The key's storage quota is used up"


class StorageUnavailable(Problem):
    """The bucket cannot be reached, or refuses us."""

    status = 503
    code = "storage_unavailable"
    title = "The file storage cannot be reached just now"

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


class IncompleteUpload(BadRequest):
    """The body ended before its announced length; nothing of it was kept."""

    code = "incomplete_upload"
    title = "The upload was cut off"


class LinkExpired(Forbidden):
    """The link was right, and its time is over."""

    code = "link_expired"
    title = "The link has expired"


class RangeNotSatisfiable(Problem):
    """The requested range lies outside the file."""

    status = 416
    code = "range_not_satisfiable"
    title = "The file does not reach that far"

    def __init__(self, size: int) -> None:
        super().__init__(f"The file has {size} bytes.", headers={"Content-Range": f"bytes */{size}"})


class BlobLost(Problem):
    """A blob went away while it was written or read: somebody deleted it, or its bytes are no longer in their place."""

    status = 410
    code = "blob_lost"
    title = "The content of this file is gone"
