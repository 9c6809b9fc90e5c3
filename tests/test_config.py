"""Settings: other names, the place's own defaults, and one line that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from thetool.config import Settings, SettingsError, load_settings, older_names_in_use

GOOD_KEY = "k" * 32
PRODUCTION = {"ENVIRONMENT": "production", "MASTER_API_KEY": GOOD_KEY, "DATABASE_URL": "postgresql://u@h/d"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ENV_FILE", raising=False)
    return monkeypatch


def with_settings(environment: pytest.MonkeyPatch, **values: str) -> Settings:
    for name, value in values.items():
        environment.setenv(name, value)
    return load_settings()


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("API_SECRET_KEY", "secret", "master_api_key", "secret"),
        ("API_PORT", "9000", "port", 9000),
        ("MAX_WORKERS", "3", "workers", 3),
        ("ENABLE_CACHING", "false", "cache_enabled", False),
        ("CACHE_TTL_SECONDS", "60", "cache_ttl", 60),
        ("MAX_FILE_SIZE", "1000", "max_upload_bytes", 1000),
        ("MAX_UPLOAD_SIZE_MB", "12", "max_upload_bytes", 12 * 2**20),
        ("R2_BUCKET_NAME", "files", "s3_bucket_name", "files"),
        ("DATABASE_URL", "postgres://u:p@h:5/d", "database_url", "postgresql://u:p@h:5/d"),
        ("DATABASE_URL", "postgresql+asyncpg://u:p@h/d", "database_url", "postgresql://u:p@h/d"),
    ],
)
def test_older_names_are_read(
    environment: pytest.MonkeyPatch, name: str, value: str, field: str, expected: object
) -> None:
    found = getattr(with_settings(environment, **{name: value}), field)
    assert (found.get_secret_value() if hasattr(found, "get_secret_value") else found) == expected


def test_own_name_outranks_an_older_one(environment: pytest.MonkeyPatch) -> None:
    assert with_settings(environment, PORT="7000", API_PORT="9000").port == 7000


def test_older_names_in_use_are_told(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "some.env").write_text("R2_BUCKET_NAME=files\n")
    environment.setenv("ENV_FILE", str(tmp_path / "some.env"))
    environment.setenv("API_PORT", "9000")
    environment.setenv("WORKERS", "3")
    environment.setenv("WEB_CONCURRENCY", "2")
    environment.setenv("MAX_UPLOAD_SIZE_MB", "5")
    assert older_names_in_use() == {
        "R2_BUCKET_NAME": "S3_BUCKET_NAME",
        "API_PORT": "PORT",
        "MAX_UPLOAD_SIZE_MB": "MAX_UPLOAD_BYTES",
    }


def test_an_empty_variable_is_unset(environment: pytest.MonkeyPatch) -> None:
    assert with_settings(environment, DATABASE_URL="", MAX_REQUESTS="").database_url is None


def test_railway_is_production_behind_one_proxy(environment: pytest.MonkeyPatch) -> None:
    production = {name: value for name, value in PRODUCTION.items() if name != "ENVIRONMENT"}
    settings = with_settings(environment, RAILWAY_ENVIRONMENT="production", **production)
    assert settings.production
    assert settings.trusted_proxies == 1


def test_env_file_is_read(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "prod.env").write_text("PORT=7777\nUNKNOWN_NAME=1\nMAX_UPLOAD_SIZE_MB=2\n")
    settings = with_settings(environment, ENV_FILE=str(tmp_path / "prod.env"))
    assert (settings.port, settings.max_upload_bytes) == (7777, 2 * 2**20)


def test_env_file_that_is_no_text(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "prod.env").write_bytes(b"PORT=\xff\n")
    with pytest.raises(SettingsError, match="^ENV_FILE: .*prod.env cannot be read"):
        with_settings(environment, ENV_FILE=str(tmp_path / "prod.env"))


def test_a_pasted_keys_blanks_are_no_part_of_it(environment: pytest.MonkeyPatch) -> None:
    key = with_settings(environment, MASTER_API_KEY=f" {GOOD_KEY}\n").master_api_key
    assert key is not None
    assert key.get_secret_value() == GOOD_KEY


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"PORT": "abc"}, "PORT"),
        ({"PORT": "70000"}, "PORT"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL"),
        ({"DATABASE_URL": "mysql://h/d"}, "DATABASE_URL"),
        ({"PUBLIC_URL": "tool.example.com"}, "PUBLIC_URL"),
        ({"MAX_UPLOAD_SIZE_MB": "many"}, "MAX_UPLOAD_SIZE_MB"),
        ({"MAX_UPLOAD_SIZE_MB": "0"}, "MAX_UPLOAD_SIZE_MB"),
        ({"ENV_FILE": "."}, "ENV_FILE"),
        ({"RATE_LIMIT_ENABLED": "perhaps"}, "RATE_LIMIT_ENABLED"),
        ({"GRACEFUL_TIMEOUT": "inf"}, "GRACEFUL_TIMEOUT"),
        ({"THETOOL_HOME": "~nobody-of-this-name/x"}, "THETOOL_HOME"),
        ({"MASTER_API_KEY": "schlüssel"}, "MASTER_API_KEY"),
        ({"MASTER_API_KEY": "two words"}, "MASTER_API_KEY"),
        ({"METRICS_TOKEN": "\n"}, "METRICS_TOKEN"),
        ({"ENV_FILE": "nowhere.env"}, "ENV_FILE"),
        (PRODUCTION | {"MASTER_API_KEY": ""}, "MASTER_API_KEY"),
        (PRODUCTION | {"MASTER_API_KEY": "short"}, "MASTER_API_KEY"),
        (PRODUCTION | {"SECRET_KEY": "short"}, "SECRET_KEY"),
        (PRODUCTION | {"DATABASE_URL": ""}, "DATABASE_URL"),
        (PRODUCTION | {"DEBUG": "true"}, "DEBUG"),
        (PRODUCTION | {"CORS_ORIGINS": "*"}, "CORS_ORIGINS"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_it(
    environment: pytest.MonkeyPatch, values: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        with_settings(environment, **values)
    assert str(caught.value).startswith(f"{named}: ")
    assert "\n" not in str(caught.value)


def test_a_wrong_secret_is_not_repeated(environment: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        with_settings(environment, **PRODUCTION | {"MASTER_API_KEY": "short-secret"})
    assert "short-secret" not in str(caught.value)


def test_production_starts_with_what_it_needs(environment: pytest.MonkeyPatch) -> None:
    assert with_settings(environment, **PRODUCTION).production


def test_the_example_file_names_only_settings() -> None:
    known = {str(name) for field in Settings.model_fields.values() for name in field.validation_alias.choices}  # type: ignore[union-attr]
    lines = (Path(__file__).parents[1] / ".env.example").read_text().splitlines()
    assert {line.split("=")[0] for line in lines if line and not line.startswith("#")} <= known
