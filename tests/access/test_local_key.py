"""The local master key, and the secrets that are derived from a master key."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from thetool.access.local_key import local_key, master_key
from thetool.access.secrets import derive, hkdf_sha256
from thetool.config import Settings, SettingsError


def test_made_once_and_kept(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    key = local_key(home)
    assert len(key) >= 32
    assert local_key(home) == key
    assert stat.S_IMODE((home / "master.key").stat().st_mode) == 0o600
    assert [file.name for file in home.iterdir()] == ["master.key"]


def test_leaves_the_modes_of_folders_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    local_key(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o755


def test_many_processes_at_once_agree(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(8) as pool:
        keys = pool.map(local_key, [tmp_path] * 32, chunksize=1)
    assert len(set(keys)) == 1


def test_an_empty_file_is_filled(tmp_path: Path) -> None:
    (tmp_path / "master.key").touch()
    assert local_key(tmp_path) == local_key(tmp_path) != ""


def test_does_not_follow_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("planted-key-0123456789\n")
    (tmp_path / "master.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SettingsError, match=r"MASTER_API_KEY.*master\.key"):
        local_key(tmp_path)


def test_no_place_for_a_key(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="MASTER_API_KEY"):
        local_key(tmp_path / "file" / "home")


def test_the_key_that_is_set_wins(tmp_path: Path) -> None:
    assert master_key(Settings(THETOOL_HOME=tmp_path, MASTER_API_KEY="given")) == "given"
    assert os.listdir(tmp_path) == []


def test_derived_secrets(tmp_path: Path) -> None:
    by_master = Settings(THETOOL_HOME=tmp_path, MASTER_API_KEY="m" * 32)
    by_secret = Settings(THETOOL_HOME=tmp_path, MASTER_API_KEY="m" * 32, SECRET_KEY="s" * 32)
    assert derive(by_master, "session") == derive(by_master.model_copy(), "session")
    different = {derive(by_master, "session"), derive(by_master, "links"), derive(by_secret, "session")}
    assert len(different) == 3
    assert {len(secret) for secret in different} == {32}
    rotated = Settings(THETOOL_HOME=tmp_path, MASTER_API_KEY="n" * 32, SECRET_KEY="s" * 32)
    assert derive(rotated, "session") == derive(by_secret, "session")


@pytest.mark.parametrize(
    ("material", "salt", "info", "length", "expected"),
    [
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
    ids=["RFC 5869 A.1", "RFC 5869 A.3"],
)
def test_hkdf(material: str, salt: str, info: str, length: int, expected: str) -> None:
    made = hkdf_sha256(bytes.fromhex(material), salt=bytes.fromhex(salt), info=bytes.fromhex(info), length=length)
    assert made.hex() == expected
