from __future__ import annotations

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.conftest import MASTER_KEY
from tests.weights.conftest import CONTENT
from thetool.access import setup
from thetool.config import Settings
from thetool.database import connection
from thetool.web.api import create_api
from thetool.weights import routes
from thetool.weights.folder import chosen, folder_of
from thetool.weights.problems import WeightsMissing
from thetool.weights.repositories import MANIFEST, Manifest, PulledFile
from thetool.weights.used import of_weights

KEY = {"X-API-Key": MASTER_KEY}
MakeClient = Callable[..., FlaskClient]


@pytest.fixture
def make_client(settings: Settings) -> MakeClient:
    """A caller of an application of these routes; no database answers there, and none is asked."""

    def make(**values: object) -> FlaskClient:
        there = {"DATABASE_URL": "postgresql://127.0.0.1:9/none", "MASTER_API_KEY": MASTER_KEY}
        configured = Settings(**{**there, "THETOOL_HOME": settings.home, **values})
        app = create_api(configured)
        connection.init_app(app, configured)
        setup.init_app(app, configured)
        app.register_blueprint(routes.blueprint)

        @app.get("/uses-weights")
        def use() -> None:
            raise WeightsMissing("embeddings", "minilm-int8", "weights.bin is missing")

        return app.test_client()

    return make


@pytest.mark.usefixtures("toy")
def test_what_is_here_and_what_is_not(make_client: MakeClient, settings: Settings) -> None:
    client = make_client()
    role, *_ = client.get("/api/v1/weights", headers=KEY).json["items"]
    assert (role["role"], role["name"], role["licence"]) == ("embeddings", "minilm-int8", "Apache-2.0")
    assert (role["present"], role["how_to"]) == (False, "run: thetool weights pull embeddings")
    assert (role["size"], role["files"][0]["name"]) == (len(CONTENT), "weights.bin")
    assert (role["files"][0]["sources"], role["files"][0]["conversion"]) == (["PyPI toy-weights==1.0"], "none")
    assert (role["setting"], role["others"]) == ("TEXT_MODEL_NAME", [])

    folder = settings.weights_folder / "embeddings" / "minilm-int8"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(CONTENT)
    answer = client.get("/api/v1/weights", headers=KEY)
    assert (answer.json["items"][0]["present"], answer.json["items"][0]["how_to"]) == (True, None)
    assert str(settings.home) not in answer.text


def test_what_restyling_needs_of_a_hub_is_listed_too(make_client: MakeClient, settings: Settings) -> None:
    own = settings.home / "own-depth"
    client = make_client(RESTYLE_DEPTH_MODEL=str(own), RESTYLE_EDGE_CONTROL_MODEL="own/control@v2")
    parts = {item["role"]: item for item in client.get("/api/v1/weights", headers=KEY).json["items"]}
    assert {"restyle-base", "restyle-depth-control", "restyle-edge-control", "restyle-depth"} <= parts.keys()
    edges, depth, masks = (parts[f"restyle-{name}"] for name in ("edge-control", "depth", "masks"))
    assert (edges["name"], edges["version"], edges["size"]) == ("own/control", "v2", None)
    assert (edges["present"], edges["how_to"]) == (False, "run: thetool weights pull restyle")
    assert (depth["name"], depth["version"]) == ("own-depth", "a local folder")
    assert "RESTYLE_DEPTH_MODEL" in depth["how_to"]
    assert (masks["optional"], masks["licence"]) == (True, "Apache-2.0")

    folder = settings.weights_folder / "restyle" / "own--control"
    folder.mkdir(parents=True)
    (folder / "config.json").write_bytes(b"{}")
    (folder / "model.safetensors").write_bytes(b"123")
    files = (
        PulledFile(name="config.json", size=2, git_sha1="0" * 40),
        PulledFile(name="model.safetensors", size=3, sha256="1" * 64),
    )
    manifest = Manifest(repository="own/control", revision="c" * 40, files=files)
    (folder / MANIFEST).write_text(manifest.model_dump_json())
    answer = client.get("/api/v1/weights", headers=KEY)
    edges = next(item for item in answer.json["items"] if item["role"] == "restyle-edge-control")
    assert (edges["version"], edges["size"], edges["present"], edges["how_to"]) == ("c" * 40, 5, True, None)
    assert [file["sha256"] for file in edges["files"]] == [None, "1" * 64]
    assert str(settings.home) not in answer.text


def test_needs_a_key(make_client: MakeClient) -> None:
    assert make_client().get("/api/v1/weights").json["code"] == "unauthenticated"


def test_a_setting_that_names_no_model(make_client: MakeClient) -> None:
    answer = make_client(TEXT_MODEL_NAME="other").get("/api/v1/weights", headers=KEY)
    assert (answer.status_code, answer.json["code"]) == (503, "unknown_model")
    assert "minilm-int8" in answer.json["detail"]


def test_missing_weights_reach_the_caller_as_a_problem(make_client: MakeClient) -> None:
    answer = make_client().get("/uses-weights")
    assert (answer.status_code, answer.json["code"]) == (503, "weights_missing")
    assert answer.json["how_to"] == "run: thetool weights pull embeddings"


def test_results_name_the_model_with_its_licence(settings: Settings) -> None:
    model = chosen(settings, "embeddings")
    used = of_weights(model)
    assert (used.name, used.version, used.licence) == ("minilm-int8", model.version, "Apache-2.0")
    assert folder_of(settings, model).name == "minilm-int8"
