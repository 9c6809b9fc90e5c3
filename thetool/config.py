"""The settings of this process: every environment variable that TheTool reads, checked together.

Each is declared in `thetool/settings/`, with its default, its other names and its reason. `docs/settings.md` is made
from them; a test fails when the two differ.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import AliasChoices, SecretStr, ValidationError, field_validator, model_validator

from thetool.settings.access import AccessSettings
from thetool.settings.jobs import JobSettings
from thetool.settings.restyle import RestyleSettings
from thetool.settings.service import ServiceSettings
from thetool.settings.serving import ServingSettings
from thetool.settings.storage import StorageSettings

MINIMUM_SECRET_LENGTH = 32


class SettingsError(Exception):
    """A setting has a value that TheTool cannot start with; the message is one line and names it."""


class Settings(RestyleSettings, ServingSettings, JobSettings, AccessSettings, StorageSettings, ServiceSettings):
    """The settings of one process, read once at its start.

    They are declared group by group in `thetool/settings/`; the documentation has the last base's first.
    """

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_place(cls, values: dict[str, Any]) -> dict[str, Any]:
        """Railway is production behind one proxy; `MAX_UPLOAD_SIZE_MB` is an older name in other units."""
        if os.environ.get("RAILWAY_ENVIRONMENT"):
            if not {"ENVIRONMENT", "FLASK_ENV"} & values.keys():
                values["ENVIRONMENT"] = "production"
            values.setdefault("TRUSTED_PROXIES", 1)
        megabytes = str(values.get("MAX_UPLOAD_SIZE_MB", ""))
        if megabytes.isdecimal() and not {"MAX_UPLOAD_BYTES", "MAX_FILE_SIZE"} & values.keys():
            values["MAX_UPLOAD_BYTES"] = max(1, int(megabytes) * 2**20)
        return values

    @field_validator("home", "weights_dir")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        try:
            return value.expanduser().absolute() if value else None
        except RuntimeError as error:  # `~name` of nobody
            raise ValueError(str(error)) from None

    @field_validator("database_url", "database_unpooled_url")
    @classmethod
    def _plain_postgres_url(cls, value: str | None) -> str | None:
        """Take the schemes of the older guides: `postgres://`, `postgresql+asyncpg://`."""
        if value is None:
            return None
        scheme, separator, rest = value.partition("://")
        if not separator or scheme.split("+")[0] not in {"postgres", "postgresql"}:
            raise ValueError("must start with postgresql://")
        return f"postgresql://{rest}"

    @field_validator("master_api_key", "metrics_token")
    @classmethod
    def _fits_a_header(cls, value: SecretStr | None) -> SecretStr | None:
        """Headers lose blanks at both ends and know no letters beyond ASCII: such a key would never be right."""
        if value is None:
            return None
        key = value.get_secret_value().strip()
        if not key or not all("!" <= character <= "~" for character in key):
            raise ValueError("must be printable ASCII without blanks")
        return SecretStr(key)

    @field_validator("public_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc):
            raise ValueError("must be an http:// or https:// address")
        return value.rstrip("/") if value else None

    @field_validator("cdn_domain")
    @classmethod
    def _host(cls, value: str | None) -> str | None:
        """An address with https:// is taken for the host in it; links are made of that."""
        if value is None:
            return None
        host = value.strip().removeprefix("https://").rstrip("/")
        if not re.fullmatch(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?", host):
            raise ValueError("must be a host, such as cdn.example.com")
        return host

    @model_validator(mode="after")
    def _safe_in_production(self) -> Settings:
        if not self.production:
            return self
        if self.debug:
            raise ValueError("DEBUG: must be false in production")
        if self.master_api_key is None:
            raise ValueError("MASTER_API_KEY: must be set in production; make one with: openssl rand -hex 32")
        if len(self.master_api_key.get_secret_value()) < MINIMUM_SECRET_LENGTH:
            raise ValueError(
                f"MASTER_API_KEY: needs at least {MINIMUM_SECRET_LENGTH} characters in production; "
                "make one with: openssl rand -hex 32"
            )
        if self.secret_key is not None and len(self.secret_key.get_secret_value()) < MINIMUM_SECRET_LENGTH:
            raise ValueError(f"SECRET_KEY: needs at least {MINIMUM_SECRET_LENGTH} characters in production")
        if self.database_url is None and not self.allow_embedded_database:
            raise ValueError(
                "DATABASE_URL: must be set in production (or ALLOW_EMBEDDED_DATABASE=true where the disk is kept)"
            )
        if "*" in self.cors_origin_list:
            raise ValueError(
                "CORS_ORIGINS: '*' is refused in production, because the pages use cookies; name the origins"
            )
        return self

    @property
    def production(self) -> bool:
        """Whether the strict rules of production hold."""
        return self.environment == "production"

    @property
    def cors_origin_list(self) -> list[str]:
        """The origins of `CORS_ORIGINS`, without blanks."""
        return [origin.strip() for origin in self.cors_origins.split(",") if origin.strip()]

    @property
    def weights_folder(self) -> Path:
        """Where model weights are kept."""
        return self.weights_dir or self.home / "weights"

    @property
    def json_logs(self) -> bool:
        """Whether log lines are JSON."""
        return self.log_format == "json" or (self.log_format is None and self.production)


def load_settings() -> Settings:
    """Read the settings from the environment (and the file named by `ENV_FILE`, or `.env`).

    Raises:
        SettingsError: with one line that names each setting whose value is wrong.
    """
    named, file = os.environ.get("ENV_FILE"), _env_file()
    if named and (not file.exists() or file.is_dir()):
        raise SettingsError(f"ENV_FILE: there is no file {named}")
    try:
        return Settings(_env_file=file)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"ENV_FILE: {file} cannot be read: {error}") from None
    except ValidationError as error:
        raise SettingsError("; ".join(_one_line(dict(problem)) for problem in error.errors())) from None


def older_names_in_use() -> dict[str, str]:
    """The settings that are given under an older system's name: that name, and the name here."""
    given = {**dotenv_values(_env_file()), **os.environ}
    found = {"MAX_UPLOAD_SIZE_MB": "MAX_UPLOAD_BYTES"} if given.get("MAX_UPLOAD_SIZE_MB") else {}
    for field in Settings.model_fields.values():
        name, *older = cast(AliasChoices, field.validation_alias).choices
        found |= {str(alias): str(name) for alias in older if given.get(str(alias)) and not given.get(str(name))}
    return found


def _env_file() -> Path:
    return Path(os.environ.get("ENV_FILE", ".env")).expanduser()


def _one_line(problem: dict[str, Any]) -> str:
    message = str(problem["msg"]).removeprefix("Value error, ")
    names = [str(part) for part in problem["loc"]]
    return f"{'.'.join(names)}: {message}" if names else message


@cache
def get_settings() -> Settings:
    """The settings of this process; read once."""
    return load_settings()
