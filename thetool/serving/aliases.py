"""Names for versions, such as `production`: moved in one step, and back again."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from thetool.access.caller import Caller
from thetool.database.orm import db
from thetool.serving.problems import ModelNotReady, NothingToRollBack
from thetool.serving.records import Model, ModelAlias
from thetool.serving.schemas import AliasIn, AliasOut
from thetool.web.problems import NotFound, ValidationFailed

MOST_EARLIER = 20


def of_name(caller: Caller, name: str) -> list[AliasOut]:
    """All aliases of the caller's models of a name."""
    wanted = select(ModelAlias).where(ModelAlias.owner_id == caller.owner_id, ModelAlias.name == name)
    return [_out(alias) for alias in db.session.scalars(wanted.order_by(ModelAlias.alias))]


def put(caller: Caller, name: str, alias: str, wanted: AliasIn) -> AliasOut:
    """Let an alias name a version from now on, and another one get a share if that is wanted.

    Raises:
        NotFound: there is no such version.
        ModelNotReady: it is not ready; an archived one is not, either.
        ValidationFailed: a share without a version that gets it, or both are the same.
    """
    if (wanted.canary_version is None) != (wanted.canary_percent == 0) or wanted.canary_version == wanted.version:
        wrong = "a share needs another version that gets it, and such a version a share above 0"
        raise ValidationFailed.of_fields([("canary_percent", wrong, "body")])
    _one_at_a_time(caller, name)
    model = _ready(caller, name, wanted.version)
    canary = _ready(caller, name, wanted.canary_version) if wanted.canary_version else None
    found = _find(caller, name, alias)
    if found is None:
        found = ModelAlias(owner_id=caller.owner_id, name=name, alias=alias, model_id=model.id, earlier=[])
        db.session.add(found)
    elif found.model_id != model.id:
        found.earlier = [*found.earlier, found.model_id][-MOST_EARLIER:]
        found.model_id = model.id
    found.canary_model_id = None if canary is None else canary.id
    found.canary_percent = wanted.canary_percent
    found.updated_at = func.now()
    db.session.commit()
    return _out(found)


def roll_back(caller: Caller, name: str, alias: str) -> AliasOut:
    """Let an alias name what it named before, as far as that is still ready; nothing gets a share then.

    Raises:
        NotFound: there is no such alias.
        NothingToRollBack: no model that it named before is ready.
    """
    found = _existing(caller, name, alias)
    earlier = list(found.earlier)
    while earlier:
        # Locked as in `_ready`: it may be archived just now.
        model = db.session.get(Model, earlier.pop(), with_for_update={"key_share": True}, populate_existing=True)
        if model is not None and model.status == "ready" and model.name == name:
            found.model_id, found.earlier = model.id, earlier
            found.canary_model_id, found.canary_percent = None, 0
            found.updated_at = func.now()
            db.session.commit()
            return _out(found)
    db.session.rollback()
    raise NothingToRollBack(f"{alias!r} has named no other version before that is still ready.")


def remove(caller: Caller, name: str, alias: str) -> None:
    """Delete an alias; the models stay."""
    db.session.delete(_existing(caller, name, alias))
    db.session.commit()


def _one_at_a_time(caller: Caller, name: str) -> None:
    """Wait, until this transaction may change the aliases of a name: two that lock crosswise would wait for ever."""
    key = f"aliases {caller.owner_id} {name}"
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(key, 0))))


def _find(caller: Caller, name: str, alias: str) -> ModelAlias | None:
    return db.session.get(ModelAlias, (caller.owner_id, name, alias), populate_existing=True)


def _existing(caller: Caller, name: str, alias: str) -> ModelAlias:
    """An alias that is to be changed; NotFound when there is none."""
    _one_at_a_time(caller, name)
    found = _find(caller, name, alias)
    if found is None:
        raise NotFound(f"There is no alias {alias[:60]!r} of {name[:60]!r}.")
    return found


def _ready(caller: Caller, name: str, version: str) -> Model:
    wanted = select(Model).where(Model.owner_id == caller.owner_id, Model.name == name, Model.version == version)
    # Locked against being archived or deleted meanwhile; NO KEY, because the alias's foreign key shares it.
    model = db.session.scalar(wanted.with_for_update(key_share=True))
    if model is None:
        raise NotFound(f"There is no version {version} of {name[:60]!r}.")
    if model.status != "ready":
        raise ModelNotReady(f"{name[:60]!r} {version} is {model.status}, not ready.", model_status=model.status)
    return model


def _out(alias: ModelAlias) -> AliasOut:
    return AliasOut(
        name=alias.name,
        alias=alias.alias,
        version=_version(alias.model_id) or "",
        model_id=alias.model_id,
        canary_version=_version(alias.canary_model_id),
        canary_model_id=alias.canary_model_id,
        canary_percent=alias.canary_percent,
        earlier=alias.earlier,
        updated_at=alias.updated_at,
    )


def _version(model_id: UUID | None) -> str | None:
    return None if model_id is None else db.session.scalar(select(Model.version).where(Model.id == model_id))
