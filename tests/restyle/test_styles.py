"""Styles are data: ours, and a team's own in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from thetool.config import Settings, SettingsError
from thetool.restyle.options import Options
from thetool.restyle.presets import painting
from thetool.restyle.prompts import prompt_of
from thetool.restyle.rooms import room_of
from thetool.restyle.styles import styles

OURS = ["modern", "scandinavian", "boho", "industrial", "minimalist"]
OWN = """
[styles.japandi]
title = "Japandi"
summary = "Calm and natural."
prompt = "japandi {room}, oak, paper lamps"
palette = ["#f0ebe3", "#3d3d3d"]
"""


def test_there_are_the_five_of_the_guide() -> None:
    assert list(styles(Settings())) == OURS


def test_a_team_adds_one_without_code_and_changes_it_while_we_run(tmp_path: Path) -> None:
    file = tmp_path / "styles.toml"
    file.write_text(OWN)
    settings = Settings(RESTYLE_STYLES=file)
    found = styles(settings)
    assert list(found) == [*OURS, "japandi"]
    assert found["japandi"].strength == 0.75, "our default"
    file.write_text(OWN.replace("Calm and natural.", "Quiet."))
    import os

    os.utime(file, ns=(1, 1))
    assert styles(settings)["japandi"].summary == "Quiet."


@pytest.mark.parametrize(
    "text", ["[styles.x", "[styles.x]\ntitle='only'", OWN.replace("japandi]", '"Not A Name"]'), OWN + "strenght = 1"]
)
def test_a_file_that_is_none_says_what_is_wrong(tmp_path: Path, text: str) -> None:
    file = tmp_path / "styles.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"RESTYLE_STYLES: .*styles.toml"):
        styles(Settings(RESTYLE_STYLES=file))


def test_words_say_the_style_the_room_the_colours_and_what_was_added() -> None:
    options = Options(color_palette=["#ff0000", "#001146"], prompt="a piano", negative_prompt="carpet")
    words = prompt_of(options, styles(Settings())["modern"], "living_room")
    assert words.positive.startswith("modern living room, ")
    assert "colours: red, navy blue" in words.positive
    assert words.positive.endswith("a piano")
    assert words.negative.endswith("carpet")


def test_what_is_removed_is_not_asked_for() -> None:
    options = Options(remove="couch, tv")
    words = prompt_of(options, styles(Settings())["modern"], None)
    assert "empty room interior" in words.positive
    assert "couch, tv" in words.negative
    assert painting(options, styles(Settings())["modern"]).strength == 1.0


def test_structure_scales_what_the_maps_weigh() -> None:
    style = styles(Settings())["modern"]
    none, usual, much = (painting(Options(structure=value), style) for value in (0, 0.5, 1))
    assert (none.depth_scale, none.edge_scale) == (0, 0)
    assert (usual.depth_scale, usual.edge_scale) == (style.depth, style.edges)
    assert (much.depth_scale, much.edge_scale) == (1.6, 1.0)


@pytest.mark.parametrize(("steps", "strength", "scheduled"), [(20, 0.5, 40), (4, 1, 4), (3, 0.75, 4), (20, 0.05, 400)])
def test_so_many_steps_are_run_as_were_asked_for(steps: int, strength: float, scheduled: int) -> None:
    numbers = painting(Options(steps=steps, strength=strength), styles(Settings())["modern"])
    assert numbers.scheduled_steps == scheduled
    assert min(int(scheduled * strength), scheduled) == steps, "as diffusers counts them"


@pytest.mark.parametrize("few_steps", [False, True])
def test_no_more_steps_are_run_than_the_scheduler_has(few_steps: bool) -> None:
    style, most = styles(Settings())["modern"], 50 if few_steps else 1000
    for strength in (number / 100 for number in range(5, 101)):
        for steps in (2, 7, 29, 60):
            numbers = painting(Options(steps=steps, strength=strength), style, few_steps=few_steps)
            assert numbers.scheduled_steps <= most
            assert numbers.steps == int(numbers.scheduled_steps * strength) <= steps, "as diffusers counts them"


@pytest.mark.parametrize(
    ("labels", "room"),
    [
        (["couch", "tv", "chair"], "living_room"),
        (["bed", "clock"], "bedroom"),
        (["toilet", "sink"], "bathroom"),
        (["oven", "sink", "chair"], "kitchen"),
        (["chair"], None),
        (["cat"], None),
        ([], None),
    ],
)
def test_the_room_by_what_stands_in_it(labels: list[str], room: str | None) -> None:
    assert room_of(labels) == room
