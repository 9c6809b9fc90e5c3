"""Versions in order, aliases moved and moved back."""

from __future__ import annotations

import random
import threading

import pytest

from tests.serving import graphs
from tests.serving.house import House, refused
from thetool.serving.semver import is_release, precedence

ASCENDING = """
0.0.1 1.0.0-0 1.0.0-2 1.0.0-11 1.0.0-alpha 1.0.0-alpha.1 1.0.0-alpha.beta 1.0.0-alpha-a 1.0.0-beta 1.0.0-beta.2
1.0.0-beta.11 1.0.0-rc.1 1.0.0 1.0.1 1.2 1.10.0 2 10.0.0-a 10.0.0
""".split()  # noqa: SIM905  read more easily than a list of quoted words


def test_versions_sort_as_semver_says() -> None:
    shuffled = random.Random(1).sample(ASCENDING, len(ASCENDING))
    assert sorted(shuffled, key=precedence) == ASCENDING
    assert precedence("1.2") == precedence("1.2.0") == precedence("1.2.0+build.5")
    assert is_release(precedence("1.0.0+x"))
    assert not is_release(precedence("1.0.0-beta"))


@pytest.mark.parametrize("version", ["", "v1", "1.0.0-", "1..0", "01.0.0", "1.0.0-01", "1.0.0.0", "1.0.0 ", "١.0.0"])
def test_what_is_no_version(version: str) -> None:
    with pytest.raises(ValueError, match="is no version"):
        precedence(version)


def test_versions_are_listed_the_highest_first(house: House) -> None:
    for version in ("1.0.0", "1.0.0-beta", "1.10.0", "2.0.0-rc.1", "1.2.0"):
        house.make("ordered", version)
    answer = house.get("/api/v1/models/by-name/ordered/versions").json
    assert [one["version"] for one in answer["versions"]] == ["2.0.0-rc.1", "1.10.0", "1.2.0", "1.0.0", "1.0.0-beta"]
    assert (answer["total"], answer["latest_version"]) == (5, None), "none of them is ready"
    assert house.get("/api/v1/models/by-name/ordered/latest").json["version"] == "1.10.0", "a release comes first"
    refused(house.get("/api/v1/models/by-name/ordered/latest?ready_only=true"), 404, "not_found")
    refused(house.get("/api/v1/models/by-name/nobody/latest"), 404, "not_found")


def test_an_alias_is_moved_and_moved_back(house: House) -> None:
    ids = {version: house.add("aliased", graphs.doubling(3.0), version) for version in ("1.0.0", "2.0.0", "3.0.0")}
    path = "/api/v1/models/by-name/aliased/aliases/production"
    for version in ids:
        answer = house.call("PUT", path, json={"version": version})
        assert (answer.status_code, answer.json["model_id"]) == (200, ids[version])
    assert answer.json["earlier"] == [ids["1.0.0"], ids["2.0.0"]]
    assert house.get(f"/api/v1/models/{ids['3.0.0']}").json["aliases"] == ["production"]

    refused(house.call("PATCH", f"/api/v1/models/{ids['3.0.0']}", json={"status": "archived"}), 409, "model_in_use")
    refused(house.call("PATCH", f"/api/v1/models/{ids['3.0.0']}", json={"name": "else"}), 409, "model_in_use")
    refused(house.call("DELETE", f"/api/v1/models/{ids['3.0.0']}"), 409, "model_in_use")
    house.call("PATCH", f"/api/v1/models/{ids['2.0.0']}", json={"status": "archived"})
    refused(house.call("PUT", path, json={"version": "2.0.0"}), 409, "model_not_ready")

    back = house.post(f"{path}/rollback").json
    assert (back["version"], back["earlier"]) == ("1.0.0", []), "an archived version is passed over"
    refused(house.post(f"{path}/rollback"), 409, "nothing_to_roll_back")
    assert house.get("/api/v1/models/by-name/aliased/aliases").json["aliases"][0]["version"] == "1.0.0"
    assert house.call("DELETE", path).status_code == 204
    refused(house.call("DELETE", path), 404, "not_found")
    assert house.call("DELETE", f"/api/v1/models/{ids['3.0.0']}").status_code == 204


@pytest.mark.parametrize("alias", ["latest", "1.0.0", "Production", "a" * 51])
def test_what_no_alias_may_be_called(house: House, alias: str) -> None:
    answer = house.call("PUT", f"/api/v1/models/by-name/any/aliases/{alias}", json={"version": "1.0.0"})
    assert refused(answer, 422, "validation_error")["errors"][0]["field"] == "alias"


def test_a_share_needs_somebody_who_gets_it(house: House) -> None:
    house.add("shared out", graphs.doubling(3.0))
    path = "/api/v1/models/by-name/shared%20out/aliases/production"
    for wrong in (
        {"canary_percent": 10},
        {"canary_version": "1.0.0"},
        {"canary_version": "1.0.0", "canary_percent": 5},
    ):
        answer = house.call("PUT", path, json={"version": "1.0.0", **wrong})
        assert refused(answer, 422, "validation_error")["errors"][0]["field"] == "canary_percent"
    refused(house.call("PUT", path, json={"version": "9.9.9"}), 404, "not_found")


def test_aliases_are_moved_by_many_at_once(house: House) -> None:
    """First ones too, and two that name each other's version as the one with a share."""
    for version in ("1.0.0", "2.0.0"):
        house.add("crowd", graphs.doubling(4.0), version)
    statuses: list[int] = []
    start = threading.Barrier(12)

    def move(number: int) -> None:
        client = house.app.test_client()
        versions = ("1.0.0", "2.0.0") if number % 2 else ("2.0.0", "1.0.0")
        wanted = {"version": versions[0], "canary_version": versions[1], "canary_percent": 10}
        path = f"/api/v1/models/by-name/crowd/aliases/a{number // 4}"
        start.wait()
        for _ in range(5):
            statuses.append(client.put(path, json=wanted, headers=house.master).status_code)
            statuses.append(client.post(f"{path}/rollback", headers=house.master).status_code)

    threads = [threading.Thread(target=move, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {200, 409}, "409: there is nothing to roll back to"
    assert len(statuses) == 120
