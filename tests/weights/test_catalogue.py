from __future__ import annotations

import copy

import pytest
from pydantic import ValidationError

from tests.weights.conftest import CONTENT, ROLE, file_entry, model_entry, source
from thetool.config import Settings
from thetool.weights.catalogue import Catalogue, WeightFile, catalogue
from thetool.weights.problems import UnknownModel


def valid() -> dict:
    return copy.deepcopy(
        {"roles": {"embeddings": ROLE}, "models": [model_entry(file_entry("a.bin", CONTENT, source("toy-weights")))]}
    )


def test_every_role_has_its_default_and_the_settings_default_is_the_same() -> None:
    for name, role in catalogue().roles.items():
        assert catalogue().find(name, role.default)
        assert Settings.model_fields[role.setting].default == role.default


def test_every_model_says_its_licence_and_where_that_is_from() -> None:
    assert all(model.licence and model.licence_source for model in catalogue().models)


def test_every_default_model_comes_from_a_package_registry_first() -> None:
    """Such a machine needs no model hub; each other source is another way to the same bytes."""
    for name, role in catalogue().roles.items():
        model = catalogue().find(name, role.default)
        for original in (original for file in model.files for original in file.fetched):
            assert original.sources[0].kind in {"pypi", "npm"}, f"{name}: {original.name}"


def test_every_role_has_a_model_that_the_hubs_have() -> None:
    """The default itself, or another one that a setting chooses."""
    for role in catalogue().roles:
        models = [model for model in catalogue().models if model.role == role]
        assert any(all(_is_on_the_web(file) for file in model.files) for model in models), role


def _is_on_the_web(file: WeightFile) -> bool:
    return all(any(source.kind == "web" for source in original.sources) for original in file.fetched)


def test_the_settings_choose_the_model() -> None:
    assert catalogue().chosen(Settings(), "embeddings").name == "minilm-int8"
    with pytest.raises(UnknownModel, match="no model 'other' for embeddings.*minilm-int8"):
        catalogue().chosen(Settings(TEXT_MODEL_NAME="other"), "embeddings")
    with pytest.raises(UnknownModel, match="no role 'magic'.*embeddings"):
        catalogue().chosen(Settings(), "magic")


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "", "a b", "x" * 101, "a\n"])
def test_names_that_could_leave_the_folder_are_refused(name: str) -> None:
    entry = valid()
    entry["models"][0]["files"][0]["name"] = name
    with pytest.raises(ValidationError):
        Catalogue.model_validate(entry)


@pytest.mark.parametrize(
    "requirement", ["--index-url=evil", "toy", "toy>=1.0", "toy==1.0 --pre", "toy @ https://evil/x.whl"]
)
def test_only_pinned_requirements(requirement: str) -> None:
    entry = valid()
    entry["models"][0]["files"][0]["sources"][0]["requirement"] = requirement
    with pytest.raises(ValidationError):
        Catalogue.model_validate(entry)


@pytest.mark.parametrize(
    "package",
    ["--registry=evil", "toy", "toy@latest", "toy@^1.0.0", "toy@1.0.0 --force", "../toy@1.0.0", "toy@https://e"],
)
def test_only_pinned_npm_packages(package: str) -> None:
    entry = valid()
    entry["models"][0]["files"][0]["sources"][0] = {"kind": "npm", "package": package, "member": "a", "size": 1}
    with pytest.raises(ValidationError):
        Catalogue.model_validate(entry)


@pytest.mark.parametrize(
    "url", ["http://hub.example/a", "file:///etc/passwd", "https://hub.example", "https://u:p@e/a"]
)
def test_only_encrypted_addresses_without_secrets(url: str) -> None:
    entry = valid()
    entry["models"][0]["files"][0]["sources"][0] = {"kind": "web", "url": url}
    with pytest.raises(ValidationError):
        Catalogue.model_validate(entry)


@pytest.mark.parametrize(
    "change",
    [
        {"sources": []},
        {"converter": "tfjs"},
        {"converter": "pickle", "sources": [], "originals": "some"},
        {"sources": [], "originals": "some"},
        {"converter": "tfjs", "originals": "some"},
    ],
    ids=["from nowhere", "converted of nothing", "unknown converter", "not converted", "both ways"],
)
def test_a_file_is_an_original_or_made_of_originals(change: dict) -> None:
    entry = valid()
    file = entry["models"][0]["files"][0]
    original = {key: file[key] for key in ("name", "size", "sha256", "sources")}
    file |= {key: [original] if value == "some" else value for key, value in change.items()}
    with pytest.raises(ValidationError):
        Catalogue.model_validate(entry)


def test_contradictions_are_refused() -> None:
    twice, roleless, defaultless, settingless = valid(), valid(), valid(), valid()
    twice["models"] *= 2
    roleless["models"][0]["role"] = "magic"
    defaultless["roles"]["embeddings"]["default"] = "other"
    settingless["roles"]["embeddings"]["setting"] = "no_such_setting"
    for entry in (twice, roleless, defaultless, settingless):
        with pytest.raises(ValidationError):
            Catalogue.model_validate(entry)
    assert Catalogue.model_validate(valid())
