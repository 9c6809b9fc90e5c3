"""`thetool keys` against the real routes on a real database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.access.conftest import build
from tests.cli.conftest import Run, served
from tests.conftest import MASTER_KEY
from thetool.config import Settings


@pytest.fixture(autouse=True)
def service(settings: Settings, at_service: Callable[[str], None]) -> Iterator[None]:
    with served(build(settings)) as url:
        at_service(url)
        yield


def create(run: Run, *arguments: str) -> dict[str, object]:
    result = run("keys", "create", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)  # type: ignore[no-any-return]


def test_create_for_people(run: Run) -> None:
    result = run("keys", "create", "reports", "--owner", "acme", "--rate-limit", "5")
    assert result.exit_code == 0
    assert re.search(r"^tt_[\w-]{43}$", result.stdout, re.MULTILINE)
    assert "acme" in result.stdout
    assert "not shown again" in result.stderr


def test_create_with_everything(run: Run) -> None:
    key = create(
        run,
        "x",
        "--scope",
        "read",
        "--scope",
        "admin",
        "--job-quota",
        "3",
        "--storage-quota",
        "10",
        "--expires-in",
        "2",
    )
    assert (key["scopes"], key["job_quota"], key["storage_quota_bytes"]) == (["admin", "read"], 3, 10)
    assert datetime.fromisoformat(str(key["expires_at"])) - datetime.now(UTC) < timedelta(days=2)


def test_list_shows_limits(run: Run) -> None:
    create(run, "free")
    create(run, "tight", "--rate-limit", "5", "--job-quota", "3", "--storage-quota", str(3 * 2**29))
    lines = run("keys", "list").stdout.splitlines()
    assert "5/min, 3 jobs, 1.5 GiB" in lines[1]
    assert re.search(r"\d+ s ago", lines[1])
    assert lines[2].split("  ")[-1].strip() == "–"


def test_list_in_pages(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [create(run, f"key-{number}")["name"] for number in range(3)]
    monkeypatch.setattr("thetool.cli.keys.PAGE", 2)
    listed = json.loads(run("keys", "list", "--json").stdout)
    assert [key["name"] for key in listed] == names[::-1]
    table = run("keys", "list").stdout
    assert all(name in table for name in names)
    assert run("keys", "list", "--owner", "nobody").stdout == "No keys.\n"


def test_rotate_and_revoke(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    old = create(run, "worker")
    new = json.loads(run("keys", "rotate", str(old["id"]), "--json").stdout)
    assert new["name"] == "worker"
    monkeypatch.setenv("THETOOL_API_KEY", str(old["key"]))
    refused = run("keys", "current")
    assert refused.exit_code == 1
    assert re.fullmatch(r"Error: The key is not good: .* \(invalid_key, request \w+\)\n", refused.stderr)
    monkeypatch.setenv("THETOOL_API_KEY", new["key"])
    assert "worker" in run("keys", "current").stdout
    monkeypatch.setenv("THETOOL_API_KEY", MASTER_KEY)
    assert run("keys", "revoke", new["id"]).stdout == f"Revoked {new['id']}.\n"
    assert "No keys." in run("keys", "list").stdout
    assert json.loads(run("keys", "list", "--revoked", "--json").stdout)[0]["revoked_at"]
    assert "revoked" in run("keys", "list", "--revoked").stdout


def test_webhook_secret(run: Run) -> None:
    key = create(run, "sender")
    for given in ((), (str(key["id"]),)):
        made = run("keys", "webhook-secret", *given)
        assert made.stdout.startswith("whsec_")
        assert "not shown again" in made.stderr
    told = json.loads(run("keys", "webhook-secret", str(key["id"]), "--json").stdout)
    assert told["key_id"] == key["id"]
    assert told["webhook_secret"] not in made.stdout
    assert run("keys", "webhook-secret", "01a20100-2bf3-76b9-8eed-f88d0ab16cf7").exit_code == 1


def test_wrong_words(run: Run) -> None:
    assert run("keys", "revoke", "not-an-id").exit_code == 2
    assert run("keys", "create").exit_code == 2
    assert run("keys", "create", "x", "--scope", "root").exit_code == 2
    problem = run("keys", "create", "x" * 101)
    assert problem.exit_code == 1
    assert "validation_error" in problem.stderr
