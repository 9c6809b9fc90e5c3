"""Which kind of room it is, by what stands in it."""

from __future__ import annotations

from collections.abc import Iterable

FURNITURE = frozenset(
    {
        "bench", "chair", "couch", "potted plant", "bed", "dining table", "toilet", "tv", "laptop", "microwave", "oven",
        "toaster", "sink", "refrigerator", "book", "clock", "vase",
    }
)  # fmt: skip
"""The classes of COCO that belong to a room rather than to the people in it."""

_TELLING = (
    ("bathroom", {"toilet": 3}),
    ("bedroom", {"bed": 3}),
    ("kitchen", {"oven": 3, "refrigerator": 3, "microwave": 2, "toaster": 2, "sink": 1}),
    ("living_room", {"couch": 3, "tv": 1, "remote": 1, "potted plant": 0.5}),
    ("dining_room", {"dining table": 2, "chair": 0.5, "wine glass": 0.5}),
    ("home_office", {"keyboard": 2, "mouse": 1, "laptop": 1.5, "chair": 0.5}),
)
_ENOUGH = 1.5


def room_of(labels: Iterable[str]) -> str | None:
    """The room that the objects speak for; None when they say too little. A rule of ours, which was not measured."""
    present = set(labels)
    scores = {room: sum(weight for label, weight in signs.items() if label in present) for room, signs in _TELLING}
    best = max(scores, key=lambda room: scores[room])
    return best if scores[best] >= _ENOUGH else None
