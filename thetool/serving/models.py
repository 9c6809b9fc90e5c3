"""Making, finding, changing and deleting models, for whoever asks; a stranger's models are not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, or_, select
from sqlalchemy.exc import IntegrityError

from thetool.access.caller import Caller
from thetool.access.policy import Action, require
from thetool.database.ids import new_id
from thetool.database.orm import db
from thetool.serving.problems import ModelExists, ModelInUse, StatusNotEarned
from thetool.serving.records import Model, ModelAlias, ModelFile
from thetool.serving.runtime.inspection import Found
from thetool.serving.runtime.signature import Signature
from thetool.serving.schemas import BatchingIn, FoundOut, ModelIn, ModelOut, ModelPatch, ModelsQuery
from thetool.serving.semver import precedence
from thetool.web.problems import ValidationFailed

_ARCHIVABLE = ("pending", "uploaded", "ready", "error")


def create(caller: Caller, wanted: ModelIn) -> Model:
    """Make a model without a file.

    Raises:
        ModelExists: the caller has this name and version already.
    """
    model = Model(
        id=new_id(),
        owner_id=caller.owner_id,
        precedence=precedence(wanted.version),
        **wanted.model_dump(),
    )
    db.session.add(model)
    _commit(wanted.name, wanted.version)
    return model


def find(caller: Caller, model_id: UUID, action: Action = "read") -> Model:
    """The model, when the caller may do this to it; NotFound else. To change it, it is locked against other changes."""
    wanted = select(Model).where(Model.id == model_id).execution_options(populate_existing=True)
    if action != "read":
        wanted = wanted.with_for_update(key_share=True)
    return require(caller, action, db.session.scalar(wanted))


def change(model: Model, wanted: ModelPatch) -> None:
    """Change what was sent, and no more.

    Raises:
        ModelExists: the name and version are taken.
        ModelInUse: its name cannot change, nor can it be archived, while aliases name it.
        ValidationFailed: the signature does not fit the model.
        StatusNotEarned: only validation makes a model ready; `archived` and back is for people.
    """
    sent = wanted.model_dump(exclude_unset=True)
    name, status = sent.get("name") or model.name, sent.pop("status", None)
    if model.found and sent.get("signature"):
        _check_signature(Signature(**sent["signature"]), Found.model_validate(model.found))
    leaves = name != model.name or (status == "archived" and model.status != "archived")
    if leaves and (aliases := aliases_of([model.id]).get(model.id)):
        raise ModelInUse(f"The model is {', '.join(sorted(aliases))}; move or delete these aliases first.")
    if status is not None and status != model.status:
        model.status = _next_status(model, status)
    for field, value in sent.items():
        if value is not None or field in ("description", "batching", "signature"):
            setattr(model, field, value)
    model.precedence = precedence(model.version)
    model.revision += 1
    model.updated_at = func.now()
    _commit(model.name, model.version)


def delete(model: Model) -> None:
    """Delete a model and the predictions that were made with it; its file is `files.forget_unused`'s.

    Raises:
        ModelInUse: aliases name it.
    """
    if aliases := aliases_of([model.id]).get(model.id):
        raise ModelInUse(f"The model is {', '.join(sorted(aliases))}; move or delete these aliases first.")
    db.session.delete(model)
    db.session.commit()


def aliases_of(model_ids: Sequence[UUID]) -> dict[UUID, list[str]]:
    """The aliases of each of these models that has some."""
    rows = db.session.execute(
        select(ModelAlias.model_id, ModelAlias.alias)
        .where(ModelAlias.model_id.in_(model_ids))
        .order_by(ModelAlias.alias)
    )
    found: dict[UUID, list[str]] = {}
    for model_id, alias in rows:
        found.setdefault(model_id, []).append(alias)
    return found


def after_cursor(caller: Caller, query: ModelsQuery) -> Sequence[Model]:
    """The caller's models after the cursor, newest first, one more than the page holds."""
    wanted = _wanted(caller, query).order_by(Model.id.desc()).limit(query.limit + 1)
    if (after := query.after("models", UUID)) is not None:
        wanted = wanted.where(Model.id < after)
    return db.session.scalars(wanted).all()


