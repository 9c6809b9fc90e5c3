"""Weights from an address on the web: a download that is cut off goes on where it stopped."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import urllib3

from thetool.weights.sources.source import READ_BYTES, UPDATE, Downloaded, SourceError

TRIES = 5
CONNECT_SECONDS = 10
SILENCE_SECONDS = 30
REACH_THE_ADDRESS = "see to it that this machine can reach {host} (HTTPS_PROXY holds)"


def download(url: str, size: int, partial: Path, downloaded: Downloaded) -> None:
    """Fetch `url` into `partial`, after the bytes that an earlier download left there.

    Args:
        url: an https address.
        size: bytes of the whole; no more are taken.
        partial: kept when the download fails, for the next one to go on with.
        downloaded: is told the bytes that are here.

    Raises:
        SourceError: the address cannot be reached, refuses, or gives another size.
    """
    host = urlsplit(url).hostname or url
    had = partial.stat().st_size if partial.exists() else 0
    if had > size:
        partial.unlink()
        had = 0
    problem = "it gave too little"
    for _ in range(TRIES):
        try:
            if _fetch_rest(url, size, partial, downloaded):
                return
        except urllib3.exceptions.HTTPError as error:
            problem = words_of(error)
        here = partial.stat().st_size if partial.exists() else 0
        if here <= had:  # no progress: another try would not help
            break
        had = here
    raise SourceError(f"{url} could not be downloaded: {problem}.", REACH_THE_ADDRESS.format(host=host))


def _fetch_rest(url: str, size: int, partial: Path, downloaded: Downloaded) -> bool:
    """One request; True when all bytes are here."""
    start = partial.stat().st_size if partial.exists() else 0
    if start == size:
        return True
    headers = {"Accept-Encoding": "identity", "User-Agent": "thetool"}
    if start:
        headers["Range"] = f"bytes={start}-"
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS)
    retries = urllib3.Retry(connect=1, read=0, other=0, redirect=5, status=0)
    with connections(url) as pool:
        answer = pool.request(
            "GET", url, headers=headers, timeout=timeout, retries=retries, preload_content=False, decode_content=False
        )
        try:
            resumes = answer.status == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
            if answer.status == 416:  # there is nothing after what is here
                partial.unlink()
                raise SourceError(f"{url} gives less than the catalogue says.", UPDATE)
            if answer.status != 200 and not resumes:
                raise SourceError(f"{url} answered {answer.status}.", UPDATE)
            here = start if resumes else 0
            with partial.open("ab" if resumes else "wb") as file:
                for block in answer.stream(READ_BYTES, decode_content=False):
                    here += len(block)
                    if here > size:
                        raise SourceError(f"{url} gives more than the catalogue says.", UPDATE)
                    file.write(block)
                    downloaded(here)
        finally:
            answer.release_conn()
    return here == size


def words_of(error: urllib3.exceptions.HTTPError) -> str:
    """What happened, without the pool and the address that it happened to."""
    reason = error.reason if isinstance(error, urllib3.exceptions.MaxRetryError) else error
    return str(reason).rpartition("): ")[2] or type(error).__name__


def connections(url: str) -> urllib3.PoolManager:
    """Connections that go through the proxy of the environment, where there is one for this address."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.hostname or ""):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()
