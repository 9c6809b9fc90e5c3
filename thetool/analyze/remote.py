"""A content that is somewhere else, at a URL."""

from __future__ import annotations

import hashlib
import io
import threading
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from thetool.analyze.content import Content, content_of
from thetool.config import Settings
from thetool.web.outbound.fetch import fetch, require_fetchable
from thetool.web.problems import Problem

AT_ONCE = 16
"""Fetches of a process at a time: they hold request threads and memory, and whoever is asked may be slow."""
MAX_NAME_CHARACTERS = 100

_places = threading.BoundedSemaphore(AT_ONCE)


class FetchingBusy(Problem):
    """Too many URLs are being fetched just now."""

    status = 503
    code = "fetching_busy"
    title = "Too many URLs are being fetched just now"

    def __init__(self) -> None:
        super().__init__("Try again in a few seconds, or send the file itself.", headers={"Retry-After": "5"})


@dataclass(frozen=True)
class Remote:
    """A file at a URL. It is fetched when its turn comes, and not for a request that is only repeated."""

    url: str
    max_bytes: int
    private: bool

    @classmethod
    def of(cls, url: str, settings: Settings) -> Remote:
        """A file that these settings allow to fetch. Raises ValidationFailed when the URL breaks a rule."""
        require_fetchable(url, private=settings.fetch_allow_private)
        return cls(url, settings.max_upload_bytes, settings.fetch_allow_private)

    @property
    def filename(self) -> str | None:
        """The last part of its path, if it has one."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name[:MAX_NAME_CHARACTERS] or None

    def content(self) -> Content:
        """What is there now.

        Raises:
            NotFetched, TooLarge: nothing came, or too much.
            FetchingBusy: too many are fetched at a time.
            UnsupportedMediaType, UndecodableText, EmptyInput: it is of no kind that is analyzed.
        """
        if not _places.acquire(blocking=False):
            raise FetchingBusy
        try:
            found = fetch(self.url, max_bytes=self.max_bytes, private=self.private)
        finally:
            _places.release()
        return content_of(io.BytesIO(found.content), found.media_type, found.charset, self.filename)

    def digest(self) -> str:
        """SHA-256 of the URL, in hexadecimal: the same request is not made another by what has changed there."""
        return hashlib.sha256(f"url {self.url}".encode()).hexdigest()
