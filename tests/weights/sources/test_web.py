"""Downloads from the web: whole, resumed, and refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.weights.web_server import Server
from thetool.weights.sources import web
from thetool.weights.sources.source import SourceError

CONTENT = bytes(range(256)) * 20_000
SIZE = len(CONTENT)


@pytest.fixture
def partial(tmp_path: Path) -> Path:
    return tmp_path / "partial"


@pytest.fixture
def url(server: Server) -> str:
    server.files["/weights.bin"] = CONTENT
    return f"{server.url}/weights.bin"


def test_downloads_and_tells_how_far_it_is(url: str, server: Server, partial: Path) -> None:
    seen: list[int] = []
    web.download(url, SIZE, partial, seen.append)
    assert partial.read_bytes() == CONTENT
    assert seen == sorted(seen)
    assert seen[-1] == SIZE
    assert server.asked == [None]


def test_goes_on_where_it_was_cut_off(url: str, server: Server, partial: Path) -> None:
    server.hang_up_after = [1_000_000, 500_000]
    web.download(url, SIZE, partial, lambda _: None)
    assert partial.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-", "bytes=1500000-"]


def test_goes_on_with_what_an_earlier_pull_left(url: str, server: Server, partial: Path) -> None:
    partial.write_bytes(CONTENT[:4_000_000])
    web.download(url, SIZE, partial, lambda _: None)
    assert partial.read_bytes() == CONTENT
    assert server.asked == ["bytes=4000000-"]


def test_more_than_there_is_was_no_beginning(url: str, server: Server, partial: Path) -> None:
    partial.write_bytes(CONTENT + b"more")
    server.hang_up_after = [1_000_000]
    web.download(url, SIZE, partial, lambda _: None)
    assert partial.read_bytes() == CONTENT
    assert server.asked == [None, "bytes=1000000-"]


def test_what_is_complete_is_not_asked_for(url: str, server: Server, partial: Path) -> None:
    partial.write_bytes(CONTENT)
    web.download(url, SIZE, partial, lambda _: None)
    assert server.asked == []


def test_a_server_without_ranges_begins_again(url: str, server: Server, partial: Path) -> None:
    server.knows_ranges = False
    partial.write_bytes(b"x" * 1_000)
    web.download(url, SIZE, partial, lambda _: None)
    assert partial.read_bytes() == CONTENT


def test_a_failure_keeps_what_is_here(url: str, server: Server, partial: Path) -> None:
    server.hang_up_after = [1_000_000, 0]
    with pytest.raises(SourceError, match="could not be downloaded") as caught:
        web.download(url, SIZE, partial, lambda _: None)
    assert "can reach 127.0.0.1" in caught.value.how_to
    assert partial.read_bytes() == CONTENT[:1_000_000]


def test_a_shorter_file_than_the_one_begun(url: str, server: Server, partial: Path) -> None:
    server.files["/weights.bin"] = CONTENT[:100]
    partial.write_bytes(CONTENT[:200])
    with pytest.raises(SourceError, match="gives less"):
        web.download(url, SIZE, partial, lambda _: None)
    assert not partial.exists()


def test_never_takes_more_than_was_announced(url: str, partial: Path) -> None:
    with pytest.raises(SourceError, match="gives more"):
        web.download(url, 1_000, partial, lambda _: None)
    assert not partial.exists() or partial.stat().st_size <= 1_000


def test_gives_too_little(url: str, partial: Path) -> None:
    with pytest.raises(SourceError, match="gives less"):
        web.download(url, SIZE + 1, partial, lambda _: None)


def test_follows_redirects_as_the_hubs_send_them(url: str, server: Server, partial: Path) -> None:
    server.moved["/latest"] = url
    partial.write_bytes(CONTENT[:10])
    web.download(f"{server.url}/latest", SIZE, partial, lambda _: None)
    assert partial.read_bytes() == CONTENT
    assert server.asked == ["bytes=10-", "bytes=10-"]


def test_what_is_not_there(server: Server, partial: Path) -> None:
    with pytest.raises(SourceError, match="answered 404") as caught:
        web.download(f"{server.url}/gone", SIZE, partial, lambda _: None)
    assert caught.value.how_to == "update TheTool"


def test_nobody_is_there(partial: Path) -> None:
    with pytest.raises(SourceError, match="refused"):
        web.download("http://127.0.0.1:9/weights.bin", SIZE, partial, lambda _: None)


def test_the_proxy_of_the_environment_is_used(server: Server, partial: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    server.files["http://hub.example/weights.bin"] = CONTENT
    web.download("http://hub.example/weights.bin", SIZE, partial, lambda _: None)
    assert partial.read_bytes() == CONTENT


def test_a_caller_that_stops_it_keeps_the_beginning(url: str, partial: Path) -> None:
    def stop(_: int) -> None:
        raise RuntimeError("cancelled")

    with pytest.raises(RuntimeError, match="cancelled"):
        web.download(url, SIZE, partial, stop)
    assert CONTENT.startswith(partial.read_bytes())
