"""Which part of a photo is painted anew."""

from __future__ import annotations

import numpy as np
import pytest

from thetool.restyle.options import Options
from thetool.restyle.problems import NothingToRepaint
from thetool.restyle.regions import put_back, region
from thetool.vision.masks import box_masks, outline

LABELS = ["couch", "chair", "cat"]
MASKS = box_masks([(10, 10, 40, 40), (50, 50, 90, 90), (0, 90, 10, 100)], 100, 100)


def test_everywhere_unless_something_else_is_asked() -> None:
    assert region(Options(), LABELS, MASKS, None).mask is None


def test_furniture_is_kept_people_and_animals_are_not() -> None:
    mask = region(Options(keep_furniture="true"), LABELS, MASKS, None).mask
    assert mask is not None
    assert not mask[20, 20]
    assert not mask[70, 70]
    assert mask[95, 5], "a cat is no furniture"
    only = region(Options(keep_furniture="chair, lamp"), LABELS, MASKS, None)
    assert only.mask is not None
    assert only.mask[20, 20]
    assert not only.mask[70, 70]
    assert only.notes == ("Not found in the photo, and so not kept: lamp. It shows: couch, chair, cat.",)


def test_what_is_removed_is_painted_over_with_its_rim() -> None:
    mask = region(Options(remove="couch"), LABELS, MASKS, None).mask
    assert mask is not None
    assert mask[20, 20]
    assert mask[9, 20], "its shadow too"
    assert not mask[70, 70]


def test_what_is_to_go_is_no_furniture_to_keep() -> None:
    found = region(Options(remove="couch", keep_furniture=True), LABELS, MASKS, None)
    assert found.mask is not None
    assert found.mask[20, 20]
    assert not found.mask[70, 70]
    assert found.removed is not None
    assert (found.removed == found.mask).all()
    assert region(Options(keep_furniture=True), LABELS, MASKS, None).removed is None


def test_a_mask_of_the_callers_own_less_what_is_kept() -> None:
    given = np.zeros((100, 100), bool)
    given[:, :60] = True
    mask = region(Options(keep_furniture=["couch"]), LABELS, MASKS, given).mask
    assert mask is not None
    assert mask[80, 20]
    assert not mask[20, 20]
    assert not mask[20, 80]


def test_nothing_left_is_a_problem_that_says_why() -> None:
    with pytest.raises(NothingToRepaint, match="not removed: sofa. It shows: couch, chair, cat"):
        region(Options(remove="sofa"), LABELS, MASKS, None)
    with pytest.raises(NothingToRepaint):
        region(Options(), LABELS, MASKS, np.zeros((100, 100), bool))


def test_no_furniture_found_keeps_none_and_says_so() -> None:
    found = region(Options(keep_furniture=True), ["cat"], MASKS[2:], None)
    assert found.mask is None
    assert "none was kept" in found.notes[0]


def test_put_back_leaves_every_other_pixel_as_it_was() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (100, 100, 3), np.uint8)
    painted = np.zeros_like(photo)
    mask = MASKS[0]
    mixed = put_back(painted, photo, mask)
    assert (mixed[~mask] == photo[~mask]).all()
    assert (mixed[20:30, 20:30] == 0).all()
    assert (put_back(painted, photo, np.ones_like(mask)) == 0).all(), "no seam along the photo's own edge"


def test_an_outline_is_a_polygon_of_few_corners() -> None:
    corners = outline(MASKS[0])
    assert len(corners) == 4
    assert {(10.0, 10.0), (39.0, 39.0)} <= set(corners)
    assert outline(np.zeros((5, 5), bool)) == []
