"""`/api/v1/models/by-name/…`: versions of a model, and the aliases that name them."""

from __future__ import annotations

from apiflask import APIBlueprint

from thetool.access.caller import current_caller, needs
from thetool.serving import aliases, models
from thetool.serving.problems import ModelNotReady, NothingToRollBack
from thetool.serving.schemas import (
    LATEST,
    AliasesOut,
    AliasIn,
    AliasOut,
    LatestQuery,
    ModelOut,
    VersionOut,
    VersionsOut,
    is_alias,
)
from thetool.serving.state import serving
from thetool.web.openapi import raises
from thetool.web.problems import NotFound, ValidationFailed

blueprint = APIBlueprint("model_versions", __name__, url_prefix="/api/v1/models/by-name", tag="Models")


@blueprint.get("/<name>/versions")
@needs("read")
@blueprint.output(VersionsOut)
@raises(NotFound)
def list_versions(name: str) -> VersionsOut:
    """List the versions of a model, the highest first."""
    caller = current_caller()
    found = models.versions_of(caller, name)
    if not found:
        raise NotFound(f"You have no model named {name[:60]!r}.")
    named = models.aliases_of([model.id for model in found])
    latest = serving().lookup.latest(caller.owner_id, name, ready=True)
    versions = [
        VersionOut(
            id=model.id,
            version=model.version,
            status=model.status,
            aliases=named.get(model.id, []),
            created_at=model.created_at,
        )
        for model in found
    ]
    latest_version = next((model.version for model in found if model.id == latest), None)
    return VersionsOut(name=name, versions=versions, total=len(versions), latest_version=latest_version)


@blueprint.get("/<name>/latest")
@needs("read")
@blueprint.input(LatestQuery, location="query", arg_name="query")
@blueprint.output(ModelOut)
@raises(NotFound)
def show_latest(name: str, query: LatestQuery) -> ModelOut:
    """Show the highest version of a model; a release before any pre-release."""
    caller = current_caller()
    latest = serving().lookup.latest(caller.owner_id, name, ready=query.ready_only)
    if latest is None:
        raise NotFound(f"You have no {'ready ' if query.ready_only else ''}model named {name[:60]!r}.")
    return models.told([models.find(caller, latest)])[0]


@blueprint.get("/<name>/aliases")
@needs("read")
@blueprint.output(AliasesOut)
def list_aliases(name: str) -> AliasesOut:
    """List the aliases of a model's name."""
    return AliasesOut(name=name, aliases=aliases.of_name(current_caller(), name))


@blueprint.put("/<name>/aliases/<alias>")
@needs("write")
@blueprint.input(AliasIn, arg_name="wanted")
@blueprint.output(AliasOut)
@raises(NotFound, ModelNotReady, ValidationFailed)
def put_alias(name: str, alias: str, wanted: AliasIn) -> AliasOut:
    """Let an alias name a version from now on, in one step; another version may get a share of its predictions."""
    if not is_alias(alias) or alias == LATEST:
        wrong = "begins with a letter, has up to 50 of a-z, 0-9, - and _, and is not `latest`"
        raise ValidationFailed.of_fields([("alias", wrong, "path")])
    moved = aliases.put(current_caller(), name, alias, wanted)
    serving().lookup.forget()
    return moved


@blueprint.post("/<name>/aliases/<alias>/rollback")
@needs("write")
@blueprint.output(AliasOut)
@raises(NotFound, NothingToRollBack)
def roll_back_alias(name: str, alias: str) -> AliasOut:
    """Let an alias name the version that it named before."""
    moved = aliases.roll_back(current_caller(), name, alias)
    serving().lookup.forget()
    return moved


@blueprint.delete("/<name>/aliases/<alias>")
@needs("write")
@blueprint.output({}, status_code=204)
@raises(NotFound)
def delete_alias(name: str, alias: str) -> tuple[str, int]:
    """Delete an alias; the version that it names stays."""
    aliases.remove(current_caller(), name, alias)
    serving().lookup.forget()
    return "", 204
