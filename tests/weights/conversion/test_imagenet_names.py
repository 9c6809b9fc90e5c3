"""Names of ImageNet's classes: curated, and WordNet's where those are descriptions or shared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from thetool.weights.conversion import imagenet_names
from thetool.weights.conversion.problems import ConversionError

SYNONYMS = {str(number): f"class {number}, its other name" for number in range(1000)}


def converted(folder: Path, curated: list[str], synonyms: dict[str, str]) -> list[str]:
    curated_file, synonyms_file, target = (folder / name for name in ("curated", "synonyms", "names.json"))
    curated_file.write_text(json.dumps(curated))
    synonyms_file.write_text(json.dumps(synonyms))
    imagenet_names.convert(curated_file, synonyms_file, target)
    names: list[str] = json.loads(target.read_bytes())
    return names


def test_descriptions_and_shared_names_are_wordnets(tmp_path: Path) -> None:
    curated = [f"curated {number}" for number in range(1000)]
    curated[2], curated[5], curated[7] = "a cat having a striped coat", "this, or that", "hen of the woods"
    curated[10] = curated[20] = "missile"
    synonyms = {**SYNONYMS, "10": "missile", "20": "projectile, missile"}
    names = converted(tmp_path, curated, synonyms)
    assert [names[number] for number in (1, 2, 5, 7)] == ["curated 1", "class 2", "class 5", "hen of the woods"]
    assert (names[10], names[20]) == ("missile", "projectile")


@pytest.mark.parametrize(
    ("curated", "synonyms"),
    [(["one"], SYNONYMS), (["one"] * 1000, dict.fromkeys(SYNONYMS, "one")), ([], {}), ([["list"]] * 1000, SYNONYMS)],
    ids=["too-few", "no-names-of-their-own", "nothing", "no-names"],
)
def test_other_lists_are_refused(curated: list[str], synonyms: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(ConversionError):
        converted(tmp_path, curated, synonyms)
