"""Which model is meant: `NAME`, `NAME@ALIAS`, `NAME:VERSION` or an id."""

from __future__ import annotations

import re
from urllib.parse import quote
from uuid import UUID

from thetool.cli.problems import CommandFailed
from thetool.cli.service import Service

MODELS = "/api/v1/models"
PRODUCTION = "production"

_alias = re.compile(r"(.+)@([a-z][a-z0-9_-]{0,49})", re.DOTALL).fullmatch
_version = re.compile(r"(.+):([0-9][0-9A-Za-z.+-]*|latest)", re.DOTALL).fullmatch


def id_of(service: Service, model: str) -> str:
    """The id of what a reference names."""
    if is_id(model):
        return model
    name, alias, version = parts(model)
    path = by_name(name)
    listed = service.get(f"{path}/versions").body
    if version not in (None, "latest"):
        found = [one["id"] for one in listed["versions"] if one["version"] == version]
    else:
        aliases = {one["alias"]: one["model_id"] for one in service.get(f"{path}/aliases").body["aliases"]}
        latest = [one["id"] for one in listed["versions"] if one["version"] == listed["latest_version"]]
        of_alias = [aliases[wanted]] if (wanted := alias or (None if version else PRODUCTION)) in aliases else []
        found = of_alias if alias else of_alias or latest or [listed["versions"][0]["id"]]
    if not found:
        raise CommandFailed(f"There is no {version or '@' + str(alias)} of {name!r}; see: thetool models show {name}")
    return str(found[0])


def path_of(model: str) -> str:
    """The address of what a reference names, for predictions."""
    if is_id(model):
        return f"{MODELS}/{model}"
    name, alias, version = parts(model)
    path = by_name(name)
    if alias is not None:
        return f"{path}/aliases/{alias}"
    return f"{path}/versions/{quote(version, safe='')}" if version else path


def parts(model: str) -> tuple[str, str | None, str | None]:
    """Name, alias and version of a reference: NAME, NAME@ALIAS or NAME:VERSION."""
    if found := _alias(model):
        return found[1], found[2], None
    if found := _version(model):
        return found[1], None, found[2]
    return model, None, None


def by_name(name: str) -> str:
    """The address of all versions of a name."""
    return f"{MODELS}/by-name/{quote(name, safe='')}"


def is_id(model: str) -> bool:
    """Whether it is an id."""
    try:
        return str(UUID(model)) == model.lower()
    except ValueError:
        return False