def of_page(caller: Caller, query: ModelsQuery, page: int) -> tuple[Sequence[Model], int]:
    """The caller's models of a page by number, and how many there are in all."""
    wanted = _wanted(caller, query)
    total = db.session.scalar(select(func.count()).select_from(wanted.with_only_columns(Model.id).subquery()))
    rows = wanted.order_by(Model.id.desc()).limit(query.page_size).offset((page - 1) * query.page_size)
    return db.session.scalars(rows).all(), total or 0


def versions_of(caller: Caller, name: str) -> Sequence[Model]:
    """The caller's models of a name, the highest version first."""
    wanted = select(Model).where(Model.owner_id == caller.owner_id, Model.name == name)
    return db.session.scalars(wanted.order_by(Model.precedence.desc(), Model.id.desc())).all()


def told(models: Sequence[Model]) -> list[ModelOut]:
    """The models as answers show them."""
    aliases = aliases_of([model.id for model in models])
    wanted = {(model.owner_id, model.file_sha256) for model in models if model.file_sha256 is not None}
    files = (
        select(ModelFile).where(
            or_(*((ModelFile.owner_id == owner) & (ModelFile.sha256 == sha256) for owner, sha256 in wanted))
        )
        if wanted
        else None
    )
    sizes = {(file.owner_id, file.sha256): file.size for file in db.session.scalars(files)} if files is not None else {}
    return [
        _out(model, aliases.get(model.id, []), sizes.get((model.owner_id, model.file_sha256 or b"")))
        for model in models
    ]


def _out(model: Model, aliases: list[str], size: int | None) -> ModelOut:
    found = Found.model_validate(model.found) if model.found else None
    return ModelOut(
        **{
            name: getattr(model, name)
            for name in ("id", "owner_id", "name", "version", "description", "tags", "status", "error_message")
        },
        file_size_bytes=size,
        file_hash=model.file_sha256.hex() if model.file_sha256 else None,
        input_schema=found.input_schema if found else None,
        output_schema=found.output_schema if found else None,
        model_metadata=model.model_metadata,
        found=FoundOut(**found.model_dump()) if found else None,
        batching=BatchingIn(**(model.batching or {})),
        signature=Signature(**model.signature) if model.signature else None,
        aliases=aliases,
        created_at=model.created_at,
        updated_at=model.updated_at,
    )


def _check_signature(signature: Signature, found: Found) -> None:
    try:
        signature.check(found)
    except ValueError as error:
        raise ValidationFailed.of_fields([("signature", str(error), "body")]) from None


def _next_status(model: Model, status: str) -> str:
    if status == "archived" and model.status in _ARCHIVABLE:
        return status
    if model.status == "archived" and status == _before_archived(model):
        return status
    earned = "Only validation makes a model ready." if status == "ready" else "It comes to that by itself."
    raise StatusNotEarned(f"The model is {model.status}; it cannot become {status} by being told to. {earned}")


def _before_archived(model: Model) -> str:
    if model.found:
        return "ready"
    if model.error_message:
        return "error"
    return "uploaded" if model.file_sha256 else "pending"


def _wanted(caller: Caller, query: ModelsQuery) -> Select[Any]:
    wanted = select(Model)
    if not caller.is_master:
        wanted = wanted.where(Model.owner_id == caller.owner_id)
    if query.name is not None:
        wanted = wanted.where(Model.name == query.name)
    if query.status is not None:
        wanted = wanted.where(Model.status == query.status)
    if query.tag is not None:
        wanted = wanted.where(Model.tags.contains([query.tag]))
    if query.search:
        wanted = wanted.where(
            or_(
                Model.name.icontains(query.search, autoescape=True),
                Model.description.icontains(query.search, autoescape=True),
            )
        )
    return wanted


def _commit(name: str, version: str) -> None:
    try:
        db.session.commit()
    except IntegrityError as error:
        db.session.rollback()
        if "models_owner_id_name_version_key" not in str(error.orig):
            raise
        raise ModelExists(f"You have {name[:60]!r} {version} already; choose another version.") from None
